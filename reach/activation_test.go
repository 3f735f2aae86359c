package reach

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// ranges of all kinds: on either side of zero, across, wide, narrow, far.
func ranges(rng *rand.Rand) (l, u float64) {
	scale := math.Pow(10, 6*rng.Float64()-3)
	l, u = scale*rng.NormFloat64(), scale*rng.NormFloat64()
	switch rng.IntN(6) {
	case 0:
		u = l + 1e-9*rng.Float64()
	case 1:
		l, u = -math.Abs(l), math.Abs(u)
	case 2:
		l += 30 * rng.NormFloat64()
	}
	return min(l, u), max(l, u)
}

// TestEnclose: the activation's value lies between all lines and bounds, at the ends,
// near them, at zero and at random points.
func TestEnclose(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, op := range []nn.Elementwise{nn.ReLU{}, nn.LeakyReLU{Slope: 0.1}, nn.LeakyReLU{Slope: 1}, nn.LeakyReLU{}, nn.Sigmoid{}, nn.Tanh{}, nn.Arctan{}} {
		lines := 0
		for range 1500 {
			l, u := ranges(rng)
			e := enclose(op, l, u)
			single := e
			single.single(l, u)
			lines += len(e.lower) + len(e.upper)
			points := []float64{l, u, math.Nextafter(l, u), math.Nextafter(u, l), 0.5*l + 0.5*u}
			if l <= 0 && u >= 0 {
				points = append(points, 0)
			}
			for range 8 {
				points = append(points, l+rng.Float64()*(u-l))
			}
			for _, x := range points {
				if x < l || x > u {
					continue
				}
				y := op.Value(x)
				// The error of evaluating line and value here, in float64.
				tol := 4 * unit * (math.Abs(y) + math.Abs(x))
				if e.straight {
					require.InDelta(t, y, e.slope*x, tol)
					continue
				}
				for _, c := range []enclosure{e, single} {
					require.True(t, y >= c.low && y <= c.up, "%v over [%g, %g] at %g", op.Kind(), l, u, x)
					for _, s := range c.lower {
						require.LessOrEqual(t, s.at(x), y+tol*(1+math.Abs(s.slope)), "%v over [%g, %g] at %g: %v", op.Kind(), l, u, x, s)
					}
					for _, s := range c.upper {
						require.GreaterOrEqual(t, s.at(x), y-tol*(1+math.Abs(s.slope)), "%v over [%g, %g] at %g: %v", op.Kind(), l, u, x, s)
					}
				}
				require.LessOrEqual(t, e.slope*x+e.parallelLow, y+tol*(1+e.slope))
				require.GreaterOrEqual(t, e.slope*x+e.parallelUp, y-tol*(1+e.slope))
			}
		}
		if op != (nn.LeakyReLU{Slope: 1}) {
			require.Positive(t, lines, op.Kind())
		}
	}
}

// TestEncloseTight: what NNV's formulas give, by hand.
func TestEncloseTight(t *testing.T) {
	// ReLU over [-1, 3]: y ≥ 0, y ≥ x, y ≤ 3/4·(x+1).
	e := enclose(nn.ReLU{}, -1, 3)
	require.Equal(t, 0.0, e.low)
	require.Equal(t, 3.0, e.up)
	require.Equal(t, []segment{{1, 0}}, e.lower)
	require.InDelta(t, 0.75, e.upper[0].slope, 1e-15)
	require.InDelta(t, 0.75, e.upper[0].intercept, 1e-15)
	// tanh over [-1, 2]: d = tanh'(2) = 0.0706508; the upper line meets 0 at
	// tanh(2) − 2d = 0.822726 and the bent one goes on to (−1, tanh(−1)).
	e = enclose(nn.Tanh{}, -1, 2)
	require.InDelta(t, 0.07065082485, e.upper[0].slope, 1e-9)
	require.InDelta(t, 0.82272593, e.upper[0].intercept, 1e-7)
	require.InDelta(t, 0.82272593+math.Tanh(1), e.upper[1].slope, 1e-7)
	// sigmoid over [1, 2]: tangents above, chord below.
	e = enclose(nn.Sigmoid{}, 1, 2)
	require.InDelta(t, 0.1966119332, e.upper[0].slope, 1e-9)
	require.InDelta(t, 0.1049935854, e.upper[1].slope, 1e-9)
	require.InDelta(t, 0.8807970780-0.7310585786, e.lower[0].slope, 1e-9)
}

func TestWanted(t *testing.T) {
	s := &spread{lower: []float64{-1, -4, -2, -0.5}, upper: []float64{1, 0.5, 3, 9}}
	list := []int{0, 1, 2, 3}
	both, up, low := lowerSide|upperSide, upperSide, lowerSide
	for _, c := range []struct {
		o    Options
		want []side
	}{
		{Options{}, []side{both, both, both, both}},
		{Options{Method: AbsDom}, []side{both, both, both, both}},
		{Options{Method: Zono}, nil},
		{Options{Method: RelaxStar}, []side{both, both, both, both}},
		{Options{Method: RelaxStar, RelaxFactor: 1}, nil},
		// Widths 2, 4.5, 5, 9.5; areas 1, 2, 6, 4.5.
		{Options{Method: RelaxStar, RelaxFactor: 0.5}, []side{0, 0, both, both}},
		{Options{Method: RelaxStar, RelaxFactor: 0.75, Choice: ByArea}, []side{0, 0, both, 0}},
		{Options{Method: RelaxStar, RelaxFactor: 0.5, Choice: ByOrder}, []side{both, both, 0, 0}},
		// Pooled: 9, 4, 3, 2, 1, ...
		{Options{Method: RelaxStar, RelaxFactor: 0.5, Choice: ByBound}, []side{0, low, low | up, up}},
		{Options{Method: RelaxStar, RelaxFactor: 0.75, Choice: UpperFirst}, []side{0, 0, up, up}},
		{Options{Method: RelaxStar, RelaxFactor: 0.25, Choice: UpperFirst}, []side{up, up | low, up | low, up}},
	} {
		require.Equal(t, c.want, c.o.wanted(list, s), "%v %v %g", c.o.Method, c.o.Choice, c.o.RelaxFactor)
	}
	o := Options{Method: RelaxStar, RelaxFactor: 0.5, Choice: ByRandom, Seed: 3}
	first, second := o.wanted(list, s), o.wanted(list, s)
	require.Equal(t, first, second)
}
