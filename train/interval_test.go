package train

// Losses of interval bounds: values and gradients against twins that bound neuron
// by neuron.

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

func TestReLUStableGradient(t *testing.T) {
	for name, net := range zoo(t) {
		for _, full := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				b := randomBatch(net, 5, 3)
				c := evaluate(t, net, ReLUStable{Epsilon: Constant(0.05), Full: full}, b, &Options{})
				c.differences(t, func() float64 { return twinRS(net, b, full, twinBoxes) })
			})
		}
	}
}

// twinRS is the loss of ReLUStable from given bounds.
func twinRS(net nn.Network, b Batch, full bool, boxes func(nn.Network, []float64, int, float64) (lo, up [][]float64)) float64 {
	lo, up := boxes(net, wide(b.X), b.Size, 0.05)
	sum := 0.0
	m, _ := newModel(net, &Options{})
	for _, h := range m.hidden {
		part := 0.0
		for i := range lo[h] {
			part -= math.Tanh(1 + lo[h][i]*up[h][i])
		}
		if shape := m.nodes[h].Shape; len(shape) == 3 && !full {
			part /= float64(shape[1] * shape[2])
		}
		sum += part / float64(b.Size)
	}
	return sum
}

// twinComposed is twinBoxes for stacks of layers and ReLUs, with the dense
// layers behind a ReLU bounded by enumeration of coefficients.
func twinComposed(net nn.Network, x []float64, batch int, epsilon float64) (lo, up [][]float64) {
	lo, up = make([][]float64, len(net.Nodes())), make([][]float64, len(net.Nodes()))
	n := len(x) / batch
	for i := range batch {
		l, u := make([]float64, n), make([]float64, n)
		for k := range n {
			l[k], u[k] = max(x[i*n+k]-epsilon, 0), min(x[i*n+k]+epsilon, 1)
		}
		a, b := twinComposedOne(net, l, u)
		for j := range a {
			lo[j], up[j] = append(lo[j], a[j]...), append(up[j], b[j]...)
		}
	}
	return lo, up
}

func twinComposedOne(net nn.Network, lower, upper []float64) (lo, up [][]float64) {
	nodes := net.Nodes()
	lo, up = make([][]float64, len(nodes)), make([][]float64, len(nodes))
	lo[0], up[0] = lower, upper
	for i := 1; i < len(nodes); i++ {
		j := nodes[i].Inputs[0]
		sub := func(at int, in []float64) []float64 {
			out := make([]float64, nodes[at].Shape.Size())
			nodes[at].Op.Forward64(&nn.Call[float64]{Batch: 1, InShapes: nn.InShapes(net, at), OutShape: nodes[at].Shape, In: [][]float64{in}, Out: out})
			return out
		}
		relu := j
		if _, ok := nodes[j].Op.(nn.Flatten); ok {
			relu = nodes[j].Inputs[0]
		}
		if d, ok := nodes[i].Op.(*nn.Dense); ok && j != 0 {
			if _, ok := nodes[relu].Op.(nn.ReLU); ok {
				pre := nodes[relu].Inputs[0]
				from := nodes[pre].Inputs[0]
				lo[i], up[i] = composedByHand(d, lo[pre], up[pre], lo[from], up[from], func(in []float64) []float64 { return sub(pre, in) })
				continue
			}
		}
		if _, ok := nodes[i].Op.(nn.Affine); !ok {
			lo[i], up[i] = sub(i, lo[j]), sub(i, up[j])
			continue
		}
		zero := make([]float64, len(lo[j]))
		base := sub(i, zero)
		lo[i], up[i] = slices.Clone(base), slices.Clone(base)
		for e := range zero {
			zero[e] = 1
			for o, v := range sub(i, zero) {
				lo[i][o] += min((v-base[o])*lo[j][e], (v-base[o])*up[j][e])
				up[i][o] += max((v-base[o])*lo[j][e], (v-base[o])*up[j][e])
			}
			zero[e] = 0
		}
	}
	return lo, up
}

// composedByHand bounds a dense layer behind ReLUs of pre, each active neuron
// being the linear function that pre computes of x in [l, u].
func composedByHand(d *nn.Dense, preLower, preUpper, l, u []float64, pre func([]float64) []float64) (lo, up []float64) {
	out, mid := d.Weight().Shape[0], d.Weight().Shape[1]
	lo, up = slices.Clone(d.Bias().Values()), slices.Clone(d.Bias().Values())
	base := pre(make([]float64, len(l)))
	columns := make([][]float64, len(l))
	for e := range l {
		unit := make([]float64, len(l))
		unit[e] = 1
		columns[e] = pre(unit)
	}
	for o := range out {
		w := d.Weight().Values()[o*mid : (o+1)*mid]
		for k, c := range w {
			switch {
			case preLower[k] >= 0:
				lo[o] += c * base[k]
				up[o] += c * base[k]
			case preUpper[k] > 0:
				lo[o] += min(c*preUpper[k], 0)
				up[o] += max(c*preUpper[k], 0)
			}
		}
		for e := range l {
			c := 0.0
			for k := range w {
				if preLower[k] >= 0 {
					c += w[k] * (columns[e][k] - base[k])
				}
			}
			lo[o] += min(c*l[e], c*u[e])
			up[o] += max(c*l[e], c*u[e])
		}
	}
	return lo, up
}

func TestComposedGradient(t *testing.T) {
	for _, name := range []string{"dense", "conv"} {
		t.Run(name, func(t *testing.T) {
			net := zoo(t)[name]
			b := randomBatch(net, 5, 4)
			c := evaluate(t, net, ReLUStable{Epsilon: Constant(0.05), Full: true, Composed: true}, b, &Options{})
			c.differences(t, func() float64 { return twinRS(net, b, true, twinComposed) })
			// Never looser than the natural bounds, and somewhere tighter.
			natural, err := c.s.box(context.Background(), 0.05, 0, 1, false)
			require.NoError(t, err)
			composed, err := c.s.box(context.Background(), 0.05, 0, 1, true)
			require.NoError(t, err)
			gain := 0.0
			for i := range natural.lower {
				for k := range natural.lower[i] {
					w, v := natural.upper[i][k]-natural.lower[i][k], composed.upper[i][k]-composed.lower[i][k]
					require.LessOrEqual(t, v, w+1e-5)
					gain = max(gain, float64(w-v))
				}
			}
			assert.Greater(t, gain, 1e-3)
		})
	}
}

func TestIBPGradient(t *testing.T) {
	for name, net := range zoo(t) {
		t.Run(name, func(t *testing.T) {
			b := randomBatch(net, 6, 3)
			c := evaluate(t, net, IBP{Epsilon: Constant(0.04)}, b, &Options{})
			c.differences(t, func() float64 {
				lo, up := twinBoxes(net, wide(b.X), b.Size, 0.04)
				nodes, o := net.Nodes(), net.Output()
				d := nodes[o].Op.(*nn.Dense)
				k, n := d.Weight().Shape[0], d.Weight().Shape[1]
				l, u := lo[nodes[o].Inputs[0]], up[nodes[o].Inputs[0]]
				w, bias := d.Weight().Values(), d.Bias().Values()
				z := make([]float64, b.Size*k)
				for i, label := range b.Labels {
					for j := range k {
						if j == label {
							continue
						}
						z[i*k+j] = bias[j] - bias[label]
						for e := range n {
							c := w[j*n+e] - w[label*n+e]
							z[i*k+j] += max(c*l[i*n+e], c*u[i*n+e])
						}
					}
				}
				return twinCE(z, b.Labels)
			})
		})
	}
}

// TestIBPWithoutMerging: a last layer that is no Dense.
func TestIBPWithoutMerging(t *testing.T) {
	net := built(t, 8, nn.Shape{4}, Dense{5}, Activation{nn.ReLU{}}, Dense{3}, Activation{nn.Tanh{}})
	b := randomBatch(net, 6, 5)
	c := evaluate(t, net, IBP{Epsilon: Constant(0.1)}, b, &Options{})
	c.differences(t, func() float64 {
		lo, up := twinBoxes(net, wide(b.X), b.Size, 0.1)
		z := slices.Clone(up[net.Output()])
		for i, label := range b.Labels {
			for j := range 3 {
				z[i*3+j] -= lo[net.Output()][i*3+label]
			}
			z[i*3+label] = 0
		}
		return twinCE(z, b.Labels)
	})
}
