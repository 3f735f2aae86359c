package bab

// Corners.
//
// A domain's linear lower bound of an inequality's value is negative only in a
// corner of its box, and nothing outside is of interest. The bounder takes that
// as half-spaces (bounds.Domain.Halfspaces), which tighten the bounds of every
// neuron there, which tighten the linear bound, which makes the corner smaller.
// Sub-problems inherit the half-spaces of the whole. As long as the corner stays
// about the same they bound anew only what is behind the split; once it has
// become much smaller, all nodes.
//
// What is of interest is a condition of one conjunction. Where several are open
// each is taken for itself, if that pays: if, at the root, bounding each in its
// corner gains something. On networks whose relaxation has lost the inputs on
// the way (the linear bound is nearly a constant) it does not, and sub-problems
// of many conjunctions then share work.
//
// In its corner a domain's bound says something of points with a violation at
// most zero. A proof there shows that the least violation is positive, not how
// large it is.
//
// Source: Zhou et al. 2025 (Clip-and-Verify). Deviation: the half-spaces are
// used in the passes that bound neurons, with optimised multipliers, not on
// bounds left over from the root.

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/spec"
)

// Conjunctions says whether a search that splits neurons takes several open
// conjunctions together or one by one.
type Conjunctions int

// The ways to take conjunctions.
const (
	// ConjunctionsAuto takes them one by one where that tightens their bounds.
	ConjunctionsAuto Conjunctions = iota
	// ConjunctionsTogether bounds all that are open in a domain at once.
	ConjunctionsTogether
	// ConjunctionsApart makes each a problem of its own.
	ConjunctionsApart
)

// String is auto, together or apart.
func (c Conjunctions) String() string {
	switch c {
	case ConjunctionsTogether:
		return "together"
	case ConjunctionsApart:
		return "apart"
	default:
		return "auto"
	}
}

const (
	// apartGain is how much of their bound conjunctions must gain on average to
	// be taken apart.
	apartGain = 0.05
	// samples is how many conjunctions, the most violated ones, tell whether it
	// pays.
	samples = 2
	// smaller is what is left of a domain's bound when its sub-problems bound
	// all nodes anew.
	smaller = 0.8
)

// setCorner keeps the linear bounds of the only open conjunction.
func (d *domain) setCorner(g *group, r *bounds.DomainResult) {
	if len(d.open) != 1 || r.Coef == nil {
		return
	}
	n := len(r.Nodes[0].Lower)
	var corner []bounds.Halfspace
	for f := g.rows[d.open[0]][0]; f < g.rows[d.open[0]][1]; f++ {
		h := bounds.Halfspace{Coef: r.Coef[f*n : (f+1)*n], Offset: r.Offset[f]}
		if h.Valid(n) {
			h.Coef = slices.Clone(h.Coef)
			corner = append(corner, h)
		}
	}
	if corner != nil {
		d.corner = corner
	}
}

// settle says which nodes a child need not bound anew, when node has been split.
func (d *domain) settle(child *domain, node int) {
	child.settled = node + 1
	if len(d.corner) > 0 && (d.whole == 0 || d.bound > smaller*d.whole) {
		child.settled, child.whole = 0, d.bound
	}
}

// narrow bounds each open conjunction of the roots in its corner. It returns
// the roots as they were where there are several and this gains too little.
func (s *search) narrow(ctx context.Context, roots []root) ([]root, *spec.Counterexample, error) {
	mode := s.e.opts.Conjunctions
	several := slices.ContainsFunc(roots, func(o root) bool { return len(o.d.open) > 1 })
	if !s.e.corners || several && mode == ConjunctionsTogether {
		return roots, nil, nil
	}
	var apart []*domain
	before := map[*domain]float64{}
	for _, o := range roots {
		for _, c := range o.d.open {
			d := *o.d
			d.open = []int{c}
			d.bound, _ = s.g.best(c, o.r)
			d.apart = d.bound
			if o.r.Apart != nil {
				d.apart = d.least(s.g, o.r.Apart)
			}
			d.setCorner(s.g, o.r)
			d.known = slices.Clone(o.d.known)
			d.known[0] = bounds.Interval{Lower: slices.Clone(o.d.known[0].Lower), Upper: slices.Clone(o.d.known[0].Upper)}
			d.warm, d.settled = nil, 0
			apart = append(apart, &d)
			before[&d] = d.apart
		}
	}
	slices.SortStableFunc(apart, func(a, b *domain) int { return cmp.Compare(a.bound, b.bound) })
	first := len(apart)
	if several && mode == ConjunctionsAuto {
		first = min(first, samples)
	}
	closed := s.closed
	out, cex, err := s.bound(ctx, apart[:first])
	if err != nil || cex != nil {
		return nil, cex, err
	}
	gain := float64(first - len(out))
	for _, o := range out {
		gain += 1 - o.d.apart/before[o.d]
	}
	if several && mode == ConjunctionsAuto && !(gain >= apartGain*float64(first)) {
		s.closed = closed
		return roots, nil, nil
	}
	rest, cex, err := s.bound(ctx, apart[first:])
	if err != nil || cex != nil {
		return nil, cex, err
	}
	out = append(out, rest...)
	if several {
		s.e.choose("conjunctions", ConjunctionsApart.String())
	}
	for _, o := range out {
		o.d.whole = o.d.bound
	}
	return out, nil, nil
}

// nothing is the bound of a domain in which there is no violation.
func (d *domain) nothing(bound float64) float64 {
	if len(d.corner) > 0 {
		return math.Min(bound, 0)
	}
	return bound
}
