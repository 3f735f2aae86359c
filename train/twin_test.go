package train

// Dumb twins: the losses as their formulas say, in float64, on naive passes.
// They share no code with the losses and are what gradients are checked against.

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// naive is the values of all nodes at a batch, in float64. With training set,
// BatchNorm uses the batch's statistics.
func naive(net nn.Network, x []float64, batch int, training bool) [][]float64 {
	nodes := net.Nodes()
	v := make([][]float64, len(nodes))
	v[0] = x
	for i := 1; i < len(nodes); i++ {
		n := nodes[i]
		v[i] = make([]float64, batch*n.Shape.Size())
		if bn, ok := n.Op.(*nn.BatchNorm); ok && training {
			naiveNorm(bn, nn.InShapes(net, i)[0], v[n.Inputs[0]], v[i])
			continue
		}
		c := &nn.Call[float64]{Batch: batch, InShapes: nn.InShapes(net, i), OutShape: n.Shape, Out: v[i]}
		for _, j := range n.Inputs {
			c.In = append(c.In, v[j])
		}
		n.Op.Forward64(c)
	}
	return v
}

func naiveNorm(bn *nn.BatchNorm, shape nn.Shape, in, out []float64) {
	axis, _ := shape.Axis(bn.Axis())
	channels, plane := shape[axis], shape[axis+1:].Size()
	p := bn.Params()
	for ch := range channels {
		var at []int
		for i := range in {
			if i/plane%channels == ch {
				at = append(at, i)
			}
		}
		mean, variance := 0.0, 0.0
		for _, i := range at {
			mean += in[i] / float64(len(at))
		}
		for _, i := range at {
			variance += (in[i] - mean) * (in[i] - mean) / float64(len(at))
		}
		for _, i := range at {
			out[i] = (in[i]-mean)/math.Sqrt(variance+bn.Epsilon())*p[0].Values()[ch] + p[1].Values()[ch]
		}
	}
}

func wide(x []float32) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

func softmax(y []float64) []float64 {
	p, sum := make([]float64, len(y)), 0.0
	for j, v := range y {
		p[j] = math.Exp(v)
		sum += p[j]
	}
	for j := range p {
		p[j] /= sum
	}
	return p
}

func twinCE(y []float64, labels []int) float64 {
	k, sum := len(y)/len(labels), 0.0
	for i, l := range labels {
		sum -= math.Log(softmax(y[i*k : (i+1)*k])[l])
	}
	return sum / float64(len(labels))
}

func twinKL(y, z []float64, batch int) float64 {
	k, sum := len(y)/batch, 0.0
	for i := range batch {
		p, q := softmax(y[i*k:(i+1)*k]), softmax(z[i*k:(i+1)*k])
		for j := range p {
			sum += p[j] * math.Log(p[j]/q[j])
		}
	}
	return sum / float64(batch)
}

// twinNBC is the mean of NBC with the given γ by hidden layer.
func twinNBC(net nn.Network, v, w [][]float64, batch int, gamma map[int]float64) float64 {
	sum := -twinKL(v[net.Output()], w[net.Output()], batch)
	for node, g := range gamma {
		n := len(v[node]) / batch
		for i := range batch {
			dot, a, b := 0.0, 0.0, 0.0
			for k := i * n; k < (i+1)*n; k++ {
				dot += v[node][k] * w[node][k]
				a += v[node][k] * v[node][k]
				b += w[node][k] * w[node][k]
			}
			sum += dot / math.Sqrt(a*b) / g / float64(batch)
		}
	}
	return sum
}

// twinBox is the interval bounds of one sample, neuron by neuron, for stacks of
// Dense, Conv, pools, BatchNorm in evaluation, Add and activations: the sign of
// each coefficient is found by evaluating unit vectors.
func twinBox(net nn.Network, lower, upper []float64) (lo, up [][]float64) {
	nodes := net.Nodes()
	lo, up = make([][]float64, len(nodes)), make([][]float64, len(nodes))
	lo[0], up[0] = lower, upper
	for i := 1; i < len(nodes); i++ {
		n := nodes[i]
		shapes := nn.InShapes(net, i)
		eval := func(in [][]float64) []float64 {
			out := make([]float64, n.Shape.Size())
			n.Op.Forward64(&nn.Call[float64]{Batch: 1, InShapes: shapes, OutShape: n.Shape, In: in, Out: out})
			return out
		}
		zero := make([][]float64, len(n.Inputs))
		var l, u [][]float64
		for k, j := range n.Inputs {
			zero[k] = make([]float64, len(lo[j]))
			l, u = append(l, lo[j]), append(u, up[j])
		}
		if _, affine := n.Op.(nn.Affine); !affine {
			lo[i], up[i] = eval(l), eval(u)
			continue
		}
		base := eval(zero)
		lo[i], up[i] = append([]float64(nil), base...), append([]float64(nil), base...)
		for k := range n.Inputs {
			for e := range zero[k] {
				zero[k][e] = 1
				for o, v := range eval(zero) {
					c := v - base[o]
					lo[i][o] += min(c*l[k][e], c*u[k][e])
					up[i][o] += max(c*l[k][e], c*u[k][e])
				}
				zero[k][e] = 0
			}
		}
	}
	return lo, up
}

// twinBoxes is twinBox of each sample of a batch around x, laid end to end.
func twinBoxes(net nn.Network, x []float64, batch int, epsilon float64) (lo, up [][]float64) {
	n := len(x) / batch
	lo, up = make([][]float64, len(net.Nodes())), make([][]float64, len(net.Nodes()))
	for i := range batch {
		l, u := make([]float64, n), make([]float64, n)
		for k := range n {
			l[k], u[k] = max(x[i*n+k]-epsilon, 0), min(x[i*n+k]+epsilon, 1)
		}
		a, b := twinBox(net, l, u)
		for j := range a {
			lo[j], up[j] = append(lo[j], a[j]...), append(up[j], b[j]...)
		}
	}
	return lo, up
}

// built is a network of the layers with random parameters.
func built(t testing.TB, seed uint64, input nn.Shape, layers ...Layer) *nn.Graph {
	net, err := Stack(input, layers...)
	require.NoError(t, err)
	scramble(net, seed)
	return net
}

// scramble draws all parameters, biases and statistics too.
func scramble(net nn.Network, seed uint64) {
	Initialize(net, He, seed)
	rng := rand.New(rand.NewPCG(seed, 7))
	for _, n := range net.Nodes()[1:] {
		for k, p := range n.Op.Params() {
			if len(p.Shape) > 1 {
				continue
			}
			_, norm := n.Op.(*nn.BatchNorm)
			fill(p, func() float64 {
				if norm && (k == 0 || k == 3) {
					return 0.5 + rng.Float64()
				}
				return 0.3 * rng.NormFloat64()
			})
		}
	}
}

// randomBatch is a batch for net with inputs in [0, 1].
func randomBatch(net nn.Network, seed uint64, size int) Batch {
	rng := rand.New(rand.NewPCG(seed, 11))
	b := Batch{Size: size, X: make([]float32, size*nn.InputShape(net).Size()), Labels: make([]int, size)}
	for i := range b.X {
		b.X[i] = rng.Float32()
	}
	for i := range b.Labels {
		b.Labels[i] = rng.IntN(nn.OutputShape(net).Size())
	}
	return b
}
