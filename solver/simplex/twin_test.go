package simplex

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/solvertest"
)

// both runs a test with T kept either way.
func both(t *testing.T, test func(t *testing.T, keep keeping)) {
	t.Run("dense", func(t *testing.T) { test(t, inFull) })
	t.Run("factored", func(t *testing.T) { test(t, byFactors) })
}

func TestAgainstExactArithmetic(t *testing.T) {
	count := 10000
	if testing.Short() {
		count = 1000
	}
	both(t, func(t *testing.T, keep keeping) { solvertest.Twin(t, Solver{keep: keep}, 1, count) })
}

func TestConformance(t *testing.T) {
	both(t, func(t *testing.T, keep keeping) {
		solvertest.Run(t, func() solver.Solver { return Solver{keep: keep} })
	})
}

func TestWildProblems(t *testing.T) {
	count := 4000
	if testing.Short() {
		count = 500
	}
	both(t, func(t *testing.T, keep keeping) { solvertest.Wild(t, Solver{keep: keep}, 1, count) })
}

// Presolve subtracts fixed variables from the rows' bounds, with rounding: what that makes
// infeasible is claimed only if the problem as given is.
func TestInfeasibleAfterRoundedPresolve(t *testing.T) {
	p := &solver.Problem{}
	p.AddVariable(1.0/3, 1.0/3, 0)
	p.AddVariable(math.Inf(-1), math.Inf(1), 1)
	p.AddVariable(-1, 1, 1)
	p.AddEqual(1e9/3, []int{0, 1, 2}, []float64{1e9, 1e-7, 1e-7})
	p.AddEqual(1e9/3, []int{0, 1, 2}, []float64{1e9, 2e-7, 1e-7})
	status, _ := solvertest.Exact(p)
	for _, rays := range []bool{false, true} {
		got, err := Solver{}.Solve(context.Background(), p, solver.Options{Rays: rays})
		require.NoError(t, err)
		if got.Status == solver.Infeasible {
			require.Equal(t, solver.Infeasible, status)
		}
		require.Nil(t, got.UnboundedRay)
		require.True(t, rays || got.FarkasRay == nil)
	}
}
