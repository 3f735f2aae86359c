package simplex

import (
	"context"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/solvertest"
)

func TestMemoryLimit(t *testing.T) {
	p := solvertest.Bounded(1, 40, 30)
	got, err := Solver{}.Solve(context.Background(), p, solver.Options{MaxMemory: 1000})
	require.NoError(t, err)
	require.Equal(t, solver.Limit, got.Status)
	require.Equal(t, solver.ReasonMemory, got.Reason)
	got, err = Solver{}.Solve(context.Background(), p, solver.Options{MaxMemory: 40*30*8 + 1})
	require.NoError(t, err)
	require.Equal(t, solver.Optimal, got.Status)
}

func TestClosedSessions(t *testing.T) {
	s, err := Solver{}.Open(solvertest.Bounded(1, 3, 3), solver.Options{})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, err = s.Solve(context.Background())
	require.ErrorIs(t, err, errClosed)
	require.ErrorIs(t, s.SetVariableBounds(0, 0, 1), errClosed)
	require.ErrorIs(t, s.SetRowBounds(0, 0, 1), errClosed)
	require.ErrorIs(t, s.SetObjective(solver.Minimize, nil, 0), errClosed)
	require.ErrorIs(t, s.AddRow(solver.Row{}), errClosed)
	require.ErrorIs(t, s.RemoveRows(0), errClosed)
}

// A solve that was stopped goes on from where it was.
func TestSessionsGoOnAfterALimit(t *testing.T) {
	p := solvertest.Bounded(2, 60, 50)
	want, err := Solver{}.Solve(context.Background(), p, solver.Options{})
	require.NoError(t, err)
	s, err := Solver{}.Open(p, solver.Options{MaxIterations: 7})
	require.NoError(t, err)
	for range 200 {
		got, err := s.Solve(context.Background())
		require.NoError(t, err)
		if got.Status == solver.Optimal {
			require.InDelta(t, want.Objective, got.Objective, 1e-8)
			return
		}
		require.Equal(t, solver.ReasonIterations, got.Reason)
	}
	t.Fatal("not solved in 200 times 7 iterations")
}

// An optimum that the duals prove: the gap to the safe bound is rounding.
func TestSafeBoundClosesTheGap(t *testing.T) {
	for seed := range uint64(20) {
		p := solvertest.Bounded(seed, 60, 40)
		got, err := Solver{}.Solve(context.Background(), p, solver.Options{})
		require.NoError(t, err)
		require.InDelta(t, got.Objective, solver.SafeBound(p, got.RowDuals), 1e-8)
	}
}

// Ten thousand solves of one session leave no more behind than five thousand.
func TestSessionsDoNotGrow(t *testing.T) {
	both(t, func(t *testing.T, keep keeping) {
		s := solvertest.Star(1, 0.05, 10, 10, 10)
		session, err := Solver{keep: keep}.Open(s.Problem, solver.Options{Rays: true})
		require.NoError(t, err)
		rng := rand.New(rand.NewPCG(1, 1))
		half := func() uint64 {
			for k := range 5000 {
				if v := s.Problem.Variables[0]; k%5 == 0 {
					require.NoError(t, session.SetVariableBounds(0, v.Lower, v.Upper-rng.Float64()))
				}
				require.NoError(t, session.SetObjective(solver.Sense(k%2), s.Objectives[k%len(s.Objectives)], 0))
				got, err := session.Solve(context.Background())
				require.NoError(t, err)
				require.Contains(t, []solver.Status{solver.Optimal, solver.Infeasible}, got.Status)
			}
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		first := half()
		require.Less(t, half(), first+1<<18)
	})
}
