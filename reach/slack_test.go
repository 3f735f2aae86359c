package reach

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/solver/simplex"
)

// TestBoundsAllowForSlack: bounds of an expression that is known up to its slack hold for
// every error within it, whoever computes them: the box, substitution, ascent, the solver.
func TestBoundsAllowForSlack(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 4))
	expression := func(vars int) *expr {
		x := &expr{coef: make([]float64, vars), centre: rng.NormFloat64(), slack: 0.3 * rng.Float64()}
		for j := range x.coef {
			x.vars = append(x.vars, int32(j))
			x.coef[j] = 2*rng.Float64() - 1
			x.mag += 2 * math.Abs(x.coef[j])
		}
		return x
	}
	for range 200 {
		p := &predicate{}
		for range 3 {
			p.box.add(-1, 1)
		}
		inner := expression(3)
		inner.slack = 0
		e := enclose([]nn.Elementwise{nn.ReLU{}, nn.LeakyReLU{Slope: 0.2}, nn.Sigmoid{}}[rng.IntN(3)], -5, 5)
		_, centre := p.relax(inner, -5, 5, &e)
		x := expression(4)
		sub := newSubstitution(p)
		g, err := open(simplex.Solver{}, p.problem())
		require.NoError(t, err)
		low, up := x.rangeOf(&p.box)
		lower, upper := []float64{low, sub.lower(x)}, []float64{up, sub.upper(x)}
		f := p.functional()
		f.add(1, x)
		rising, _ := sub.ascend(t.Context(), f, nil)
		lower = append(lower, rising)
		v, _, err := g.lower(t.Context(), x, 1)
		require.NoError(t, err)
		lower = append(lower, v)
		v, _, err = g.lower(t.Context(), x, -1)
		require.NoError(t, err)
		upper = append(upper, -v)
		g.close()
		least, most := math.Inf(1), math.Inf(-1)
		for range 400 {
			a := make([]float64, 4)
			for j := range 3 {
				a[j] = math.Round(3*rng.Float64()-1.5) * rng.Float64()
				if rng.IntN(2) == 0 {
					a[j] = float64(1 - 2*rng.IntN(2))
				}
			}
			y := e.low
			for _, s := range e.lower {
				y = max(y, s.at(inner.value(a)))
			}
			a[3] = y - centre
			least, most = min(least, x.value(a)-x.slack), max(most, x.value(a)+x.slack)
		}
		for k := range lower {
			require.LessOrEqual(t, lower[k], least+1e-12, k)
		}
		for k := range upper {
			require.GreaterOrEqual(t, upper[k], most-1e-12, k)
		}
	}
}

// TestSubstitutionHoldsOverTheReals: terms that cancel, at a point of the box, so that what
// is left of the sum is what rounding has done; the bound holds in exact arithmetic.
func TestSubstitutionHoldsOverTheReals(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 4))
	exact := func(x float64) *big.Float { return new(big.Float).SetPrec(2000).SetFloat64(x) }
	sum := func(x *expr, a []*big.Float) *big.Float {
		s := exact(x.centre)
		for i, j := range x.vars {
			s.Add(s, new(big.Float).SetPrec(2000).Mul(exact(x.coef[i]), a[j]))
		}
		return s
	}
	off := 0
	for range 300 {
		p := &predicate{}
		a := make([]*big.Float, 8, 9)
		x := &expr{}
		for j := range a {
			at := rng.NormFloat64()
			p.box.set(int(p.box.add(at, at)), at, at)
			a[j] = exact(at)
			x.vars = append(x.vars, int32(j))
			x.coef = append(x.coef, rng.NormFloat64()*math.Pow(10, 6*rng.Float64()))
			x.mag += math.Abs(x.coef[j]*at) * (1 + 1e-12)
		}
		rounded, _ := sum(x, a).Float64()
		x.centre = -rounded // all but cancels
		r := relaxed{variable: p.box.add(-1e9, 1e9)}
		r.lower, r.upper = []line{{x, rng.Float64(), 0}}, []line{{x, rng.Float64(), 0}}
		p.relaxed = append(p.relaxed, r)
		c := 1e3 * rng.NormFloat64()
		y := &expr{vars: []int32{8}, coef: []float64{c}, mag: 1e9 * math.Abs(c)}
		slope := r.lower[0].slope
		if c < 0 {
			slope = r.upper[0].slope
		}
		got := newSubstitution(p).lower(y)
		want := new(big.Float).SetPrec(2000).Mul(exact(c), new(big.Float).SetPrec(2000).Mul(exact(slope), sum(x, a)))
		require.LessOrEqual(t, exact(got).Cmp(want), 0, "%g is above %s", got, want.Text('g', 20))
		if want.Sign() != 0 {
			off++
		}
	}
	require.Greater(t, off, 100, "nothing was rounded")
}
