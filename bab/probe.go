package bab

// Looking for counterexamples on the way.
//
// The linear lower bound of a domain attains its minimum at a corner of the
// domain's box. Where the bound is tight the network is violated nearby, so
// these corners are evaluated, and from time to time an attack starts there,
// and from new random points.

import (
	"cmp"
	"context"
	"slices"

	"github.com/vouchnn/vouch/internal/pgd"
	"github.com/vouchnn/vouch/spec"
)

// probe evaluates the minimiser of each open domain's weakest function.
func (e *engine) probe(ctx context.Context, g *group, open []root) *spec.Counterexample {
	if len(open) == 0 || open[0].r.Coef == nil {
		return nil
	}
	n, m := e.prop.Inputs, e.prop.Outputs
	x := make([]float64, len(open)*n)
	for i, o := range open {
		f := g.weakest(o.d, o.r)
		box := spec.Box{Lower: o.r.Nodes[0].Lower, Upper: o.r.Nodes[0].Upper}
		box.Minimizer(o.r.Coef[f*n:(f+1)*n], x[i*n:(i+1)*n])
	}
	if e.dueForAttack() {
		if cex := e.attackFrom(ctx, open, x); cex != nil {
			return cex
		}
	}
	y := e.points.Forward(x, len(open))
	for i, o := range open {
		xi, yi := x[i*n:(i+1)*n], y[i*m:(i+1)*m]
		for _, c := range o.d.open {
			if e.prop.Cases[o.d.caseIndex].Unsafe[c].Violation(xi, yi) <= 0 {
				if cex := e.replay.Try(xi, o.d.caseIndex); cex != nil {
					return cex
				}
			}
		}
	}
	return nil
}

// dueForAttack counts batches: the attack runs after the first, the second,
// the fourth and so on, and after every sixteenth.
func (e *engine) dueForAttack() bool {
	e.batches++
	b := e.batches
	return !e.opts.NoAttack && (b%16 == 0 || b&(b-1) == 0)
}

// attackFrom descends from minimisers x [open × inputs] of the most violated
// domains.
func (e *engine) attackFrom(ctx context.Context, open []root, x []float64) *spec.Counterexample {
	most := min(64, e.attack.maxBatch)
	order := make([]int, len(open))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(open[i].d.bound, open[j].d.bound) })
	var goals []goal
	var starts []float64
	n := e.prop.Inputs
	for _, i := range order {
		d := open[i].d
		for _, c := range d.open {
			if len(goals) == most {
				break
			}
			conj := e.prop.Cases[d.caseIndex].Unsafe[c]
			goals = append(goals, goal{d.caseIndex, conj, len(goals)%2 == 1 && len(conj) > 1})
			starts = append(starts, x[i*n:(i+1)*n]...)
		}
	}
	return e.attack.descend(ctx, goals, starts, pgd.Schedule{Steps: 30, First: 0.05, Last: 0.001})
}
