package bounds

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// Random networks of every operator mix, for property tests.

// netMaker adds random layers to a network.
type netMaker struct {
	tb    testing.TB
	rng   *rand.Rand
	b     *nn.Builder
	at    int
	acts  []nn.Operator
	scale float64 // standard deviation of a neuron's sum
}

var allActivations = []nn.Operator{nn.ReLU{}, nn.LeakyReLU{Slope: 0.1}, nn.Sigmoid{}, nn.Tanh{}, nn.Arctan{}}

func newNetMaker(tb testing.TB, rng *rand.Rand, input nn.Shape, acts ...nn.Operator) *netMaker {
	if len(acts) == 0 {
		acts = allActivations
	}
	return &netMaker{tb: tb, rng: rng, b: nn.NewBuilder(input), acts: acts, scale: 1.3}
}

func (m *netMaker) normals(n int, scale float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = scale * m.rng.NormFloat64()
	}
	return x
}

func (m *netMaker) add(op nn.Operator, inputs ...int) int {
	if len(inputs) == 0 {
		inputs = []int{m.at}
	}
	m.at = m.b.Add("", op, inputs...)
	require.NoError(m.tb, m.b.Err())
	return m.at
}

func (m *netMaker) shape() nn.Shape { return m.b.Shape(m.at) }

func (m *netMaker) dense(out int) int {
	s := m.shape()
	in := s[len(s)-1]
	d, err := nn.NewDense(out, in, m.normals(out*in, m.scale/math.Sqrt(float64(in))), m.normals(out, 0.3))
	require.NoError(m.tb, err)
	return m.add(d)
}

func (m *netMaker) conv(out, kernel, stride, pad int) int {
	in := m.shape()[0]
	n := in * kernel * kernel
	c, err := nn.NewConv(nn.ConvConfig{Kernel: []int{kernel, kernel}, Stride: []int{stride, stride}, Pad: []int{pad, pad, pad, pad}},
		out, in, m.normals(out*n, m.scale/math.Sqrt(float64(n))), m.normals(out, 0.3))
	require.NoError(m.tb, err)
	return m.add(c)
}

func (m *netMaker) batchNorm() int {
	n := m.shape()[0]
	variance := m.normals(n, 1)
	for i := range variance {
		variance[i] = 0.5 + math.Abs(variance[i])
	}
	bn, err := nn.NewBatchNorm(0, m.normals(n, 1), m.normals(n, 0.5), m.normals(n, 0.5), variance, 1e-5)
	require.NoError(m.tb, err)
	return m.add(bn)
}

func (m *netMaker) activation() int { return m.add(m.acts[m.rng.IntN(len(m.acts))]) }

func (m *netMaker) constant() int {
	kind := nn.ArithKind(m.rng.IntN(4))
	c := 0.5 + m.rng.Float64()
	if m.rng.IntN(2) == 0 {
		c = -c
	}
	op, err := nn.NewConstArith(kind, []float64{c}, nn.Shape{1}, kind != nn.ArithDiv && m.rng.IntN(2) == 0)
	require.NoError(m.tb, err)
	return m.add(op)
}

func (m *netMaker) maxPool(kernel, stride, pad int) int {
	op, err := nn.NewMaxPool(nn.PoolConfig{Kernel: []int{kernel, kernel}, Stride: []int{stride, stride}, Pad: []int{pad, pad, pad, pad}})
	require.NoError(m.tb, err)
	return m.add(op)
}

func (m *netMaker) averagePool(kernel, stride int) int {
	op, err := nn.NewAveragePool(nn.PoolConfig{Kernel: []int{kernel, kernel}, Stride: []int{stride, stride}})
	require.NoError(m.tb, err)
	return m.add(op)
}

// join merges the current node with an earlier one of the same shape.
func (m *netMaker) join(other int) int {
	switch m.rng.IntN(3) {
	case 0:
		return m.add(nn.Add{}, m.at, other)
	case 1:
		return m.add(nn.Sub{}, m.at, other)
	}
	return m.add(nn.Concat{Axis: 0}, other, m.at)
}

func (m *netMaker) build() *nn.Graph {
	g, err := m.b.Build(m.at)
	require.NoError(m.tb, err)
	return g
}

// randomDense is a dense network with residual connections and arithmetic.
func randomDense(tb testing.TB, rng *rand.Rand, acts ...nn.Operator) *nn.Graph {
	m := newNetMaker(tb, rng, nn.Shape{2 + rng.IntN(4)}, acts...)
	for range 1 + rng.IntN(3) {
		m.dense(3 + rng.IntN(6))
		if rng.IntN(4) == 0 {
			m.batchNorm()
		}
		before := m.at
		m.activation()
		switch rng.IntN(4) {
		case 0:
			m.dense(m.shape()[0])
			m.join(before)
		case 1:
			m.constant()
		case 2:
			m.join(before)
		}
	}
	m.dense(2 + rng.IntN(2))
	return m.build()
}

// randomConv is a convolutional network with pooling and residuals.
func randomConv(tb testing.TB, rng *rand.Rand, acts ...nn.Operator) *nn.Graph {
	m := newNetMaker(tb, rng, nn.Shape{1 + rng.IntN(2), 4 + rng.IntN(3), 4 + rng.IntN(3)}, acts...)
	m.conv(1+rng.IntN(3), 3, 1, 1)
	if rng.IntN(2) == 0 {
		m.batchNorm()
	}
	before := m.at
	m.activation()
	if rng.IntN(2) == 0 {
		m.conv(m.shape()[0], 3, 1, 1)
		m.join(before)
		m.activation()
	}
	switch rng.IntN(4) {
	case 0:
		m.averagePool(2, 2)
	case 1:
		m.maxPool(2, 2, 0)
	case 2:
		m.maxPool(3, 1+rng.IntN(2), 1) // windows overlap
	case 3:
		m.maxPool(2, 1, 0)
		m.activation()
	}
	if rng.IntN(2) == 0 {
		m.constant()
	}
	m.add(nn.NewReshape(nn.Shape{m.shape().Size()}))
	m.dense(4)
	m.activation()
	m.dense(2)
	return m.build()
}

// randomBox is a box around a random point; some sides have no width.
func randomBox(tb testing.TB, rng *rand.Rand, n int, width float64) spec.Box {
	lo, up := make([]float64, n), make([]float64, n)
	for i := range lo {
		c, r := rng.NormFloat64(), width*rng.Float64()
		if rng.IntN(8) == 0 {
			r = 0
		}
		lo[i], up[i] = c-r, c+r
	}
	b, err := spec.NewBox(lo, up)
	require.NoError(tb, err)
	return b
}

// boxOf is a box of one dimension.
func boxOf(tb testing.TB, lo, up float64) spec.Box {
	b, err := spec.NewBox([]float64{lo}, []float64{up})
	require.NoError(tb, err)
	return b
}

// randomFunctions is the outputs, and some random combinations of outputs and
// inputs.
func randomFunctions(rng *rand.Rand, m *Model) Functions {
	k := m.outputs + 2
	f := Functions{Output: make([]float64, k*m.outputs), Input: make([]float64, k*m.inputs), Const: make([]float64, k)}
	for i := range k {
		if i < m.outputs {
			f.Output[i*m.outputs+i] = 1
			continue
		}
		for j := range m.outputs {
			f.Output[i*m.outputs+j] = rng.NormFloat64()
		}
		for j := range m.inputs {
			f.Input[i*m.inputs+j] = 0.3 * rng.NormFloat64()
		}
		f.Const[i] = rng.NormFloat64()
	}
	return f
}

// at is the functions' values for input x and output y.
func (f *Functions) at(m *Model, x, y []float64) []float64 {
	v := make([]float64, f.count(m))
	for k := range v {
		for j, a := range f.Output[k*m.outputs : (k+1)*m.outputs] {
			v[k] += a * y[j]
		}
		if f.Input != nil {
			for j, a := range f.Input[k*m.inputs : (k+1)*m.inputs] {
				v[k] += a * x[j]
			}
		}
		if f.Const != nil {
			v[k] += f.Const[k]
		}
	}
	return v
}

func mustCompile(tb testing.TB, net nn.Network) *Model {
	m, err := Compile(net)
	require.NoError(tb, err)
	return m
}

// bounders is every method, by name.
var bounders = map[string]Bounder{
	"IBP": IBP{}, "CrownIBP": CrownIBP{}, "Crown": Crown{}, "AlphaBeta": AlphaBeta{Iterations: 4},
	"Alpha": Alpha{Iterations: 4}, "AlphaBeta after Alpha": AlphaBeta{Iterations: 3, Intermediate: 2, Neurons: 2},
	"Envelope":             Envelope{Bounder: AlphaBeta{Iterations: 4}, Iterations: 60, Inputs: 9, Parts: true},
	"Envelope by patterns": Envelope{Bounder: AlphaBeta{Iterations: 3}, Iterations: 40, Inputs: 1, Parts: true},
}

func mustBound(tb testing.TB, b Bounder, m *Model, q *Query) []DomainResult {
	r, err := b.Bound(tb.Context(), m, q)
	require.NoError(tb, err)
	require.Len(tb, r, len(q.Domains))
	return r
}

// points is inputs of a region worth trying: random ones, corners or other
// extreme points, and points where gradient steps raise or lower the functions.
func points(rng *rand.Rand, m *Model, region spec.Region, f *Functions, n int) [][]float64 {
	box := region.Box()
	var out [][]float64
	add := func(fill func(i int) float64) []float64 {
		x := make([]float64, m.inputs)
		for i := range x {
			x[i] = fill(i)
		}
		region.Project(x)
		if region.Contains(x) {
			out = append(out, x)
		}
		return x
	}
	for k := range n {
		add(func(i int) float64 { return box.Lower[i] + rng.Float64()*(box.Upper[i]-box.Lower[i]) })
		if k%2 == 0 {
			add(func(i int) float64 { return []float64{box.Lower[i], box.Upper[i]}[rng.IntN(2)] })
		}
	}
	e := nn.NewEvaluator[float64](m.net)
	dir := make([]float64, m.inputs)
	for k := range f.count(m) {
		for _, sign := range []float64{1, -1} {
			x := add(func(i int) float64 { return 0.5*box.Lower[i] + 0.5*box.Upper[i] })
			for range 3 {
				e.Forward(x, 1)
				g := e.Backward(f.Output[k*m.outputs:(k+1)*m.outputs], nil)
				for i := range dir {
					dir[i] = sign * g[i]
					if f.Input != nil {
						dir[i] += sign * f.Input[k*m.inputs+i]
					}
				}
				x = append([]float64(nil), x...)
				region.Minimizer(dir, x)
				if region.Contains(x) {
					out = append(out, x)
				}
			}
		}
	}
	return out
}

// requireInside checks node values and functions at one point, with the slack
// of a float64 evaluation.
func requireInside(tb testing.TB, m *Model, e *nn.Evaluator[float64], f *Functions, r *DomainResult, x []float64, what string) {
	tb.Helper()
	y := e.Forward(x, 1)
	for i := range m.nodes {
		requireWithin(tb, r.Nodes[i].Lower, r.Nodes[i].Upper, e.Value(i), what, i)
	}
	requireWithin(tb, r.Lower, r.Upper, f.at(m, x, y), what, -1)
}

func requireWithin(tb testing.TB, lo, up, v []float64, what string, node int) {
	tb.Helper()
	scale := 1.0
	for _, x := range v {
		scale = max(scale, math.Abs(x))
	}
	for k, x := range v {
		if x < lo[k]-1e-12*scale || x > up[k]+1e-12*scale || math.IsNaN(lo[k]) || math.IsNaN(up[k]) {
			tb.Fatalf("%s: node %d element %d is %v, outside [%v, %v]", what, node, k, x, lo[k], up[k])
		}
	}
}
