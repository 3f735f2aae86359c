package dualapp_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// maker adds random layers to a network.
type maker struct {
	tb  testing.TB
	rng *rand.Rand
	b   *nn.Builder
	at  int
}

func (m *maker) normals(n int, scale float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = scale * m.rng.NormFloat64()
	}
	return x
}

func (m *maker) add(op nn.Operator, inputs ...int) int {
	if len(inputs) == 0 {
		inputs = []int{m.at}
	}
	m.at = m.b.Add("", op, inputs...)
	require.NoError(m.tb, m.b.Err())
	return m.at
}

func (m *maker) dense(out int) {
	in := m.b.Shape(m.at).Size()
	d, err := nn.NewDense(out, in, m.normals(out*in, 1.5/math.Sqrt(float64(in))), m.normals(out, 0.3))
	require.NoError(m.tb, err)
	m.add(d)
}

func (m *maker) build() *nn.Graph {
	net, err := m.b.Build(m.at)
	require.NoError(m.tb, err)
	return net
}

// denseNet is a random dense network of the given widths with one activation.
func denseNet(tb testing.TB, rng *rand.Rand, act nn.Operator, widths ...int) *nn.Graph {
	m := &maker{tb: tb, rng: rng, b: nn.NewBuilder(nn.Shape{widths[0]})}
	for i, w := range widths[1:] {
		if i > 0 {
			m.add(act)
		}
		m.dense(w)
	}
	return m.build()
}

// convNet is a random network with everything that the package's promise names:
// convolution, BatchNorm, both kinds of pooling, a residual sum, arithmetic on the
// input.
func convNet(tb testing.TB, rng *rand.Rand, act nn.Operator) *nn.Graph {
	m := &maker{tb: tb, rng: rng, b: nn.NewBuilder(nn.Shape{1, 8, 8})}
	shift, err := nn.NewConstArith(nn.ArithSub, []float64{0.5}, nn.Shape{1}, false)
	require.NoError(tb, err)
	m.add(shift)
	conv := func(out, in, pad int) {
		c, err := nn.NewConv(nn.ConvConfig{Kernel: []int{3, 3}, Pad: []int{pad, pad, pad, pad}}, out, in, m.normals(out*in*9, 0.4), m.normals(out, 0.2))
		require.NoError(tb, err)
		m.add(c)
	}
	conv(3, 1, 1)
	variance := []float64{0.7, 1.1, 1.6}
	bn, err := nn.NewBatchNorm(0, m.normals(3, 1), m.normals(3, 0.3), m.normals(3, 0.3), variance, 1e-5)
	require.NoError(tb, err)
	m.add(bn)
	before := m.add(act)
	conv(3, 3, 1)
	m.add(act)
	m.add(nn.Add{}, m.at, before)
	pool := nn.PoolConfig{Kernel: []int{2, 2}, Stride: []int{2, 2}}
	if rng.IntN(2) == 0 {
		p, err := nn.NewAveragePool(pool)
		require.NoError(tb, err)
		m.add(p)
	} else {
		p, err := nn.NewMaxPool(pool)
		require.NoError(tb, err)
		m.add(p)
	}
	m.add(nn.NewReshape(nn.Shape{m.b.Shape(m.at).Size()}))
	m.dense(6)
	m.add(act)
	m.dense(4)
	return m.build()
}

// seeds is how many random networks a test takes; the race detector runs with
// -short.
func seeds(n int) int {
	if testing.Short() {
		return max(4, n/6)
	}
	return n
}

var activations = []nn.Operator{nn.Sigmoid{}, nn.Tanh{}, nn.Arctan{}, nn.ReLU{}}

// someNet is one of both kinds.
func someNet(tb testing.TB, rng *rand.Rand, kind int) *nn.Graph {
	act := activations[kind%len(activations)]
	if kind%3 == 0 {
		return convNet(tb, rng, act)
	}
	return denseNet(tb, rng, act, 4+rng.IntN(5), 7, 6, 5, 4)
}

func compile(tb testing.TB, net nn.Network) *bounds.Model {
	m, err := bounds.Compile(net)
	require.NoError(tb, err)
	return m
}

// center is a random input in [0, 1].
func center(rng *rand.Rand, m *bounds.Model) []float64 {
	x := make([]float64, nn.InputShape(m.Network()).Size())
	for i := range x {
		x[i] = rng.Float64()
	}
	return x
}

func cube(tb testing.TB, x []float64, radius float64, clip *spec.Box) spec.Box {
	b, err := spec.NewLInfBall(x, radius, clip)
	require.NoError(tb, err)
	return b
}

// unit is the box [0, 1]ⁿ.
func unit(n int) *spec.Box {
	b := &spec.Box{Lower: make([]float64, n), Upper: make([]float64, n)}
	for i := range b.Upper {
		b.Upper[i] = 1
	}
	return b
}
