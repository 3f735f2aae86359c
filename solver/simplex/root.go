package simplex

import (
	"context"
	"math"

	"github.com/vouchnn/vouch/solver"
)

// The root: what is done once, before branching.

// root probes, solves the first linear program, looks for points, and makes the first
// open node. An answer ends the search.
func (t *tree) root(ctx context.Context) *solver.Solution {
	w := t.newWorker()
	if !w.ready {
		return t.limit(ctx, solver.ReasonMemory, math.Inf(-1))
	}
	t.workers = append(t.workers, w)
	n := &node{bound: math.Inf(-1), value: math.NaN(), j: -1}
	if !t.probe(ctx, w.d, t.lower, t.upper) {
		return t.infeasible()
	}
	w.d.reset(t.lower, t.upper)
	w.r.setBounds(t.lower, t.upper)
	v := w.r.solve(ctx, t.cutoff(), t.allowance())
	t.iterations = w.r.total
	switch v {
	case empty:
		return t.infeasible()
	case cutOff:
		t.lost = min(t.lost, t.cutoff())
		return t.finish()
	case halted:
		return t.halted(ctx, math.Inf(-1))
	case endless:
		return t.unbounded(ctx)
	case relaxed:
		n.bound = w.r.bound
		t.basis = w.r.s.e.places()
		t.report(1, n.bound)
		if len(w.fractions(t.integers, t.near)) > 0 && !hasCosts(t.p) {
			t.surrogate(ctx, w)
			if a := t.lendObjective(ctx, w, n); a != nil {
				return a
			}
		}
		switch t.cutRoot(ctx, w, n) {
		case empty:
			return t.infeasible()
		case cutOff:
			t.lost = min(t.lost, t.cutoff())
			return t.finish()
		case halted:
			return t.halted(ctx, n.bound)
		case relaxed:
		default:
			n.basis = t.basis
			t.push(n)
			return nil
		}
		if t.search.first(ctx, w, n) {
			return t.finish()
		}
	}
	n.basis = t.basis
	t.push(n)
	return nil
}

// halted is the answer when a linear program of the root was stopped.
func (t *tree) halted(ctx context.Context, bound float64) *solver.Solution {
	reason, stop := t.reason(ctx)
	if !stop {
		reason = solver.ReasonIterations
	}
	return t.limit(ctx, reason, bound)
}

// lendObjective solves the root again, with the objective that surrogate may have found.
func (t *tree) lendObjective(ctx context.Context, w *worker, n *node) *solver.Solution {
	for j := range t.p.Variables {
		w.r.s.p.Variables[j].Cost = t.p.Variables[j].Cost
	}
	w.r.s.p.Offset = t.p.Offset
	w.r.s.e.setObjective(w.r.s.p)
	w.r.setBounds(t.lower, t.upper)
	v := w.r.solve(ctx, t.cutoff(), 0)
	t.iterations = w.r.total
	switch v {
	case empty, cutOff:
		return t.infeasible()
	case halted:
		return t.limit(ctx, solver.ReasonNone, math.Inf(-1))
	case relaxed:
		n.bound = w.r.bound
		t.basis = w.r.s.e.places()
	default:
		n.bound = math.Inf(-1)
	}
	return nil
}

// first looks for points at the root and tightens its box; true if that solved the
// problem.
func (s *search) first(ctx context.Context, w *worker, n *node) bool {
	k := newTask(s, n, 1, 0)
	k.before = w.r.total
	copy(w.d.lower, w.rootLower)
	copy(w.d.upper, w.rootUpper)
	fractional := w.fractions(s.integers, s.near)
	k.tryRounding(w, fractional)
	if k.mayFix() {
		k.fixAndPropagate(w, w.r.x)
	}
	if len(fractional) > 0 {
		for kind := range diveKinds {
			if kind != diveGuided || k.incumbent != nil {
				k.diveAs(ctx, w, kind)
			}
			if k.point != nil && s.accept(k.best, k.point, k.full) {
				s.improve()
				k.best = s.best
			}
		}
	}
	if k.point != nil && s.accept(k.best, k.point, k.full) {
		s.improve()
	}
	s.iterations += w.r.total - k.before
	s.lost = min(s.lost, k.lost)
	if n.bound >= s.cutoff() {
		s.lost = min(s.lost, n.bound)
		return true
	}
	return false
}

// unbounded answers a problem whose relaxation is unbounded: if it has a point at all
// it is unbounded too, as its data are rational (Meyer 1974, "On the existence of
// optimal solutions to integer and mixed-integer programming problems", Math. Program.
// 7). The point comes from the problem without its objective.
func (t *tree) unbounded(ctx context.Context) *solver.Solution {
	relaxation := t.given.Clone()
	for j := range relaxation.Variables {
		relaxation.Variables[j].Integer = false
	}
	opts := t.opts
	opts.Rays = true
	direction, err := Solver{keep: t.keep}.Solve(ctx, relaxation, opts)
	if err != nil || direction.Status != solver.Unbounded || direction.UnboundedRay == nil {
		if _, stop := t.reason(ctx); stop {
			return t.limit(ctx, solver.ReasonNone, math.Inf(-1))
		}
		return t.solution(solver.Numerical, solver.ReasonNone, math.Inf(-1))
	}
	feasibility := t.given.Clone()
	for j := range feasibility.Variables {
		feasibility.Variables[j].Cost = 0
	}
	a := solveInteger(ctx, feasibility, &opts, Solver{t.keep, t.cuts}, nil)
	t.nodes, t.iterations = a.Nodes, t.iterations+a.Iterations+direction.Iterations
	t.answer = a.X
	switch a.Status {
	case solver.Optimal:
		out := t.solution(solver.Unbounded, solver.ReasonNone, math.Inf(-1))
		if t.opts.Rays {
			out.UnboundedRay = direction.UnboundedRay
		}
		return out
	case solver.Infeasible:
		return t.infeasible()
	}
	return t.solution(a.Status, a.Reason, math.Inf(-1))
}
