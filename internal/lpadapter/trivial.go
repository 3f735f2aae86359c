package lpadapter

import (
	"math"

	"github.com/vouchnn/vouch/internal/lpcheck"
	"github.com/vouchnn/vouch/solver"
)

// Problems whose rows, if any, have no variables: each variable is by itself.

// trivial answers p, which lacks rows or variables.
func trivial(p *solver.Problem, opts *solver.Options) *solver.Solution {
	a := &solver.Solution{Status: solver.Infeasible, Objective: math.NaN(), Bound: -p.Sense.Worst()}
	for i, r := range p.Rows {
		if allowed := lpcheck.Allowed(tolerance(opts.FeasibilityTolerance), 0); r.Lower > allowed || r.Upper < -allowed {
			if opts.Rays {
				a.FarkasRay = make([]float64, len(p.Rows))
				a.FarkasRay[i] = 1
				if r.Upper < 0 {
					a.FarkasRay[i] = -1
				}
			}
			return a
		}
	}
	x, direction := make([]float64, len(p.Variables)), make([]float64, len(p.Variables))
	unbounded := false
	for j := range p.Variables {
		v := p.Variables[j]
		v.Lower, v.Upper = Bounds(&v)
		if v.Lower > v.Upper {
			return a
		}
		x[j], direction[j] = best(&v, p.Sense)
		unbounded = unbounded || direction[j] != 0
	}
	a.X, a.Objective = x, p.Value(x)
	if unbounded {
		a.Status, a.Bound = solver.Unbounded, p.Sense.Worst()
		if opts.Rays {
			a.UnboundedRay = direction
		}
		return a
	}
	a.Status, a.Bound = solver.Optimal, a.Objective
	if !p.HasIntegers() {
		a.RowDuals = make([]float64, len(p.Rows))
		a.ReducedCosts = lpcheck.ReducedCosts(p, a.RowDuals)
	}
	return a
}

// best is the best value of a variable by itself, or any and the direction that has no
// end.
func best(v *solver.Variable, sense solver.Sense) (x, direction float64) {
	cost := v.Cost
	if sense == solver.Maximize {
		cost = -cost
	}
	near := max(v.Lower, min(0, v.Upper)) // finite
	switch {
	case cost > 0 && math.IsInf(v.Lower, -1):
		return near, -1
	case cost < 0 && math.IsInf(v.Upper, 1):
		return near, 1
	case cost > 0:
		return v.Lower, 0
	case cost < 0:
		return v.Upper, 0
	}
	return near, 0
}
