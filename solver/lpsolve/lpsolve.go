//go:build lpsolve

package lpsolve

import (
	"context"

	"github.com/vouchnn/vouch/internal/lpadapter"
	"github.com/vouchnn/vouch/solver"
)

// Solver is lp_solve. The zero value is ready.
//
// Guarantee: floating point; SafeBound and SafeInfeasible prove answers. Answers of
// linear problems have stood a check on the problem as given; what does not is Numerical.
// Of mixed-integer problems the point is checked; that no better one exists, or none at
// all, is lp_solve's word.
// Rays: those of auxiliary problems.
// Limits: all, MaxMemory by estimate. Seed has no effect.
// Errors: *solver.Error. Safe for concurrent use; a session is not.
type Solver struct{}

var adapter = lpadapter.Adapter{Name: "lpsolve", Fresh: newEngine}

// Solve answers p from scratch.
func (Solver) Solve(ctx context.Context, p *solver.Problem, opts solver.Options) (*solver.Solution, error) {
	return adapter.Solve(ctx, p, opts)
}

// Open starts a session on a copy of p.
func (Solver) Open(p *solver.Problem, opts solver.Options) (solver.Session, error) {
	return adapter.Open(p, opts)
}

var _ solver.Incremental = Solver{}
