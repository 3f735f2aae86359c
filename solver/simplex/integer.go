package simplex

import (
	"context"
	"math"
	"runtime"

	"github.com/vouchnn/vouch/solver"
)

// Mixed-integer problems.
//
//	presolve ──► root: probing, linear       ──► rounds of tasks: a node each ──►
//	reduce.go    program, objective, cuts,       and plunges                 answer
//	             points: root.go, probe.go,      tree.go, task.go,
//	             surrogate.go, cuts.go,          branching.go
//	             dive.go, improve.go
//
// What is discarded is discarded by proof: boxes that propagation (domains.go) or a
// Farkas ray shows empty, and boxes whose points a Lagrangian bound shows to be no
// better than the incumbent. So Infeasible holds over the real numbers, and Bound is a
// bound over them, unless a linear program of continuous variables without bounds left
// nothing to show; then Bound is that program's optimum as the LP part claims it. A
// box with nothing left to branch on and nothing shown makes the answer Numerical.
//
// Cuts are made at the root only, and few kinds of them. Models with many fixed charges or
// long equality chains, which live by cuts, are better served by another solver.

// search is a mixed-integer problem being solved.
type search struct {
	given *solver.Problem
	sign  float64 // of the objective: −1 when maximising
	opts  solver.Options
	keep  keeping
	cuts  cutting
	judge *referee
	near  float64 // integrality tolerance

	reduced  *integerReduction
	p        *solver.Problem // reduced
	rowsOf   [][]int
	up, down []int // locks
	integers []int
	grid     float64 // objectives of points differ by multiples of it, 0 if that is not known
	anchor   float64 // one of them
	lent     bool    // the objective is a row's activity (surrogate.go)
	constant float64 // the true one, if lent
	enough   float64 // the lent objective of every point is less
	slack    float64 // what rounding may have done to the reduced problem's offset

	best      float64   // objective of the incumbent, to be minimised
	incumbent []float64 // in reduced's variables
	answer    []float64 // in given's
	lost      float64   // least bound of what was discarded as no better
	stuck     float64   // least bound of what could not be resolved
	doubtful  bool      // something could not be resolved at all

	basis      []place // of the root, for nodes without their own
	costs      *pseudoCosts
	nodes      int
	iterations int
	trials     int // iterations of strong branching, among them
}

// solveInteger answers a problem with integers. hint, in p's variables, may be a point
// worth trying.
func solveInteger(ctx context.Context, p *solver.Problem, opts *solver.Options, by Solver, hint []float64) *solver.Solution {
	if opts.TimeLimit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, opts.TimeLimit)
		defer cancel()
	}
	s := &search{
		given: p, sign: 1, opts: *opts, keep: by.keep, cuts: by.cuts, near: 1e-6, best: math.Inf(1),
		lost: math.Inf(1), stuck: math.Inf(1),
	}
	if p.Sense == solver.Maximize {
		s.sign = -1
	}
	tolerance := defaultTolerance
	if opts.FeasibilityTolerance > 0 {
		tolerance = opts.FeasibilityTolerance
	}
	if opts.IntegralityTolerance > 0 {
		s.near = opts.IntegralityTolerance
	}
	s.judge = newReferee(p, tolerance)
	if ctx.Err() != nil {
		return s.limit(ctx, solver.ReasonNone, s.sign*p.Sense.Worst())
	}
	if s.reduced = reduceIntegers(p); s.reduced == nil {
		return s.infeasible()
	}
	s.prepare()
	if hint != nil {
		s.try(hint)
	}
	return s.run(ctx)
}

// prepare derives what the search needs of the reduced problem.
func (s *search) prepare() {
	s.p, s.slack = s.reduced.p, s.reduced.slack
	s.costs = newPseudoCosts(len(s.p.Variables))
	s.prepareIntegers()
	s.setGrid()
	s.index()
}

// prepareIntegers lists the integer variables.
func (s *search) prepareIntegers() {
	s.integers = s.integers[:0]
	for j := range s.p.Variables {
		if s.p.Variables[j].Integer {
			s.integers = append(s.integers, j)
		}
	}
}

// index derives what depends on the rows.
func (s *search) index() {
	s.rowsOf = rowsOfVariables(s.p)
	s.up, s.down = locksOf(s.p)
}

// setGrid finds out by which steps objectives differ: costs of integers only, all
// multiples of one number.
func (s *search) setGrid() {
	g, most := 0.0, 0.0 // no costs: any step will do
	defer func() {
		if g == 0 && most == 0 {
			s.grid, s.anchor = 1, s.p.Offset
		}
	}()
	for j := range s.p.Variables {
		v := &s.p.Variables[j]
		if v.Cost == 0 {
			continue
		}
		if most = max(most, 1e-300); !v.Integer {
			return
		}
		if g = commonStep(g, v.Cost); g == 0 {
			return
		}
		most += math.Abs(v.Cost) * max(math.Abs(v.Lower), math.Abs(v.Upper))
	}
	if g > 0 && most+math.Abs(s.p.Offset) < 1e8*g { // beyond that the grid is lost in rounding
		s.grid, s.anchor = g, s.p.Offset
	}
}

// cutoff is what a point has to stay below to count as better.
func (s *search) cutoff() float64 { return s.below(s.best) }

func (s *search) below(best float64) float64 {
	switch {
	case math.IsInf(best, 1) && s.lent:
		return s.enough
	case math.IsInf(best, 1):
		return best
	case s.lent:
		return math.Inf(-1) // one point is enough
	}
	gain := max(s.opts.RelativeGap*math.Abs(best), defaultTolerance*max(1, math.Abs(best)))
	return best - max(gain, s.grid*(1-1e-6))
}

// lift raises a shown bound to the next objective that a point can have.
func (s *search) lift(bound float64) float64 {
	if s.grid == 0 || math.IsInf(bound, 0) {
		return bound
	}
	steps := math.Ceil((bound-s.anchor)/s.grid - 1e-7)
	by, exact := exactProduct(s.grid, steps)
	v, exactly := exactSum(s.anchor, by)
	if !exact || !exactly {
		v = downward(downward(v))
	}
	return max(bound, v)
}

// try offers a point of the given problem.
func (s *search) try(x []float64) {
	if len(x) != len(s.given.Variables) {
		return
	}
	short := make([]float64, len(s.reduced.kept))
	for k, j := range s.reduced.kept {
		short[k] = x[j]
	}
	roundIntegers(s.p, short)
	if v, full := s.value(short); full != nil {
		s.accept(v, short, full)
	}
}

// value judges a point of the reduced problem: its objective, to be minimised, and the
// point in the given problem's variables, nil if it is none.
func (s *search) value(x []float64) (float64, []float64) {
	full := s.reduced.lift(x)
	if !s.judge.accepts(full) {
		return math.Inf(1), nil
	}
	return s.sign * s.given.Value(full), full
}

// accept makes a judged point the incumbent if it is better.
func (s *search) accept(value float64, x, full []float64) bool {
	if !(value < s.best) {
		return false
	}
	s.best, s.incumbent, s.answer = value, append([]float64{}, x...), full
	return true
}

// run is the search proper.
func (s *search) run(ctx context.Context) *solver.Solution {
	if len(s.p.Variables) == 0 {
		s.try(s.reduced.lift(nil))
		if s.answer == nil {
			s.doubtful = true // the point that is left needs more than the tolerance
		}
		return s.finish()
	}
	t := newTree(s)
	if a := t.root(ctx); a != nil {
		return a
	}
	return t.grow(ctx)
}

// workers is how many goroutines to use.
func (s *search) workers() int {
	if s.opts.Workers > 0 {
		return s.opts.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// reason is why to stop, if it is time.
func (s *search) reason(ctx context.Context) (solver.Reason, bool) {
	switch {
	case ctx.Err() != nil:
		return reasonOf(ctx), true
	case s.opts.MaxIterations > 0 && s.iterations >= s.opts.MaxIterations:
		return solver.ReasonIterations, true
	case s.opts.MaxNodes > 0 && s.nodes >= s.opts.MaxNodes:
		return solver.ReasonNodes, true
	}
	return solver.ReasonNone, false
}

// allowance is how many iterations a linear program may take: 0 for any number.
func (s *search) allowance() int {
	if s.opts.MaxIterations == 0 {
		return 0
	}
	return max(1, s.opts.MaxIterations-s.iterations)
}

// solution has what every answer has. bound is to be minimised.
func (s *search) solution(status solver.Status, reason solver.Reason, bound float64) *solver.Solution {
	a := &solver.Solution{
		Status: status, Reason: reason, X: s.answer, Objective: math.NaN(),
		Bound: s.sign * min(bound-s.slack, s.best), Nodes: s.nodes, Iterations: s.iterations,
	}
	if s.answer != nil {
		a.Objective = s.given.Value(s.answer)
	}
	return a
}

func (s *search) infeasible() *solver.Solution {
	return s.solution(solver.Infeasible, solver.ReasonNone, math.Inf(1))
}

// limit is the answer of a search that stopped early; open bounds what is left.
func (s *search) limit(ctx context.Context, reason solver.Reason, open float64) *solver.Solution {
	if reason == solver.ReasonNone {
		reason = reasonOf(ctx)
	}
	bound := s.lift(min(open, s.lost, s.stuck))
	if s.doubtful {
		bound = math.Inf(-1)
	}
	if s.lent {
		bound = s.constant
	}
	return s.solution(solver.Limit, reason, bound)
}

// finish is the answer when nothing is left open.
func (s *search) finish() *solver.Solution {
	bound := min(s.lost, s.stuck)
	if s.lent && s.answer != nil {
		return s.solution(solver.Optimal, solver.ReasonNone, s.constant)
	}
	switch {
	case s.doubtful:
		return s.solution(solver.Numerical, solver.ReasonNone, math.Inf(-1))
	case s.answer == nil && math.IsInf(s.stuck, 1) && (s.lent || math.IsInf(s.lost, 1)):
		return s.infeasible()
	case s.lent:
		return s.solution(solver.Numerical, solver.ReasonNone, s.constant)
	case s.answer == nil, s.stuck < s.cutoff()-1e-6*max(1, math.Abs(s.best)):
		return s.solution(solver.Numerical, solver.ReasonNone, bound)
	}
	return s.solution(solver.Optimal, solver.ReasonNone, s.lift(bound))
}

// report tells the caller where the search stands.
func (s *search) report(open int, bound float64) {
	if s.opts.Progress == nil {
		return
	}
	p := solver.Progress{
		Nodes: s.nodes, Open: open, Iterations: s.iterations,
		Incumbent: math.NaN(), Bound: s.sign * s.lift(min(bound, s.lost, s.stuck, s.best)),
	}
	if s.lent {
		p.Bound = s.sign * s.constant
	}
	if s.answer != nil {
		p.Incumbent = s.given.Value(s.answer)
	}
	s.opts.Progress(p)
}
