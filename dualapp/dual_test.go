package dualapp_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/dualapp"
	"github.com/vouchnn/vouch/nn"
)

var curves = []nn.Elementwise{nn.Sigmoid{}, nn.Tanh{}, nn.Arctan{}}

func randomRange(rng *rand.Rand) bounds.Range {
	centre, width := 4*rng.NormFloat64(), math.Pow(10, -4+5.5*rng.Float64())
	return bounds.Range{Lower: centre - width*rng.Float64(), Upper: centre + width*rng.Float64()}
}

func lines(t *testing.T, r bounds.Relaxer, f nn.Elementwise, over bounds.Range, under *bounds.Range) bounds.Lines {
	l, ok := r.Relax(f, over, under)
	require.True(t, ok)
	return l
}

// Note scurve.md, 1.5, item 5: with the under-approximated domain equal to the
// other, the choice is NeWise's; with its middle alone, VeriNet's. To the bit.
func TestDualAtItsLimitsIsNeWiseAndVeriNet(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 10))
	for range 50_000 {
		f, over := curves[rng.IntN(3)], randomRange(rng)
		same := over
		require.Equal(t, lines(t, bounds.NeWiseLines{}, f, over, nil), lines(t, dualapp.Dual{}, f, over, &same))
		m := 0.5*over.Lower + 0.5*over.Upper
		require.Equal(t, lines(t, bounds.VeriNetLines{}, f, over, nil), lines(t, dualapp.Dual{}, f, over, &bounds.Range{Lower: m, Upper: m}))
	}
}

// Figure 6: the upper line touches at u′ if that is sound, else at d1.
func TestDualTouchesAtTheUnderApproximatedEnds(t *testing.T) {
	for _, f := range curves {
		over := bounds.Range{Lower: -2, Upper: 3}
		crown := lines(t, bounds.CrownLines{}, f, over, nil) // touches at d1 and d2
		for _, under := range []bounds.Range{{Lower: -1.9, Upper: 2.5}, {Lower: -0.1, Upper: 0.1}} {
			l := lines(t, dualapp.Dual{}, f, over, &under)
			if under.Upper > 1.5 {
				require.InEpsilon(t, f.Derivative(under.Upper), l.UpperSlope, 1e-9)
				require.InEpsilon(t, f.Derivative(under.Lower), l.LowerSlope, 1e-9)
				require.InDelta(t, f.Value(under.Upper), l.UpperSlope*under.Upper+l.UpperIntercept, 1e-12)
			} else {
				require.Equal(t, crown, l)
			}
		}
	}
}

// Whatever is said to occur, no sampled point leaves the lines; ReLU included.
// (bounds tests the S-curves' lines exactly: TestRelaxersAreExactlySound.)
func TestDualLinesHoldAtSamples(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 10))
	all := append([]nn.Elementwise{nn.ReLU{}, nn.LeakyReLU{Slope: 0.1}}, curves...)
	for range 30_000 {
		f, over := all[rng.IntN(len(all))], randomRange(rng)
		w := over.Upper - over.Lower
		a, b := over.Lower+rng.Float64()*w, over.Lower+rng.Float64()*w
		l := lines(t, dualapp.Dual{}, f, over, &bounds.Range{Lower: min(a, b), Upper: max(a, b)})
		for k := range 21 {
			x := over.Lower + w*float64(k)/20
			v := f.Value(x)
			tol := 1e-14 * (1 + math.Abs(v) + math.Abs(x))
			require.LessOrEqual(t, v, l.UpperSlope*x+l.UpperIntercept+tol, "%s over %+v", f.Kind(), over)
			require.GreaterOrEqual(t, v, l.LowerSlope*x+l.LowerIntercept-tol, "%s over %+v", f.Kind(), over)
		}
	}
}

func TestDualWithoutUnderIsTheDefault(t *testing.T) {
	_, ok := dualapp.Dual{}.Relax(nn.Tanh{}, bounds.Range{Lower: -1, Upper: 1}, nil)
	require.False(t, ok)
	_, ok = dualapp.Dual{}.Relax(oddActivation{}, bounds.Range{Lower: -1, Upper: 1}, &bounds.Range{})
	require.False(t, ok)
}

type oddActivation struct{ nn.Tanh }

// The lower line of an undecided ReLU follows what occurs.
func TestDualOfReLU(t *testing.T) {
	over := bounds.Range{Lower: -3, Upper: 1} // the default's slope is 0
	for _, c := range []struct {
		under bounds.Range
		want  float64
	}{{bounds.Range{Lower: 0.1, Upper: 1}, 1}, {bounds.Range{Lower: -0.2, Upper: 0.5}, 1}, {bounds.Range{Lower: -2, Upper: 0.5}, 0}, {bounds.Range{Lower: -2, Upper: -1}, 0}} {
		require.Equal(t, c.want, lines(t, dualapp.Dual{}, nn.ReLU{}, over, &c.under).LowerSlope)
	}
}
