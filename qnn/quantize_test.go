package qnn

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// TestQuantize: with many bits the integers follow the float network, and the more
// bits the nearer.
func TestQuantize(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	draw := func(n int) []float64 {
		w := make([]float64, n)
		for i := range w {
			w[i] = rng.NormFloat64() * 0.3
		}
		return w
	}
	conv, err := nn.NewDense(7, 6, draw(42), draw(7))
	require.NoError(t, err)
	mid, err := nn.NewDense(5, 7, draw(35), draw(5))
	require.NoError(t, err)
	last, err := nn.NewDense(3, 5, draw(15), draw(3))
	require.NoError(t, err)
	b := nn.NewBuilder(nn.Shape{6})
	at := b.Add("a", conv, 0)
	at = b.Add("r", nn.ReLU{}, at)
	at = b.Add("b", mid, at) // two affine operators in a row become one layer
	at = b.Add("c", last, at)
	net, err := b.Build(at)
	require.NoError(t, err)
	worst := map[int]float64{}
	for _, bits := range []int{4, 8, 14} {
		q, err := Quantize(net, QuantizeOptions{Bits: bits})
		require.NoError(t, err)
		require.Equal(t, "6:7:3 <+,8,8>", q.String())
		for range 100 {
			x := randomInput(q, rng)
			values := make([]float64, len(x))
			for i, v := range x {
				values[i] = q.Input.Value(v)
			}
			want, err := nn.Evaluate(net, values)
			require.NoError(t, err)
			for k, y := range q.Run(x) {
				worst[bits] = max(worst[bits], math.Abs(q.Layers[1].Output.Value(y)-want[k]))
			}
		}
	}
	assert.Less(t, worst[8], worst[4])
	assert.Less(t, worst[14], 0.002)
	b = nn.NewBuilder(nn.Shape{6})
	net, err = b.Build(b.Add("s", nn.Sigmoid{}, 0))
	require.NoError(t, err)
	_, err = Quantize(net, QuantizeOptions{})
	require.ErrorContains(t, err, "neither affine nor Relu")
}

// TestQuantizeConv: a convolution with normalisation, a ReLU and pooling become integer
// layers that follow the float network.
func TestQuantizeConv(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	draw := func(n int, scale float64) []float64 {
		w := make([]float64, n)
		for i := range w {
			w[i] = rng.NormFloat64() * scale
		}
		return w
	}
	conv, err := nn.NewConv(nn.ConvConfig{Kernel: []int{3, 3}, Stride: []int{2, 2}, Pad: []int{1, 1, 1, 1}}, 3, 2, draw(54, 0.3), draw(3, 0.2))
	require.NoError(t, err)
	norm, err := nn.NewBatchNorm(0, []float64{0.8, 1.2, 1}, []float64{0.1, 0, -0.1}, []float64{0.05, 0, 0.1}, []float64{1.5, 0.7, 1}, 1e-5)
	require.NoError(t, err)
	pool, err := nn.NewAveragePool(nn.PoolConfig{Kernel: []int{2, 2}, Stride: []int{1, 1}})
	require.NoError(t, err)
	last, err := nn.NewDense(3, 12, draw(36, 0.4), draw(3, 0.2))
	require.NoError(t, err)
	b := nn.NewBuilder(nn.Shape{2, 5, 6})
	at := b.Add("conv", conv, b.Input())
	at = b.Add("norm", norm, at)
	at = b.Add("relu", nn.ReLU{}, at)
	at = b.Add("flatten", nn.Flatten{}, b.Add("pool", pool, at))
	net, err := b.Build(b.Add("out", last, at))
	require.NoError(t, err)
	worst := map[int]float64{}
	for _, bits := range []int{5, 9, 14} {
		q, err := Quantize(net, QuantizeOptions{Bits: bits})
		require.NoError(t, err)
		require.Equal(t, "60:27:3 <+,8,8>", q.String())
		for range 100 {
			x := randomInput(q, rng)
			values := make([]float64, len(x))
			for i, v := range x {
				values[i] = q.Input.Value(v)
			}
			want, err := nn.Evaluate(net, values)
			require.NoError(t, err)
			for k, y := range q.Run(x) {
				worst[bits] = max(worst[bits], math.Abs(q.Layers[1].Output.Value(y)-want[k]))
			}
		}
	}
	assert.Less(t, worst[9], worst[5])
	assert.Less(t, worst[14], 0.003)
}
