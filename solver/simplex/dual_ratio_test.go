package simplex

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver"
)

// Σ x ≥ 7.5 over ten boxed variables of growing cost: the long step flips seven of
// them and lets the eighth enter, in one iteration.
func TestLongStepFlipsWhatItPasses(t *testing.T) {
	p := &solver.Problem{}
	var columns []int
	var ones []float64
	for j := range 10 {
		columns, ones = append(columns, p.AddVariable(0, 1, float64(1+j))), append(ones, 1)
	}
	p.AddGreaterEqual(7.5, columns, ones)
	opts := solver.Options{}
	got, err := newSession(p, &opts, byShape).Solve(context.Background())
	require.NoError(t, err)
	require.Equal(t, solver.Optimal, got.Status)
	require.Equal(t, 1, got.Iterations)
	require.InDeltaSlice(t, []float64{1, 1, 1, 1, 1, 1, 1, 0.5, 0, 0}, got.X, 1e-12)
	require.InDelta(t, 8, got.RowDuals[0], 1e-12)
}

// When all flips together do not reach the bound, the row is the proof.
func TestLongStepProvesInfeasibility(t *testing.T) {
	p := &solver.Problem{}
	p.AddVariable(0, 1, 1)
	p.AddVariable(0, 1, -1)
	p.AddGreaterEqual(2.5, []int{0, 1}, []float64{1, 1})
	got, err := Solver{}.Solve(context.Background(), p, solver.Options{Rays: true})
	require.NoError(t, err)
	require.Equal(t, solver.Infeasible, got.Status)
	require.True(t, math.IsNaN(got.Objective))
	require.True(t, solver.SafeInfeasible(p, got.FarkasRay))
	require.Equal(t, math.Inf(1), got.Bound)
}

// Of two breakpoints within the tolerance the greater entry enters.
func TestGroupsPreferGreatPivots(t *testing.T) {
	e := engine{optimal: 1e-9}
	rest := []candidate{{0, 1e-3, 1}, {1, 2, 1 + 1e-10}, {2, 5, 3}}
	require.Equal(t, 2, e.nextGroup(rest))
	require.Equal(t, 1, widest(rest[:2]).column)
}
