package dualapp

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// follow runs a hunt for a margin that is known.
func follow(search Search, atZero float64, margin func(r float64) float64) Radius {
	if search.Steps == 0 {
		search.Steps = 15
	}
	h := hunt{Radius: Radius{Failed: math.Inf(1)}, Search: search, radius: search.Start, atProved: atZero}
	for !h.done {
		h.take(margin(h.radius), time.Millisecond)
	}
	return h.Radius
}

// The loop of the paper's code, literally, in logarithms.
func paperLoop(steps int, proved func(eps float64) bool) float64 {
	e, lo, hi := math.Log(0.05), math.Inf(-1), math.Inf(1)
	for range steps {
		if proved(math.Exp(e)) {
			lo = e
			e = math.Min(e+1, (lo+hi)/2)
		} else {
			hi = e
			e = math.Max(e-1, (lo+hi)/2)
		}
	}
	return math.Exp(lo)
}

func TestPaperSearchEqualsItsLoop(t *testing.T) {
	for _, truth := range []float64{0, 1e-9, 0.0003, 0.0061, 0.0499, 0.05, 0.0501, 0.07, 0.9, 40} {
		for _, steps := range []int{1, 5, 15} {
			want := paperLoop(steps, func(eps float64) bool { return eps <= truth })
			got := follow(Search{Start: 0.05, Steps: steps}, 1, func(r float64) float64 {
				if r <= truth {
					return 1
				}
				return -1
			})
			assert.InDelta(t, want, got.Proved, 1e-12*want, "truth %v, %d steps", truth, steps)
			assert.Equal(t, steps, got.Proofs)
		}
	}
}

// Margins of many shapes, each with the radius where it is zero.
var shapes = []struct {
	name   string
	zero   float64
	margin func(r float64) float64
	proofs int // few enough
}{
	{"line", 0.0123, func(r float64) float64 { return 1 - r/0.0123 }, 4},
	{"parabola", 0.2, func(r float64) float64 { return 1 - r*r/0.04 }, 8},
	{"falls ever faster", 0.01, func(r float64) float64 { return math.E - math.Exp(r/0.01) }, 7},
	{"saturates", 0.0005 * math.Ln2, func(r float64) float64 { return 2*math.Exp(-r/0.0005) - 1 }, 10},
	{"root", 0.03, func(r float64) float64 { return math.Sqrt(0.03) - math.Sqrt(r) }, 10},
	{"step", 0.007, func(r float64) float64 {
		if r <= 0.007 {
			return 5
		}
		return -1
	}, 15},
	{"infinite beyond", 0.007, func(r float64) float64 {
		if r <= 0.007 {
			return 5
		}
		return math.Inf(-1)
	}, 15},
}

func TestFastSearchBracketsTheRadius(t *testing.T) {
	const tolerance = 1e-3
	for _, s := range shapes {
		for _, start := range []float64{0.05, 1.1 * s.zero, 0.5 * s.zero, s.zero, 1e-5, 10} {
			r := follow(Search{Start: start, Steps: 60, Tolerance: tolerance}, s.margin(0), s.margin)
			require.LessOrEqual(t, r.Proved, s.zero*(1+1e-12), "%s from %g", s.name, start)
			require.GreaterOrEqual(t, r.Failed, s.zero*(1-1e-12))
			require.LessOrEqual(t, r.Failed, r.Proved*(1+tolerance)*(1+1e-9), "%s from %g: %+v", s.name, start, r)
			if start == 0.5*s.zero || start == 1.1*s.zero {
				require.LessOrEqual(t, r.Proofs, s.proofs, "%s from %g", s.name, start)
			}
		}
	}
}

func TestSearchEnds(t *testing.T) {
	always := follow(Search{Start: 0.05, Steps: 1000, Tolerance: 1e-3}, 1, func(float64) float64 { return 1 })
	assert.True(t, math.IsInf(always.Failed, 1))
	assert.Less(t, always.Proofs, 1000, "beyond 2^200 nothing is left to prove")
	for _, margin := range []float64{-1, math.Inf(-1), math.NaN()} {
		never := follow(Search{Start: 0.05, Steps: 1000, Tolerance: 1e-3}, 1, func(float64) float64 { return margin })
		assert.Zero(t, never.Proved)
		assert.Less(t, never.Proofs, 1000)
	}
}

func TestSearchValidate(t *testing.T) {
	for field, s := range map[string]Search{
		"Start": {Start: -1}, "Steps": {Steps: -1}, "Tolerance": {Tolerance: 1},
	} {
		var e *OptionError
		require.ErrorAs(t, s.Validate(), &e)
		assert.Equal(t, field, e.Field)
		assert.Contains(t, e.Error(), field)
	}
	for _, nan := range []Search{{Start: math.NaN()}, {Tolerance: math.NaN()}, {Start: math.Inf(1)}} {
		assert.Error(t, nan.Validate())
	}
}

// Tables are as far from the curves as their essay says.
func TestCurveTables(t *testing.T) {
	for _, table := range []*curveTable{sigmoidTable, tanhTable, arctanTable} {
		worst := 0.0
		in, out := make([]float32, 1), make([]float32, 1)
		for x := -40.0; x < 40; x += 0.000731 {
			in[0] = float32(x)
			table.apply(in, out)
			worst = max(worst, math.Abs(float64(out[0])-table.exact(float64(in[0]))))
		}
		assert.Less(t, worst, 3e-6)
		for _, x := range []float64{math.Inf(1), math.Inf(-1), -tableReach, tableReach} {
			in[0] = float32(x)
			table.apply(in, out)
			assert.InDelta(t, table.exact(x), float64(out[0]), 1e-6)
		}
		in[0] = float32(math.NaN())
		table.apply(in, out)
		assert.True(t, math.IsNaN(float64(out[0])))
	}
}
