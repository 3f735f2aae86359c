//go:build lpsolve

package lpsolve

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/solvertest"
)

func TestConformance(t *testing.T) {
	solvertest.Run(t, func() solver.Solver { return Solver{} })
}

func TestAgainstExactArithmetic(t *testing.T) {
	count := 10000
	if testing.Short() {
		count = 1000
	}
	solvertest.Twin(t, Solver{}, 1, count)
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
