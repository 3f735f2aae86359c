package simplex

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/vouchnn/vouch/internal/lpcheck"
	"github.com/vouchnn/vouch/solver"
)

// errClosed is what a closed session answers.
var errClosed = errors.New("simplex: the session is closed")

// session is a problem with its engine. The engine keeps the last basis; what
// changes between solves only makes that basis less than optimal or feasible.
type session struct {
	p     *solver.Problem
	opts  solver.Options
	keep  keeping
	cuts  cutting
	e     *engine
	stale bool      // the engine's T does not fit its basis
	last  []float64 // the last point of a problem with integers
	pool  pool
}

// newSession keeps p.
func newSession(p *solver.Problem, opts *solver.Options, keep keeping) *session {
	return &session{p: p, opts: *opts, keep: keep}
}

// Problem is the problem as it is now.
func (s *session) Problem() *solver.Problem { return s.p }

// Close frees the matrices.
func (s *session) Close() error {
	s.e, s.p, s.pool = nil, nil, pool{}
	return nil
}

// defaultMemory is what the matrices may take unless the options say otherwise.
const defaultMemory = 1 << 30

// memory is what the matrices may take.
func (s *session) memory() int64 {
	if s.opts.MaxMemory > 0 {
		return s.opts.MaxMemory
	}
	return defaultMemory
}

// keeping says how the problem's dictionary is to be kept.
func (s *session) keeping() keeping {
	nonzeros := 0
	for i := range s.p.Rows {
		nonzeros += len(s.p.Rows[i].Columns)
	}
	return s.keep.resolve(len(s.p.Rows), len(s.p.Variables), nonzeros, s.memory())
}

// Solve answers the problem as it is now, from the last basis.
func (s *session) Solve(ctx context.Context) (*solver.Solution, error) {
	if s.p == nil {
		return nil, errClosed
	}
	if s.p.HasIntegers() {
		a := solveInteger(ctx, s.p, &s.opts, Solver{s.keep, s.cuts}, s.last)
		if a.X != nil {
			s.last = slices.Clone(a.X)
		}
		return a, nil
	}
	keep := s.keeping()
	if keep == notAtAll {
		s.e = nil
		s.pool.forget()
		return s.empty(solver.Limit, solver.ReasonMemory), nil
	}
	if s.opts.TimeLimit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.opts.TimeLimit)
		defer cancel()
	}
	if s.e == nil {
		s.e = newEngine(s.p, keep)
		s.stale = false
	}
	s.e.prepare(&s.opts)
	solution := s.run(ctx)
	s.pool.optimal = solution.Status == solver.Optimal
	solution.Iterations = s.e.count
	return solution, nil
}

// run takes turns until an answer stands.
func (s *session) run(ctx context.Context) *solver.Solution {
	e := s.e
	if s.pick(ctx) != done {
		return s.empty(solver.Limit, reasonOf(ctx))
	}
	for turn := range turns {
		if s.stale || turn > 1 || turn == 1 && !(e.drift() < driftLimit/100) {
			s.stale = false
			if e.restore(ctx) != done {
				return s.empty(solver.Limit, reasonOf(ctx))
			}
		}
		out := e.turn(ctx)
		switch out {
		case stopped:
			return s.empty(solver.Limit, reasonOf(ctx))
		case exhausted:
			return s.empty(solver.Limit, solver.ReasonIterations)
		}
		if answer := s.answer(out, turn); answer != nil {
			return answer
		}
		if turn > 0 {
			e.feasible, e.optimal = max(e.feasible/10, 1e-12), max(e.optimal/10, 1e-12)
		}
	}
	return s.empty(solver.Numerical, solver.ReasonNone)
}

// answer is the solution that the outcome of a turn stands for, or nil if it does
// not stand.
func (s *session) answer(out outcome, turn int) *solver.Solution {
	switch out {
	case done:
		return s.optimal(turn)
	case infeasible:
		ray := s.e.farkasRay()
		if !provesInfeasible(s.p, ray, lpcheck.Neglect) {
			return nil
		}
		safe := solver.SafeInfeasible(s.p, ray)
		if !safe && (turn < 2 || !provesInfeasible(s.p, ray, lpcheck.TermError)) {
			return nil
		}
		a := s.empty(solver.Infeasible, solver.ReasonNone)
		a.Bound = -s.p.Sense.Worst()
		if s.opts.Rays && safe {
			a.FarkasRay = ray
		}
		return a
	case unbounded:
		return s.unbounded()
	}
	return nil
}

// optimal judges an optimum. In all but the last turns reduced costs without a bound to
// stand at have to vanish, too.
func (s *session) optimal(turn int) *solver.Solution {
	e := s.e
	e.values()
	e.prices()
	a := &solver.Solution{Status: solver.Optimal, X: e.point(s.p), RowDuals: e.duals()}
	a.Objective = s.p.Value(a.X)
	a.Bound = a.Objective
	a.ReducedCosts = reducedCosts(s.p, a.RowDuals)
	if !feasiblePoint(s.p, a.X, s.feasibility()) || !smallGap(s.p, a, s.optimality()) {
		return nil
	}
	if turn < turns-2 && !signsFit(s.p, a, s.optimality()) {
		return nil
	}
	return a
}

func (s *session) unbounded() *solver.Solution {
	e := s.e
	ray := e.direction()
	e.load()
	e.values()
	x := e.point(s.p)
	if !provesUnbounded(s.p, ray) || !feasiblePoint(s.p, x, s.feasibility()) {
		return nil
	}
	a := s.empty(solver.Unbounded, solver.ReasonNone)
	a.X, a.Objective = x, s.p.Value(x)
	if s.opts.Rays {
		a.UnboundedRay = ray
	}
	return a
}

// feasibility is the caller's tolerance.
func (s *session) feasibility() float64 {
	if s.opts.FeasibilityTolerance > 0 {
		return s.opts.FeasibilityTolerance
	}
	return defaultTolerance
}

// optimality is the caller's tolerance.
func (s *session) optimality() float64 {
	if s.opts.OptimalityTolerance > 0 {
		return s.opts.OptimalityTolerance
	}
	return defaultTolerance
}

// empty is a solution without a point.
func (s *session) empty(status solver.Status, reason solver.Reason) *solver.Solution {
	return &solver.Solution{Status: status, Reason: reason, Objective: math.NaN(), Bound: s.p.Sense.Worst()}
}

// reasonOf tells a deadline from a cancellation.
func reasonOf(ctx context.Context) solver.Reason {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return solver.ReasonTimeout
	}
	return solver.ReasonCancelled
}

// SetVariableBounds changes the bounds of variable j.
func (s *session) SetVariableBounds(j int, lower, upper float64) error {
	if s.p == nil {
		return errClosed
	}
	if err := s.p.SetVariableBounds(j, lower, upper); err != nil {
		return err
	}
	s.pool.forget()
	if s.e != nil {
		s.e.setVariable(j, lower, upper)
	}
	return nil
}

// SetRowBounds changes the bounds of row i.
func (s *session) SetRowBounds(i int, lower, upper float64) error {
	if s.p == nil {
		return errClosed
	}
	if err := s.p.SetRowBounds(i, lower, upper); err != nil {
		return err
	}
	s.pool.forget()
	if s.e != nil {
		s.e.setRow(i, lower, upper)
	}
	return nil
}

// SetObjective changes every coefficient, the sense and the offset.
func (s *session) SetObjective(sense solver.Sense, costs []float64, offset float64) error {
	if s.p == nil {
		return errClosed
	}
	if s.e != nil {
		s.put()
	}
	if err := s.p.SetObjective(sense, costs, offset); err != nil {
		return err
	}
	if s.e != nil {
		s.e.setObjective(s.p)
	}
	return nil
}

// AddRow appends a row. Its logical variable becomes basic.
func (s *session) AddRow(r solver.Row) error {
	if s.p == nil {
		return errClosed
	}
	if err := r.Validate(len(s.p.Variables)); err != nil {
		return err
	}
	s.pool.forget()
	s.p.Rows = append(s.p.Rows, r.Clone())
	if s.e != nil {
		if !s.e.appendRow(&s.p.Rows[len(s.p.Rows)-1]) {
			s.stale = true
		}
	}
	return nil
}

// AddVariable appends a variable, which stays out of the basis until the next solve.
func (s *session) AddVariable(v solver.Variable, rows []int, values []float64) error {
	if s.p == nil {
		return errClosed
	}
	if err := s.p.AppendColumn(v, rows, values); err != nil {
		return err
	}
	s.pool.forget()
	if s.e != nil {
		s.e = s.e.with(s.p, rows, values, max(s.keeping(), inFull))
		s.stale = true
	}
	return nil
}

// RemoveRows drops rows.
func (s *session) RemoveRows(indices ...int) error {
	if s.p == nil {
		return errClosed
	}
	drop, err := s.p.DropRows(indices...)
	if err != nil || len(indices) == 0 {
		return err
	}
	s.pool.forget()
	if s.e != nil {
		s.e = s.e.without(s.p, drop, max(s.keeping(), inFull))
		s.stale = true
	}
	return nil
}
