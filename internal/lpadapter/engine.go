package lpadapter

import (
	"context"
	"math"
	"runtime"
	"sync/atomic"

	"github.com/vouchnn/vouch/internal/lpcheck"
	"github.com/vouchnn/vouch/solver"
)

// Engine is a library's own copy of a problem. Not safe for concurrent use.
//
// Edits tell what changed in the problem of the last Load, which has been changed
// already. One that returns false leaves the engine in any state; the session loads the
// problem anew before it runs again.
type Engine interface {
	// Load replaces the problem. Caution 0 is for speed and may start from the last
	// basis if the engine can carry it over, 1 starts from scratch, 2 and above choose
	// other, slower methods.
	Load(p *solver.Problem, opts *solver.Options, caution int) error
	VariableBounds(j int, lower, upper float64) bool // as Bounds gives them
	RowBounds(i int, lower, upper float64) bool
	Objective() bool
	AddRow(r *solver.Row) bool
	RemoveRows(drop []bool) bool
	// Run solves, from the last basis if there is one. limits may stop it.
	Run(limits *Limits) (*Outcome, error)
	// Free releases the library's memory. The engine may be loaded again.
	Free()
}

// Outcome is what a library says. Slices belong to the receiver.
type Outcome struct {
	// Status Unknown stands for "infeasible or unbounded".
	Status       solver.Status
	Reason       solver.Reason // ReasonNone: the context tells
	X            []float64     // optimum or incumbent; nil if there is none
	RowDuals     []float64     // of an optimal linear problem
	FarkasRay    []float64     // nil if the library has none
	UnboundedRay []float64
	Bound        float64 // of a mixed-integer problem; NaN if unknown
	Iterations   int
	Nodes        int
}

// Bounds are a variable's bounds, of an integer one rounded to integers: libraries are
// not at ease with others. The result is reversed if there is no integer between them.
func Bounds(v *solver.Variable) (lower, upper float64) {
	if !v.Integer {
		return v.Lower, v.Upper
	}
	slack := func(bound float64) float64 { return lpcheck.DefaultTolerance * max(1, math.Abs(bound)) }
	lower, upper = v.Lower, v.Upper
	if !math.IsInf(lower, 0) {
		lower = math.Ceil(lower - slack(lower))
	}
	if !math.IsInf(upper, 0) {
		upper = math.Floor(upper + slack(upper))
	}
	return lower, upper
}

// withoutInteger reports whether some integer variable has no integer to take.
func withoutInteger(p *solver.Problem) bool {
	for j := range p.Variables {
		if lower, upper := Bounds(&p.Variables[j]); lower > upper {
			return true
		}
	}
	return false
}

// Limits of one Run.
type Limits struct {
	Context       context.Context
	MaxIterations int // 0: none
	MaxNodes      int
}

// Watch calls stop once when the context ends. The function it returns ends the watch
// and waits for a call under way, so that what stop touches may be freed after it.
func (l *Limits) Watch(stop func()) (end func()) {
	done := make(chan struct{})
	cancel := context.AfterFunc(l.Context, func() {
		defer close(done)
		stop()
	})
	return func() {
		if !cancel() {
			<-done
		}
	}
}

// Adapter makes a solver of engines.
type Adapter struct {
	Name string // of the package, in errors
	// Fresh is an empty engine.
	Fresh func() (Engine, error)
}

// Solve answers p from scratch.
func (a *Adapter) Solve(ctx context.Context, p *solver.Problem, opts solver.Options) (*solver.Solution, error) {
	if err := check(p, &opts); err != nil {
		return nil, err
	}
	s := &session{adapter: a, p: p, opts: opts}
	defer s.free()
	return s.Solve(ctx)
}

// Open starts a session on a copy of p. One that is never closed frees its engine when
// it is collected.
func (a *Adapter) Open(p *solver.Problem, opts solver.Options) (solver.Session, error) {
	if err := check(p, &opts); err != nil {
		return nil, err
	}
	s := &session{adapter: a, p: p.Clone(), opts: opts, held: new(holder)}
	runtime.AddCleanup(s, func(h *holder) { h.free() }, s.held)
	return s, nil
}

func check(p *solver.Problem, opts *solver.Options) error {
	if err := opts.Validate(); err != nil {
		return err
	}
	return p.Validate()
}

// holder frees an engine once, whoever comes first.
type holder struct{ engine atomic.Pointer[Engine] }

func (h *holder) free() {
	if e := h.engine.Swap(nil); e != nil {
		(*e).Free()
	}
}

const (
	defaultMemory = 1 << 30
	perNonzero    = 64   // bytes: row and column copies, factors
	perLine       = 1024 // bytes: vectors of a row or column
)

// tooLarge estimates whether p fits the options.
func tooLarge(p *solver.Problem, opts *solver.Options) bool {
	memory := int64(defaultMemory)
	if opts.MaxMemory > 0 {
		memory = opts.MaxMemory
	}
	nonzeros := 0
	for i := range p.Rows {
		nonzeros += len(p.Rows[i].Columns)
	}
	lines := len(p.Rows) + len(p.Variables)
	return int64(perNonzero)*int64(nonzeros)+int64(perLine)*int64(lines) > memory ||
		nonzeros > math.MaxInt32 || lines > math.MaxInt32/2
}
