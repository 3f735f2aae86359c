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
