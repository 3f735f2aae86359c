package solvertest

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver"
)

// The twin is right where the answer is known.
func TestExactOnKnownProblems(t *testing.T) {
	for _, c := range Known() {
		status, objective := Exact(c.Problem)
		require.Equal(t, c.Status, status, c.Name)
		if status == solver.Optimal {
			got, _ := objective.Float64()
			require.InDelta(t, c.Objective, got, 1e-15*c.Scale, c.Name)
		}
	}
}

func TestExactOnConstructedProblems(t *testing.T) {
	for _, c := range Generated(3, 2) {
		if len(c.Problem.Variables) > 8 || len(c.Problem.Rows) > 8 || c.Status == solver.Unbounded {
			continue
		}
		if c.Status == solver.Optimal {
			relax(c.Problem)
		}
		status, objective := Exact(c.Problem)
		require.Equal(t, c.Status, status, c.Name)
		if status == solver.Optimal {
			got, _ := objective.Float64()
			require.InDelta(t, c.Objective, got, 1e-6*c.Scale, c.Name)
		}
	}
}

// relax makes room for the rounding errors with which a problem was built, in its
// rows and, by a wide box, in its costs.
func relax(p *solver.Problem) {
	for j := range p.Variables {
		v := &p.Variables[j]
		v.Lower, v.Upper = max(v.Lower, -1e6), min(v.Upper, 1e6)
	}
	for i := range p.Rows {
		r := &p.Rows[i]
		r.Lower -= 1e-11 * max(1, math.Abs(r.Lower))
		r.Upper += 1e-11 * max(1, math.Abs(r.Upper))
	}
}

func TestGeneratedIsDeterministic(t *testing.T) {
	first, second := Generated(5, 2), Generated(5, 2)
	require.Equal(t, first, second)
	for _, c := range append(Generated(5, 3), Known()...) {
		require.NoError(t, c.Problem.Validate(), c.Name)
	}
}
