package lpcheck

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver"
)

// boxProblem is min x − y over x + y ≤ 1, x − y free, in the unit box: 0 ≤ x, y ≤ 1.
func boxProblem() *solver.Problem {
	p := &solver.Problem{}
	p.AddVariable(0, 1, 1)
	p.AddVariable(0, 1, -1)
	p.AddLessEqual(1, []int{0, 1}, []float64{1, 1})
	return p
}

// Each check refuses what does not hold, and NaN.
func TestPointsAreJudged(t *testing.T) {
	p := boxProblem()
	require.True(t, FeasiblePoint(p, []float64{0, 1}, 1e-9))
	require.True(t, FeasiblePoint(p, []float64{0, 1 + 1e-9}, 1e-9))
	for _, x := range [][]float64{{0.1, 1}, {-0.1, 0}, {0, 1.1}, {math.NaN(), 0}, {0, math.Inf(1)}} {
		require.False(t, FeasiblePoint(p, x, 1e-9), "%v", x)
	}
}

func TestGapsAreJudged(t *testing.T) {
	p := boxProblem()
	judge := func(x []float64, y float64) bool {
		s := &solver.Solution{X: x, Objective: p.Value(x), RowDuals: []float64{y}}
		s.ReducedCosts = ReducedCosts(p, s.RowDuals)
		return SmallGap(p, s, 1e-9)
	}
	require.True(t, judge([]float64{0, 1}, 0))
	require.True(t, judge([]float64{0, 1}, -0.5), "dual degenerate")
	require.False(t, judge([]float64{0.1, 0.9}, 0), "not the optimum")
	require.False(t, judge([]float64{0, 1}, 3), "the wrong sign")
	require.False(t, judge([]float64{0, 1}, math.NaN()))
	p.Sense = solver.Maximize
	require.False(t, judge([]float64{0, 1}, 0))
	require.True(t, judge([]float64{1, 0}, 0))
}

func TestRaysAreJudged(t *testing.T) {
	p := boxProblem()
	require.False(t, ProvesInfeasible(p, []float64{1}, TermError))
	require.False(t, ProvesInfeasible(p, []float64{-1}, TermError))
	p.Rows[0].Lower, p.Rows[0].Upper = 2.5, math.Inf(1)
	require.True(t, ProvesInfeasible(p, []float64{1}, TermError))
	require.False(t, ProvesInfeasible(p, []float64{-1}, TermError))
	require.False(t, ProvesInfeasible(p, []float64{0}, TermError))
	require.False(t, ProvesInfeasible(p, []float64{math.NaN()}, TermError))

	p = boxProblem()
	require.False(t, ProvesUnbounded(p, []float64{0, 1}), "leaves the box")
	p.Variables[1].Upper = math.Inf(1)
	require.False(t, ProvesUnbounded(p, []float64{0, 1}), "leaves the row")
	p.Rows[0].Upper = math.Inf(1)
	require.True(t, ProvesUnbounded(p, []float64{0, 1}))
	require.False(t, ProvesUnbounded(p, []float64{0, 0}), "gains nothing")
	require.False(t, ProvesUnbounded(p, []float64{0, math.NaN()}))
	p.Sense = solver.Maximize
	require.False(t, ProvesUnbounded(p, []float64{0, 1}), "the wrong way")
}

func TestIntegersAreJudged(t *testing.T) {
	p := boxProblem()
	p.Variables[0].Integer = true
	require.True(t, Integral(p, []float64{1 + 1e-7, 0.5}, 1e-6))
	require.False(t, Integral(p, []float64{0.9, 0.5}, 1e-6))
	require.False(t, Integral(p, []float64{math.NaN(), 0.5}, 1e-6))
}

func TestSnapMovesOntoBounds(t *testing.T) {
	x := []float64{-1e-9, 1 + 1e-3}
	Snap(boxProblem(), x, 1e-9)
	require.Equal(t, []float64{0, 1 + 1e-3}, x)
}

func TestCleanDropsDust(t *testing.T) {
	require.Equal(t, []float64{1, 0, -2}, Clean([]float64{1, 1e-12, -2}))
	require.Nil(t, Clean(nil))
}

// A reduced cost without a bound to stand at has to vanish, however little it gains.
func TestSignsAreJudged(t *testing.T) {
	p := boxProblem()
	p.AddVariable(0, math.Inf(1), -1e-5)
	p.Variables[0].Cost = 1e9
	s := &solver.Solution{X: []float64{0, 1, 0}, Objective: -1, RowDuals: []float64{0}}
	s.ReducedCosts = ReducedCosts(p, s.RowDuals)
	require.True(t, SmallGap(p, s, 1e-3))
	require.False(t, SignsFit(p, s, 1e-9))
	p.Variables[2].Upper = 1
	require.True(t, SignsFit(p, s, 1e-9))
	p.Variables[2].Upper, p.Sense = math.Inf(1), solver.Maximize
	require.True(t, SignsFit(p, s, 1e-9), "at its lower bound")
}
