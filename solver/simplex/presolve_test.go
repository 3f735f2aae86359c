package simplex

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/solvertest"
)

// A chain of rows each of which fixes one more variable leaves nothing; the duals
// come back through all of them.
func TestPresolveUnrollsAChain(t *testing.T) {
	const n = 20
	inf := math.Inf(1)
	p := &solver.Problem{}
	p.AddVariable(1, 1, 0)
	for j := 1; j < n; j++ {
		p.AddVariable(-inf, inf, 0)
		p.AddEqual(0.5, []int{j - 1, j}, []float64{-0.5, 1})
	}
	p.Variables[n-1].Cost = 3
	r := presolve(p)
	require.NotNil(t, r)
	require.Empty(t, r.reduced.Variables)
	require.Empty(t, r.reduced.Rows)
	got, err := Solver{}.Solve(context.Background(), p, solver.Options{})
	require.NoError(t, err)
	require.Equal(t, solver.Optimal, got.Status)
	require.Zero(t, got.Iterations)
	require.InDelta(t, 3, got.Objective, 1e-12)
	require.InDelta(t, 3, solver.SafeBound(p, got.RowDuals), 1e-12)
	require.InDelta(t, 1.5, got.RowDuals[n-3], 1e-12)
}

// The row 2x ≥ 3 is the bound that the optimum stands at, so it has the dual value.
func TestPresolveGivesDualsToSingletonRows(t *testing.T) {
	p := &solver.Problem{}
	x := p.AddVariable(0, 10, 1)
	y := p.AddVariable(0, 10, 1)
	p.AddGreaterEqual(3, []int{x}, []float64{2})
	p.AddGreaterEqual(-1, []int{x, y}, []float64{1, -1})
	p.AddRow(math.Inf(-1), math.Inf(1), []int{x, y}, []float64{1, 1})
	require.Len(t, presolve(p).reduced.Rows, 1)
	got, err := Solver{}.Solve(context.Background(), p, solver.Options{})
	require.NoError(t, err)
	require.InDeltaSlice(t, []float64{0.5, 0, 0}, got.RowDuals, 1e-12)
	require.InDeltaSlice(t, []float64{0, 1}, got.ReducedCosts, 1e-12)
}

// With and without presolve the answers agree and the proofs hold.
func TestPresolveChangesNoAnswer(t *testing.T) {
	reduced, left := 0, 0
	for _, c := range solvertest.Generated(7, 25) {
		opts := solver.Options{Rays: true}
		want, err := newSession(c.Problem, &opts, byShape).Solve(context.Background())
		require.NoError(t, err)
		r := presolve(c.Problem)
		if r == nil {
			continue
		}
		got, err := r.solve(context.Background(), &opts, byShape)
		require.NoError(t, err)
		if got == nil {
			left++
			continue
		}
		reduced++
		require.Equal(t, want.Status, got.Status, c.Name)
		if want.Status == solver.Optimal {
			require.InDelta(t, want.Objective, got.Objective, 1e-7*c.Scale, c.Name)
		}
	}
	require.Greater(t, reduced, 100)
	require.Less(t, left, reduced/20, "left to a solve without presolve")
}
