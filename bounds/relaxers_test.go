package bounds

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// tangentAt is TangentLines at points that are shares of the way from l to u, or
// outside of the range.
type tangentAt struct{ upper, lower float64 }

func (t tangentAt) Relax(f nn.Elementwise, over Range, _ *Range) (Lines, bool) {
	at := func(share float64) float64 { return over.Lower + share*(over.Upper-over.Lower) }
	return TangentLines(f, over, at(t.upper), at(t.lower))
}

// relaxers is every published relaxation of S-curves, and tangents at points that
// no clamp has moved yet.
var relaxers = []struct {
	name string
	r    Relaxer
}{
	{"crown", CrownLines{}},
	{"verinet", VeriNetLines{}},
	{"deepcert", DeepCertLines{}},
	{"newise", NeWiseLines{}},
	{"robustverifier", RobustVerifierLines{}},
	{"deeppoly", DeepPolyLines{}},
	{"tangents inside", tangentAt{0.6, 0.4}},
	{"tangents crossed", tangentAt{0.1, 0.9}},
	{"tangents outside", tangentAt{-0.5, 1.5}},
}

// ordinaryRange is a range of the sizes that networks have.
func ordinaryRange(rng *rand.Rand) Range {
	centre, width := 4*rng.NormFloat64(), math.Pow(10, -4+5.5*rng.Float64())
	return Range{centre - width*rng.Float64(), centre + width*rng.Float64()}
}

// exactlySound checks n ranges for each method and function by the test of note
// scurve.md, 1.5, in 160-bit arithmetic and with no tolerance.
func exactlySound(t *testing.T, n int) {
	for _, s := range sCurves {
		for _, r := range relaxers {
			t.Run(s.f.Kind()+" "+r.name, func(t *testing.T) {
				t.Parallel()
				rng := rand.New(rand.NewPCG(21, 22))
				for k := range n {
					over := randomRange(rng)
					if k%2 == 0 {
						over = ordinaryRange(rng)
					}
					lines, ok := r.r.Relax(s.f, over, nil)
					require.True(t, ok)
					if x, bad := unsound(s.f, s.exact, lines, over); bad {
						t.Fatalf("%+v over %+v is crossed at %v", lines, over, x)
					}
				}
			})
		}
	}
}

func TestRelaxersAreExactlySound(t *testing.T) {
	n := 3_000
	if testing.Short() {
		n = 500
	}
	exactlySound(t, n)
}

// The released code of DualApp takes the tangent at l′ wherever the chord is sound
// above and l′ < 0, without asking whether it is left of d2. The exact test finds
// such a line out, so it would find out ours.
func TestUnclampedTangentsAreFoundOut(t *testing.T) {
	for _, s := range sCurves {
		c := curveOf(s.f)
		rng := rand.New(rand.NewPCG(23, 24))
		found, worst := 0, 0.0
		for range 20_000 {
			over := ordinaryRange(rng)
			a, ok := c.over(over)
			if !ok || !(over.Lower < 0 && over.Upper > 0) || !a.chordAbove() {
				continue
			}
			under := over.Lower * rng.Float64() // l′
			value, slope := c.at(under)
			l := line{slope, value - slope*under}
			lines := Lines{l.slope, l.intercept, 0, c.high}
			if x, bad := unsound(s.f, s.exact, lines, over); bad && under > a.lowerLimit()*(1-1e-9) {
				found++
				worst = max(worst, l.slope*x+l.intercept-s.f.Value(x))
				clamped, _ := TangentLines(s.f, over, over.Upper, under)
				_, bad = unsound(s.f, s.exact, clamped, over)
				require.False(t, bad)
			}
		}
		t.Logf("%s: %d lines cut the curve, by %.3g at worst", s.f.Kind(), found, worst)
		assert.Positive(t, found)
		assert.Greater(t, worst, 1e-3)
	}
}

func TestRelaxersAreSymmetric(t *testing.T) {
	for _, s := range sCurves {
		f0 := s.f.Value(0)
		for _, r := range relaxers {
			mirror := r.r
			if at, ok := r.r.(tangentAt); ok {
				mirror = tangentAt{1 - at.lower, 1 - at.upper}
			}
			rng := rand.New(rand.NewPCG(25, 26))
			for range 3_000 {
				over := ordinaryRange(rng)
				a, _ := r.r.Relax(s.f, over, nil)
				b, _ := mirror.Relax(s.f, Range{-over.Upper, -over.Lower}, nil)
				for _, x := range []float64{over.Lower, 0.5*over.Lower + 0.5*over.Upper, over.Upper} {
					up, low := a.UpperSlope*x+a.UpperIntercept, a.LowerSlope*x+a.LowerIntercept
					mirroredUp := 2*f0 - (-b.LowerSlope*x + b.LowerIntercept)
					mirroredLow := 2*f0 - (-b.UpperSlope*x + b.UpperIntercept)
					require.InDelta(t, up, mirroredUp, 1e-6*(1+math.Abs(up)), "%s %s over %+v", s.f.Kind(), r.name, over)
					require.InDelta(t, low, mirroredLow, 1e-6*(1+math.Abs(low)), "%s %s over %+v", s.f.Kind(), r.name, over)
				}
			}
		}
	}
}

// What each rule promises beside soundness.
func TestRelaxersKeepTheirPromise(t *testing.T) {
	const tol = 1e-12
	for _, s := range sCurves {
		c := curveOf(s.f)
		rng := rand.New(rand.NewPCG(27, 28))
		for range 5_000 {
			over := ordinaryRange(rng)
			a, ok := c.over(over)
			if !ok {
				continue
			}
			get := func(r Relaxer) Lines { l, _ := r.Relax(s.f, over, nil); return l }
			scale := 1 + max(-over.Lower, over.Upper)
			for _, r := range []Relaxer{NeWiseLines{}, DeepPolyLines{}} { // exact at the ends
				l := get(r)
				require.InDelta(t, a.valueU, l.UpperSlope*over.Upper+l.UpperIntercept, tol*scale)
				require.InDelta(t, a.valueL, l.LowerSlope*over.Lower+l.LowerIntercept, tol*scale)
			}
			if l := get(DeepCertLines{}); a.chordAbove() || a.chordBelow() { // parallel
				require.InDelta(t, l.UpperSlope, l.LowerSlope, 1e-9)
			}
			require.Equal(t, get(RobustVerifierLines{}).UpperSlope, get(RobustVerifierLines{}).LowerSlope)
			if l := get(CrownLines{}); over.Lower < 0 && over.Upper > 0 { // through the ends
				require.InDelta(t, a.valueL, l.UpperSlope*over.Lower+l.UpperIntercept, 1e-6*scale)
				require.InDelta(t, a.valueU, l.LowerSlope*over.Upper+l.LowerIntercept, 1e-6*scale)
			}
			require.Equal(t, Relax(s.f, over), get(VeriNetLines{}))
			best, m := get(VeriNetLines{}), a.centre()
			for _, r := range relaxers {
				l := get(r.r)
				require.LessOrEqual(t, best.UpperSlope*m+best.UpperIntercept, l.UpperSlope*m+l.UpperIntercept+1e-9*scale, r.name)
				require.GreaterOrEqual(t, best.LowerSlope*m+best.LowerIntercept, l.LowerSlope*m+l.LowerIntercept-1e-9*scale, r.name)
			}
		}
	}
}

func TestRelaxersLeaveOtherActivationsAlone(t *testing.T) {
	for _, r := range relaxers {
		_, ok := r.r.Relax(nn.ReLU{}, Range{-1, 1}, nil)
		require.False(t, ok, r.name)
	}
}

// Whole networks of S-curves: points of the region stay within every bound.
func TestRelaxersHoldOnPoints(t *testing.T) {
	n := 60
	if testing.Short() {
		n = 9
	}
	for seed := range n {
		rng := rand.New(rand.NewPCG(uint64(seed), 29))
		net := randomDense(t, rng, nn.Sigmoid{}, nn.Tanh{}, nn.Arctan{})
		if seed%3 == 0 {
			net = randomConv(t, rng, nn.Sigmoid{}, nn.Tanh{}, nn.Arctan{})
		}
		m := mustCompile(t, net)
		f := randomFunctions(rng, m)
		box := randomBox(t, rng, m.inputs, math.Pow(10, -2+2.5*rng.Float64()))
		xs := points(rng, m, box, &f, 20)
		e := nn.NewEvaluator[float64](net)
		q := &Query{Domains: []Domain{{Region: box}}, Functions: f, Upper: true}
		for _, r := range relaxers {
			for _, b := range []Bounder{Crown{Relaxer: r.r}, AlphaBeta{Relaxer: r.r, Iterations: 3}} {
				res := mustBound(t, b, m, q)[0]
				for _, x := range xs {
					requireInside(t, m, e, &f, &res, x, fmt.Sprintf("%s %T", r.name, b))
				}
			}
		}
		for _, b := range []Bounder{NeWise{Iterations: 5}} {
			res := mustBound(t, b, m, q)[0]
			for _, x := range xs {
				requireInside(t, m, e, &f, &res, x, "network-wise")
			}
		}
	}
}

// An optimiser that starts from a Relaxer's lines is never looser than they are.
func TestOptimiserStartsFromTheRelaxer(t *testing.T) {
	for seed := range 20 {
		rng := rand.New(rand.NewPCG(uint64(seed), 31))
		m := mustCompile(t, randomDense(t, rng, nn.Sigmoid{}, nn.Tanh{}, nn.Arctan{}))
		q := &Query{Domains: []Domain{{Region: randomBox(t, rng, m.inputs, 1)}}, Functions: randomFunctions(rng, m), Upper: true}
		for _, r := range relaxers {
			plain := mustBound(t, Crown{Relaxer: r.r}, m, q)[0]
			tuned := mustBound(t, AlphaBeta{Relaxer: r.r, Iterations: 4}, m, q)[0]
			requireNested(t, &tuned, &plain, r.name)
		}
	}
}

func TestTouchingIsTheTangentPoint(t *testing.T) {
	for _, s := range sCurves {
		c := curveOf(s.f)
		for x := 0.01; x < 8; x *= 1.3 {
			_, slope := c.at(x)
			assert.InEpsilon(t, x, c.touching(true, slope, Range{0, 10}), 1e-6)
			assert.InEpsilon(t, -x, c.touching(false, slope, Range{-10, 0}), 1e-6)
		}
		assert.Equal(t, 3.0, c.touching(true, 0, Range{1, 3}), "a flat line touches at the far end")
	}
}

// recorder notes what it is asked.
type recorder struct {
	asked *[]string
}

func (r recorder) Relax(_ nn.Elementwise, over Range, under *Range) (Lines, bool) {
	text := "none"
	if under != nil {
		text = fmt.Sprintf("[%.3g, %.3g] of [%.3g, %.3g]", under.Lower, under.Upper, over.Lower, over.Upper)
	}
	*r.asked = append(*r.asked, text)
	return Lines{}, false
}

func TestUnderReachesTheRelaxer(t *testing.T) {
	b := nn.NewBuilder(nn.Shape{2})
	d, err := nn.NewDense(2, 2, []float64{1, 0, 0, 1}, nil)
	require.NoError(t, err)
	h := b.Add("z", d, b.Input())
	net, err := b.Build(b.Add("a", nn.Tanh{}, h))
	require.NoError(t, err)
	m := mustCompile(t, net)
	box, err := spec.NewBox([]float64{-1, -1}, []float64{1, 1})
	require.NoError(t, err)
	q := &Query{Functions: Functions{Output: []float64{1, 1}}, Domains: []Domain{
		{Region: box, Under: []Interval{{}, {Lower: []float64{-0.5, -3}, Upper: []float64{0.25, 0.5}}}},
		{Region: box},
		{Region: box, Under: []Interval{{}, {Lower: []float64{2, math.NaN()}, Upper: []float64{3, 1}}}},
	}}
	var asked []string
	mustBound(t, Crown{Relaxer: recorder{&asked}}, m, &Query{Functions: q.Functions, Domains: q.Domains[:1]})
	assert.Equal(t, []string{"[-0.5, 0.25] of [-1, 1]", "[-1, 0.5] of [-1, 1]"}, asked)
	for _, d := range q.Domains[1:] { // none, and none inside
		asked = nil
		mustBound(t, Crown{Relaxer: recorder{&asked}}, m, &Query{Functions: q.Functions, Domains: []Domain{d}})
		assert.Equal(t, []string{"none", "none"}, asked)
	}
	for _, bad := range [][]Interval{{{}, {Lower: []float64{0}, Upper: []float64{1}}}, {{}, {}, {}, {Lower: []float64{0, 0}, Upper: []float64{1, 1}}}} {
		_, err := Crown{}.Bound(t.Context(), m, &Query{Functions: q.Functions, Domains: []Domain{{Region: box, Under: bad}}})
		var e *spec.Error
		assert.ErrorAs(t, err, &e)
	}
}
