package simplex

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/vouchnn/vouch/solver"
)

// How the phases follow each other.
//
// A feasible point goes straight to the primal method, any other through the dual
// one first. Shifted costs and widened bounds are undone at the end of a phase
// and may need another turn; each turn that ends without an answer that stands
// the check on the original problem (check.go) rebuilds T and tightens the
// tolerances. After the last turn the answer is trouble.

const (
	defaultTolerance = 1e-9
	turns            = 8
)

// prepare sets tolerances and limits for a solve.
func (e *engine) prepare(opts *solver.Options) {
	e.feasible, e.optimal = defaultTolerance, defaultTolerance
	if opts.FeasibilityTolerance > 0 {
		e.feasible = opts.FeasibilityTolerance
	}
	if opts.OptimalityTolerance > 0 {
		e.optimal = opts.OptimalityTolerance
	}
	e.count, e.upsets, e.unmeasured = 0, 0, 0
	e.given = opts.MaxIterations
	e.cut = math.Inf(1)
	e.most = 20000 + 100*(e.m+e.n)
	e.random = rand.New(rand.NewPCG(opts.Seed, 0x51))
}

// turn runs both methods once from the current basis. It returns done if the
// point is optimal for the problem as scaled.
func (e *engine) turn(ctx context.Context) outcome {
	e.load()
	e.values()
	e.prices()
	if !e.primalFeasible() {
		if out := e.dual(ctx); out != done {
			return out
		}
		if e.shifted {
			e.prices()
		}
	}
	if out := e.primal(ctx); out != done {
		return out
	}
	if e.widened {
		e.load()
		e.values()
	}
	return done
}
