package lpadapter

import (
	"context"
	"math"
	"slices"

	"github.com/vouchnn/vouch/internal/lpcheck"
	"github.com/vouchnn/vouch/solver"
)

// referee judges outcomes of one solve.
type referee struct {
	adapter           *Adapter
	p                 *solver.Problem
	opts              *solver.Options
	ctx               context.Context //nolint:containedctx // lives as long as the call
	caution           int             // of the run that is judged
	iterations, nodes int
}

func tolerance(given float64) float64 {
	if given > 0 {
		return given
	}
	return lpcheck.DefaultTolerance
}

func integrality(opts *solver.Options) float64 {
	if opts.IntegralityTolerance > 0 {
		return opts.IntegralityTolerance
	}
	return lpcheck.DefaultIntegrality
}

// empty is a solution without a point.
func (r *referee) empty(status solver.Status, reason solver.Reason) *solver.Solution {
	a := &solver.Solution{
		Status: status, Reason: reason, Objective: math.NaN(), Bound: r.p.Sense.Worst(),
		Iterations: r.iterations, Nodes: r.nodes,
	}
	if status == solver.Infeasible {
		a.Bound = -a.Bound
	}
	return a
}

// stopped is the answer after the context's end.
func (r *referee) stopped() *solver.Solution { return r.empty(solver.Limit, reasonOf(r.ctx)) }

// answer is the solution that an outcome stands for, or nil if it does not stand.
func (r *referee) answer(out *Outcome) (*solver.Solution, error) {
	switch out.Status {
	case solver.Limit:
		return r.limit(out), nil
	case solver.Optimal:
		if r.p.HasIntegers() {
			return r.incumbent(out)
		}
		if a := r.optimal(out); a != nil {
			return a, nil
		}
		return r.refined(out)
	default: // a failure may hide that there is no optimum, too
		return r.noOptimum(out)
	}
}

// limit keeps the incumbent of a mixed-integer problem if it is one.
func (r *referee) limit(out *Outcome) *solver.Solution {
	reason := out.Reason
	if reason == solver.ReasonNone {
		reason = reasonOf(r.ctx)
	}
	a := r.empty(solver.Limit, reason)
	if !r.p.HasIntegers() {
		return a
	}
	if !math.IsNaN(out.Bound) {
		a.Bound = out.Bound
	}
	if x := r.rounded(out.X); x != nil {
		a.X, a.Objective = x, r.p.Value(x)
	}
	return a
}

// optimal judges the optimum of a linear problem.
func (r *referee) optimal(out *Outcome) *solver.Solution {
	x, y := out.X, out.RowDuals
	if len(x) != len(r.p.Variables) || len(y) != len(r.p.Rows) {
		return nil
	}
	feasibility := tolerance(r.opts.FeasibilityTolerance)
	lpcheck.Snap(r.p, x, feasibility)
	a := r.empty(solver.Optimal, solver.ReasonNone)
	a.X, a.RowDuals, a.ReducedCosts = x, y, lpcheck.ReducedCosts(r.p, y)
	a.Objective = r.p.Value(x)
	a.Bound = a.Objective
	if !lpcheck.FeasiblePoint(r.p, x, feasibility) || !lpcheck.SmallGap(r.p, a, tolerance(r.opts.OptimalityTolerance)) {
		return nil
	}
	return a
}

// incumbent judges the optimum of a mixed-integer problem, as far as it can.
func (r *referee) incumbent(out *Outcome) (*solver.Solution, error) {
	x := r.rounded(out.X)
	if x == nil {
		polished, err := r.polished(out.X)
		if err != nil || polished == nil {
			return nil, err
		}
		x = polished
	}
	if !boxed(r.p) {
		if a, err := r.unbounded(x, nil); a != nil || err != nil {
			return a, err
		}
	}
	a := r.empty(solver.Optimal, solver.ReasonNone)
	a.X, a.Objective = x, r.p.Value(x)
	a.Bound = a.Objective
	if b := out.Bound; r.opts.RelativeGap > 0 && (b < a.Objective) == (r.p.Sense == solver.Minimize) && !math.IsInf(b, 0) && !math.IsNaN(b) {
		a.Bound = b
	}
	return a, nil
}

// rounded is a copy of x with integers where they belong; nil if that is no longer a
// point of the problem.
func (r *referee) rounded(x []float64) []float64 {
	if len(x) != len(r.p.Variables) || !lpcheck.Integral(r.p, x, 10*integrality(r.opts)) {
		return nil
	}
	x = slices.Clone(x)
	for j := range x {
		if r.p.Variables[j].Integer {
			x[j] = math.Round(x[j]) + 0 // no −0
		}
	}
	feasibility := tolerance(r.opts.FeasibilityTolerance)
	lpcheck.Snap(r.p, x, feasibility)
	if !lpcheck.FeasiblePoint(r.p, x, feasibility) {
		return nil
	}
	return x
}

// polished has the integers of x and the best other variables for them. If there are
// none, x itself will do if its integers are within the tolerance.
func (r *referee) polished(x []float64) ([]float64, error) {
	if len(x) != len(r.p.Variables) || !lpcheck.Integral(r.p, x, 10*integrality(r.opts)) {
		return nil, nil
	}
	near := slices.Clone(x)
	for j := range near {
		near[j] = math.Round(near[j])
		if v := &r.p.Variables[j]; near[j] < v.Lower || near[j] > v.Upper {
			near[j] = x[j]
		}
	}
	out, err := r.ask(fixed(r.p, near))
	if err != nil {
		return nil, err
	}
	if out.Status == solver.Optimal {
		if x := r.rounded(out.X); x != nil {
			return x, nil
		}
	}
	feasibility := tolerance(r.opts.FeasibilityTolerance)
	lpcheck.Snap(r.p, x, feasibility)
	if lpcheck.FeasiblePoint(r.p, x, feasibility) && lpcheck.Integral(r.p, x, integrality(r.opts)) {
		return x, nil
	}
	return nil, nil
}

// noOptimum decides between infeasible and unbounded, whichever the library says.
func (r *referee) noOptimum(out *Outcome) (*solver.Solution, error) {
	proved := r.infeasible(out.FarkasRay)
	if proved != nil && (proved.FarkasRay != nil || !r.opts.Rays) {
		return proved, nil
	}
	word := out.Status == solver.Infeasible && r.p.HasIntegers() && boxed(r.p)
	if word && !r.opts.Rays {
		return r.empty(solver.Infeasible, solver.ReasonNone), nil
	}
	relaxed, err := r.ask(elastic(r.p))
	if err != nil {
		return nil, err
	}
	if relaxed.Status == solver.Limit {
		return r.limit(relaxed), nil
	}
	if relaxed.Status != solver.Optimal || len(relaxed.X) < len(r.p.Variables) {
		return nil, nil
	}
	if a := r.infeasible(relaxed.RowDuals); a != nil {
		return a, nil
	}
	if proved != nil {
		return proved, nil
	}
	if word {
		return r.empty(solver.Infeasible, solver.ReasonNone), nil
	}
	if r.p.HasIntegers() {
		return r.mixedWithoutOptimum()
	}
	return r.unbounded(relaxed.X[:len(r.p.Variables)], out.UnboundedRay)
}

// boxed reports whether all variables have finite bounds. HiGHS mistakes some unbounded
// mixed-integer problems for infeasible ones and calls others optimal; those with a box
// it cannot.
func boxed(p *solver.Problem) bool {
	for j := range p.Variables {
		if v := &p.Variables[j]; math.IsInf(v.Lower, 0) || math.IsInf(v.Upper, 0) {
			return false
		}
	}
	return true
}

// mixedWithoutOptimum looks for any point of a mixed-integer problem. With one it is
// unbounded if its relaxation is, as all its numbers are rational (Meyer 1974, "On the
// existence of optimal solutions to integer and mixed-integer programming problems",
// Math. Program. 7); without one infeasible.
func (r *referee) mixedWithoutOptimum() (*solver.Solution, error) {
	found, err := r.ask(anywhere(r.p))
	if err != nil {
		return nil, err
	}
	switch found.Status {
	case solver.Limit:
		found.X, found.Bound = nil, math.NaN() // of another objective
		return r.limit(found), nil
	case solver.Infeasible, solver.Unknown: // without an objective nothing is unbounded
		return r.empty(solver.Infeasible, solver.ReasonNone), nil
	}
	x := r.rounded(found.X)
	if x == nil {
		return nil, nil
	}
	return r.unbounded(x, nil)
}

// infeasible is the answer that a ray proves, with the ray if that holds over the real
// numbers and is asked for; nil if it proves nothing.
func (r *referee) infeasible(ray []float64) *solver.Solution {
	if len(ray) != len(r.p.Rows) {
		return nil
	}
	ray = lpcheck.Clean(ray)
	if !lpcheck.ProvesInfeasible(r.p, ray, lpcheck.Neglect) {
		return nil
	}
	a := r.empty(solver.Infeasible, solver.ReasonNone)
	if r.opts.Rays && solver.SafeInfeasible(r.p, ray) {
		a.FarkasRay = ray
	}
	return a
}

// unbounded is the answer that a feasible point and a direction prove; a direction that
// does not, or none, is replaced by one of the recession problem.
func (r *referee) unbounded(x, ray []float64) (*solver.Solution, error) {
	feasibility := tolerance(r.opts.FeasibilityTolerance)
	lpcheck.Snap(r.p, x, feasibility)
	if !lpcheck.FeasiblePoint(r.p, x, feasibility) {
		return nil, nil
	}
	if ray = lpcheck.Clean(ray); len(ray) != len(r.p.Variables) || !lpcheck.ProvesUnbounded(r.p, ray) {
		out, err := r.ask(recession(r.p))
		if err != nil {
			return nil, err
		}
		if out.Status == solver.Limit {
			return r.limit(out), nil
		}
		ray = lpcheck.Clean(out.X)
		if out.Status != solver.Optimal || len(ray) != len(r.p.Variables) || !lpcheck.ProvesUnbounded(r.p, ray) {
			return nil, nil
		}
	}
	a := r.empty(solver.Unbounded, solver.ReasonNone)
	a.X, a.Objective = x, r.p.Value(x)
	if r.opts.Rays && !r.p.HasIntegers() {
		a.UnboundedRay = ray
	}
	return a, nil
}

// ask answers an auxiliary problem by an engine of its own, unchecked: what follows from
// it is checked on the problem itself.
func (r *referee) ask(p *solver.Problem) (*Outcome, error) {
	if len(p.Rows) == 0 {
		a := trivial(p, r.opts)
		return &Outcome{Status: a.Status, X: a.X, RowDuals: a.RowDuals, Bound: a.Bound}, nil
	}
	e, err := r.adapter.Fresh()
	if err != nil {
		return nil, err
	}
	defer e.Free()
	opts := *r.opts
	opts.Rays = false
	if err := e.Load(p, &opts, max(1, r.caution)); err != nil {
		return nil, err
	}
	return e.Run(&Limits{Context: r.ctx, MaxNodes: opts.MaxNodes})
}
