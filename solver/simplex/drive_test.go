package simplex

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/solvertest"
)

// One row over a wide box: a new objective moves most variables to their other bounds,
// and that takes no step for each.
func TestFlipsOfAWideBox(t *testing.T) {
	both(t, func(t *testing.T, keep keeping) {
		p := &solver.Problem{}
		var columns []int
		var ones []float64
		for range 200 {
			columns, ones = append(columns, p.AddVariable(-1, 1, 1)), append(ones, 1)
		}
		p.AddLessEqual(50.5, columns, ones)
		session, err := Solver{keep: keep}.Open(p, solver.Options{})
		require.NoError(t, err)
		for _, sense := range []solver.Sense{solver.Minimize, solver.Maximize, solver.Minimize} {
			require.NoError(t, session.SetObjective(sense, ones, 0))
			got, err := session.Solve(context.Background())
			require.NoError(t, err)
			require.Equal(t, solver.Optimal, got.Status)
			require.InDelta(t, map[solver.Sense]float64{solver.Minimize: -200, solver.Maximize: 50.5}[sense], got.Objective, 1e-9)
			require.LessOrEqual(t, got.Iterations, 3)
		}
	})
}

// Star sets over many inputs: warm = cold after every objective, with the flips and
// where free variables and open bounds forbid some of them.
func TestFlipsOfWideStars(t *testing.T) {
	both(t, func(t *testing.T, keep keeping) {
		for seed := range uint64(4) {
			s := solvertest.Star(seed, 0.02, 60, 12, 10)
			switch seed {
			case 1:
				for j := 0; j < 60; j += 7 {
					s.Problem.Variables[j].Upper = math.Inf(1)
				}
			case 2:
				for j := 0; j < 60; j += 11 {
					s.Problem.Variables[j].Lower, s.Problem.Variables[j].Upper = math.Inf(-1), math.Inf(1)
				}
			}
			session, err := Solver{keep: keep}.Open(s.Problem, solver.Options{})
			require.NoError(t, err)
			for _, costs := range s.Objectives {
				for _, sense := range []solver.Sense{solver.Minimize, solver.Maximize} {
					require.NoError(t, session.SetObjective(sense, costs, 0.5))
					agreesWithCold(t, session)
				}
			}
		}
	})
}
