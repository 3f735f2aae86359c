package bab

import (
	"math"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/spec"
)

// domain is one sub-problem.
type domain struct {
	caseIndex int
	known     []bounds.Interval  // by node; node 0 is the box of inputs
	settled   int                // nodes below it were not touched by the last split
	splits    []bounds.Split     // of neurons, oldest first
	warm      *bounds.Warm       // of the parent
	corner    []bounds.Halfspace // where alone the open conjunction can hold; may be nil
	whole     float64            // the bound when all nodes were last bounded in a corner; 0: never
	open      []int              // conjunctions that are still possible
	bound     float64            // least over open of the best lower bound
	apart     float64            // that without joint envelopes (bounds.Envelope)
	split     split              // how to split it
	depth     int
}

// split is an element of a node to be cut in two at a point. Node 0 is the
// input; −1 says that there is nothing left to split.
type split struct {
	node, index int
	point       float64
}

// query is the domain as the bounder takes it.
func (d *domain) query(g *group, prop *spec.Property) bounds.Domain {
	q := bounds.Domain{Region: prop.Cases[d.caseIndex].Region, Known: d.known, Settled: d.settled, Splits: d.splits, Warm: d.warm, Halfspaces: d.corner}
	if len(d.open) < len(g.rows) {
		q.Only = []int{}
		for _, c := range d.open {
			for f := g.rows[c][0]; f < g.rows[c][1]; f++ {
				q.Only = append(q.Only, f)
			}
		}
	}
	return q
}

// judge drops the conjunctions that the bounds exclude. The domain's bound
// becomes the least over those that stay, or, if none does, over those dropped.
func (d *domain) judge(g *group, r *bounds.DomainResult) {
	open := make([]int, 0, len(d.open))
	least, leastOpen := math.Inf(1), math.Inf(1)
	for _, c := range d.open {
		v, _ := g.best(c, r)
		if v > 0 {
			least = min(least, v)
			continue
		}
		leastOpen = min(leastOpen, v)
		open = append(open, c)
	}
	d.open = open
	if len(open) == 0 {
		d.bound = d.nothing(least)
		return
	}
	d.bound = max(d.bound, leastOpen) // what held for the parent holds here
	if r.Apart != nil {
		leastOpen = d.least(g, r.Apart)
	}
	d.apart = max(d.apart, leastOpen)
}

// least is the bound of the open conjunctions by these lower bounds of the functions.
func (d *domain) least(g *group, lower []float64) float64 {
	least := math.Inf(1)
	for _, c := range d.open {
		v, _ := g.best(c, &bounds.DomainResult{Lower: lower})
		least = min(least, v)
	}
	return least
}

// adopt keeps the intervals that children start from.
func (d *domain) adopt(r *bounds.DomainResult, keep []int) {
	known := make([]bounds.Interval, len(r.Nodes))
	total := 2 * len(r.Nodes[0].Lower)
	for _, i := range keep {
		total += 2 * len(r.Nodes[i].Lower)
	}
	all := make([]float64, 0, total)
	hold := func(i int) {
		from := len(all)
		all = append(append(all, r.Nodes[i].Lower...), r.Nodes[i].Upper...)
		n := len(r.Nodes[i].Lower)
		known[i] = bounds.Interval{Lower: all[from : from+n : from+n], Upper: all[from+n : from+2*n : from+2*n]}
	}
	hold(0)
	for _, i := range keep {
		if i > 0 {
			hold(i)
		}
	}
	d.known = known
	d.warm = r.Warm
}

// children are the two halves of the domain's split.
func (d *domain) children() []*domain {
	s := d.split
	low, high := d.child(true), d.child(false)
	low.known[s.node].Upper[s.index] = math.Min(low.known[s.node].Upper[s.index], s.point)
	high.known[s.node].Lower[s.index] = math.Max(high.known[s.node].Lower[s.index], s.point)
	return []*domain{low, high}
}

// child is a copy of d whose interval of the split node is its own.
func (d *domain) child(below bool) *domain {
	c := &domain{caseIndex: d.caseIndex, open: d.open, bound: d.bound, apart: d.apart, depth: d.depth + 1, splits: d.splits, warm: d.warm, corner: d.corner, whole: d.whole}
	c.known = append([]bounds.Interval(nil), d.known...)
	k := d.known[d.split.node]
	c.known[d.split.node] = bounds.Interval{Lower: append([]float64(nil), k.Lower...), Upper: append([]float64(nil), k.Upper...)}
	if d.split.node > 0 {
		d.settle(c, d.split.node)
		c.splits = append(d.splits[:len(d.splits):len(d.splits)], bounds.Split{Node: d.split.node, Index: d.split.index, Below: below, Point: d.split.point})
	}
	return c
}

// bytes is about what the domain occupies.
func (d *domain) bytes() int64 {
	n := int64(256) + 40*int64(len(d.splits)) + d.warm.Bytes()
	for _, h := range d.corner { // half of it, since both children share it
		n += 4*int64(len(h.Coef)) + 16
	}
	for _, k := range d.known {
		n += 16*int64(len(k.Lower)) + 48
	}
	return n
}
