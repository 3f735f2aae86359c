package bounds

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

var sCurves = []struct {
	f     nn.Elementwise
	exact func(x float64) *big.Float
}{
	{nn.Sigmoid{}, bigSigmoid},
	{nn.Tanh{}, bigTanh},
	{nn.Arctan{}, bigArctan},
}

// bigPrec is the precision of reference values, in bits.
const bigPrec = 160

// unsound reports the point at which a line is on the wrong side of the curve.
// The difference of line and curve has its extremes at the ends and where the
// slopes agree (note scurve.md, 1.5).
func unsound(f nn.Elementwise, exact func(float64) *big.Float, lines Lines, over Range) (at float64, bad bool) {
	c := curveOf(f)
	_, steepest := c.at(0)
	values := map[float64]*big.Float{}
	check := func(slope, intercept float64, sign int) bool {
		points := []float64{over.Lower, over.Upper}
		if slope > 0 && slope <= steepest {
			if x := c.inverse(slope); !math.IsInf(x, 0) {
				points = append(points, x, -x)
			}
		}
		for _, x := range points {
			if x < over.Lower || x > over.Upper {
				continue
			}
			if values[x] == nil {
				values[x] = exact(x)
			}
			if gapAbove(slope, intercept, x, values[x]).Sign()*sign < 0 {
				at = x
				return true
			}
		}
		return false
	}
	if check(lines.UpperSlope, lines.UpperIntercept, 1) || check(lines.LowerSlope, lines.LowerIntercept, -1) {
		return at, true
	}
	return 0, false
}

// randomEnd draws a number of any magnitude that matters.
func randomEnd(rng *rand.Rand) float64 {
	x := 0.0
	switch rng.IntN(12) {
	case 0:
		x = 0
	case 1:
		x = math.Float64frombits(rng.Uint64N(1 << 54)) // denormal and near it
	case 2:
		x = math.Pow(10, -300+300*rng.Float64())
	case 3:
		x = math.Pow(10, 1+307*rng.Float64())
	case 4:
		x = 15 + 800*rng.Float64() // saturated
	default:
		x = math.Pow(10, -4+7*rng.Float64())
	}
	if rng.IntN(2) == 0 {
		x = -x
	}
	return x
}

func randomRange(rng *rand.Rand) Range {
	l := randomEnd(rng)
	u := randomEnd(rng)
	switch rng.IntN(4) {
	case 0: // a width of any magnitude
		u = l + math.Pow(10, -300+303*rng.Float64())
	case 1: // a few units wide
		u = l
		for range rng.IntN(5) {
			u = above(u)
		}
	}
	return Range{min(l, u), max(l, u)}
}

func TestSCurveLinesAreExactlySound(t *testing.T) {
	n := 100_000
	if testing.Short() {
		n = 5_000
	}
	for _, s := range sCurves {
		t.Run(s.f.Kind(), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(1, 2))
			for range n {
				over := randomRange(rng)
				lines := Relax(s.f, over)
				if x, bad := unsound(s.f, s.exact, lines, over); bad {
					t.Fatalf("%+v over %+v is crossed at %v", lines, over, x)
				}
			}
		})
	}
}

// Sampling does not use the theory of where the extremes are.
func TestSCurveLinesHoldAtSamples(t *testing.T) {
	for _, s := range sCurves {
		rng := rand.New(rand.NewPCG(3, 4))
		for range 20_000 {
			over := randomRange(rng)
			lines := Relax(s.f, over)
			for k := range 12 {
				x := over.Lower + (over.Upper-over.Lower)*float64(k)/11
				if !(x >= over.Lower && x <= over.Upper) {
					continue
				}
				v := s.f.Value(x)
				up := lines.UpperSlope*x + lines.UpperIntercept
				low := lines.LowerSlope*x + lines.LowerIntercept
				slack := 1e-15 * (math.Abs(v) + math.Abs(lines.UpperSlope*x) + math.Abs(lines.LowerSlope*x))
				if v > up+slack || v < low-slack {
					t.Fatalf("%s: %+v over %+v: %v at %v", s.f.Kind(), lines, over, v, x)
				}
			}
		}
	}
}

func TestSCurveRange(t *testing.T) {
	for _, s := range sCurves {
		rng := rand.New(rand.NewPCG(5, 6))
		for range 5_000 {
			over := randomRange(rng)
			lo, up := rangeSCurve(s.f, over.Lower, over.Upper)
			fl, fu := s.exact(over.Lower), s.exact(over.Upper)
			if bigOf(lo).Cmp(fl) > 0 || bigOf(up).Cmp(fu) < 0 {
				t.Fatalf("%s over %+v: [%v, %v] does not hold [%v, %v]", s.f.Kind(), over, lo, up, fl, fu)
			}
			// And it is tight.
			l, _ := fl.Float64()
			u, _ := fu.Float64()
			assert.InDelta(t, l, lo, 3e-15*math.Abs(l)+1e-300)
			assert.InDelta(t, u, up, 3e-15*math.Abs(u)+1e-300)
		}
		c := curveOf(s.f)
		lo, up := rangeSCurve(s.f, math.Inf(-1), math.Inf(1))
		assert.Equal(t, c.low, lo)
		assert.Equal(t, c.high, up)
	}
	lo, up := rangeSCurve(nn.Tanh{}, 0, 0)
	assert.Zero(t, lo)
	assert.Zero(t, up)
}

// The errors that scurve.go counts on, with room.
func TestSCurveErrors(t *testing.T) {
	for _, s := range sCurves {
		c := curveOf(s.f)
		rng := rand.New(rand.NewPCG(7, 8))
		worstValue, worstSlope := 0.0, 0.0
		for range 20_000 {
			x := math.Pow(10, -10+12.5*rng.Float64()) * float64(2*rng.IntN(2)-1)
			v, slope := c.at(x)
			f := s.exact(x)
			worstValue = max(worstValue, relativeError(v, f))
			worstSlope = max(worstSlope, relativeError(slope, bigSlope(s.f, x, f)))
		}
		t.Logf("%s: value off by %.2f units, slope by %.2f", s.f.Kind(), worstValue/unit, worstSlope/unit)
		assert.Less(t, worstValue, valueError/2)
		assert.Less(t, worstSlope, valueError/2)
	}
}

func relativeError(got float64, want *big.Float) float64 {
	d := bigOf(got)
	d.Sub(d, want)
	d.Quo(d, want)
	r, _ := d.Float64()
	return math.Abs(r)
}

func bigSlope(f nn.Elementwise, x float64, v *big.Float) *big.Float {
	one := bigOf(1)
	switch f.(type) {
	case nn.Sigmoid: // f(x)·f(−x)
		return bigNew().Mul(v, bigSigmoid(-x))
	case nn.Tanh: // 1 − v² = 4s(1 − s) at 2x
		s := bigNew().Mul(bigSigmoid(2*x), bigSigmoid(-2*x))
		return s.Mul(s, bigOf(4))
	}
	s := bigNew().Mul(bigOf(x), bigOf(x))
	return s.Quo(one, s.Add(s, one))
}

func TestSCurveLinesAreSymmetric(t *testing.T) {
	for _, s := range sCurves {
		c := curveOf(s.f)
		f0, _ := c.at(0)
		rng := rand.New(rand.NewPCG(9, 10))
		for range 20_000 {
			over := randomRange(rng)
			a, b := Relax(s.f, over), Relax(s.f, Range{-over.Upper, -over.Lower})
			mirrored := Lines{b.UpperSlope, 2*f0 - b.UpperIntercept, b.LowerSlope, 2*f0 - b.LowerIntercept}
			if c.odd {
				require.Equal(t, a, mirrored, "%s over %+v", s.f.Kind(), over)
				continue
			}
			// f(−x) = 1 − f(x) rounds, which moves the limit points a little.
			for _, x := range []float64{over.Lower, over.Upper} {
				up, upM := a.UpperSlope*x+a.UpperIntercept, mirrored.UpperSlope*x+mirrored.UpperIntercept
				lo, loM := a.LowerSlope*x+a.LowerIntercept, mirrored.LowerSlope*x+mirrored.LowerIntercept
				require.InDelta(t, up, upM, 1e-6*math.Abs(up)+1e-12, "%+v", over)
				require.InDelta(t, lo, loM, 1e-6*math.Abs(lo)+1e-12, "%+v", over)
			}
		}
	}
}

// areaAbove is the mean height of the upper line, its value at the middle.
func TestSCurveLinesAreNeverLooserThanFlat(t *testing.T) {
	for _, s := range sCurves {
		rng := rand.New(rand.NewPCG(11, 12))
		for range 50_000 {
			over := randomRange(rng)
			if over.Upper > 1e100 || over.Lower < -1e100 {
				continue // the middle cannot be compared in float64
			}
			lines, flat := Relax(s.f, over), curveOf(s.f).flat(over)
			m := 0.5*over.Lower + 0.5*over.Upper
			slack := 2e-14*(math.Abs(flat.UpperIntercept)+math.Abs(flat.LowerIntercept)+lines.UpperSlope*math.Abs(m)+lines.LowerSlope*math.Abs(m)) + (over.Upper-over.Lower)*(1e-13*lines.UpperSlope+0x1p-998) + 1e-290
			require.LessOrEqual(t, lines.UpperSlope*m+lines.UpperIntercept, flat.UpperIntercept+slack, "%s %+v %+v", s.f.Kind(), over, lines)
			require.GreaterOrEqual(t, lines.LowerSlope*m+lines.LowerIntercept, flat.LowerIntercept-slack, "%s %+v %+v", s.f.Kind(), over, lines)
		}
	}
}

// The default is the sound tangent or chord with the least area: no line of
// any slope, put as low as it can be, is lower at the middle.
func TestSCurveUpperLineHasLeastArea(t *testing.T) {
	for _, s := range sCurves {
		c := curveOf(s.f)
		rng := rand.New(rand.NewPCG(13, 14))
		for range 2_000 {
			l := -6 + 10*rng.Float64()
			over := Range{l, l + math.Pow(10, -2+3.5*rng.Float64())}
			m := 0.5*over.Lower + 0.5*over.Upper
			lines := Relax(s.f, over)
			got := lines.UpperSlope*m + lines.UpperIntercept
			best := math.Inf(1)
			_, steepest := c.at(0)
			for k := 0; k <= 400; k++ {
				slope := steepest * float64(k) / 400
				intercept := math.Inf(-1)
				for _, x := range []float64{over.Lower, over.Upper, c.inverse(max(slope, 1e-300))} {
					if x >= over.Lower && x <= over.Upper {
						intercept = max(intercept, s.f.Value(x)-slope*x)
					}
				}
				best = min(best, slope*m+intercept)
			}
			require.LessOrEqual(t, got, best+1e-12, "%s over %+v", s.f.Kind(), over)
		}
	}
}

func TestSCurveLimits(t *testing.T) {
	for _, s := range sCurves {
		c := curveOf(s.f)
		rng := rand.New(rand.NewPCG(15, 16))
		for range 2_000 {
			over := Range{-math.Pow(10, -2+4*rng.Float64()), math.Pow(10, -2+4*rng.Float64())}
			a, ok := c.over(over)
			require.True(t, ok)
			if !a.chordAbove() {
				d := a.upperLimit()
				// Bisection for the root of h, section 1.3.
				lo, hi := 0.0, min(over.Upper, -over.Lower)
				for range 100 {
					x := 0.5 * (lo + hi)
					v, slope := c.at(x)
					if v-a.valueL-slope*(x-a.l) >= 0 {
						hi = x
					} else {
						lo = x
					}
				}
				require.InEpsilon(t, hi, d, 1e-6, "%s over %+v", s.f.Kind(), over)
			}
			mirror, _ := c.over(Range{-over.Upper, -over.Lower})
			if !mirror.chordBelow() {
				require.InEpsilon(t, mirror.upperLimitMirrored(), mirror.lowerLimit(), 1e-6)
			}
		}
	}
}

// upperLimitMirrored is lowerLimit by way of the mirror image.
func (a *arc) upperLimitMirrored() float64 {
	m, _ := a.curve.over(Range{-a.u, -a.l})
	return -m.upperLimit()
}

func BenchmarkRelaxSCurve(b *testing.B) {
	for _, s := range sCurves {
		for name, over := range map[string]Range{
			"chord":    {-1, 0.3},
			"tangents": {-1.7, 1.1},
			"one side": {0.5, 2},
		} {
			b.Run(fmt.Sprintf("%s/%s", s.f.Kind(), name), func(b *testing.B) {
				for b.Loop() {
					Relax(s.f, over)
				}
			})
		}
	}
}

// TableRelaxer is the default with limit points as auto_LiRPA has them: those
// of the interval's end rounded away from 0 to the next hundredth.
type TableRelaxer struct{}

func (TableRelaxer) Relax(f nn.Elementwise, over Range, _ *Range) (Lines, bool) {
	c := curveOf(f)
	if c == nil {
		return Lines{}, false
	}
	a, ok := c.over(over)
	if !ok {
		return Lines{}, false
	}
	tabled := func(end float64) float64 {
		end = (math.Trunc(max(end, 0)/0.01) + 1) * 0.01
		v, _ := c.at(-end)
		return c.limit(1, -end, v, 0.5*end)
	}
	m := 0.5*a.l + 0.5*a.u
	up, low := a.upperChord(), a.lowerChord()
	if !a.chordAbove() {
		t := m
		if a.l < 0 {
			t = max(m, tabled(-a.l))
		}
		v, s := c.at(t)
		up = a.upperTangent(t, v, s)
	}
	if !a.chordBelow() {
		t := m
		if a.u > 0 {
			t = min(m, -tabled(a.u))
		}
		v, s := c.at(t)
		low = a.lowerTangent(t, v, s)
	}
	return c.join(low, up, over), true
}
