package simplex

import (
	"context"
	"math"
)

// A task: the search below one node.
//
// The task plunges: it solves a node, branches, and goes on with the child that looks
// better, while the other waits in the task's own list. When a plunge ends the list's
// best goes next. After its budget of nodes the task hands its list to the tree.
//
// At a node: the box is propagated; the linear program is solved from the last basis;
// if its bound shows nothing better than the incumbent, or its ray that nothing is
// feasible, the node is gone; reduced costs tighten the box; points are tried; and a
// variable is chosen (branching.go).

// task is a node to search below and what came of it. It depends on its node and on
// the search as it was at the round's start only.
type task struct {
	*search
	number int
	list   []*node
	most   int
	costs  *pseudoCosts

	best        float64 // objective of point, or of the incumbent
	point, full []float64
	lost, stuck float64
	doubtful    bool
	seen        []observation
	left        []*node
	nodes       int
	iterations  int
	trials      int // iterations of strong branching
	before      int // the worker's iterations before
}

func newTask(s *search, n *node, most, number int) *task {
	k := &task{
		search: s, number: number, list: []*node{n}, most: most, costs: newPseudoCosts(len(s.p.Variables)),
		best: s.best, lost: math.Inf(1), stuck: math.Inf(1),
	}
	k.costs.copyFrom(s.costs)
	return k
}

func (k *task) cutoff() float64 { return k.below(k.best) }

// run searches on a worker.
func (k *task) run(ctx context.Context, w *worker) {
	defer func() { k.left = k.list }()
	if !w.ready {
		k.doubtful = true
		return
	}
	k.before = w.r.total
	basis := k.list[0].basis
	if basis == nil {
		basis = k.search.basis
	}
	if basis != nil && !w.r.load(ctx, basis) {
		return
	}
	for k.nodes < k.most && len(k.list) > 0 && ctx.Err() == nil {
		n := k.take()
		if n.bound >= k.cutoff() {
			if !k.lent {
				k.lost = min(k.lost, n.bound)
			}
			continue
		}
		for n != nil && k.nodes < k.most {
			next, finished := k.visit(ctx, w, n)
			if !finished {
				k.list = append(k.list, n)
				k.iterations += w.r.total - k.before
				return
			}
			n = next
		}
		if n != nil {
			k.list = append(k.list, n)
		}
	}
	k.iterations += w.r.total - k.before
}

// take removes the node with the least bound from the list.
func (k *task) take() *node {
	best := len(k.list) - 1
	for i := len(k.list) - 2; i >= 0; i-- {
		if !k.lent && k.list[i].bound < k.list[best].bound {
			best = i
		}
	}
	n := k.list[best]
	k.list = append(k.list[:best], k.list[best+1:]...)
	return n
}

// discard notes that a box with nothing better than the cutoff is gone.
func (k *task) discard() {
	if !k.lent {
		k.lost = min(k.lost, k.cutoff())
	}
}

// visit works on a node. next is the child to go on with, nil if the node is done or
// its children wait; finished is false if the context ended before.
func (k *task) visit(ctx context.Context, w *worker, n *node) (next *node, finished bool) {
	k.nodes++
	if !w.enter(n) {
		return nil, true
	}
	for {
		w.r.setBounds(w.d.lower, w.d.upper)
		switch w.r.solve(ctx, k.cutoff(), 0) {
		case empty:
			return nil, true
		case cutOff:
			k.learn(w, n, true)
			k.discard()
			return nil, true
		case halted:
			k.nodes--
			return nil, false
		case vague, endless:
			return k.blind(w, n), true
		}
		n.bound = max(n.bound, w.r.bound)
		k.learn(w, n, false)
		n.j = -1 // learnt
		if !k.tighten(w, n) {
			return nil, true
		}
		if w.outside() {
			continue
		}
		fractional := w.fractions(k.integers, k.near)
		k.tryRounding(w, fractional)
		if k.nodes%fixEvery == 1 && k.mayFix() {
			k.fixAndPropagate(w, w.r.x)
		}
		if k.nodes == 1 && k.diveHere() {
			if k.dive(ctx, w); ctx.Err() != nil {
				k.nodes--
				return nil, false
			}
		}
		if n.bound >= k.cutoff() {
			k.discard()
			return nil, true
		}
		if len(fractional) == 0 {
			return k.leaf(ctx, w, n)
		}
		next, again, finished := k.split(ctx, w, n, fractional)
		if !again {
			return next, finished
		}
	}
}

// split branches on a fractional variable; again asks for another linear program, as
// trials have moved bounds.
func (k *task) split(ctx context.Context, w *worker, n *node, fractional []int) (next *node, again, finished bool) {
	c := k.choose(ctx, w, fractional)
	switch {
	case c.stopped:
		k.nodes--
		return nil, false, false
	case c.dead:
		return nil, false, true
	case c.tightened:
		n.moves = append(n.moves, c.moves...)
		again = w.apply(c.moves) && w.d.propagate()
		return nil, again, true
	}
	return k.branch(w, n, c.j, w.r.x[c.j], c.upward), false, true
}

// learn notes what the branching that made the node brought.
func (k *task) learn(w *worker, n *node, passed bool) {
	if n.j < 0 || math.IsNaN(n.value) || !(n.stretch > 0) {
		return
	}
	value := w.r.bound
	if !passed {
		value = max(w.r.s.p.Value(w.r.x), w.r.bound)
	}
	gain := max(0, value-n.value) / n.stretch
	if math.IsInf(gain, 0) || math.IsNaN(gain) {
		return
	}
	direction := goDown
	if n.upward {
		direction = goUp
	}
	k.note(observation{n.j, direction, gain})
}

func (k *task) note(o observation) {
	k.costs.add(o)
	k.seen = append(k.seen, o)
}

// tighten moves bounds by reduced costs, and keeps the moves with the node; false if
// that leaves nothing.
func (k *task) tighten(w *worker, n *node) bool {
	if math.IsInf(k.cutoff(), 0) {
		return true
	}
	w.d.touched = w.d.touched[:0]
	copy(w.lower, w.d.lower)
	copy(w.upper, w.d.upper)
	if !w.r.reducedCostBounds(k.cutoff(), w.d) {
		w.d.forget()
		k.discard()
		return false
	}
	if len(w.d.touched) == 0 {
		return true
	}
	for _, j := range w.d.touched {
		if w.d.lower[j] > w.lower[j] {
			n.moves = append(n.moves, move{j, false, w.d.lower[j]})
		}
		if w.d.upper[j] < w.upper[j] {
			n.moves = append(n.moves, move{j, true, w.d.upper[j]})
		}
	}
	k.discard() // what was cut off is no better than the cutoff
	return w.d.propagate()
}

// offer tries a point with integers.
func (k *task) offer(x []float64) bool {
	if !k.lent && k.p.Value(x) >= k.best {
		return false
	}
	v, full := k.value(x)
	if full == nil || v >= k.best {
		return false
	}
	k.best, k.point, k.full = v, append([]float64{}, x...), full
	return true
}

// tryRounding offers the node's point, rounded the way no row objects.
func (k *task) tryRounding(w *worker, fractional []int) {
	if x, ok := roundedByRows(k.p, w.r.x, fractional, k.up, k.down); ok {
		k.offer(x)
	}
}

// branch makes two children; the one to go on with is returned, the other listed.
// The variable's value x lies strictly between two integers.
func (k *task) branch(w *worker, n *node, j int, x float64, upward bool) *node {
	value := math.NaN()
	var basis []place
	if w.r.x != nil {
		value, basis = max(n.bound, w.r.s.p.Value(w.r.x)), w.r.s.e.places()
	}
	floor := math.Floor(x)
	down := &node{
		parent: n, moves: []move{{j, true, floor}}, bound: n.bound, value: value, depth: n.depth + 1,
		basis: basis, j: j, stretch: x - floor,
	}
	up := &node{
		parent: n, moves: []move{{j, false, floor + 1}}, bound: n.bound, value: value, depth: n.depth + 1,
		basis: basis, j: j, upward: true, stretch: floor + 1 - x,
	}
	n.basis = nil
	if upward {
		down, up = up, down
	}
	k.list = append(k.list, up)
	return down
}
