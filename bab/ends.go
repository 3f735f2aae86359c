package bab

// Ends of intervals.
//
// One end of a neuron's interval is a small search: the least value of z, or of
// −z, is bounded on the root, and the ReLUs of the layers before are split, the
// leaf with the least bound first. The leaves cover the root, so the least of
// their bounds holds everywhere in it. A leaf that is positive is done: it is
// enough to know that the neuron is decided. Ends of a layer are bounded in
// common batches. Within a leaf the intervals of other neurons are the root's, but
// for the splits, so that a leaf costs no more than one row carried through part
// of the network a few times.
//
// A neuron is decided by one end alone, and only if there is no input at which it
// is on that side of zero. Descent (attained.go) finds such an input for most
// neurons that cannot be decided. Of the others only the end that can decide is
// searched for, and at length; of those the two ends, for a moment.

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
)

const (
	// decideLeaves is how many leaves are bounded in the first turn for an end
	// that may decide, and closeLeaves for one that cannot.
	decideLeaves = 512
	closeLeaves  = 32
	// leafIterations is how often the variables of a leaf are improved.
	leafIterations = 10
	// refineBatch is about how many leaves are bounded at a time.
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
	least  float64 // least bound of leaves that cannot be split, and of those that are done: at most 0
	spent  int     // leaves bounded
	most   int     // leaves to bound in this turn and before
	first  int     // of them in the first turn
}

// bound is what has been proven of sign times the element where it is negative.
func (t *end) bound() float64 { return math.Min(t.leaves.least(), t.least) }

// unfinished reports whether splitting may raise the end.
func (t *end) unfinished() bool { return t.leaves.len() > 0 && t.leaves.least() < t.least }

func (t *end) active() bool { return t.spent < t.most && t.unfinished() }

// refiner tightens the intervals of one node's elements in one root.
type refiner struct {
	s     *search // over the network that ends at the node
	whole *engine // whose domains the leaves are counted as
	node  int
	ends  []end
}

// newRefiner prepares the searches for the node's undecided elements, those that
// cost the root's bound most first; nil if there are none.
func (s *search) newRefiner(node int, o root) (*refiner, error) {
	wanted := s.costly(node, o)
	if len(wanted) == 0 {
		return nil, nil
	}
	net := prefix(s.e.model.Network().Nodes()[:node+1])
	model, err := bounds.Compile(net)
	if err != nil {
		return nil, err
	}
	sub := *s.e
	sub.model, sub.corners = model, false
	f := &refiner{s: &search{e: &sub, g: &group{cases: s.g.cases}, kind: SplitNeuron}, whole: s.e, node: node}
	f.s.bounder = bounds.AlphaBeta{Iterations: leafIterations}
	for i, v := range attained(net, o.d.known[0], wanted) {
		switch {
		case v.Lower > 0:
			f.add(o, wanted[i], 1, decideLeaves)
		case v.Upper < 0:
			f.add(o, wanted[i], -1, decideLeaves)
		default:
			f.add(o, wanted[i], 1, closeLeaves)
			f.add(o, wanted[i], -1, closeLeaves)
		}
	}
	return f, nil
}

// costly lists the undecided elements of the node that cost the root's bound
// anything, the costliest first.
func (s *search) costly(node int, o root) []int {
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
	slices.SortStableFunc(wanted, func(a, b int) int { return cmp.Compare(cost[b], cost[a]) })
	return wanted
}

// add begins the search for one end.
func (f *refiner) add(o root, index int, sign float64, first int) {
	z := o.d.known[f.node]
	row := make([]float64, len(z.Lower))
	row[index] = sign
	at := len(f.ends)
	f.s.g.functions.Output = append(f.s.g.functions.Output, row...)
	f.s.g.rows = append(f.s.g.rows, [2]int{at, at + 1})
	d := *o.d
	d.known, d.splits, d.warm, d.settled = o.d.known[:f.node:f.node], nil, nil, math.MaxInt
	d.open, d.depth, d.bound = []int{at}, 0, z.Lower[index]
	if sign < 0 {
		d.bound = -z.Upper[index]
	}
	d.apart = d.bound
	t := end{index: index, sign: sign, first: first}
	t.leaves.push(&d)
	f.ends = append(f.ends, t)
}

// allow sets what may be spent until the end of a turn; the first is turn 0.
func (f *refiner) allow(turn int) {
	for k := range f.ends {
		t := &f.ends[k]
		t.most = t.first
		for range turn {
			t.most *= refineMore
		}
	}
}

// inherit takes over what has become known of the layers before.
func (f *refiner) inherit(known []bounds.Interval) {
	for k := range f.ends {
		t := &f.ends[k]
		for i := range t.leaves.heap {
			d := t.leaves.heap[i].d
			own := slices.Clone(d.known)
			for j := range own {
				if own[j].Lower != nil && known[j].Lower != nil {
					own[j] = narrower(own[j], known[j])
				}
			}
			d.known = own
		}
	}
}

// narrower is a, or b, or their intersection.
func narrower(a, b bounds.Interval) bounds.Interval {
	if len(a.Lower) == 0 || (&a.Lower[0] == &b.Lower[0] && &a.Upper[0] == &b.Upper[0]) {
		return a
	}
	out := bounds.Interval{Lower: slices.Clone(a.Lower), Upper: slices.Clone(a.Upper)}
	for k, lo := range b.Lower {
		out.Lower[k] = max(out.Lower[k], lo)
		out.Upper[k] = min(out.Upper[k], b.Upper[k])
	}
	return out
}

// active reports whether an end has leaves to split and some left to spend.
func (f *refiner) active() bool {
	return slices.ContainsFunc(f.ends, func(t end) bool { return t.active() })
}

// unfinished reports whether an end has leaves to split.
func (f *refiner) unfinished() bool {
	return slices.ContainsFunc(f.ends, func(t end) bool { return t.unfinished() })
}

// bytes is about what all leaves occupy.
func (f *refiner) bytes() int64 {
	b := int64(0)
	for k := range f.ends {
		b += f.ends[k].leaves.bytes
	}
	return b
}

// tighten is known with tighter intervals of the node; nil if one is empty.
func (f *refiner) tighten(known []bounds.Interval) []bounds.Interval {
	z := bounds.Interval{Lower: slices.Clone(known[f.node].Lower), Upper: slices.Clone(known[f.node].Upper)}
	for k := range f.ends {
		t := &f.ends[k]
		if t.sign > 0 {
			z.Lower[t.index] = max(z.Lower[t.index], t.bound())
		} else {
			z.Upper[t.index] = min(z.Upper[t.index], -t.bound())
		}
		if z.Lower[t.index] > z.Upper[t.index] {
			return nil
		}
	}
	known = slices.Clone(known)
	known[f.node] = z
	return known
}

// round splits the weakest leaves of every active end: the fewer ends there are,
// the more of each.
func (f *refiner) round(ctx context.Context) error {
	active := 0
	for k := range f.ends {
		if f.ends[k].active() {
			active++
		}
	}
	each := 1 + refineBatch/(2*active+1)
	var batch []*domain
	for k := range f.ends {
		t := &f.ends[k]
		if !t.active() {
			continue
		}
		for _, d := range t.leaves.pop(min(each, 1+t.leaves.len()/4), false) {
			if t.spent == 0 {
				batch = append(batch, d)
				continue
			}
			for _, c := range d.children() {
				c.settled = math.MaxInt
				batch = append(batch, c)
			}
		}
		if len(batch) >= refineBatch {
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
	f.whole.res.Stats.Domains += len(leaves)
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
