package solver_test

import (
	"context"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/simplex"
	"github.com/vouchnn/vouch/solver/solvertest"
)

// freeProblem has free variables only, held by inequalities between all of them, so
// that no row implies a bound.
func freeProblem(rng *rand.Rand, rows, variables int) *solver.Problem {
	p := &solver.Problem{Sense: solver.Sense(rng.IntN(2))}
	sign := 1.0
	if p.Sense == solver.Maximize {
		sign = -1
	}
	for range variables {
		p.AddVariable(math.Inf(-1), math.Inf(1), 0)
	}
	for range rows {
		var columns []int
		var values []float64
		y := rng.ExpFloat64()
		for j := range variables {
			a := rng.NormFloat64()
			columns, values = append(columns, j), append(values, a)
			p.Variables[j].Cost += sign * y * a
		}
		p.AddGreaterEqual(rng.NormFloat64(), columns, values)
	}
	return p
}

// Every reduced cost must vanish, no bound is implied, and yet there is a bound: tight,
// and never beyond the exact optimum.
func TestSafeBoundWithFreeVariablesOnly(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	optimal, found := 0, 0
	for range 200 {
		p := freeProblem(rng, 3+rng.IntN(5), 1+rng.IntN(4))
		status, optimum := solvertest.Exact(p)
		if status != solver.Optimal {
			continue // too few rows: rounding decides
		}
		optimal++
		s, err := simplex.Solver{}.Solve(context.Background(), p, solver.Options{})
		require.NoError(t, err)
		bound := solver.SafeBound(p, s.RowDuals)
		if math.IsInf(bound, 0) {
			continue
		}
		found++
		want, _ := optimum.Float64()
		require.InDelta(t, want, bound, 1e-9*(1+math.Abs(want)))
		require.NotEqual(t, map[solver.Sense]int{solver.Minimize: 1, solver.Maximize: -1}[p.Sense],
			new(big.Rat).SetFloat64(bound).Cmp(optimum), "beyond the optimum")
	}
	require.Greater(t, optimal, 100)
	require.GreaterOrEqual(t, found, optimal*95/100, "of %d", optimal)
}

// The same for rays, which must be orthogonal to every column.
func TestSafeInfeasibleWithFreeVariablesOnly(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	for range 50 {
		p := freeProblem(rng, 6, 3)
		last := solver.Row{Lower: math.Inf(-1)} // −Σ of the rows, and more than they allow
		sum := make([]float64, 3)
		for _, r := range p.Rows {
			for k, v := range r.Values {
				sum[k] += v
			}
			last.Upper += r.Lower
		}
		last.Upper--
		p.AddRow(last.Lower, last.Upper, []int{0, 1, 2}, sum)
		s, err := simplex.Solver{}.Solve(context.Background(), p, solver.Options{Rays: true})
		require.NoError(t, err)
		require.Equal(t, solver.Infeasible, s.Status)
		if status, _ := solvertest.Exact(p); status == solver.Infeasible {
			require.NotNil(t, s.FarkasRay)
			require.True(t, solver.SafeInfeasible(p, s.FarkasRay))
		} else {
			require.False(t, s.FarkasRay != nil && solver.SafeInfeasible(p, s.FarkasRay))
		}
	}
}
