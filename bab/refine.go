package bab

// Refining the intervals of neurons.
//
// How tight a sub-problem's bound is depends on the intervals of the neurons:
// the relaxation of an undecided ReLU is a triangle over its interval. Those of
// the root come from one relaxation of the layers before, and every sub-problem
// inherits what they lose. For networks with several wide layers it pays to
// make them tighter first, by a small branch and bound for each end of each
// undecided neuron, on the network that ends there:
//
//	for each layer, from the second:
//	    for each undecided neuron z, both for z and for −z:
//	        split ReLUs of the layers before, the leaf with the least bound
//	        first; stop when the least bound is positive (the neuron is
//	        decided), or when the budget is spent
//	        the least bound of the leaves is the end of the interval
//	    bound the layers behind and the functions anew (α-CROWN)
//
// The leaves cover the root, so the least of their bounds holds everywhere in
// it. All ends of a layer are bounded in common batches. Within a leaf the
// intervals of other neurons are the root's, but for the splits, so that a leaf
// costs no more than a few rows carried through part of the network.
//
// The root's half-spaces (corner.go) hold in the leaves too: the intervals need
// to hold only where the property can fail.
//
// Whether refining pays is found out by searching without it first: an easy
// property is decided before its turn comes.
//
// Source: the idea of refining intermediate bounds before the search is in the
// entries of α,β-CROWN to VNN-COMP 2021 and 2022 (arXiv:2109.00498, §3;
// arXiv:2212.10376, §3), with mixed-integer programs in place of the small
// branch and bound: Tjeng et al. 2019, arXiv:1711.07356, §4.

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

const (
	// refineAfter is the work of the search without refining, as search.spent
	// counts it: about 1500 domains.
	refineAfter = 16384
	// refineAtMost is how many undecided neurons the roots have at most that
	// are refined without being asked.
	refineAtMost = 4096
	// refineShare is the share of the time before the deadline, from the start
	// on, after which nothing is refined any more.
	refineShare = 0.6
	// refineDomains is how many domains are bounded for one end at most.
	refineDomains = 64
	// leafIterations is how often the variables of a leaf are improved.
	leafIterations = 10
	// refinedIterations is the same for the functions of a refined root.
	refinedIterations = 20
	// refineBatch is how many leaves are bounded at a time.
	refineBatch = 256
)

// prefix is a network up to a node.
type prefix []nn.Node

// Nodes implements nn.Network.
func (p prefix) Nodes() []nn.Node { return p }

// Output implements nn.Network.
func (p prefix) Output() int { return len(p) - 1 }

// end is one end of an element's interval: a search for the least value of
// sign times the element.
type end struct {
	index  int
	sign   float64
	leaves frontier
	least  float64 // least bound of leaves that are not split any further; at most 0
	spent  int     // domains bounded
}

// bound is what has been proven of sign times the element where it is negative.
func (t *end) bound() float64 { return math.Min(t.leaves.least(), t.least) }

// refiner tightens the intervals of one node's elements in one root.
type refiner struct {
	s      *search // over the network that ends at the node
	ends   []end
	budget int // domains for each end
}

// decideByNeurons is decide where neurons alone are split. Where a short search
// does not decide, or at once if that is wanted, the roots are refined and the
// search begins anew.
func (e *engine) decideByNeurons(ctx context.Context, g *group, roots []root) (*spec.Counterexample, spec.Reason, error) {
	budget := math.MaxInt
	refine := e.mayRefine(roots)
	switch {
	case refine && e.opts.Refine == RefineOn:
		budget = 0
	case refine:
		budget = refineAfter
	}
	s := e.newSearch(g, SplitNeuron)
	if cex, err := s.begin(ctx, roots); cex != nil || err != nil {
		return cex, spec.ReasonNone, err
	}
	decided, cex, reason, err := e.turn(ctx, budget)
	if !refine || decided || cex != nil || err != nil || reason != spec.ReasonNone {
		return cex, reason, err
	}
	e.choose("refine", RefineOn.String())
	e.proved, e.current = s.least(), []*search{}
	again := e.newSearch(g, SplitNeuron)
	roots, cex, err = again.refine(ctx, roots)
	if cex != nil || err != nil {
		return cex, spec.ReasonNone, err
	}
	if len(roots) == 0 {
		e.closed = min(e.closed, again.closed)
		return nil, spec.ReasonNone, nil
	}
	e.closed = min(e.closed, again.closed)
	again = e.newSearch(g, SplitNeuron)
	if cex, err := again.begin(ctx, e.reduce(roots)); cex != nil || err != nil {
		return cex, spec.ReasonNone, err
	}
	_, cex, reason, err = e.turn(ctx, math.MaxInt)
	return cex, reason, err
}

// mayRefine reports whether roots are refined if they are not decided soon.
func (e *engine) mayRefine(roots []root) bool {
	layers := e.refinable()
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
	return undecided > 0 && undecided <= refineAtMost && e.opts.Bounder == nil
}

// refine tightens the intervals of the roots layer by layer, and bounds the
// roots with them. Roots that this decides are left out.
func (s *search) refine(ctx context.Context, roots []root) ([]root, *spec.Counterexample, error) {
	layers := s.e.refinable()
	again := *s
	again.bounder = bounds.Alpha{Iterations: refinedIterations, Intermediate: rootIterations}
	roots = slices.Clone(roots)
	parts := len(layers) * len(roots)
	for l, node := range layers {
		for k := range roots {
			left := parts - l*len(roots) - k
			if roots[k].d == nil {
				continue
			}
			d := *roots[k].d
			known, err := s.refineNode(ctx, node, roots[k], left)
			if err != nil {
				return nil, nil, err
			}
			if known == nil {
				s.closed = min(s.closed, 0)
				roots[k].d = nil
				continue
			}
			d.known, d.settled, d.warm = known, node+1, nil
			open, cex, err := again.bound(ctx, []*domain{&d})
			if err != nil || cex != nil {
				return nil, cex, err
			}
			roots[k] = root{}
			if len(open) > 0 {
				roots[k] = open[0]
			}
		}
	}
	s.closed = min(s.closed, again.closed)
	return slices.DeleteFunc(roots, func(r root) bool { return r.d == nil }), nil, nil
}

// refinable lists the nodes whose intervals are worth refining: they feed
// ReLUs alone, and there are ReLUs to split before them.
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
	return out
}

// refineNode is the root's intervals with tighter ones of the node; nil if they
// show that nothing is in the root. So many parts of the work are left, this one
// among them.
func (s *search) refineNode(ctx context.Context, node int, o root, parts int) ([]bounds.Interval, error) {
	known := slices.Clone(o.d.known)
	f, err := s.newRefiner(node, o)
	if err != nil || f == nil {
		return known, err
	}
	until, limited := s.e.refineUntil(ctx, parts)
	for f.active() && !s.e.full() {
		if limited && time.Now().After(until) {
			break
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		count := f.s.e.res.Stats.Domains
		if err := f.round(ctx); err != nil {
			return nil, err
		}
		s.e.res.Stats.Domains += f.s.e.res.Stats.Domains - count
		s.e.tick()
	}
	z := bounds.Interval{Lower: slices.Clone(known[node].Lower), Upper: slices.Clone(known[node].Upper)}
	for k := range f.ends {
		t := &f.ends[k]
		if t.sign > 0 {
			z.Lower[t.index] = max(z.Lower[t.index], t.bound())
		} else {
			z.Upper[t.index] = min(z.Upper[t.index], -t.bound())
		}
		if z.Lower[t.index] > z.Upper[t.index] {
			return nil, nil
		}
	}
	known[node] = z
	return known, nil
}

// refineUntil is when the first of so many parts is to end, if there is a
// deadline.
func (e *engine) refineUntil(ctx context.Context, parts int) (time.Time, bool) {
	end, limited := ctx.Deadline()
	if !limited {
		return end, false
	}
	now := time.Now()
	left := time.Duration(refineShare * float64(end.Sub(e.start)))
	return now.Add((left - now.Sub(e.start)) / time.Duration(parts)), true
}

// full reports whether the limit of domains is reached.
func (e *engine) full() bool {
	return e.opts.MaxDomains > 0 && e.res.Stats.Domains >= e.opts.MaxDomains
}

// newRefiner prepares the search for the ends of the node's undecided elements,
// those that cost the root's bound most first; nil if there are none.
func (s *search) newRefiner(node int, o root) (*refiner, error) {
	z := o.d.known[node]
	cost := make([]float64, len(z.Lower))
	var wanted []int
	for i, impact := range o.r.Impact {
		if impact == nil || s.e.net.Nodes()[i].Inputs[0] != node {
			continue
		}
		for k, v := range impact {
			cost[k] += v
		}
	}
	for k, v := range cost {
		if v > 0 && z.Lower[k] < 0 && z.Upper[k] > 0 {
			wanted = append(wanted, k)
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	slices.SortStableFunc(wanted, func(a, b int) int { return cmp.Compare(cost[b], cost[a]) })
	net := prefix(s.e.model.Network().Nodes()[:node+1])
	model, err := bounds.Compile(net)
	if err != nil {
		return nil, err
	}
	sub := *s.e // its counts of domains are added up in the end
	sub.model, sub.corners = model, false
	f := &refiner{s: &search{e: &sub, g: &group{cases: s.g.cases}, kind: SplitNeuron}, budget: refineDomains}
	f.s.bounder = bounds.AlphaBeta{Iterations: leafIterations}
	size := len(z.Lower)
	for _, k := range wanted {
		for _, sign := range []float64{1, -1} {
			row := make([]float64, size)
			row[k] = sign
			at := len(f.ends)
			f.s.g.functions.Output = append(f.s.g.functions.Output, row...)
			f.s.g.rows = append(f.s.g.rows, [2]int{at, at + 1})
			d := *o.d
			d.known, d.splits, d.warm, d.settled = o.d.known[:node:node], nil, nil, math.MaxInt
			d.open, d.depth = []int{at}, 0
			d.bound = z.Lower[k]
			if sign < 0 {
				d.bound = -z.Upper[k]
			}
			t := end{index: k, sign: sign}
			t.leaves.push(&d)
			f.ends = append(f.ends, t)
		}
	}
	return f, nil
}

// active reports whether an end has leaves to split and domains left.
func (f *refiner) active() bool {
	for k := range f.ends {
		if f.ends[k].active(f.budget) {
			return true
		}
	}
	return false
}

func (t *end) active(budget int) bool {
	return t.spent < budget && t.leaves.len() > 0 && t.leaves.least() < t.least
}

// round splits the weakest leaf of every end that is not done, a batch at a
// time.
func (f *refiner) round(ctx context.Context) error {
	var batch []*domain
	for k := range f.ends {
		t := &f.ends[k]
		if !t.active(f.budget) {
			continue
		}
		d := t.leaves.pop(1, false)[0]
		if d.depth == 0 && t.spent == 0 {
			batch = append(batch, d)
		} else {
			for _, c := range d.children() {
				c.settled = math.MaxInt
				batch = append(batch, c)
			}
		}
		if len(batch) >= refineBatch || k == len(f.ends)-1 {
			if err := f.bound(ctx, batch); err != nil {
				return err
			}
			batch = batch[:0]
		}
	}
	return f.bound(ctx, batch)
}

// bound bounds leaves and gives those that stay open back to their ends.
func (f *refiner) bound(ctx context.Context, leaves []*domain) error {
	if len(leaves) == 0 {
		return nil
	}
	q := &bounds.Query{Functions: f.s.g.functions, AnyOf: f.s.g.rows, Impact: true}
	for _, d := range leaves {
		q.Domains = append(q.Domains, d.query(f.s.g, f.s.e.prop))
	}
	res, err := f.s.bounder.Bound(ctx, f.s.e.model, q)
	if err != nil {
		return err
	}
	f.s.e.res.Stats.Domains += len(leaves)
	var open []root
	for i, d := range leaves {
		t := &f.ends[d.open[0]]
		t.spent++
		if res[i].Infeasible {
			continue
		}
		if d.judge(f.s.g, &res[i]); len(d.open) == 0 {
			continue // not negative there
		}
		d.warm = res[i].Warm
		open = append(open, root{d, &res[i]})
	}
	if err := f.s.filter(ctx, open); err != nil {
		return err
	}
	for _, o := range open {
		t := &f.ends[o.d.open[0]]
		if o.d.split.node < 0 {
			t.least = min(t.least, o.d.bound)
		} else {
			t.leaves.push(o.d)
		}
	}
	return nil
}
