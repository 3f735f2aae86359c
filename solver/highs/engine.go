//go:build highs

package highs

// #include "highs.h"
import "C"

import (
	"errors"
	"fmt"
	"math"
	"time"
	"unsafe"

	_ "github.com/bartolsthoorn/gohighs/highs" // links the library

	"github.com/vouchnn/vouch/internal/lpadapter"
	"github.com/vouchnn/vouch/solver"
)

// An instance of HiGHS.
//
// Signs are those of package solver for either sense: row duals and Farkas rays need no
// change. HiGHS's clock runs on over all runs of an instance, so its time limit is set
// to what the clock shows plus what is left; that is the second line, for phases that do
// not call back. The callback is C, so no run returns to Go before it is over.
//
// The scheduler of HiGHS belongs to the operating system's thread and keeps the number of
// threads of its first user. Goroutines wander between threads, and other users of the
// library may have asked for more, which makes a run fail: it is reset then.

type engine struct {
	h    unsafe.Pointer
	poll *C.vouch_poll
	p    *solver.Problem
	opts *solver.Options
	last []float64 // a mixed-integer problem's last point
}

// errLibrary is an unexpected failure of a call.
var errLibrary = errors.New("HiGHS reports an error")

const (
	statusError = -1
	rowwise     = 2
)

// newEngine is an empty instance.
func newEngine() (lpadapter.Engine, error) {
	if major, minor := C.Highs_versionMajor(), C.Highs_versionMinor(); major != 1 || minor != 12 {
		return nil, &solver.UnsupportedError{Solver: "highs", Feature: fmt.Sprintf("HiGHS %d.%d, but 1.12", major, minor)}
	}
	e := &engine{}
	if err := e.create(); err != nil {
		return nil, err
	}
	return e, nil
}

func (e *engine) create() error {
	e.h = C.Highs_create()
	if e.h == nil {
		return errLibrary
	}
	if size := C.Highs_getSizeofHighsInt(e.h); size != C.HighsInt(unsafe.Sizeof(C.HighsInt(0))) {
		e.Free()
		return &solver.UnsupportedError{Solver: "highs", Feature: fmt.Sprintf("integers of %d bytes", size)}
	}
	e.poll = (*C.vouch_poll)(C.calloc(1, C.size_t(unsafe.Sizeof(C.vouch_poll{}))))
	if e.poll == nil || C.vouch_watch(e.h, e.poll) == statusError {
		e.Free()
		return errLibrary
	}
	return nil
}

// Free destroys the instance.
func (e *engine) Free() {
	if e.h != nil {
		C.Highs_destroy(e.h)
	}
	C.free(unsafe.Pointer(e.poll))
	e.h, e.poll = nil, nil
}

// setting is an option of HiGHS by its name.
type setting struct {
	name  string
	value any // bool, int, float64, string
}

func (e *engine) set(s setting) error {
	name := C.CString(s.name)
	defer C.free(unsafe.Pointer(name))
	status := C.HighsInt(statusError)
	switch v := s.value.(type) {
	case bool:
		on := C.HighsInt(0)
		if v {
			on = 1
		}
		status = C.Highs_setBoolOptionValue(e.h, name, on)
	case int:
		status = C.Highs_setIntOptionValue(e.h, name, C.HighsInt(v))
	case float64:
		status = C.Highs_setDoubleOptionValue(e.h, name, C.double(v))
	case string:
		text := C.CString(v)
		defer C.free(unsafe.Pointer(text))
		status = C.Highs_setStringOptionValue(e.h, name, text)
	}
	if status == statusError {
		return fmt.Errorf("option %s = %v: %w", s.name, s.value, errLibrary)
	}
	return nil
}

// settings are HiGHS's options for ours.
func settings(opts *solver.Options, caution int) []setting {
	smallest := func(given, standard float64) float64 {
		if given == 0 {
			given = standard
		}
		return max(given, 1e-10) // the least that HiGHS takes
	}
	list := []setting{
		{"output_flag", false},
		{"threads", 1},
		{"parallel", "off"},
		{"random_seed", int(opts.Seed % math.MaxInt32)},
		{"infinite_bound", math.Inf(1)},
		{"infinite_cost", math.Inf(1)},
		{"small_matrix_value", 1e-12},
		{"large_matrix_value", math.Inf(1)},
		{"primal_feasibility_tolerance", smallest(opts.FeasibilityTolerance, 1e-9)},
		{"dual_feasibility_tolerance", smallest(opts.OptimalityTolerance, 1e-9)},
		{"mip_feasibility_tolerance", smallest(min(opts.IntegralityTolerance, 1e-6), 1e-6)},
		{"mip_rel_gap", opts.RelativeGap},
		{"mip_abs_gap", 0.0},
	}
	switch caution {
	case 2:
		list = append(list, setting{"presolve", "off"}, setting{"primal_feasibility_tolerance", 1e-10}, setting{"dual_feasibility_tolerance", 1e-10})
	case 3:
		list = append(list, setting{"presolve", "off"}, setting{"simplex_strategy", 4}, setting{"simplex_scale_strategy", 0})
	default:
		list = append(list, setting{"presolve", "choose"}, setting{"simplex_strategy", 1}, setting{"simplex_scale_strategy", 2})
	}
	return list
}

// Load passes the problem.
func (e *engine) Load(p *solver.Problem, opts *solver.Options, caution int) error {
	if e.h == nil {
		if err := e.create(); err != nil {
			return err
		}
	}
	for _, s := range settings(opts, caution) {
		if err := e.set(s); err != nil {
			return err
		}
	}
	e.p, e.opts = p, opts
	m := newModel(p)
	status := C.Highs_passMip(e.h, C.HighsInt(len(p.Variables)), C.HighsInt(len(p.Rows)), C.HighsInt(len(m.index)),
		rowwise, sense(p), C.double(p.Offset), doubles(m.cost), doubles(m.lower), doubles(m.upper),
		doubles(m.rowLower), doubles(m.rowUpper), integers(m.start), integers(m.index), doubles(m.value), m.integrality())
	if status == statusError {
		return fmt.Errorf("passing the problem: %w", errLibrary)
	}
	C.Highs_clearSolver(e.h)
	return nil
}

func sense(p *solver.Problem) C.HighsInt {
	if p.Sense == solver.Maximize {
		return -1
	}
	return 1
}

// doubles is the address of a slice's numbers.
func doubles(v []float64) *C.double { return (*C.double)(unsafe.SliceData(v)) }

func integers(v []int32) *C.HighsInt { return (*C.HighsInt)(unsafe.SliceData(v)) }

// model is a problem in arrays.
type model struct {
	cost, lower, upper, rowLower, rowUpper, value []float64
	start, index, integer                         []int32
	mixed                                         bool
}

func newModel(p *solver.Problem) *model {
	m := &model{integer: make([]int32, len(p.Variables)), mixed: p.HasIntegers()}
	for j, v := range p.Variables {
		lower, upper := lpadapter.Bounds(&v)
		m.cost, m.lower, m.upper = append(m.cost, v.Cost), append(m.lower, lower), append(m.upper, upper)
		if v.Integer {
			m.integer[j] = 1
		}
	}
	for _, r := range p.Rows {
		m.rowLower, m.rowUpper = append(m.rowLower, r.Lower), append(m.rowUpper, r.Upper)
		m.start = append(m.start, int32(len(m.index)))
		for k, j := range r.Columns {
			m.index, m.value = append(m.index, int32(j)), append(m.value, r.Values[k])
		}
	}
	return m
}

func (m *model) integrality() *C.HighsInt {
	if !m.mixed {
		return nil
	}
	return integers(m.integer)
}

// VariableBounds changes bounds and keeps the basis.
func (e *engine) VariableBounds(j int, lower, upper float64) bool {
	return C.Highs_changeColBounds(e.h, C.HighsInt(j), C.double(lower), C.double(upper)) != statusError
}

// RowBounds changes bounds and keeps the basis.
func (e *engine) RowBounds(i int, lower, upper float64) bool {
	return C.Highs_changeRowBounds(e.h, C.HighsInt(i), C.double(lower), C.double(upper)) != statusError
}

// Objective passes the problem's.
func (e *engine) Objective() bool {
	cost := make([]float64, len(e.p.Variables))
	for j := range cost {
		cost[j] = e.p.Variables[j].Cost
	}
	return C.Highs_changeColsCostByRange(e.h, 0, C.HighsInt(len(cost)-1), doubles(cost)) != statusError &&
		C.Highs_changeObjectiveSense(e.h, sense(e.p)) != statusError &&
		C.Highs_changeObjectiveOffset(e.h, C.double(e.p.Offset)) != statusError
}

// AddRow appends a row; its logical variable becomes basic.
func (e *engine) AddRow(r *solver.Row) bool {
	index := make([]int32, len(r.Columns))
	for k, j := range r.Columns {
		index[k] = int32(j)
	}
	return C.Highs_addRow(e.h, C.double(r.Lower), C.double(r.Upper), C.HighsInt(len(index)),
		integers(index), doubles(r.Values)) != statusError
}

// RemoveRows deletes rows.
func (e *engine) RemoveRows(drop []bool) bool {
	var set []int32
	for i, d := range drop {
		if d {
			set = append(set, int32(i))
		}
	}
	return C.Highs_deleteRowsBySet(e.h, C.HighsInt(len(set)), integers(set)) != statusError
}

// Run solves.
func (e *engine) Run(limits *lpadapter.Limits) (*lpadapter.Outcome, error) {
	if err := e.limit(limits); err != nil {
		return nil, err
	}
	if e.last != nil {
		C.Highs_setSolution(e.h, doubles(e.last), nil, nil, nil)
	}
	end := limits.Watch(func() { C.vouch_stop(e.poll) })
	status := C.Highs_run(e.h)
	if status == statusError && C.Highs_getModelStatus(e.h) == notSet {
		C.Highs_resetGlobalScheduler(1)
		status = C.Highs_run(e.h)
	}
	end()
	return e.outcome(status), nil
}

// limit resets the poll and sets the limits that HiGHS watches by itself.
func (e *engine) limit(limits *lpadapter.Limits) error {
	*e.poll = C.vouch_poll{iterations: C.int64_t(limits.MaxIterations)}
	left := math.Inf(1)
	if deadline, ok := limits.Context.Deadline(); ok {
		left = max(0, time.Until(deadline).Seconds())
	}
	iterations, nodes := math.MaxInt32, math.MaxInt32
	if limits.MaxIterations > 0 {
		iterations = min(iterations, limits.MaxIterations)
	}
	if limits.MaxNodes > 0 {
		nodes = min(nodes, limits.MaxNodes)
	}
	for _, s := range []setting{
		{"time_limit", float64(C.Highs_getRunTime(e.h)) + left},
		{"simplex_iteration_limit", iterations},
		{"mip_max_nodes", nodes},
	} {
		if err := e.set(s); err != nil {
			return err
		}
	}
	return nil
}
