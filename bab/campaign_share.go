package bab

// Bounds shared by the instances of a campaign.
//
// Bounding a whole region starts with intervals of all pre-activations, which
// depend on the network and the region but not on the property. Instances on
// the same region (one image, each target class) need them once. And where one
// region lies inside another (one image, many radii), intervals of the larger
// one hold on the smaller one: neurons that are stable there need no backward
// pass here.
//
// The distinct regions of the list form a forest. A region's parent is the
// tightest box of the list that encloses it; "box" includes Linf balls, which
// are bounded as their boxes. The intervals of a region are a function of the
// list alone: those of its parent, tightened on the region itself. They are
// computed when an instance first asks and kept while they are among the most
// recently used; computing them again gives the same numbers, so neither
// timing nor the number of workers shows in a result.
//
// An instance on a region whose own intervals are known takes them as settled:
// they are what the bounder would compute again, as long as it bounds
// pre-activations without regard to the property. Crown and AlphaBeta do, but
// for roots that a neuron search optimises first: these only start from them.
//
// What it saves: with mnist_fc 256x4 and no attack, 90 targeted properties on
// 10 regions take 2.1 ms of CPU each instead of 3.4; 12 radii around each of 5
// images take the same with and without, since a region costs few ms to bound.
//
// Soundness: Domain.Known may hold bounds of any region that contains the
// domain's. Containment is decided by exact comparisons of the boxes.

import (
	"container/list"
	"context"
	"math"
	"slices"
	"sync"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/spec"
)

// sharing is the forest of regions and the intervals known so far.
// Safe for concurrent use.
type sharing struct {
	model   *bounds.Model
	bounder bounds.Bounder
	regions []*sharedRegion
	of      [][]*sharedRegion // by instance and case; nil where nothing is unsafe
	order   []int             // of instances: nested regions side by side

	mu     sync.Mutex
	recent *list.List // of *sharedRegion whose intervals are kept
	keep   int
}

// sharedRegion is one distinct region.
type sharedRegion struct {
	region   spec.Region // what is bounded
	boxLike  bool
	width    float64       // sum of the box's widths
	parent   *sharedRegion // the tightest box around it
	children []*sharedRegion
	users    []int // instances, ascending; one may occur more than once

	busy  chan struct{} // holds a token while somebody computes
	known []bounds.Interval
	place *list.Element
}

// mostNested is up to how many distinct regions the forest is built; finding
// parents takes time quadratic in their number.
const mostNested = 1 << 13

// keptRegions is how many regions' intervals are kept.
const keptRegions = 64

func newSharing(m *bounds.Model, b bounds.Bounder, instances []Instance) *sharing {
	if b == nil {
		b = bounds.Crown{}
	}
	s := &sharing{model: m, bounder: b, of: make([][]*sharedRegion, len(instances)), recent: list.New(), keep: keptRegions}
	found := map[[32]byte]*sharedRegion{}
	for i, in := range instances {
		s.of[i] = make([]*sharedRegion, len(in.Property.Cases))
		for k, c := range in.Property.Cases {
			if len(c.Unsafe) == 0 {
				continue
			}
			region, boxLike := c.Region, isBox(c.Region)
			if boxLike {
				region = c.Region.Box()
			}
			key := hashOf(region)
			r := found[key]
			if r == nil {
				r = &sharedRegion{region: region, boxLike: boxLike, width: totalWidth(region.Box()), busy: make(chan struct{}, 1)}
				found[key] = r
				s.regions = append(s.regions, r)
			}
			r.users = append(r.users, i)
			s.of[i][k] = r
		}
	}
	if len(s.regions) <= mostNested {
		nest(s.regions)
	}
	s.order = s.visit(len(instances))
	return s
}

// isBox reports whether a region is its box.
func isBox(r spec.Region) bool {
	switch v := r.(type) {
	case spec.Box, *spec.Box:
		return true
	case *spec.Ball:
		return v.Norm == spec.LInf
	}
	return false
}

func totalWidth(b spec.Box) float64 {
	w := 0.0
	for j, lo := range b.Lower {
		w += b.Upper[j] - lo
	}
	return w
}

// nest finds every region's parent. Of equally tight ones the first in the
// list counts.
func nest(regions []*sharedRegion) {
	var boxes []*sharedRegion
	for _, r := range regions {
		if r.boxLike {
			boxes = append(boxes, r)
		}
	}
	slices.SortStableFunc(boxes, func(a, b *sharedRegion) int {
		switch {
		case a.width < b.width:
			return -1
		case a.width > b.width:
			return 1
		}
		return 0
	})
	for _, r := range regions {
		box := r.region.Box()
		for _, b := range boxes {
			// A box of the same width is no parent of a box: that would be a circle.
			if b.width < r.width || (b.width == r.width && r.boxLike) || !encloses(b.region.Box(), box) {
				continue
			}
			r.parent = b
			b.children = append(b.children, r)
			break
		}
	}
}

// encloses reports whether every point of b lies in a. It starts in the middle,
// where images differ.
func encloses(a, b spec.Box) bool {
	n := len(a.Lower)
	for k := range n {
		j := (n/2 + k) % n
		if !(a.Lower[j] <= b.Lower[j] && b.Upper[j] <= a.Upper[j]) {
			return false
		}
	}
	return true
}

// visit is the instances in the order in which their regions are met from
// parents to children.
func (s *sharing) visit(n int) []int {
	order := make([]int, 0, n)
	seen := make([]bool, n)
	take := func(i int) {
		if !seen[i] {
			seen[i] = true
			order = append(order, i)
		}
	}
	stack := []*sharedRegion{}
	for _, root := range s.regions {
		if root.parent != nil {
			continue
		}
		for stack = append(stack, root); len(stack) > 0; {
			r := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			for _, i := range r.users {
				take(i)
			}
			for _, c := range slices.Backward(r.children) {
				stack = append(stack, c)
			}
		}
	}
	for i := range n {
		take(i) // one without any region
	}
	return order
}

// bounds is what instance i starts from in its case k, as sharedBounds says.
func (s *sharing) bounds(ctx context.Context, i, k int) ([]bounds.Interval, int, error) {
	r := s.of[i][k]
	switch {
	case r == nil:
		return nil, 0, nil
	case len(r.users) > 1 || len(r.children) > 0:
		known, err := s.intervals(ctx, r)
		if known == nil {
			return nil, 0, err
		}
		return known, math.MaxInt, nil
	case r.parent != nil:
		known, err := s.intervals(ctx, r.parent)
		return known, 0, err
	}
	return nil, 0, nil
}

// intervals is the pre-activations' intervals on a region, or nil if there are
// none to share.
func (s *sharing) intervals(ctx context.Context, r *sharedRegion) ([]bounds.Interval, error) {
	// From the region up to the first ancestor whose intervals are kept.
	var path []*sharedRegion
	var known []bounds.Interval
	for at := r; at != nil && known == nil; at = at.parent {
		if known = s.kept(at); known == nil {
			path = append(path, at)
		}
	}
	for _, at := range slices.Backward(path) {
		var err error
		if known, err = s.compute(ctx, at, known); err != nil {
			return nil, err
		}
	}
	return known, nil
}

// compute bounds a region unless somebody else just has. Whoever waits for
// another worker's result does so no longer than its own context.
func (s *sharing) compute(ctx context.Context, r *sharedRegion, parent []bounds.Interval) ([]bounds.Interval, error) {
	select {
	case r.busy <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-r.busy }()
	if known := s.kept(r); known != nil {
		return known, nil
	}
	q := &bounds.Query{Domains: []bounds.Domain{{Region: r.region, Known: parent}}}
	res, err := s.bounder.Bound(ctx, s.model, q)
	if err != nil {
		return nil, err
	}
	known := make([]bounds.Interval, len(s.model.Network().Nodes()))
	for _, i := range s.model.Preactivations() {
		if n := res[0].Nodes; i > 0 && i < len(n) && n[i].Lower != nil && !res[0].Infeasible {
			known[i] = bounds.Interval{Lower: slices.Clone(n[i].Lower), Upper: slices.Clone(n[i].Upper)}
		}
	}
	s.store(r, known)
	return known, nil
}

func (s *sharing) kept(r *sharedRegion) []bounds.Interval {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.known != nil {
		s.recent.MoveToFront(r.place)
	}
	return r.known
}

// store keeps a region's intervals and drops the least recently used ones.
func (s *sharing) store(r *sharedRegion, known []bounds.Interval) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r.known, r.place = known, s.recent.PushFront(r)
	for s.recent.Len() > s.keep {
		old := s.recent.Remove(s.recent.Back()).(*sharedRegion)
		old.known, old.place = nil, nil
	}
}
