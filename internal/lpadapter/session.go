package lpadapter

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/vouchnn/vouch/solver"
)

// A session keeps the problem as it is now, checks each edit on it and passes it on.
// Whatever the engine cannot follow makes it stale, and it is loaded anew.

var errClosed = errors.New("solver: the session is closed")

type session struct {
	adapter *Adapter
	p       *solver.Problem // nil once closed
	opts    solver.Options
	engine  Engine
	held    *holder // of an open session
	stale   bool    // the engine has not the problem as it is
}

// Problem is the problem as it is now.
func (s *session) Problem() *solver.Problem { return s.p }

// Close frees the engine.
func (s *session) Close() error {
	s.free()
	s.p = nil
	return nil
}

func (s *session) free() {
	if s.held != nil {
		s.held.free()
	} else if s.engine != nil {
		s.engine.Free()
	}
	s.engine = nil
}

// cautions is how often an answer that does not stand is asked for again, and more.
const cautions = 4

// Solve answers the problem as it is now.
func (s *session) Solve(ctx context.Context) (*solver.Solution, error) {
	if s.p == nil {
		return nil, errClosed
	}
	defer runtime.KeepAlive(s) // the engine's memory is freed with it
	if s.opts.TimeLimit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.opts.TimeLimit)
		defer cancel()
	}
	r := &referee{adapter: s.adapter, p: s.p, opts: &s.opts, ctx: ctx}
	switch {
	case ctx.Err() != nil:
		return r.stopped(), nil
	case len(s.p.Rows) == 0 || len(s.p.Variables) == 0:
		return trivial(s.p, &s.opts), nil
	case withoutInteger(s.p):
		return r.empty(solver.Infeasible, solver.ReasonNone), nil
	case tooLarge(s.p, &s.opts):
		return r.empty(solver.Limit, solver.ReasonMemory), nil
	}
	for caution := range cautions {
		out, err := s.run(ctx, r, caution)
		if err != nil {
			return nil, err
		}
		r.caution, r.iterations, r.nodes = caution, r.iterations+out.Iterations, r.nodes+out.Nodes
		if answer, err := r.answer(out); answer != nil || err != nil {
			return answer, err
		}
		if ctx.Err() != nil {
			return r.stopped(), nil
		}
	}
	return r.empty(solver.Numerical, solver.ReasonNone), nil
}

// run brings the engine up to date and runs it.
func (s *session) run(ctx context.Context, r *referee, caution int) (*Outcome, error) {
	if s.engine == nil {
		e, err := s.adapter.Fresh()
		if err != nil {
			return nil, err
		}
		s.engine, s.stale = e, true
		if s.held != nil {
			s.held.engine.Store(&e)
		}
	}
	if s.stale || caution > 0 {
		if err := s.engine.Load(s.p, &s.opts, caution); err != nil {
			return nil, fmt.Errorf("%s: %w", s.adapter.Name, err)
		}
	}
	s.stale = caution > 1 // the next solve is to be fast again
	limits := &Limits{Context: ctx, MaxNodes: s.opts.MaxNodes}
	if s.opts.MaxIterations > 0 {
		limits.MaxIterations = max(1, s.opts.MaxIterations-r.iterations)
	}
	out, err := s.engine.Run(limits)
	if err != nil {
		s.stale = true
		return nil, fmt.Errorf("%s: %w", s.adapter.Name, err)
	}
	return out, nil
}

// tell passes an edit on.
func (s *session) tell(edit func(e Engine) bool) {
	if s.engine != nil && !s.stale {
		s.stale = !edit(s.engine)
	}
}

// SetVariableBounds changes the bounds of variable j.
func (s *session) SetVariableBounds(j int, lower, upper float64) error {
	if s.p == nil {
		return errClosed
	}
	if j < 0 || j >= len(s.p.Variables) {
		return &solver.Error{Field: "Variables", Detail: fmt.Sprint(j), Err: solver.ErrIndex}
	}
	if err := solver.CheckBounds(lower, upper); err != nil {
		return err
	}
	v := &s.p.Variables[j]
	v.Lower, v.Upper = lower, upper
	s.tell(func(e Engine) bool {
		lower, upper := Bounds(v)
		return lower <= upper && e.VariableBounds(j, lower, upper)
	})
	return nil
}

// SetRowBounds changes the bounds of row i.
func (s *session) SetRowBounds(i int, lower, upper float64) error {
	if s.p == nil {
		return errClosed
	}
	if i < 0 || i >= len(s.p.Rows) {
		return &solver.Error{Field: "Rows", Detail: fmt.Sprint(i), Err: solver.ErrIndex}
	}
	if err := solver.CheckBounds(lower, upper); err != nil {
		return err
	}
	s.p.Rows[i].Lower, s.p.Rows[i].Upper = lower, upper
	s.tell(func(e Engine) bool { return e.RowBounds(i, lower, upper) })
	return nil
}

// SetObjective changes every coefficient, the sense and the offset.
func (s *session) SetObjective(sense solver.Sense, costs []float64, offset float64) error {
	if s.p == nil {
		return errClosed
	}
	if len(costs) != len(s.p.Variables) {
		detail := fmt.Sprintf("%d costs of %d variables", len(costs), len(s.p.Variables))
		return &solver.Error{Field: "Cost", Detail: detail, Err: solver.ErrLength}
	}
	probe := solver.Problem{Sense: sense, Offset: offset, Variables: make([]solver.Variable, len(costs))}
	for j, c := range costs {
		probe.Variables[j].Cost = c
	}
	if err := probe.Validate(); err != nil {
		return err
	}
	s.p.Sense, s.p.Offset = sense, offset
	for j, c := range costs {
		s.p.Variables[j].Cost = c
	}
	s.tell(Engine.Objective)
	return nil
}

// AddRow appends a row.
func (s *session) AddRow(r solver.Row) error {
	if s.p == nil {
		return errClosed
	}
	if err := r.Validate(len(s.p.Variables)); err != nil {
		return err
	}
	s.p.Rows = append(s.p.Rows, r.Clone())
	s.tell(func(e Engine) bool { return e.AddRow(&s.p.Rows[len(s.p.Rows)-1]) })
	return nil
}

// AddVariable appends a variable; the engine is loaded anew.
func (s *session) AddVariable(v solver.Variable, rows []int, values []float64) error {
	if s.p == nil {
		return errClosed
	}
	if err := s.p.AppendColumn(v, rows, values); err != nil {
		return err
	}
	s.stale = true
	return nil
}

// RemoveRows drops rows.
func (s *session) RemoveRows(indices ...int) error {
	if s.p == nil {
		return errClosed
	}
	drop := make([]bool, len(s.p.Rows))
	for _, i := range indices {
		if i < 0 || i >= len(drop) {
			return &solver.Error{Field: "Rows", Detail: fmt.Sprint(i), Err: solver.ErrIndex}
		}
		if drop[i] {
			return &solver.Error{Field: "Rows", Detail: fmt.Sprint(i), Err: solver.ErrDuplicate}
		}
		drop[i] = true
	}
	if len(indices) == 0 {
		return nil
	}
	kept := make([]solver.Row, 0, len(drop)-len(indices))
	for i, r := range s.p.Rows {
		if !drop[i] {
			kept = append(kept, r)
		}
	}
	s.p.Rows = kept
	s.tell(func(e Engine) bool { return e.RemoveRows(drop) })
	return nil
}

// reasonOf tells a deadline from a cancellation.
func reasonOf(ctx context.Context) solver.Reason {
	if errors.Is(ctx.Err(), context.Canceled) {
		return solver.ReasonCancelled
	}
	return solver.ReasonTimeout
}
