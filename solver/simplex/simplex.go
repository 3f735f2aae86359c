package simplex

import (
	"context"

	"github.com/vouchnn/vouch/solver"
)

// Solver is the embedded simplex method, with branch and bound for integers. The zero
// value is ready.
//
// Guarantee: linear problems are answered in floating point; SafeBound and
// SafeInfeasible prove answers. Of problems with integers, Infeasible is proved over the
// real numbers, and Bound holds over them, whatever the status, but for problems with
// unbounded continuous variables, of which it may be a linear program's optimum. Points
// violate nothing by more than the tolerance, and rows of integers with integer
// coefficients by nothing. With an unbounded integer variable a search may never end.
// Cost: for small or dense problems 8·rows·columns bytes and about as many
// multiplications a pivot; for others in proportion to the nonzeros.
// A search for integers takes that for every worker, and its open nodes.
// Errors: *solver.Error. Safe for concurrent use; a session is not.
type Solver struct {
	keep keeping
	cuts cutting
}

// Solve answers p from scratch.
func (s Solver) Solve(ctx context.Context, p *solver.Problem, opts solver.Options) (*solver.Solution, error) {
	if err := check(p, &opts); err != nil {
		return nil, err
	}
	if opts.TimeLimit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, opts.TimeLimit)
		defer cancel()
	}
	if p.HasIntegers() {
		return solveInteger(ctx, p, &opts, s, nil), nil
	}
	if r := presolve(p); r != nil {
		if a, err := r.solve(ctx, &opts, s.keep); a != nil || err != nil {
			return a, err
		}
	}
	return newSession(p, &opts, s.keep).Solve(ctx)
}

// Open starts a session on a copy of p.
func (s Solver) Open(p *solver.Problem, opts solver.Options) (solver.Session, error) {
	if err := check(p, &opts); err != nil {
		return nil, err
	}
	session := newSession(p.Clone(), &opts, s.keep)
	session.cuts = s.cuts
	return session, nil
}

func check(p *solver.Problem, opts *solver.Options) error {
	if err := opts.Validate(); err != nil {
		return err
	}
	return p.Validate()
}

var _ solver.Incremental = Solver{}
