package simplex

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/solvertest"
)

// One objective after another, now and then another change: warm = cold, with bases kept
// and without.
func TestPoolKeepsTheOptimum(t *testing.T) {
	both(t, func(t *testing.T, keep keeping) {
		for seed := range uint64(4) {
			s := solvertest.Star(seed, 0.05, 8, 15, 15, 12)
			session, err := Solver{keep: keep}.Open(s.Problem, solver.Options{})
			require.NoError(t, err)
			rng := rand.New(rand.NewPCG(seed, 2))
			for _, costs := range s.Objectives {
				for _, sense := range []solver.Sense{solver.Minimize, solver.Maximize} {
					require.NoError(t, session.SetObjective(sense, costs, 0.5))
					agreesWithCold(t, session)
				}
				disturb(t, rng, session)
			}
		}
	})
}

// agreesWithCold solves twice, and a copy afresh.
func agreesWithCold(t *testing.T, session solver.Session) {
	cold, err := Solver{}.Solve(context.Background(), session.Problem(), solver.Options{})
	require.NoError(t, err)
	for range 2 {
		warm, err := session.Solve(context.Background())
		require.NoError(t, err)
		require.Equal(t, cold.Status, warm.Status)
		if cold.Status == solver.Optimal {
			require.InDelta(t, cold.Objective, warm.Objective, 1e-8)
			require.InDelta(t, cold.Objective, solver.SafeBound(session.Problem(), warm.RowDuals), 1e-7)
		}
	}
}

// disturb sometimes changes more than the objective.
func disturb(t *testing.T, rng *rand.Rand, session solver.Session) {
	p := session.Problem()
	j, i := rng.IntN(len(p.Variables)), rng.IntN(len(p.Rows))
	v := p.Variables[j]
	switch rng.IntN(8) {
	case 0:
		require.NoError(t, session.SetVariableBounds(j, v.Lower, v.Upper-0.1*(v.Upper-v.Lower)))
	case 1:
		require.NoError(t, session.SetRowBounds(i, p.Rows[i].Lower-0.1, p.Rows[i].Upper))
	case 2:
		require.NoError(t, session.AddRow(solver.Row{Lower: math.Inf(-1), Upper: v.Upper, Columns: []int{j}, Values: []float64{1.01}}))
	case 3:
		require.NoError(t, session.RemoveRows(i))
	}
}

// Kept bases save pivots, and none is kept where memory forbids it.
func TestPoolSavesPivots(t *testing.T) {
	s := solvertest.Star(1, 0.05, 20, 50, 20)
	pivots := func(opts solver.Options) int {
		session, err := Solver{keep: inFull}.Open(s.Problem, opts)
		require.NoError(t, err)
		total := 0
		for _, costs := range s.Objectives {
			for _, sense := range []solver.Sense{solver.Minimize, solver.Maximize} {
				require.NoError(t, session.SetObjective(sense, costs, 0))
				got, err := session.Solve(context.Background())
				require.NoError(t, err)
				require.Equal(t, solver.Optimal, got.Status)
				total += got.Iterations
			}
		}
		return total
	}
	tight := int64(8*(len(s.Problem.Rows)+1)*(len(s.Problem.Variables)+1)) + 100
	with, without := pivots(solver.Options{}), pivots(solver.Options{MaxMemory: tight})
	require.Less(t, with, without*3/4)
}

// A solve that stops goes on where it was, not at a kept basis.
func TestPoolAndIterationLimits(t *testing.T) {
	both(t, func(t *testing.T, keep keeping) {
		s := solvertest.Star(1, 0.05, 20, 50, 20)
		session, err := Solver{keep: keep}.Open(s.Problem, solver.Options{MaxIterations: 3})
		require.NoError(t, err)
		for _, costs := range s.Objectives[:5] {
			require.NoError(t, session.SetObjective(solver.Maximize, costs, 0))
			status := solver.Limit
			for tries := 0; status == solver.Limit; tries++ {
				require.Less(t, tries, 60)
				got, err := session.Solve(context.Background())
				require.NoError(t, err)
				status = got.Status
			}
			require.Equal(t, solver.Optimal, status)
		}
	})
}
