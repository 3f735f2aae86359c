//go:build highs

package highs

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/internal/lpadapter"
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
		require.Less(t, time.Since(start), 10*time.Second) // milliseconds, but also on a busy machine
		if got.X != nil {
			require.Equal(t, p.Value(got.X), got.Objective)
			require.GreaterOrEqual(t, got.Bound, got.Objective)
			for _, r := range p.Rows {
				require.LessOrEqual(t, r.Activity(got.X), r.Upper+1e-6)
			}
		}
	}
}

// Another user of the library on the same thread of the operating system may have
// started its scheduler with more threads, which makes HiGHS refuse to run.
func TestForeignScheduler(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	p := solvertest.Bounded(1, 20, 20)
	for _, threads := range []int{2, 1, 2} {
		x, err := newEngine()
		require.NoError(t, err)
		e := x.(*engine)
		require.NoError(t, e.Load(p, &solver.Options{}, 0))
		require.NoError(t, e.set(setting{"threads", threads}))
		out, err := e.Run(&lpadapter.Limits{Context: context.Background()})
		require.NoError(t, err)
		require.Equal(t, solver.Optimal, out.Status)
		e.Free()
	}
}
