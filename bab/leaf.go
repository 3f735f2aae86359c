package bab

// Leaves.
//
// Where every neuron is decided the network is affine, and a domain is a
// polyhedron: the box, one half-space for each split, one for each inequality.
// The multipliers of splits climb to its optimum but never quite reach it, so a
// domain with no neuron left to split is handed to a linear program:
//
//	min f₁(x)  over the box,  f₂(x) ≤ 0, …,  splits
//
// for each open conjunction f₁ ≤ 0 ∧ f₂ ≤ 0 ∧ …. If it has no feasible point, or
// if its optimum is positive, the conjunction is impossible; otherwise its point
// is a counterexample, up to rounding. Nothing rests on the solver's word: its
// duals are turned into a proof (solver.SafeInfeasible, solver.SafeBound), its
// point is replayed.
//
// The half-spaces are linear bounds, which are exact here. They are sound
// elsewhere too, so networks with S-curves or MaxPool go the same way once
// nothing is left to split. What the program leaves open, the optimum being
// within rounding of zero, goes on with splits of the box.
//
// Source: Ehlers 2017, arXiv:1705.01320 (linear programs under splits). Deviation:
// the program is over inputs alone, since everything else is affine in them.

import (
	"context"
	"math"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/spec"
)

// leafSteps limits the iterations of one linear program.
const leafSteps = 20000

// leaves settles the domains that have no neuron to split, and returns those
// that stay open.
func (s *search) leaves(ctx context.Context, open []root) ([]root, *spec.Counterexample, error) {
	kept := make([]root, 0, len(open))
	for _, o := range open {
		if o.d.split.node < 0 && o.r.Coef != nil {
			cex, err := s.settleLeaf(ctx, o.d)
			if cex != nil || err != nil {
				return nil, cex, err
			}
			if len(o.d.open) == 0 {
				s.closed = min(s.closed, o.d.bound)
				continue
			}
		}
		kept = append(kept, o)
	}
	return kept, nil, nil
}

// settleLeaf drops the open conjunctions of d that are impossible. It returns a
// counterexample if it finds one.
func (s *search) settleLeaf(ctx context.Context, d *domain) (*spec.Counterexample, error) {
	e := s.e
	x := d.query(s.g, e.prop)
	x.Settled, x.Warm, x.Halfspaces = math.MaxInt, nil, nil
	spaces, err := e.model.SplitHalfspaces(ctx, x)
	if err != nil {
		return nil, err
	}
	// The functions' own linear bounds, without multipliers of splits.
	q := &bounds.Query{Functions: s.g.functions, Linear: true, Domains: []bounds.Domain{x}}
	res, err := bounds.Crown{}.Bound(ctx, e.model, q)
	if err != nil {
		return nil, err
	}
	r := &res[0]
	e.res.Stats.Leaves++
	if r.Infeasible {
		d.open, d.bound = nil, 0
		return nil, nil
	}
	var open []int
	for _, c := range d.open {
		p := leafProblem(s.g.rows[c], r, d.known[0], spaces)
		if p == nil {
			open = append(open, c)
			continue
		}
		impossible, point, err := solveLeaf(ctx, e.opts.Solver, p)
		if err != nil {
			return nil, err
		}
		if impossible {
			continue
		}
		if point != nil {
			if cex := e.replay.Try(point, d.caseIndex); cex != nil {
				return cex, nil
			}
		}
		open = append(open, c)
	}
	if d.open = open; len(open) == 0 {
		d.bound = 0
	}
	return nil, nil
}

// leafProblem is the linear program for the conjunction of functions [rows[0],
// rows[1]); nil if one of them has no linear bound.
func leafProblem(rows [2]int, r *bounds.DomainResult, box bounds.Interval, spaces []bounds.Halfspace) *solver.Problem {
	n := len(box.Lower)
	p := &solver.Problem{}
	for j := range n {
		p.AddVariable(box.Lower[j], box.Upper[j], 0)
	}
	add := func(h bounds.Halfspace) {
		var columns []int
		var values []float64
		for j, v := range h.Coef {
			if v != 0 {
				columns, values = append(columns, j), append(values, v)
			}
		}
		p.AddLessEqual(-h.Offset, columns, values)
	}
	for f := rows[0]; f < rows[1]; f++ {
		h := bounds.Halfspace{Coef: r.Coef[f*n : (f+1)*n], Offset: r.Offset[f]}
		switch {
		case !h.Valid(n):
			return nil
		case f == rows[0]:
			for j, v := range h.Coef {
				p.Variables[j].Cost = v
			}
			p.Offset = h.Offset
		default:
			add(h)
		}
	}
	for _, h := range spaces {
		add(h)
	}
	return p
}

// solveLeaf reports whether it is proven that p has no feasible point with a
// value at most zero, and otherwise the point where the value is least, if there
// is one.
func solveLeaf(ctx context.Context, with solver.Solver, p *solver.Problem) (impossible bool, point []float64, err error) {
	answer, err := with.Solve(ctx, p, solver.Options{Rays: true, MaxIterations: leafSteps})
	if err != nil {
		return false, nil, err
	}
	if err := ctx.Err(); err != nil {
		return false, nil, err
	}
	switch answer.Status {
	case solver.Optimal:
		if len(answer.RowDuals) == len(p.Rows) && solver.SafeBound(p, answer.RowDuals) > 0 {
			return true, nil, nil
		}
	case solver.Infeasible:
		return len(answer.FarkasRay) == len(p.Rows) && len(p.Rows) > 0 && solver.SafeInfeasible(p, answer.FarkasRay), nil, nil
	}
	if len(answer.X) == len(p.Variables) {
		return false, answer.X, nil
	}
	return false, nil, nil
}
