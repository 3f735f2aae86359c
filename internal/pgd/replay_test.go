package pgd

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// outputAtLeast says of a network with n inputs in [-1, 1] that output 0 stays below b.
func outputAtLeast(t *testing.T, n int, b float64) *spec.Property {
	lower, upper := make([]float64, n), make([]float64, n)
	for i := range n {
		lower[i], upper[i] = -1, 1
	}
	box, err := spec.NewBox(lower, upper)
	require.NoError(t, err)
	return &spec.Property{Inputs: n, Outputs: n, Cases: []spec.Case{{
		Region: box, Unsafe: []spec.Conjunction{{{Output: []spec.Term{{Index: 0, Coef: -1}}, Bound: -b}}},
	}}}
}

// What comes back lies in the region, is of float32 values, and violates the property;
// whether anything comes back is decided by the rounded point.
func TestReplay(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	prop := outputAtLeast(t, 2, 0.5)
	net := identity(t, 2)
	r := NewReplayer(net, prop)
	found := 0
	for n := range 200 {
		x := []float64{3 * rng.NormFloat64(), 3 * rng.NormFloat64()} // often outside
		before := append([]float64(nil), x...)
		cex := r.Try(x, 0)
		assert.Equal(t, before, x)
		assert.Equal(t, n+1, r.Count)
		rounded := float64(float32(min(max(x[0], -1), 1)))
		require.Equal(t, rounded >= 0.5, cex != nil)
		if cex == nil {
			continue
		}
		found++
		assert.True(t, prop.Cases[0].Region.Contains(cex.Input))
		for _, v := range cex.Input {
			assert.Equal(t, float64(float32(v)), v)
		}
		y, err := nn.Evaluate(net, cex.Input)
		require.NoError(t, err)
		assert.Equal(t, y, cex.Output)
		_, _, ok := prop.Check(cex.Input, cex.Output)
		assert.True(t, ok)
	}
	assert.Greater(t, found, 50)
}

// A network that is on either side of the bound in float64 and in float32: only what
// both violate is a counterexample.
func TestReplayWantsBothPrecisions(t *testing.T) {
	b := nn.NewBuilder(nn.Shape{1})
	d, err := nn.NewDense(1, 1, []float64{3}, []float64{0})
	require.NoError(t, err)
	net, err := b.Build(b.Add("dense", d, b.Input()))
	require.NoError(t, err)
	differs := 0
	rng := rand.New(rand.NewPCG(2, 9))
	for range 200 {
		x := float64(float32(rng.Float64()))
		exact, single := 3*x, float64(float32(3)*float32(x))
		for _, bound := range []float64{math.Min(exact, single), math.Max(exact, single)} {
			prop := outputAtLeast(t, 1, bound)
			got := NewReplayer(net, prop).Try([]float64{x}, 0)
			assert.Equal(t, exact >= bound && single >= bound, got != nil)
		}
		if exact != single {
			differs++
		}
	}
	assert.Greater(t, differs, 50)
}
