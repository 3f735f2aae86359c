package bab

// Refining the intervals of neurons.
//
// How tight a sub-problem's bound is depends on the intervals of the neurons:
// the relaxation of an undecided ReLU is a triangle over its interval. Those of
// the root come from one relaxation of the layers before, and every sub-problem
// inherits what they lose. For networks with several wide layers it pays to
// make them tighter first, by a branch and bound of its own for the ends of each
// undecided neuron's interval, on the network that ends there (ends.go):
//
//	for each layer, from the second:
//	    for each undecided neuron:
//	        search for the ends of its interval
//	    bound the layers behind and the functions anew (α-CROWN)
//
// Most neurons that the relaxation leaves undecided are in truth decided on the
// region, by a wide margin: what is lost in one layer is lost again in the next.
// A proof for one neuron is a much smaller problem than the property, on fewer
// layers and with one row, and each makes the next ones easier. On the networks
// of mnist_fc the property itself is often easy once the third layer is decided.
//
// The last layer is left out if there are several: its neurons feed the
// functions alone, and the search splits those that matter.
//
// Refining and searching take turns, each longer than the one before: an easy
// property is decided before its intervals are refined, and one that does not need
// the last of them decided is not kept waiting. A search begins anew after each
// turn of refining; the searches for ends go on where they were.
//
// The root's half-spaces (corner.go) hold in these searches too: the intervals
// need to hold only where the property can fail.
//
// Source: the idea of refining intermediate bounds before the search is in the
// entries of α,β-CROWN to VNN-COMP 2021 and 2022 (arXiv:2109.00498, §3;
// arXiv:2212.10376, §3), with mixed-integer programs in place of the small
// branch and bound: Tjeng et al. 2019, arXiv:1711.07356, §4. Deviation: descent
// tells which neurons can be decided at all.

import (
	"context"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

const (
	// refineAfter is the work of the search without refining, as search.spent
	// counts it: about 1000 domains.
	refineAfter = 8192
	// refineMore is how many times as many leaves an end may have had after a turn
	// as after the one before; searchMore is the same for the searches between, each
	// of which begins anew.
	refineMore, searchMore = 4, 2
	// refineAtMost is how many undecided neurons the roots have at most that
	// are refined without being asked.
	refineAtMost = 4096
	// refineShare is the share of the time before the deadline, from the start
	// on, after which nothing is refined any more.
	refineShare = 0.7
	// refineTurns is how many turns of refining there are at most.
	refineTurns = 5
	// refinedIterations is how often the variables of a refined root's functions
	// are improved.
	refinedIterations = 20
)

// refinement is the roots of a group while their intervals are refined.
type refinement struct {
	s      *search // bounds the roots anew
	layers []int   // nodes that are refined
	roots  []refinedRoot
	turn   int
}

// refinedRoot is a root with the searches for its neurons, by layer; nil where
// none has begun.
type refinedRoot struct {
	root
	layers []*refiner
}

// decideByNeurons is decide where neurons alone are split: searches and turns of
// refining the roots, as Options.Refine says.
func (e *engine) decideByNeurons(ctx context.Context, g *group, roots []root) (*spec.Counterexample, spec.Reason, error) {
	layers := e.refinable()
	if !e.mayRefine(layers, roots) {
		_, cex, reason, err := e.searchFrom(ctx, g, roots, math.MaxInt)
		return cex, reason, err
	}
	f := e.newRefinement(g, layers, roots)
	budget := refineAfter
	if e.opts.Refine == RefineOn {
		budget = 0
	}
	for {
		decided, cex, reason, err := e.searchFrom(ctx, g, f.open(), budget)
		if decided || cex != nil || err != nil || reason != spec.ReasonNone {
			return cex, reason, err
		}
		e.dropSearch()
		e.choose("refine", RefineOn.String()+" "+strconv.Itoa(f.turn+1))
		cex, more, err := f.refine(ctx)
		e.closed, e.refining = min(e.closed, f.s.closed), f.bytes()
		if cex != nil || err != nil || len(f.roots) == 0 {
			return cex, spec.ReasonNone, err
		}
		if !more {
			break
		}
		budget = max(refineAfter, searchMore*budget)
	}
	e.refining = 0
	_, cex, reason, err := e.searchFrom(ctx, g, e.reduce(f.open()), math.MaxInt)
	return cex, reason, err
}

// searchFrom searches from the roots until its work reaches the budget.
func (e *engine) searchFrom(ctx context.Context, g *group, roots []root, budget int) (bool, *spec.Counterexample, spec.Reason, error) {
	e.current = nil
	s := e.newSearch(g, SplitNeuron)
	if cex, err := s.begin(ctx, roots); cex != nil || err != nil {
		return false, cex, spec.ReasonNone, err
	}
	return e.turn(ctx, budget)
}

// dropSearch gives the current search up, and keeps what it has proven.
func (e *engine) dropSearch() {
	for _, s := range e.current {
		e.proved = max(e.proved, min(s.least(), s.closed))
	}
	e.current = []*search{}
}

// mayRefine reports whether roots are refined if they are not decided soon.
func (e *engine) mayRefine(layers []int, roots []root) bool {
	if e.opts.Refine == RefineOff || len(layers) == 0 {
		return false
	}
	undecided := 0
	for _, o := range roots {
		for _, i := range layers {
			for k, lo := range o.d.known[i].Lower {
				if lo < 0 && o.d.known[i].Upper[k] > 0 {
					undecided++
				}
			}
		}
	}
	if e.opts.Refine == RefineOn {
		return undecided > 0
	}
	return undecided > 0 && undecided <= refineAtMost && e.opts.Bounder == nil && e.dense()
}

// dense reports whether the network multiplies by dense layers alone, so that a
// row is cheap.
func (e *engine) dense() bool {
	for _, n := range e.net.Nodes() {
		if _, ok := n.Op.(*nn.Conv); ok {
			return false
		}
	}
	return true
}

// refinable lists the nodes whose intervals are worth refining: they feed ReLUs
// alone, and there are ReLUs to split before them and neurons to split behind.
func (e *engine) refinable() []int {
	var out []int
	nodes := e.net.Nodes()
	split := false
	for _, i := range e.keep {
		kinked := true
		for _, n := range nodes {
			if slices.Contains(n.Inputs, i) {
				switch n.Op.(type) {
				case nn.ReLU, nn.LeakyReLU:
				case nn.Elementwise, *nn.MaxPool:
					kinked = false
				}
			}
		}
		if kinked && split {
			out = append(out, i)
		}
		split = split || kinked
	}
	if k := len(out); k > 1 {
		out = out[:k-1]
	}
	return out
}

func (e *engine) newRefinement(g *group, layers []int, roots []root) *refinement {
	f := &refinement{s: e.newSearch(g, SplitNeuron), layers: layers}
	f.s.bounder = bounds.Alpha{Iterations: refinedIterations, Intermediate: rootIterations}
	for _, o := range roots {
		f.roots = append(f.roots, refinedRoot{o, make([]*refiner, len(layers))})
	}
	return f
}

// open is the roots that are not decided.
func (f *refinement) open() []root {
	var out []root
	for _, r := range f.roots {
		out = append(out, r.root)
	}
	return out
}

// refine takes a turn: it tightens the intervals of the roots layer by layer,
// and bounds the roots with them. Roots that this decides are dropped. It reports
// whether there is more to refine.
func (f *refinement) refine(ctx context.Context) (cex *spec.Counterexample, more bool, err error) {
	parts := len(f.layers) * len(f.roots)
	for l := range f.layers {
		for k := range f.roots {
			if f.roots[k].d != nil {
				until, limited := f.s.e.refineUntil(ctx, parts)
				cex, err := f.refineLayer(ctx, &f.roots[k], l, func() bool { return limited && time.Now().After(until) })
				if cex != nil || err != nil {
					return cex, false, err
				}
			}
			parts--
		}
	}
	f.roots = slices.DeleteFunc(f.roots, func(r refinedRoot) bool { return r.d == nil })
	f.turn++
	until, limited := f.s.e.refineUntil(ctx, 1)
	if f.turn >= refineTurns || f.s.e.full() || f.full() || (limited && time.Now().After(until)) {
		return nil, false, nil
	}
	for _, r := range f.roots {
		for _, n := range r.layers {
			more = more || (n != nil && n.unfinished())
		}
	}
	return nil, more, nil
}

// refineLayer tightens the intervals of one layer of one root and bounds the
// root with them. A root that this decides is left without a domain.
func (f *refinement) refineLayer(ctx context.Context, r *refinedRoot, l int, late func() bool) (*spec.Counterexample, error) {
	e, node := f.s.e, f.layers[l]
	if r.layers[l] == nil {
		var err error
		if r.layers[l], err = f.s.newRefiner(node, r.root); err != nil || r.layers[l] == nil {
			return nil, err
		}
	} else {
		r.layers[l].inherit(r.d.known)
	}
	n := r.layers[l]
	n.allow(f.turn)
	for n.active() && !e.full() && !late() && !f.full() {
		if err := n.round(ctx); err != nil {
			return nil, err
		}
		e.tick()
	}
	d := *r.d
	d.known = n.tighten(d.known)
	if d.known == nil { // nothing is in the root
		f.s.closed = min(f.s.closed, 0)
		r.root = root{}
		return nil, nil
	}
	d.settled, d.warm = node+1, nil
	open, cex, err := f.s.bound(ctx, []*domain{&d})
	if cex != nil || err != nil {
		return cex, err
	}
	r.root = root{}
	if len(open) > 0 {
		r.root = open[0]
	}
	return nil, nil
}

// bytes is about what all leaves occupy.
func (f *refinement) bytes() int64 {
	b := int64(0)
	for _, r := range f.roots {
		for _, n := range r.layers {
			if n != nil {
				b += n.bytes()
			}
		}
	}
	return b
}

// full reports whether the leaves occupy half of the memory for domains.
func (f *refinement) full() bool { return f.bytes() > f.s.e.opts.MaxMemory/2 }

// refineUntil is when the first of so many parts is to end, if there is a
// deadline.
func (e *engine) refineUntil(ctx context.Context, parts int) (time.Time, bool) {
	end, limited := ctx.Deadline()
	if !limited {
		return end, false
	}
	now := time.Now()
	left := time.Duration(refineShare * float64(end.Sub(e.start)))
	return now.Add((left - now.Sub(e.start)) / time.Duration(max(parts, 1))), true
}

// full reports whether the limit of domains is reached.
func (e *engine) full() bool {
	return e.opts.MaxDomains > 0 && e.res.Stats.Domains >= e.opts.MaxDomains
}
