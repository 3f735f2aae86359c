package reach_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// netMaker adds random layers to a network.
type netMaker struct {
	tb  testing.TB
	rng *rand.Rand
	b   *nn.Builder
	at  int
}

func newNet(tb testing.TB, seed uint64, input nn.Shape) *netMaker {
	return &netMaker{tb: tb, rng: rand.New(rand.NewPCG(seed, 17)), b: nn.NewBuilder(input)}
}

func (m *netMaker) normals(n int, sd float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(float32(sd * m.rng.NormFloat64()))
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
	d, err := nn.NewDense(out, in, m.normals(out*in, 1.4/math.Sqrt(float64(in))), m.normals(out, 0.3))
	require.NoError(m.tb, err)
	return m.add(d)
}

func (m *netMaker) conv(out int, cfg nn.ConvConfig) int {
	s := m.shape()
	in := s[len(s)-1-len(cfg.Kernel)]
	n := in / max(cfg.Groups, 1) * nn.Shape(cfg.Kernel).Size()
	c, err := nn.NewConv(cfg, out, in, m.normals(out*n, 1.4/math.Sqrt(float64(n))), m.normals(out, 0.3))
	require.NoError(m.tb, err)
	return m.add(c)
}

func (m *netMaker) norm(axis int) int {
	n := m.shape()[axis]
	v := m.normals(n, 1)
	for i := range v {
		v[i] = 0.2 + v[i]*v[i]
	}
	b, err := nn.NewBatchNorm(axis, m.normals(n, 1), m.normals(n, 0.3), m.normals(n, 0.3), v, 1e-5)
	require.NoError(m.tb, err)
	return m.add(b)
}

func (m *netMaker) averagePool(cfg nn.PoolConfig) int {
	p, err := nn.NewAveragePool(cfg)
	require.NoError(m.tb, err)
	return m.add(p)
}

func (m *netMaker) maxPool(cfg nn.PoolConfig) int {
	p, err := nn.NewMaxPool(cfg)
	require.NoError(m.tb, err)
	return m.add(p)
}

func (m *netMaker) flatten() int { return m.add(nn.NewReshape(nn.Shape{m.shape().Size()})) }

func (m *netMaker) build() *nn.Graph {
	g, err := m.b.Build(m.at)
	require.NoError(m.tb, err)
	return g
}

// tinyDense is a network of vectors with the given widths and activations between.
func tinyDense(tb testing.TB, seed uint64, act nn.Operator, widths ...int) *nn.Graph {
	m := newNet(tb, seed, nn.Shape{widths[0]})
	for i, w := range widths[1:] {
		if i > 0 {
			m.add(act)
		}
		m.dense(w)
	}
	return m.build()
}

// zoo is small networks with every kind of operator that reachability knows.
func zoo(tb testing.TB) map[string]*nn.Graph {
	nets := map[string]*nn.Graph{
		"dense relu":    tinyDense(tb, 1, nn.ReLU{}, 3, 6, 6, 2),
		"dense leaky":   tinyDense(tb, 2, nn.LeakyReLU{Slope: 0.1}, 3, 6, 6, 2),
		"dense sigmoid": tinyDense(tb, 3, nn.Sigmoid{}, 3, 6, 6, 2),
		"dense tanh":    tinyDense(tb, 4, nn.Tanh{}, 3, 6, 5, 2),
		"dense arctan":  tinyDense(tb, 5, nn.Arctan{}, 3, 6, 5, 2),
	}
	m := newNet(tb, 6, nn.Shape{2, 6, 7})
	m.conv(3, nn.ConvConfig{Kernel: []int{3, 3}, Stride: []int{2, 1}, Pad: []int{1, 0, 0, 1}})
	m.norm(0)
	m.add(nn.ReLU{})
	m.averagePool(nn.PoolConfig{Kernel: []int{2, 2}, Pad: []int{0, 1, 0, 0}, CountIncludePad: true})
	m.conv(2, nn.ConvConfig{Kernel: []int{2, 3}, Dilation: []int{1, 2}})
	m.add(nn.LeakyReLU{Slope: 0.2})
	m.flatten()
	m.dense(3)
	nets["conv, norm, pool"] = m.build()

	m = newNet(tb, 7, nn.Shape{1, 6, 6})
	m.conv(2, nn.ConvConfig{Kernel: []int{3, 3}, Pad: []int{1, 1, 1, 1}})
	m.maxPool(nn.PoolConfig{Kernel: []int{3, 3}, Stride: []int{2, 2}, Pad: []int{1, 1, 1, 1}})
	m.add(nn.ReLU{})
	m.flatten()
	m.dense(2)
	nets["max pool"] = m.build()

	m = newNet(tb, 8, nn.Shape{2, 4, 4})
	first := m.conv(2, nn.ConvConfig{Kernel: []int{3, 3}, Pad: []int{1, 1, 1, 1}})
	m.add(nn.ReLU{})
	m.conv(2, nn.ConvConfig{Kernel: []int{3, 3}, Pad: []int{1, 1, 1, 1}, Groups: 2})
	m.add(nn.Add{}, m.at, first)
	m.add(nn.ReLU{})
	branch := m.at
	m.conv(2, nn.ConvConfig{Kernel: []int{1, 1}})
	m.add(nn.Sub{}, branch, m.at)
	t, err := nn.NewTranspose([]int{1, 2, 0})
	require.NoError(tb, err)
	m.add(t)
	m.flatten()
	m.dense(3)
	nets["residual, transpose"] = m.build()

	m = newNet(tb, 9, nn.Shape{2, 9})
	m.conv(3, nn.ConvConfig{Kernel: []int{3}, Stride: []int{2}, Pad: []int{1, 1}})
	m.add(nn.Tanh{})
	left := m.at
	scale, err := nn.NewConstArith(nn.ArithMul, []float64{2, -0.5, 0.25}, nn.Shape{3, 1}, false)
	require.NoError(tb, err)
	m.add(scale)
	m.add(nn.Concat{Axis: 0}, left, m.at)
	m.averagePool(nn.PoolConfig{Kernel: []int{2}})
	m.flatten()
	m.dense(2)
	nets["one axis, concat"] = m.build()
	return nets
}

// boxAround is a box of the given radius at a random centre.
func boxAround(tb testing.TB, rng *rand.Rand, n int, radius float64) spec.Box {
	lo, up := make([]float64, n), make([]float64, n)
	for i := range lo {
		c := rng.NormFloat64() * 0.5
		r := radius * rng.Float64()
		if rng.IntN(5) == 0 {
			r = 0
		}
		lo[i], up[i] = c-r, c+r
	}
	b, err := spec.NewBox(lo, up)
	require.NoError(tb, err)
	return b
}

// inside is a random point of a box, often at its corners.
func inside(rng *rand.Rand, b spec.Box) []float64 {
	x := make([]float64, b.Dim())
	corner := rng.IntN(3) == 0
	for i := range x {
		f := rng.Float64()
		if corner {
			f = math.Round(f)
		}
		x[i] = min(max(b.Lower[i]+f*(b.Upper[i]-b.Lower[i]), b.Lower[i]), b.Upper[i])
	}
	return x
}

func label(y []float64) int {
	best := 0
	for i, v := range y {
		if v > y[best] {
			best = i
		}
	}
	return best
}
