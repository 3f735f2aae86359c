//go:build lpsolve

package lpsolve

// #cgo linux CFLAGS: -I/usr/include/lpsolve
// #cgo linux LDFLAGS: -L/usr/lib/lp_solve -Wl,-rpath,/usr/lib/lp_solve
// #include "lpsolve.h"
import "C"

import (
	"errors"
	"fmt"
	"math"
	"time"
	"unsafe"

	"github.com/draffensperger/golp"

	"github.com/vouchnn/vouch/internal/lpadapter"
	"github.com/vouchnn/vouch/solver"
)

// An instance of lp_solve. lp_solve always minimises here: of a problem to be maximised
// it gets the negative costs, which avoids what set_maxim does to signs later on.

type engine struct {
	lp   *C.lprec
	poll *C.vouch_poll
	p    *solver.Problem
	opts *solver.Options

	mixed bool   // the problem has integer variables
	kinds []kind // of the rows that lp has
	basis []int  // of the problem as it is, or nil: see rows.go
}

// errLibrary is an unexpected failure of a call.
var errLibrary = errors.New("lp_solve reports an error")

const infinity = 1e30 // to lp_solve

// finite replaces infinite bounds by lp_solve's.
func finite(v float64) C.REAL {
	return C.REAL(max(-infinity, min(infinity, v)))
}

// newEngine is one without a problem.
func newEngine() (lpadapter.Engine, error) {
	e := &engine{poll: (*C.vouch_poll)(C.calloc(1, C.size_t(unsafe.Sizeof(C.vouch_poll{}))))}
	if e.poll == nil {
		return nil, errLibrary
	}
	return e, nil
}

// Free deletes the instance.
func (e *engine) Free() {
	e.drop()
	C.free(unsafe.Pointer(e.poll))
	e.poll = nil
}

func (e *engine) drop() {
	if e.lp != nil {
		C.delete_lp(e.lp)
		e.lp = nil
	}
}

// Load builds the problem anew. It starts from the last basis unless caution asks not
// to.
func (e *engine) Load(p *solver.Problem, opts *solver.Options, caution int) error {
	e.drop()
	e.p, e.opts, e.mixed = p, opts, p.HasIntegers()
	if e.lp = C.make_lp(0, C.int(len(p.Variables))); e.lp == nil {
		return fmt.Errorf("no memory: %w", errLibrary)
	}
	C.set_verbose(e.lp, C.int(golp.NEUTRAL))
	C.vouch_watch(e.lp, e.poll)
	if !e.fill() {
		return fmt.Errorf("passing the problem: %w", errLibrary)
	}
	e.configure(caution)
	if caution > 0 {
		e.basis = nil
	}
	e.pushBasis()
	return nil
}

// fill passes objective, rows and bounds, in the order that row mode asks for.
func (e *engine) fill() bool {
	ok := C.set_add_rowmode(e.lp, 1) != 0 && e.setObjective()
	e.kinds = e.kinds[:0]
	for i := range e.p.Rows {
		ok = ok && e.addRow(&e.p.Rows[i])
	}
	C.set_add_rowmode(e.lp, 0)
	for i := range e.p.Rows {
		if e.kinds[i] == ranged {
			ok = ok && e.setRow(i, ranged, e.p.Rows[i].Lower, e.p.Rows[i].Upper)
		}
	}
	for j, v := range e.p.Variables {
		lower, upper := lpadapter.Bounds(&v)
		ok = ok && e.setBounds(j, lower, upper)
		if v.Integer {
			ok = ok && C.set_int(e.lp, C.int(j+1), 1) != 0
		}
	}
	return ok
}

// configure sets options.
func (e *engine) configure(caution int) {
	presolve := golp.NONE
	if !e.mixed {
		presolve = golp.DUALS // only says that duals are wanted
	}
	C.set_presolve(e.lp, C.int(presolve), C.get_presolveloops(e.lp))
	if t := e.opts.FeasibilityTolerance; t > 0 {
		C.set_epsb(e.lp, C.REAL(t))
	}
	if t := e.opts.OptimalityTolerance; t > 0 {
		C.set_epsd(e.lp, C.REAL(t))
	}
	integrality := 1e-7
	if t := e.opts.IntegralityTolerance; t > 0 {
		integrality = t
	}
	C.set_epsint(e.lp, C.REAL(integrality))
	// With one solution wanted, lp_solve 5.5.2.5 prunes by the least step that it thinks
	// the objective can take, and errs where equations or ranges tie continuous variables
	// with a cost to integers: lpsolve_test.go has an example.
	C.set_solutionlimit(e.lp, 2)
	C.set_mip_gap(e.lp, 1, 0)
	C.set_mip_gap(e.lp, 0, C.REAL(e.opts.RelativeGap))
	switch caution {
	case 2:
		C.set_scaling(e.lp, C.SCALE_NONE)
		C.set_simplextype(e.lp, C.SIMPLEX_PRIMAL_PRIMAL)
	case 3:
		C.set_scaling(e.lp, C.SCALE_GEOMETRIC+C.SCALE_EQUILIBRATE+C.SCALE_INTEGERS+C.SCALE_POWER2)
		C.set_pivoting(e.lp, C.PRICER_DANTZIG)
		C.set_improve(e.lp, C.IMPROVE_SOLUTION+C.IMPROVE_DUALFEAS+C.IMPROVE_THETAGAP)
	}
}

// VariableBounds changes bounds and keeps the basis.
func (e *engine) VariableBounds(j int, lower, upper float64) bool {
	return !e.mixed && e.setBounds(j, lower, upper)
}

func (e *engine) setBounds(j int, lower, upper float64) bool {
	return C.set_bounds(e.lp, C.int(j+1), finite(lower), finite(upper)) != 0
}

// Objective passes the problem's.
func (e *engine) Objective() bool { return !e.mixed && e.setObjective() }

func (e *engine) setObjective() bool {
	costs, columns := make([]C.REAL, 0, len(e.p.Variables)), make([]C.int, 0, len(e.p.Variables))
	sign := 1.0
	if e.p.Sense == solver.Maximize {
		sign = -1
	}
	for j, v := range e.p.Variables {
		costs, columns = append(costs, C.REAL(sign*v.Cost)), append(columns, C.int(j+1))
	}
	return C.set_obj_fnex(e.lp, C.int(len(costs)), unsafe.SliceData(costs), unsafe.SliceData(columns)) != 0
}

// Run solves.
func (e *engine) Run(limits *lpadapter.Limits) (*lpadapter.Outcome, error) {
	*e.poll = C.vouch_poll{iterations: C.longlong(limits.MaxIterations), nodes: C.longlong(limits.MaxNodes)}
	C.set_timeout(e.lp, wholeSeconds(limits))
	end := limits.Watch(func() { C.vouch_stop(e.poll) })
	answer := golp.SolutionType(C.solve(e.lp))
	end()
	out, err := e.outcome(answer)
	if e.pullBasis(); e.mixed {
		e.basis = nil
	}
	return out, err
}

// wholeSeconds is lp_solve's own limit, the second line behind the callback; 0 is none.
func wholeSeconds(limits *lpadapter.Limits) C.long {
	deadline, ok := limits.Context.Deadline()
	if !ok {
		return 0
	}
	return C.long(min(math.MaxInt32, 2+max(0, math.Ceil(time.Until(deadline).Seconds()))))
}
