//go:build highs

package highs

// #include "highs.h"
import "C"

import (
	"math"
	"unsafe"

	"github.com/vouchnn/vouch/internal/lpadapter"
	"github.com/vouchnn/vouch/solver"
)

// What HiGHS says, in the terms of package solver.

// Statuses of a model, kHighsModelStatus in highs_c_api.h.
const (
	notSet                = 0
	optimal               = 7
	infeasible            = 8
	unboundedOrInfeasible = 9
	unbounded             = 10
	timeLimit             = 13
	iterationLimit        = 14
	solutionLimit         = 16
	interrupt             = 17
)

const solutionFeasible = 2 // kHighsSolutionStatusFeasible

// statusOf names a status. A limit has a reason unless the context tells.
func (e *engine) statusOf() (solver.Status, solver.Reason) {
	switch C.Highs_getModelStatus(e.h) {
	case optimal:
		return solver.Optimal, solver.ReasonNone
	case infeasible:
		return solver.Infeasible, solver.ReasonNone
	case unboundedOrInfeasible:
		return solver.Unknown, solver.ReasonNone
	case unbounded:
		return solver.Unbounded, solver.ReasonNone
	case timeLimit:
		return solver.Limit, solver.ReasonNone
	case iterationLimit:
		return solver.Limit, solver.ReasonIterations
	case solutionLimit:
		return solver.Limit, solver.ReasonNodes
	case interrupt:
		if e.poll.exhausted != 0 {
			return solver.Limit, solver.ReasonIterations
		}
		return solver.Limit, solver.ReasonNone
	}
	return solver.Numerical, solver.ReasonNone
}

// outcome collects what a run left.
func (e *engine) outcome(run C.HighsInt) *lpadapter.Outcome {
	out := &lpadapter.Outcome{Status: solver.Numerical, Bound: math.NaN()}
	if run != statusError {
		out.Status, out.Reason = e.statusOf()
	}
	out.Iterations = e.infoInt("simplex_iteration_count")
	mixed := e.p.HasIntegers()
	if mixed {
		out.Nodes, out.Bound = e.infoInt64("mip_node_count"), e.infoDouble("mip_dual_bound")
	}
	switch out.Status {
	case solver.Optimal:
		e.point(out)
	case solver.Limit:
		if mixed && e.infoInt("primal_solution_status") == solutionFeasible {
			e.point(out)
		}
	case solver.Infeasible:
		if !mixed {
			out.FarkasRay = e.ray(len(e.p.Rows), func(has *C.HighsInt, to *C.double) C.HighsInt {
				return C.Highs_getDualRay(e.h, has, to)
			})
		}
	case solver.Unbounded:
		if !mixed {
			out.UnboundedRay = e.ray(len(e.p.Variables), func(has *C.HighsInt, to *C.double) C.HighsInt {
				return C.Highs_getPrimalRay(e.h, has, to)
			})
		}
	}
	e.last = nil
	if mixed {
		e.last = out.X
	}
	return out
}

// point takes over the point and the row duals.
func (e *engine) point(out *lpadapter.Outcome) {
	x, d := make([]float64, len(e.p.Variables)), make([]float64, len(e.p.Variables))
	a, y := make([]float64, len(e.p.Rows)), make([]float64, len(e.p.Rows))
	if C.Highs_getSolution(e.h, doubles(x), doubles(d), doubles(a), doubles(y)) != statusError {
		out.X, out.RowDuals = x, y
	}
}

// ray is the one that get fetches, or nil.
func (e *engine) ray(length int, get func(has *C.HighsInt, to *C.double) C.HighsInt) []float64 {
	v := make([]float64, length)
	var has C.HighsInt
	if get(&has, doubles(v)) == statusError || has == 0 {
		return nil
	}
	return v
}

func (e *engine) infoInt(name string) int {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	var v C.HighsInt
	C.Highs_getIntInfoValue(e.h, text, &v)
	return max(0, int(v))
}

func (e *engine) infoInt64(name string) int {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	var v C.int64_t
	C.Highs_getInt64InfoValue(e.h, text, &v)
	return max(0, int(v))
}

func (e *engine) infoDouble(name string) float64 {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	v := C.double(math.NaN())
	C.Highs_getDoubleInfoValue(e.h, text, &v)
	return float64(v)
}
