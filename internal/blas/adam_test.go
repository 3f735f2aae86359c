package blas

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAdamRule: each kernel gives the bits of the plain code, also of numbers that
// are tiny, infinite or not numbers, and touches nothing behind the end.
func TestAdamRule(t *testing.T) {
	bits := func(x []float32) []uint32 {
		out := make([]uint32, len(x))
		for i, v := range x {
			if out[i] = math.Float32bits(v); v != v {
				out[i] = math.Float32bits(float32(math.NaN())) // whichever
			}
		}
		return out
	}
	special := []float32{
		0, float32(math.Copysign(0, -1)), 0x1p-100, 0x1p-101, -0x1p-101, 0x1p-149, 0x1p-60, 1e38, -1e38,
		float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()),
	}
	eachKernel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(21, 22))
		for n := range 80 {
			draw := func(positive bool) []float32 {
				x := random[float32](r, n+9)
				for i := range x {
					if r.IntN(4) == 0 {
						x[i] = special[r.IntN(len(special))]
					}
					if positive {
						x[i] = float32(math.Abs(float64(x[i])))
					}
				}
				return x
			}
			w, g, m, v := draw(false), draw(false), draw(false), draw(true)
			rule := NewAdamRule(0.1, 0.001, 1e-8, 0.01, 0.999)
			w2, m2, v2 := slices.Clone(w), slices.Clone(m), slices.Clone(v)
			for range 3 {
				rule.Step(w[:n], g, m, v)
				if n > 0 {
					genericAdam(n, &w2[0], &g[0], &m2[0], &v2[0], &rule.constants[0])
				}
				require.Equal(t, bits(w2), bits(w))
				require.Equal(t, bits(m2), bits(m))
				require.Equal(t, bits(v2), bits(v))
			}
		}
		require.Panics(t, func() {
			NewAdamRule(0, 0, 0, 0, 0).Step(make([]float32, 9), make([]float32, 9), make([]float32, 8), make([]float32, 9))
		})
	})
}

// TestAdamRuleByHand is one step in rational numbers.
func TestAdamRuleByHand(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		w, m, v := []float32{1, 1}, []float32{1, 0}, []float32{4, 0}
		NewAdamRule(0.5, 0.25, 0.5, 0.25, 0.5).Step(w, []float32{2, 0}, m, v)
		require.Equal(t, []float32{1.5, 0}, m)
		require.Equal(t, []float32{4, 0}, v)
		require.Equal(t, []float32{0.5 - 0.25*1.5/2.5, 0.5}, w)
	})
}
