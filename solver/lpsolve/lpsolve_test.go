//go:build lpsolve

package lpsolve

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/solvertest"
)

func TestConformance(t *testing.T) {
	solvertest.Run(t, func() solver.Solver { return Solver{} })
}

func TestIntegerConformance(t *testing.T) {
	solvertest.RunInteger(t, func() solver.Solver { return Solver{} })
}

func TestAgainstExactArithmetic(t *testing.T) {
	count := 10000
	if testing.Short() {
		count = 1000
	}
	solvertest.Twin(t, Solver{}, 1, count)
	solvertest.TwinInteger(t, Solver{}, 1, count/10)
}

// lp_solve's bound on the objective's steps loses the optimum of this problem: -5.3977
// if it is not switched off. The optimum is by enumeration of the two integers.
func TestObjectiveSteps(t *testing.T) {
	p := &solver.Problem{}
	p.AddInteger(-3, -2, 1.8662109375)
	p.AddVariable(-2.087890625, -1.087890625, -0.0859375)
	p.AddInteger(0, 1, -1.7587890625)
	p.AddRow(-2.3627662658691406, 1.6372337341308594, []int{0, 2}, []float64{0.423828125, 0.431640625})
	p.AddRow(-3.90838623046875, -2.90838623046875, []int{0, 1, 2}, []float64{0.6513671875, 1.1416015625, -1.185546875})
	p.AddGreaterEqual(-2.917512893676758, []int{1, 2}, []float64{0.8564453125, -0.8642578125})
	got, err := Solver{}.Solve(context.Background(), p, solver.Options{})
	require.NoError(t, err)
	require.Equal(t, solver.Optimal, got.Status)
	require.InDelta(t, -5.5051422119140625, got.Objective, 1e-9)
	require.Equal(t, []float64{-3, 0}, []float64{got.X[0], math.Abs(got.X[2])})
}

// A changed problem takes a few pivots, not all of them again.
func TestSessionsAreWarm(t *testing.T) {
	s, err := Solver{}.Open(solvertest.Bounded(1, 60, 50), solver.Options{})
	require.NoError(t, err)
	defer s.Close()
	solve := func() *solver.Solution {
		got, err := s.Solve(context.Background())
		require.NoError(t, err)
		require.Equal(t, solver.Optimal, got.Status)
		return got
	}
	cold := solve()
	require.Greater(t, cold.Iterations, 20)
	require.LessOrEqual(t, solve().Iterations, 1, "nothing has changed")
	for j := range 5 {
		require.NoError(t, s.SetVariableBounds(j, -1, max(-1, cold.X[j]-0.1)))
		require.Less(t, solve().Iterations, cold.Iterations/2)
	}
	require.NoError(t, s.AddRow(solver.Row{Lower: -1, Upper: 1, Columns: []int{1, 2}, Values: []float64{1, 1}}))
	require.Less(t, solve().Iterations, cold.Iterations/2)
}

// A limit on iterations stops, and the next solve goes on.
func TestIterationLimit(t *testing.T) {
	s, err := Solver{}.Open(solvertest.Bounded(1, 60, 50), solver.Options{MaxIterations: 15})
	require.NoError(t, err)
	defer s.Close()
	got, err := s.Solve(context.Background())
	require.NoError(t, err)
	require.Equal(t, solver.Limit, got.Status)
	require.Equal(t, solver.ReasonIterations, got.Reason)
	for range 40 {
		if got.Status == solver.Limit {
			got, err = s.Solve(context.Background())
			require.NoError(t, err)
		}
	}
	require.Equal(t, solver.Optimal, got.Status)
}

// longSearch is a mixed-integer problem that takes a long search.
func longSearch() *solver.Problem {
	p := solvertest.Bounded(3, 40, 40)
	p.Sense = solver.Maximize
	for j := range p.Variables {
		p.Variables[j].Integer, p.Variables[j].Lower, p.Variables[j].Upper = true, -5, 5
	}
	return p
}

// Limits of a mixed-integer search have a name, and what comes with them is feasible.
func TestSearchLimits(t *testing.T) {
	p := longSearch()
	for reason, opts := range map[solver.Reason]solver.Options{
		solver.ReasonNodes:   {MaxNodes: 5},
		solver.ReasonTimeout: {TimeLimit: 100 * time.Millisecond},
	} {
		start := time.Now()
		got, err := Solver{}.Solve(context.Background(), p, opts)
		require.NoError(t, err)
		require.Equal(t, solver.Limit, got.Status)
		require.Equal(t, reason, got.Reason)
		require.Less(t, time.Since(start), 3*time.Second)
		if got.X != nil {
			require.Equal(t, p.Value(got.X), got.Objective)
			require.GreaterOrEqual(t, got.Bound, got.Objective)
			for _, r := range p.Rows {
				require.LessOrEqual(t, r.Activity(got.X), r.Upper+1e-6)
			}
		}
	}
}
