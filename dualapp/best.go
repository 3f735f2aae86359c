package dualapp

// Combinations: the best of several relaxations.
//
// Two sound bounds of a neuron may be intersected. So the network is bounded with
// one Relaxer after the other, each on the neurons' intervals that those before it
// left, and of every function the best bound is kept. Which lines are best differs
// from neuron to neuron and from function to function, and this takes the best of
// each; the price is a pass over the network for each Relaxer.

import (
	"context"

	"github.com/vouchnn/vouch/bounds"
)

// Best is the Bounder that combines Relaxers. The zero value is ready to use.
//
// Guarantee: sound, rounded outward; never looser than bounds.Crown with the first
// Relaxer.
// Cost: that of bounds.Crown for each Relaxer.
type Best struct {
	// Relaxers in the order in which they are tried; nil stands for the default
	// lines. Default: Dual, the default lines, bounds.NeWiseLines.
	Relaxers []bounds.Relaxer
}

// Bound implements bounds.Bounder.
func (b Best) Bound(ctx context.Context, m *bounds.Model, q *bounds.Query) ([]bounds.DomainResult, error) {
	relaxers := b.Relaxers
	if len(relaxers) == 0 {
		relaxers = []bounds.Relaxer{Dual{}, nil, bounds.NeWiseLines{}}
	}
	next := *q
	next.Domains = append([]bounds.Domain(nil), q.Domains...)
	var out []bounds.DomainResult
	for _, r := range relaxers {
		res, err := bounds.Crown{Relaxer: r}.Bound(ctx, m, &next)
		if err != nil {
			return nil, err
		}
		for d := range res {
			if out != nil {
				keepBetter(&res[d], &out[d])
			}
			next.Domains[d].Known = res[d].Nodes
		}
		out = res
	}
	return out, nil
}

// keepBetter puts into r what old bounds better.
func keepBetter(r, old *bounds.DomainResult) {
	if r.Infeasible {
		return
	}
	for k, v := range old.Lower {
		if v <= r.Lower[k] {
			continue
		}
		r.Lower[k] = v
		if n := len(r.Coef) / len(r.Lower); n > 0 {
			copy(r.Coef[k*n:(k+1)*n], old.Coef[k*n:(k+1)*n])
			r.Offset[k] = old.Offset[k]
		}
	}
	for k, v := range old.Upper {
		r.Upper[k] = min(r.Upper[k], v)
	}
}
