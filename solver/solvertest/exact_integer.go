package solvertest

import (
	"math/big"

	"github.com/vouchnn/vouch/solver"
)

// The slow twin for integers: branch and bound in rational arithmetic.
//
// Depth first, on the first variable that is not an integer, with the linear programs
// of Exact: nothing is rounded and there is no tolerance. Integer variables without
// bounds may make it go on for ever, so there is a limit.

// ExactInteger solves p, integers included, over the rational numbers. The objective is
// nil unless the status is Optimal. Unknown means that nodes did not suffice. p must be
// valid.
func ExactInteger(p *solver.Problem, nodes int) (solver.Status, *big.Rat) {
	status, _, _ := exactPoint(p)
	if status == solver.Infeasible {
		return status, nil
	}
	t := &exactTree{p: p.Clone(), left: nodes}
	if status == solver.Unbounded { // of rational data: unbounded if there is a point at all
		for j := range t.p.Variables {
			t.p.Variables[j].Cost = 0
		}
		t.search()
		if t.best != nil {
			return solver.Unbounded, nil
		}
	} else {
		t.search()
	}
	switch {
	case t.left <= 0:
		return solver.Unknown, nil
	case t.best == nil:
		return solver.Infeasible, nil
	}
	return solver.Optimal, t.best
}

// exactTree is a depth-first search; it changes the bounds of p as it goes.
type exactTree struct {
	p    *solver.Problem
	left int
	best *big.Rat
}

func (t *exactTree) search() {
	if t.left--; t.left <= 0 {
		return
	}
	status, value, x := exactPoint(t.p)
	if status != solver.Optimal || t.best != nil && !t.better(value) {
		return
	}
	for j := range x {
		v := &t.p.Variables[j]
		if !v.Integer || x[j].IsInt() {
			continue
		}
		floor, _ := new(big.Rat).SetInt(new(big.Int).Div(x[j].Num(), x[j].Denom())).Float64()
		before := *v
		if v.Upper = min(v.Upper, floor); v.Lower <= v.Upper {
			t.search()
		}
		*v = before
		if v.Lower = max(v.Lower, floor+1); v.Lower <= v.Upper {
			t.search()
		}
		*v = before
		return
	}
	t.best = value
}

func (t *exactTree) better(v *big.Rat) bool {
	if t.p.Sense == solver.Maximize {
		return v.Cmp(t.best) > 0
	}
	return v.Cmp(t.best) < 0
}
