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
