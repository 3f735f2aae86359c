//go:build highs

package highs

import (
	"context"

	"github.com/vouchnn/vouch/internal/lpadapter"
	"github.com/vouchnn/vouch/solver"
)

// Solver is HiGHS. The zero value is ready.
//
// Guarantee: floating point; SafeBound and SafeInfeasible prove answers. Answers of
// linear problems have stood a check on the problem as given; what does not is Numerical.
// Of mixed-integer problems the point is checked; that no better one exists, or none at
// all, is HiGHS's word.
// Rays: HiGHS's own if they pass, otherwise those of an auxiliary problem.
// Limits: all, MaxMemory by estimate.
// Errors: *solver.Error, *solver.UnsupportedError for another version of the library.
// Safe for concurrent use; a session is not.
type Solver struct{}

var adapter = lpadapter.Adapter{Name: "highs", Fresh: newEngine}

// Solve answers p from scratch.
func (Solver) Solve(ctx context.Context, p *solver.Problem, opts solver.Options) (*solver.Solution, error) {
	return adapter.Solve(ctx, p, opts)
}

// Open starts a session on a copy of p.
func (Solver) Open(p *solver.Problem, opts solver.Options) (solver.Session, error) {
	return adapter.Open(p, opts)
}

var _ solver.Incremental = Solver{}
