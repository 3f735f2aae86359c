package solvertest

import (
	"context"
	"math"
	"reflect"
	"testing"

	"github.com/vouchnn/vouch/solver"
)

// Run holds a solver of linear problems to the contract of package solver. fresh
// returns a new one. It takes some seconds.
func Run(t *testing.T, fresh func() solver.Solver) {
	t.Helper()
	t.Run("known", func(t *testing.T) { answers(t, fresh(), Known()) })
	t.Run("generated", func(t *testing.T) { answers(t, fresh(), Generated(1, 30)) })
	t.Run("exact twin", func(t *testing.T) { Twin(t, fresh(), 2, 2000) })
	t.Run("hostile", func(t *testing.T) { hostile(t, fresh()) })
	t.Run("limits", func(t *testing.T) { limits(t, fresh()) })
	t.Run("cancellation", func(t *testing.T) { cancellation(t, fresh()) })
	t.Run("concurrent", func(t *testing.T) { concurrent(t, fresh()) })
	t.Run("sessions", func(t *testing.T) { sessions(t, fresh) })
}

// answers compares with what is known.
func answers(t *testing.T, s solver.Solver, cases []Case) {
	t.Helper()
	for _, c := range cases {
		before := c.Problem.Clone()
		got, err := s.Solve(context.Background(), c.Problem, solver.Options{Rays: true})
		switch {
		case err != nil:
			t.Errorf("%s: %v", c.Name, err)
			continue
		case !reflect.DeepEqual(before, c.Problem):
			t.Errorf("%s: the solver changed the problem", c.Name)
		case got.Status != c.Status:
			t.Errorf("%s: %v", c.Name, got.Status)
			continue
		case got.Reason != solver.ReasonNone:
			t.Errorf("%s: reason %v without a limit", c.Name, got.Reason)
		}
		switch c.Status {
		case solver.Optimal:
			if !(math.Abs(got.Objective-c.Objective) <= 1e-7*c.Scale) {
				t.Errorf("%s: objective %.12g, not %.12g", c.Name, got.Objective, c.Objective)
			}
			for _, v := range optimal(c.Problem, got, c.Scale) {
				t.Errorf("%s: %s", c.Name, v)
			}
		case solver.Infeasible:
			if got.X != nil || !math.IsNaN(got.Objective) {
				t.Errorf("%s: a point of an infeasible problem", c.Name)
			}
			if got.FarkasRay != nil && !solver.SafeInfeasible(c.Problem, got.FarkasRay) {
				t.Errorf("%s: the ray proves nothing", c.Name)
			}
		case solver.Unbounded:
			for _, v := range unbounded(c.Problem, got) {
				t.Errorf("%s: %s", c.Name, v)
			}
		}
	}
}
