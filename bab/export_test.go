package bab

import (
	"context"
	"time"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// Refined is a root's intervals before and after refining, by node.
type Refined struct {
	Layers        []int // nodes that were refined
	Before, After []bounds.Interval
	Unfinished    bool // more turns could tighten them further
}

// RefineRoot refines the root of a property with a single case for so many turns;
// with corners, only where the property can fail. It returns nil if the property
// is decided without.
func RefineRoot(ctx context.Context, net nn.Network, prop *spec.Property, corners bool, turns int) (*Refined, error) {
	p, err := prepare(net)
	if err != nil {
		return nil, err
	}
	e := newEngine(p.model, p.net, p.simple, prop, Options{Split: SplitNeuron, Refine: RefineOn}, time.Now())
	e.corners = corners
	g := e.groups()[0]
	roots, cex, err := e.boundRoots(ctx, &g)
	if err != nil || cex != nil || len(roots) == 0 {
		return nil, err
	}
	f := e.newRefinement(&g, e.refinable(), roots)
	out := &Refined{Layers: f.layers, Before: roots[0].d.known}
	for range turns {
		if cex, out.Unfinished, err = f.refine(ctx); err != nil || cex != nil || len(f.roots) == 0 {
			return nil, err
		}
	}
	out.After = f.roots[0].d.known
	return out, nil
}

// Attained is attained.
func Attained(net nn.Network, box bounds.Interval, elements []int) []bounds.Range {
	return attained(net, box, elements)
}

// Look is the split that was chosen for a root, and the scores of its candidates
// in their order.
type Look struct {
	Chosen     int // place among the candidates
	Scores     []float64
	First      int // how many are looked at in any case
	Sufficient float64
}

// LookAtRoot is the choice of the filter for the root of a property with a single
// case, beside scores that are found one by one. It returns nil if the property is
// decided without, or if there is nothing to choose.
func LookAtRoot(ctx context.Context, net nn.Network, prop *spec.Property) (*Look, error) {
	p, err := prepare(net)
	if err != nil {
		return nil, err
	}
	e := newEngine(p.model, p.net, p.simple, prop, Options{Split: SplitNeuron}, time.Now())
	g := e.groups()[0]
	roots, cex, err := e.boundRoots(ctx, &g)
	if err != nil || cex != nil || len(roots) == 0 {
		return nil, err
	}
	s := e.newSearch(&g, SplitNeuron)
	if err := s.filter(ctx, roots); err != nil {
		return nil, err
	}
	o := roots[0]
	chosen := o.d.split
	out := &Look{Chosen: -1, First: candidates, Sufficient: enough * enough * missing(o.d) * missing(o.d)}
	scores, err := e.scores(ctx, o)
	if err != nil {
		return nil, err
	}
	all := e.bestNeurons(o.r, scores, moreCandidates)
	if len(all) < 2 {
		return nil, nil
	}
	if !e.kinkAt(all[0]) {
		all = all[:min(candidates, len(all))]
	}
	for k, c := range all {
		if c == chosen {
			out.Chosen = k
		}
		o.d.split = c
		score := 1.0
		for _, h := range o.d.children() {
			h.settled = 1 << 30
			q := &bounds.Query{Functions: g.functions, AnyOf: g.rows, Domains: []bounds.Domain{h.query(&g, prop)}}
			res, err := bounds.AlphaBeta{Iterations: 1}.Bound(ctx, e.model, q)
			if err != nil {
				return nil, err
			}
			lower := res[0].Lower
			if d := q.Domains[0]; d.Only != nil {
				lower = nil
				for _, f := range d.Only {
					lower = append(lower, res[0].Lower[f])
				}
			}
			score *= s.gain(o.d, lower)
		}
		out.Scores = append(out.Scores, score)
	}
	return out, nil
}
