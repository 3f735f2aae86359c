package train

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The norm that gradients are clipped to is that of all their numbers, also where its
// square is more than float32 holds.
func TestGradientIsClipped(t *testing.T) {
	rng := rand.New(rand.NewPCG(91, 92))
	for _, n := range []int{1, 1023, 1024, 1025, 70000} {
		for _, size := range []float64{1, 1e25} {
			gradient, square := make([]float32, n), 0.0
			for i := range gradient {
				gradient[i] = float32(size * rng.NormFloat64())
				square += float64(gradient[i]) * float64(gradient[i])
			}
			norm := math.Sqrt(square)
			for _, limit := range []float64{norm / 10, norm * 1.01} {
				r := &run{opts: Options{ClipNorm: limit}, step: &Step{grad: append([]float32(nil), gradient...)}}
				require.NoError(t, r.finite(1, 0))
				for i, v := range gradient {
					want := float64(v) * min(1, limit/norm)
					require.InDelta(t, want, r.step.grad[i], 1e-4*math.Abs(want), "%d numbers, number %d", n, i)
				}
			}
			for _, bad := range []float32{float32(math.NaN()), float32(math.Inf(-1))} {
				r := &run{step: &Step{grad: append([]float32(nil), gradient...)}}
				r.step.grad[n-1] = bad
				var diverged *DivergedError
				require.ErrorAs(t, r.finite(1, 0), &diverged)
				assert.Equal(t, "gradient", diverged.What)
			}
		}
	}
}
