package bounds

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every tangent that an optimiser may choose must hold, and be no larger than
// what its rounding is accounted for.
func TestTangentsAreExactlySound(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 5_000
	}
	for _, s := range sCurves {
		t.Run(s.f.Kind(), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(7, 8))
			c, tried := curveOf(s.f), 0
			for range n {
				over := randomRange(rng)
				a, ok := c.over(over)
				if !ok {
					continue
				}
				lines := c.flat(over)
				upper, lower := a.tangentPoints()
				if upper.Lower <= upper.Upper {
					x := somewhere(rng, upper)
					value, slope := c.at(x)
					l := a.upperTangent(x, value, slope)
					lines.UpperSlope, lines.UpperIntercept = l.slope, l.intercept
				}
				if lower.Lower <= lower.Upper {
					x := somewhere(rng, lower)
					value, slope := c.at(x)
					l := a.lowerTangent(x, value, slope)
					lines.LowerSlope, lines.LowerIntercept = l.slope, l.intercept
				}
				tried++
				if x, bad := unsound(s.f, s.exact, lines, over); bad {
					t.Fatalf("%+v over %+v is crossed at %v", lines, over, x)
				}
				far, most := max(-over.Lower, over.Upper), c.largest(over)
				require.LessOrEqual(t, lines.UpperSlope*far+math.Abs(lines.UpperIntercept), most)
				require.LessOrEqual(t, lines.LowerSlope*far+math.Abs(lines.LowerIntercept), most)
			}
			require.Greater(t, tried, n/4, "the test has hardly tested anything")
		})
	}
}

// somewhere is an end of r or a point between.
func somewhere(rng *rand.Rand, r Range) float64 {
	switch rng.IntN(4) {
	case 0:
		return r.Lower
	case 1:
		return r.Upper
	}
	return r.clamp(r.Lower + rng.Float64()*(r.Upper-r.Lower))
}

func TestSecondDerivatives(t *testing.T) {
	for _, s := range sCurves {
		c := curveOf(s.f)
		for x := -6.0; x <= 6; x += 0.37 {
			const h = 1e-5
			_, left := c.at(x - h)
			_, slope := c.at(x)
			_, right := c.at(x + h)
			require.InDelta(t, (right-left)/(2*h), c.second(x, slope), 1e-8, "%s at %v", s.f.Kind(), x)
		}
	}
}
