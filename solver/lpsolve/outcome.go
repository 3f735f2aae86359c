//go:build lpsolve

package lpsolve

// #include "lpsolve.h"
import "C"

import (
	"fmt"
	"math"
	"slices"
	"unsafe"

	"github.com/draffensperger/golp"

	"github.com/vouchnn/vouch/internal/lpadapter"
	"github.com/vouchnn/vouch/solver"
)

// What lp_solve says, in the terms of package solver.

// outcome collects what a run left. Once the callback has said stop, whatever lp_solve
// answers is a limit: some of its ways out of a stopped run end in INFEASIBLE.
func (e *engine) outcome(answer golp.SolutionType) (*lpadapter.Outcome, error) {
	out := &lpadapter.Outcome{Bound: math.NaN(), Iterations: int(C.get_total_iter(e.lp))}
	if e.mixed {
		out.Nodes = int(C.get_total_nodes(e.lp))
	}
	switch {
	case e.poll.aborted != 0:
		out.Status = solver.Limit
		if e.poll.stop != 0 {
			break
		}
		if out.Reason = solver.ReasonIterations; e.poll.branched != 0 {
			out.Reason = solver.ReasonNodes
		}
	case answer == golp.OPTIMAL:
		out.Status = solver.Optimal
	case answer == golp.TIMEOUT, answer == golp.SUBOPTIMAL, answer == golp.USERABORT:
		out.Status, out.Reason = solver.Limit, solver.ReasonTimeout
	case answer == golp.INFEASIBLE:
		out.Status = solver.Infeasible
	case answer == golp.UNBOUNDED:
		out.Status = solver.Unbounded
	case answer == golp.NOMEMORY:
		return nil, fmt.Errorf("solve: %v: %w", answer, errLibrary)
	default:
		out.Status = solver.Numerical
	}
	if out.Status == solver.Optimal || out.Status == solver.Limit && e.mixed && C.get_solutioncount(e.lp) > 0 {
		e.point(out)
	}
	if slices.ContainsFunc(out.X, atInfinity) {
		out.X, out.RowDuals = nil, nil
		if out.Status == solver.Optimal {
			out.Status = solver.Unknown
		}
	}
	return out, nil
}

// atInfinity reports a coordinate that lp_solve has moved to a bound that is infinite:
// it calls some unbounded problems optimal that way.
func atInfinity(v float64) bool { return math.Abs(v) >= infinity/10 }

// point takes over the point and the row duals, whose signs are those of a problem to be
// minimised.
func (e *engine) point(out *lpadapter.Outcome) {
	x := make([]float64, len(e.p.Variables))
	if C.get_variables(e.lp, (*C.REAL)(unsafe.SliceData(x))) == 0 {
		return
	}
	out.X = x
	if e.mixed {
		return
	}
	all := make([]float64, 1+len(e.p.Rows)+len(e.p.Variables))
	if C.get_dual_solution(e.lp, (*C.REAL)(unsafe.SliceData(all))) == 0 {
		return
	}
	out.RowDuals = all[1 : 1+len(e.p.Rows) : 1+len(e.p.Rows)]
	if e.p.Sense == solver.Maximize {
		for i := range out.RowDuals {
			out.RowDuals[i] *= -1
		}
	}
}
