package solver

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// randomBoxed is a problem all of whose bounds are finite, and duals of any sign.
func randomBoxed(rng *rand.Rand) (*Problem, []float64) {
	p := &Problem{Sense: Sense(rng.IntN(2)), Offset: rng.NormFloat64()}
	scale := math.Pow(10, float64(rng.IntN(9)-4))
	for range 1 + rng.IntN(6) {
		a, b := scale*rng.NormFloat64(), rng.NormFloat64()
		p.AddVariable(min(a, b), max(a, b), rng.NormFloat64())
	}
	var y []float64
	for range rng.IntN(6) {
		var columns []int
		var values []float64
		for j := range p.Variables {
			if rng.IntN(3) > 0 {
				columns, values = append(columns, j), append(values, scale*rng.NormFloat64())
			}
		}
		a, b := rng.NormFloat64(), scale*rng.NormFloat64()
		p.AddRow(min(a, b), max(a, b), columns, values)
		y = append(y, rng.NormFloat64())
	}
	return p, y
}

// exactLagrangian is the dual function in rational arithmetic, for finite bounds.
func exactLagrangian(p *Problem, y []float64) *big.Rat {
	worst := func(d *big.Rat, lower, upper float64) *big.Rat {
		end := lower
		if (d.Sign() < 0) == (p.Sense == Minimize) {
			end = upper
		}
		return new(big.Rat).Mul(d, rat(end))
	}
	total := rat(p.Offset)
	d := make([]*big.Rat, len(p.Variables))
	for j, v := range p.Variables {
		d[j] = rat(v.Cost)
	}
	for i, r := range p.Rows {
		total.Add(total, worst(rat(y[i]), r.Lower, r.Upper))
		for k, j := range r.Columns {
			d[j].Sub(d[j], new(big.Rat).Mul(rat(r.Values[k]), rat(y[i])))
		}
	}
	for j, v := range p.Variables {
		total.Add(total, worst(d[j], v.Lower, v.Upper))
	}
	return total
}

func TestSafeBoundIsTheLagrangianRoundedOutward(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 1))
	for range 3000 {
		p, y := randomBoxed(rng)
		exact := exactLagrangian(p, y)
		got := SafeBound(p, y)
		if p.Sense == Minimize {
			require.True(t, atMost(got, exact), "%g above %s", got, exact.FloatString(30))
		} else {
			require.True(t, atLeast(got, exact), "%g below %s", got, exact.FloatString(30))
		}
		want, _ := exact.Float64()
		require.InDelta(t, want, got, 1e-12*(1+math.Abs(want)), "not tight")
	}
}

func TestSafeBoundSurvivesBadDuals(t *testing.T) {
	p := &Problem{}
	x := p.AddVariable(0, math.Inf(1), 1)
	p.AddGreaterEqual(2, []int{x}, []float64{3})
	for _, y := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), -7} {
		require.Equal(t, 0.0, SafeBound(p, []float64{y}), "y = %g", y)
	}
	require.LessOrEqual(t, SafeBound(p, []float64{1e300}), 2.0/3)
	require.Panics(t, func() { SafeBound(p, nil) })
}

// One third times three is not one: the reduced cost of x has the wrong sign by
// a rounding error, and x has no upper bound.
func TestSafeBoundRepairsSigns(t *testing.T) {
	p := &Problem{}
	x := p.AddVariable(0, math.Inf(1), 0.1)
	p.AddGreaterEqual(1, []int{x}, []float64{0.3})
	y := math.Nextafter(0.1/0.3, 1)
	require.Less(t, math.FMA(-0.3, y, 0.1), 0.0)
	got := SafeBound(p, []float64{y})
	require.InDelta(t, 1.0/3, got, 1e-11)

	p.Variables[0] = Variable{Lower: math.Inf(-1), Upper: 0, Cost: -0.1} // the mirror image
	p.Rows[0].Values[0] = -0.3
	require.InDelta(t, 1.0/3, SafeBound(p, []float64{y}), 1e-11)
}

// Free variables that the rows define, as the neurons of a network.
func TestSafeBoundUsesImpliedBounds(t *testing.T) {
	inf := math.Inf(1)
	p := &Problem{}
	x := p.AddVariable(-1, 1, 0)
	y := p.AddVariable(-inf, inf, 0)
	z := p.AddVariable(-inf, inf, 1)
	p.AddEqual(0.1, []int{x, y}, []float64{-0.3, 1})
	p.AddEqual(0.2, []int{y, z}, []float64{-0.7, 1})
	// z = 0.2 + 0.7·(0.1 + 0.3·x) is at least 0.06 at x = −1.
	got := SafeBound(p, []float64{0.7, 1})
	require.InDelta(t, 0.06, got, 1e-12)
	got = SafeBound(p, []float64{0.7 + 1e-9, 1 - 1e-9})
	require.InDelta(t, 0.06, got, 1e-7)
	lower, upper := []float64{-1, -inf, -inf}, []float64{1, inf, inf}
	imply(p, lower, upper)
	require.InDelta(t, 0.06, lower[2], 1e-12)
	require.InDelta(t, 0.48, upper[2], 1e-12)
}

func TestSafeInfeasible(t *testing.T) {
	inf := math.Inf(1)
	p := &Problem{}
	x := p.AddVariable(0, inf, 1)
	y := p.AddVariable(0, inf, 1)
	p.AddLessEqual(1, []int{x, y}, []float64{1, 1})
	p.AddGreaterEqual(3, []int{x, y}, []float64{1, 1})
	require.True(t, SafeInfeasible(p, []float64{-1, 1}))
	require.True(t, SafeInfeasible(p, []float64{-1, 0.5}), "by a weaker sum")
	require.False(t, SafeInfeasible(p, []float64{1, -1}))
	require.False(t, SafeInfeasible(p, []float64{0, 0}))
	p.Rows[1].Lower = 1
	for _, ray := range [][]float64{{-1, 1}, {-3, 3}, {-1, 1 + 1e-15}} {
		require.False(t, SafeInfeasible(p, ray), "the problem is feasible")
	}
}
