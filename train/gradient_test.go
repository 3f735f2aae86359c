package train

// Every loss and every kind of operator: values and gradients against central
// differences of the twins, in float64.

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// checked is a loss evaluated at a batch.
type checked struct {
	m     *model
	s     *Step
	batch Batch
	value float64
	grad  []float32
}

// evaluate computes a loss and its gradient at a fresh step.
func evaluate(t testing.TB, net nn.Network, loss Loss, b Batch, opts *Options) *checked {
	m, err := newModel(net, opts)
	require.NoError(t, err)
	require.NoError(t, loss.Validate(net))
	s := newStep(m)
	s.begin(b, 0.5, rand.New(rand.NewPCG(3, 4)))
	before := make([]float32, m.weights)
	m.pull(before)
	var statistics [][]float32
	for _, p := range m.statistics() {
		statistics = append(statistics, slices.Clone(p.Values32()))
	}
	v, err := s.gradient(context.Background(), loss)
	require.NoError(t, err)
	for i, p := range m.statistics() {
		p.Set32(statistics[i])
	}
	return &checked{m, s, b, v, slices.Clone(s.grad)}
}

// differences compares with central differences of twin along random
// directions and random coordinates of every parameter. Twin reads the network.
func (c *checked) differences(t *testing.T, twin func() float64) {
	t.Helper()
	w := make([]float64, c.m.weights)
	for _, p := range c.m.params {
		copy(w[p.from:p.to], p.Values())
	}
	set := func(w []float64) {
		for _, p := range c.m.params {
			p.Set(w[p.from:p.to])
		}
	}
	defer set(w)
	assert.InDelta(t, twin(), c.value, 2e-5*(1+math.Abs(c.value)), "value")
	norm := 0.0
	for _, g := range c.grad {
		norm += float64(g) * float64(g)
	}
	norm = math.Sqrt(norm)
	require.Greater(t, norm, 1e-6, "there is a gradient")
	rng := rand.New(rand.NewPCG(1, 9))
	worst := 0.0
	check := func(d []float64, what string) {
		const h = 1e-6
		at := make([]float64, len(w))
		side := func(sign float64) float64 {
			for i := range at {
				at[i] = w[i] + sign*h*d[i]
			}
			set(at)
			return twin()
		}
		want, got, size := (side(1)-side(-1))/(2*h), 0.0, 0.0
		for i, g := range c.grad {
			got += float64(g) * d[i]
			size += d[i] * d[i]
		}
		off := math.Abs(want-got) / (norm * math.Sqrt(size))
		worst = max(worst, off)
		require.LessOrEqual(t, off, 2e-4, "%s: differences %g, gradient %g", what, want, got)
	}
	for range 4 {
		d := make([]float64, len(w))
		for i := range d {
			d[i] = rng.NormFloat64()
		}
		check(d, "direction")
	}
	check(wide(c.grad), "along the gradient")
	for _, p := range c.m.params {
		for range 2 {
			d := make([]float64, len(w))
			d[p.from+rng.IntN(p.to-p.from)] = 1
			check(d, c.m.nodes[p.node].Name+" "+p.Name)
		}
	}
	t.Logf("largest deviation %.1e of the gradient's length", worst)
}

// zoo is networks that together have every operator that training meets.
func zoo(t testing.TB) map[string]*nn.Graph {
	relu := Activation{nn.ReLU{}}
	nets := map[string]*nn.Graph{
		"dense": built(t, 1, nn.Shape{6}, Dense{7}, relu, Dense{5}, relu, Dense{4}),
		"conv":  built(t, 2, nn.Shape{2, 6, 6}, Conv{Out: 3, Kernel: 3, Stride: 2, Pad: []int{1, 0, 2, 1}}, relu, Conv{Out: 4, Kernel: 2, Pad: []int{1}}, relu, Dense{6}, relu, Dense{3}),
		"groups and pools": built(t, 3, nn.Shape{2, 7, 7}, Conv{Out: 4, Kernel: 3, Groups: 2}, relu, MaxPool{Kernel: 2, Stride: 2},
			Conv{Out: 4, Kernel: 2}, Activation{nn.LeakyReLU{Slope: 0.1}}, AveragePool{Kernel: 1, Stride: 1}, Dense{3}),
		"norm":   built(t, 4, nn.Shape{2, 6, 6}, Conv{Out: 3, Kernel: 3}, BatchNorm{}, relu, AveragePool{Kernel: 2, Stride: 2}, Dense{5}, BatchNorm{}, relu, Dense{3}),
		"smooth": built(t, 5, nn.Shape{5}, Dense{6}, Activation{nn.Tanh{}}, Dense{6}, Activation{nn.Sigmoid{}}, Dense{5}, Activation{nn.Arctan{}}, Dense{4}),
	}
	nets["residual"], nets["moves"] = residual(t), moves(t)
	return nets
}

// moves has a matrix from the left, slices, gathers, reductions and views.
func moves(t testing.TB) *nn.Graph {
	b := nn.NewBuilder(nn.Shape{2, 3, 4})
	arith := func(kind nn.ArithKind, c float64, first bool) nn.Operator {
		op, err := nn.NewConstArith(kind, []float64{c}, nn.Shape{1}, first)
		require.NoError(t, err)
		return op
	}
	dense := func(out, in int) nn.Operator {
		op, err := nn.NewDense(out, in, make([]float64, out*in), make([]float64, out))
		require.NoError(t, err)
		return op
	}
	slice, err := nn.NewSlice([]int{0}, []int{4}, []int{2}, []int{2})
	require.NoError(t, err)
	gather, err := nn.NewGather(0, []int{1, 0, 1}, nn.Shape{3})
	require.NoError(t, err)
	left, err := nn.NewMatMulLeft(5, 3, make([]float64, 15))
	require.NoError(t, err)
	constant, err := nn.NewConstant([]float64{0.2, -0.1, 0.3, 0.1, 0, -0.4}, nn.Shape{3, 2, 1})
	require.NoError(t, err)
	sum, err := nn.NewReduce(nn.ReduceSum, []int{2}, true)
	require.NoError(t, err)
	average, err := nn.NewReduce(nn.ReduceMean, []int{1}, false)
	require.NoError(t, err)

	h := b.Add("left", left, b.Input())                                            // [2 5 4]
	h = b.Add("relu1", nn.ReLU{}, b.Add("flip", arith(nn.ArithSub, 0.1, true), h)) // 0.1 − x
	h = b.Add("gather", gather, b.Add("slice", slice, h))                          // [3 5 2]
	pooled := b.Add("pool", nn.NewGlobalAveragePool(0), h)                         // [3 1 1]
	means := b.Add("means", average, h)                                            // [3 2]
	up := b.Add("unsqueeze", nn.NewUnsqueeze([]int{2}), means)                     // [3 2 1]
	up = b.Add("shifted", nn.Add{}, up, b.Add("constant", constant))
	up = b.Add("scaled", arith(nn.ArithMul, -1.5, false), up)
	total := b.Add("total", sum, b.Add("both", nn.Add{}, up, pooled))
	flat := b.Add("reshape", nn.NewReshape(nn.Shape{6}), b.Add("squeeze", nn.NewSqueeze([]int{2}), total))
	hidden := b.Add("relu2", nn.ReLU{}, b.Add("fc1", dense(5, 6), flat))
	g, err := b.Build(b.Add("fc2", dense(3, 5), b.Add("plus", arith(nn.ArithAdd, 0.1, false), hidden)))
	require.NoError(t, err)
	scramble(g, 9)
	return g
}

// residual has sums, differences, constants, a concatenation and moves.
func residual(t testing.TB) *nn.Graph {
	b := nn.NewBuilder(nn.Shape{1, 4, 4})
	sub, err := nn.NewConstArith(nn.ArithSub, []float64{0.4}, nn.Shape{1}, false)
	require.NoError(t, err)
	div, err := nn.NewConstArith(nn.ArithDiv, []float64{-0.7}, nn.Shape{1}, false)
	require.NoError(t, err)
	conv := func(in, out int) nn.Operator {
		op, err := nn.NewConv(nn.ConvConfig{Kernel: []int{3, 3}, Pad: []int{1, 1, 1, 1}}, out, in, make([]float64, out*in*9), make([]float64, out))
		require.NoError(t, err)
		return op
	}
	concat := nn.Concat{Axis: 0}
	perm, err := nn.NewTranspose([]int{1, 2, 0})
	require.NoError(t, err)
	pad, err := nn.NewPad([]int{0, 1, 0}, []int{0, 0, 1}, 0)
	require.NoError(t, err)
	x := b.Add("shift", sub, b.Add("scale", div, b.Input()))
	h := b.Add("relu1", nn.ReLU{}, b.Add("conv1", conv(1, 2), x))
	k := b.Add("conv2", conv(2, 2), h)
	sum := b.Add("sum", nn.Add{}, h, k)
	diff := b.Add("difference", nn.Sub{}, b.Add("relu2", nn.ReLU{}, sum), h)
	cat := b.Add("concat", concat, diff, x)
	moved := b.Add("transpose", perm, b.Add("pad", pad, cat))
	flat := b.Add("flat", nn.Flatten{Axis: 0}, moved)
	op, err := nn.NewDense(3, b.Shape(flat).Size(), make([]float64, 3*b.Shape(flat).Size()), make([]float64, 3))
	require.NoError(t, err)
	g, err := b.Build(b.Add("fc", op, flat))
	require.NoError(t, err)
	scramble(g, 6)
	return g
}

func TestCrossEntropyGradient(t *testing.T) {
	for name, net := range zoo(t) {
		t.Run(name, func(t *testing.T) {
			b := randomBatch(net, 1, 7)
			c := evaluate(t, net, CrossEntropy{}, b, &Options{})
			c.differences(t, func() float64 { return twinCE(naive(net, wide(b.X), b.Size, true)[net.Output()], b.Labels) })
		})
	}
}

var smallAttack = Attack{Epsilon: Constant(0.1), Steps: 3}

func TestMadryGradient(t *testing.T) {
	for name, net := range zoo(t) {
		t.Run(name, func(t *testing.T) {
			b := randomBatch(net, 2, 6)
			c := evaluate(t, net, Madry{smallAttack}, b, &Options{})
			x := slices.Clone(c.s.last.X())
			c.differences(t, func() float64 { return twinCE(naive(net, wide(x), b.Size, true)[net.Output()], b.Labels) })
		})
	}
}

func TestTRADESGradient(t *testing.T) {
	for name, net := range zoo(t) {
		t.Run(name, func(t *testing.T) {
			b := randomBatch(net, 3, 6)
			c := evaluate(t, net, NewTRADES(Constant(2), smallAttack), b, &Options{})
			x, o := slices.Clone(c.s.last.X()), net.Output()
			c.differences(t, func() float64 {
				y, z := naive(net, wide(b.X), b.Size, true)[o], naive(net, wide(x), b.Size, true)[o]
				return twinCE(y, b.Labels) + 2*twinKL(y, z, b.Size)
			})
		})
	}
}

// gammas is γ by node, from sorted sizes.
func gammas(net nn.Network, ordinal bool) map[int]float64 {
	m, _ := newModel(net, &Options{})
	sizes := []int{}
	for _, h := range m.hidden {
		if n := m.nodes[h].Shape.Size(); ordinal || !slices.Contains(sizes, n) {
			sizes = append(sizes, n)
		}
	}
	slices.Sort(sizes)
	out, taken := map[int]float64{}, map[int]int{}
	for _, h := range m.hidden {
		n := m.nodes[h].Shape.Size()
		rank := slices.Index(sizes, n) + 1
		if ordinal {
			rank += taken[n]
			taken[n]++
		}
		out[h] = math.Pow(2, float64(rank))
	}
	return out
}

func TestNBCGradient(t *testing.T) {
	for name, net := range zoo(t) {
		for _, ordinal := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				b := randomBatch(net, 4, 6)
				loss := Sum{{Loss: CrossEntropy{}}, {Loss: NBC{Attack: smallAttack, Ordinal: ordinal}, Weight: Constant(1.5)}}
				c := evaluate(t, net, loss, b, &Options{})
				x, gamma := slices.Clone(c.s.last.X()), gammas(net, ordinal)
				c.differences(t, func() float64 {
					v, w := naive(net, wide(b.X), b.Size, true), naive(net, wide(x), b.Size, true)
					return twinCE(v[net.Output()], b.Labels) - 1.5*twinNBC(net, v, w, b.Size, gamma)
				})
			})
		}
	}
}

// TestSharedGradient: TRADES and NBC on one adversarial point.
func TestSharedGradient(t *testing.T) {
	net := zoo(t)["conv"]
	b := randomBatch(net, 4, 6)
	loss := append(NewTRADES(Constant(1), smallAttack), Term{Loss: NBC{Shared: true}, Weight: Constant(2)})
	c := evaluate(t, net, loss, b, &Options{})
	require.Equal(t, 2, c.s.count, "passes: the clean one and one other")
	x, gamma := slices.Clone(c.s.last.X()), gammas(net, false)
	c.differences(t, func() float64 {
		v, w := naive(net, wide(b.X), b.Size, true), naive(net, wide(x), b.Size, true)
		y, z := v[net.Output()], w[net.Output()]
		return twinCE(y, b.Labels) + twinKL(y, z, b.Size) - 2*twinNBC(net, v, w, b.Size, gamma)
	})
}

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

func TestPenaltyGradients(t *testing.T) {
	net := zoo(t)["conv"]
	b := randomBatch(net, 7, 2)
	sumOf := func(f func(v float64) float64, times map[string]float64) func() float64 {
		return func() float64 {
			sum := 0.0
			for _, n := range net.Nodes()[1:] {
				for _, p := range n.Op.Params() {
					if p.Name != "weight" {
						continue
					}
					for _, v := range p.Values() {
						sum += times[n.Name] * f(v)
					}
				}
			}
			return sum
		}
	}
	all := map[string]float64{"conv1": 1, "conv2": 1, "fc1": 1, "fc2": 1}
	square := func(v float64) float64 { return v * v / 2 }
	evaluate(t, net, L2{}, b, &Options{}).differences(t, sumOf(square, all))
	evaluate(t, net, L1{}, b, &Options{}).differences(t, sumOf(math.Abs, all))
	nodes := net.Nodes()
	positions := func(name string) float64 {
		i := slices.IndexFunc(nodes, func(n nn.Node) bool { return n.Name == name })
		return float64(nodes[i].Shape[1] * nodes[i].Shape[2])
	}
	stable := map[string]float64{"conv1": positions("conv1"), "conv2": positions("conv2"), "fc1": 1}
	evaluate(t, net, L1{PerPosition: true, SkipOutput: true}, b, &Options{}).differences(t, sumOf(math.Abs, stable))
}

func TestJacobianGradient(t *testing.T) {
	for name, net := range zoo(t) {
		for _, head := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				b := randomBatch(net, 8, 4)
				c := evaluate(t, net, Jacobian{Softmax: head}, b, &Options{})
				// The same directions, from the same randomness.
				probe := newStep(c.m)
				probe.begin(b, 0.5, rand.New(rand.NewPCG(3, 4)))
				v := wide(Jacobian{}.directions(probe))
				c.differences(t, func() float64 { return twinJacobian(net, b, v, head) })
			})
		}
	}
}

// twinJacobian is ½·C·mean‖vᵀJ‖² from the network's float64 gradients.
func twinJacobian(net nn.Network, b Batch, v []float64, head bool) float64 {
	e := nn.NewEvaluator[float64](net)
	y := e.Forward(wide(b.X), b.Size)
	k := len(y) / b.Size
	g := slices.Clone(v)
	if head {
		for i := range b.Size {
			p := softmax(y[i*k : (i+1)*k])
			for j := range k {
				g[i*k+j] = 0
				for m := range k {
					d := -p[m] * p[j]
					if m == j {
						d += p[m]
					}
					g[i*k+j] += v[i*k+m] * d
				}
			}
		}
	}
	sum := 0.0
	for _, d := range e.Backward(g, nil) {
		sum += d * d
	}
	return sum * float64(k) / float64(b.Size) / 2
}

// TestInputGradient: what attacks descend on.
func TestInputGradient(t *testing.T) {
	for name, net := range zoo(t) {
		t.Run(name, func(t *testing.T) {
			b := randomBatch(net, 9, 3)
			m, err := newModel(net, &Options{})
			require.NoError(t, err)
			for _, o := range []Objective{Untargeted, Margin, Targeted} {
				a := Attack{Objective: o}
				p, values := newPass(m), make([]float64, b.Size)
				p.run(b.X, b.Size, false, nil)
				a.ofLabels(b.Labels)(p, values)
				g := slices.Clone(p.back(nil, true))
				twin := func(x []float64) float64 {
					y := naive(net, x, b.Size, false)[net.Output()]
					if o == Targeted {
						return twinCE(y, b.Labels) * float64(b.Size)
					}
					if o == Untargeted {
						return -twinCE(y, b.Labels) * float64(b.Size)
					}
					k, sum := len(y)/b.Size, 0.0
					for i, l := range b.Labels {
						row := slices.Clone(y[i*k : (i+1)*k])
						sum += row[l]
						row[l] = math.Inf(-1)
						sum -= slices.Max(row)
					}
					return sum
				}
				x := wide(b.X)
				total := 0.0
				for _, v := range values {
					total += v
				}
				assert.InDelta(t, twin(x), total, 1e-4)
				for _, i := range []int{0, 3, len(x) - 1} {
					const h = 1e-6
					at := slices.Clone(x)
					at[i] += h
					up := twin(at)
					at[i] -= 2 * h
					assert.InDelta(t, (up-twin(at))/(2*h), g[i], 2e-4*(1+math.Abs(float64(g[i]))))
				}
			}
		})
	}
}
