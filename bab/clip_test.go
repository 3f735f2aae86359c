package bab

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestCutKeepsEverySolution cuts random boxes and checks, in exact arithmetic,
// that no point with a·x + offset ≤ 0 is lost: neither random ones nor those
// at the very edge of the half-space.
func TestCutKeepsEverySolution(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	kept, cutOff, empty := 0, 0, 0
	for range 20000 {
		n := 1 + rng.IntN(4)
		a, low, high := make([]float64, n), make([]float64, n), make([]float64, n)
		for j := range n {
			a[j] = rng.NormFloat64()
			if rng.IntN(5) == 0 {
				a[j] = 0
			}
			low[j] = rng.NormFloat64()
			high[j] = low[j] + rng.ExpFloat64()*float64(rng.IntN(3))
		}
		x := make([]float64, n)
		at := new(big.Float).SetPrec(2000)
		for j := range n {
			f := rng.Float64()
			if rng.IntN(2) == 0 {
				f = float64(rng.IntN(2))
			}
			x[j] = min(max(low[j]+f*(high[j]-low[j]), low[j]), high[j])
			at.Add(at, new(big.Float).SetPrec(2000).Mul(big.NewFloat(a[j]), big.NewFloat(x[j])))
		}
		// The offset puts x on the edge, rounded to either side, or well inside.
		offset, _ := new(big.Float).Neg(at).Float64()
		if rng.IntN(2) == 0 {
			offset -= rng.ExpFloat64()
		}
		at.Add(at, new(big.Float).SetPrec(2000).SetFloat64(offset))
		solves := at.Sign() <= 0
		l, h := append([]float64(nil), low...), append([]float64(nil), high...)
		possible := cut(a, offset, l, h)
		if !possible {
			empty++
		}
		if solves {
			require.True(t, possible)
			for j := range n {
				require.LessOrEqual(t, l[j], x[j])
				require.GreaterOrEqual(t, h[j], x[j])
			}
			kept++
		}
		for j := range n {
			require.GreaterOrEqual(t, l[j], low[j])
			require.LessOrEqual(t, h[j], high[j])
			if h[j]-l[j] < high[j]-low[j] {
				cutOff++
			}
		}
	}
	require.Greater(t, kept, 5000)
	require.Greater(t, cutOff, 5000)
}

func TestCutSeesThatNothingIsLeft(t *testing.T) {
	require.False(t, cut([]float64{1, -1}, 2.5, []float64{0, 0}, []float64{1, 1}))
	require.True(t, cut([]float64{1, -1}, 1, []float64{0, 0}, []float64{1, 1}))
	require.True(t, cut([]float64{0, 0}, 0, []float64{0, 0}, []float64{1, 1}))
}
