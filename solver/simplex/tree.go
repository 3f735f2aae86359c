package simplex

import (
	"container/heap"
	"context"
	"math"
	"sync"
	"sync/atomic"

	"github.com/vouchnn/vouch/solver"
)

// The tree: rounds of tasks.
//
// Open nodes wait in a heap by their bound. A round takes the best few, and each
// becomes a task (task.go): a search below that node with a fixed budget, which knows
// the incumbent and the pseudo-costs as of the round's start and starts from the
// node's own basis. What tasks found is merged in the order of the tasks, not in that
// of their ends. So how many goroutines share the tasks changes the time and nothing
// else: the path through the tree is the same for one as for many.
//
// The price is that a task does not see what its neighbours find until the round ends.
// The number of tasks therefore follows the number of open nodes.

const (
	tasksAtMost  = 16
	nodesPerTask = 24
	openPerTask  = 3 // open nodes for every task of a round
)

// node is an open box: its parent's with one bound moved, and what reduced costs have
// tightened since.
type node struct {
	parent  *node
	moves   []move
	bound   float64 // shown
	value   float64 // of the parent's linear program, NaN if it had none
	depth   int
	id      int
	deep    bool    // the deepest go first: the bound does not matter
	basis   []place // of the parent
	j       int     // the variable branched on, −1 at the root
	upward  bool
	stretch float64 // by how much the branching moved it
}

// move is a bound of a variable.
type move struct {
	j     int
	upper bool
	v     float64
}

// nodeHeap is ordered by bound, then by depth and age; by depth and age if the
// objective is lent, as then no point makes other nodes superfluous.
type nodeHeap []*node

func (h nodeHeap) Len() int { return len(h) }
func (h nodeHeap) Less(a, b int) bool {
	if !h[a].deep && h[a].bound != h[b].bound {
		return h[a].bound < h[b].bound
	}
	if h[a].depth != h[b].depth {
		return h[a].depth > h[b].depth
	}
	return h[a].id < h[b].id
}
func (h nodeHeap) Swap(a, b int) { h[a], h[b] = h[b], h[a] }

// Push and Pop are container/heap's.
func (h *nodeHeap) Push(x any) { *h = append(*h, x.(*node)) }

// Pop removes the last.
func (h *nodeHeap) Pop() any {
	old := *h
	n := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return n
}

// tree is the open nodes, and workers with their linear programs.
type tree struct {
	*search
	open    nodeHeap
	lower   []float64 // the root's box
	upper   []float64
	workers []*worker
	created int // nodes so far
	rounds  int
}

func newTree(s *search) *tree {
	t := &tree{search: s}
	for j := range s.p.Variables {
		t.lower, t.upper = append(t.lower, s.p.Variables[j].Lower), append(t.upper, s.p.Variables[j].Upper)
	}
	return t
}

// grow works off the heap.
func (t *tree) grow(ctx context.Context) *solver.Solution {
	for {
		t.prune()
		if len(t.open) == 0 {
			return t.finish()
		}
		if !t.fits() {
			return t.limit(ctx, solver.ReasonMemory, t.open[0].bound)
		}
		t.report(len(t.open), t.open[0].bound)
		if reason, stop := t.reason(ctx); stop {
			return t.limit(ctx, reason, t.open[0].bound)
		}
		tasks := t.round()
		t.perform(ctx, tasks)
		for _, k := range tasks {
			t.merge(k)
		}
		t.rounds++
	}
}

// nodeBytes is what an open node takes, without its basis: itself, its moves, and a share
// of its ancestors.
const nodeBytes = 512

// fits reports that the open nodes fit into the memory allowed. If need be it drops
// their bases; they start from the root's then.
func (t *tree) fits() bool {
	memory := t.workers[0].r.s.memory()
	nodes, each := int64(len(t.open)), int64(len(t.p.Variables)+len(t.p.Rows))
	if nodes*(nodeBytes+each) > memory {
		for _, n := range t.open {
			n.basis = nil
		}
	}
	return nodes*nodeBytes <= memory
}

// prune drops nodes that the incumbent has overtaken.
func (t *tree) prune() {
	cutoff := t.cutoff()
	if t.lent {
		if t.answer != nil {
			t.open = t.open[:0]
		}
		return
	}
	for len(t.open) > 0 && t.open[0].bound >= cutoff {
		t.lost = min(t.lost, t.open[0].bound)
		t.open = t.open[:0] // the others' bounds are no less
	}
}

// round makes tasks of the best open nodes.
func (t *tree) round() []*task {
	count := min(max(len(t.open)/openPerTask, 1), tasksAtMost)
	each := nodesPerTask
	if t.opts.MaxNodes > 0 {
		left := t.opts.MaxNodes - t.nodes
		count = min(count, left)
		each = min(each, left/count)
	}
	tasks := make([]*task, 0, count)
	for i := range count {
		n := heap.Remove(&t.open, t.pick(i)).(*node)
		tasks = append(tasks, newTask(t.search, n, each, t.rounds*tasksAtMost+len(tasks)))
	}
	return tasks
}

// pick is the node of the round's task i: the first; every other time, if the objective
// is lent, the one with the least bound, lest the search be lost in a deep corner.
func (t *tree) pick(i int) int {
	best := 0
	if t.lent && i%2 == 1 {
		for k, n := range t.open {
			if n.bound < t.open[best].bound || n.bound == t.open[best].bound && n.id < t.open[best].id {
				best = k
			}
		}
	}
	return best
}

// perform runs the tasks on as many goroutines as there are workers.
func (t *tree) perform(ctx context.Context, tasks []*task) {
	count := min(t.search.workers(), len(tasks))
	for len(t.workers) < count {
		t.workers = append(t.workers, t.newWorker())
	}
	if count == 1 {
		for _, k := range tasks {
			k.run(ctx, t.workers[0])
		}
		return
	}
	var next atomic.Int64
	var group sync.WaitGroup
	for _, w := range t.workers[:count] {
		group.Go(func() {
			for k := int(next.Add(1)) - 1; k < len(tasks); k = int(next.Add(1)) - 1 {
				tasks[k].run(ctx, w)
			}
		})
	}
	group.Wait()
}

// merge takes over what a task found.
func (t *tree) merge(k *task) {
	t.nodes += k.nodes
	t.iterations += k.iterations
	t.trials += k.trials
	t.lost, t.stuck = min(t.lost, k.lost), min(t.stuck, k.stuck)
	t.doubtful = t.doubtful || k.doubtful
	for _, o := range k.seen {
		t.costs.add(o)
	}
	if k.point != nil && t.accept(k.best, k.point, k.full) {
		t.improve()
	}
	for _, n := range k.left {
		t.push(n)
	}
}

func (t *tree) push(n *node) {
	n.id, n.deep = t.created, t.lent
	t.created++
	heap.Push(&t.open, n)
}

// worker has a linear program and a box, and nothing that outlives a task but room.
type worker struct {
	r          *relaxation
	d          *domains
	save       saved
	lower      []float64 // scratch
	upper      []float64
	rootLower  []float64 // the root's box, shared
	rootUpper  []float64
	fractional []int
	at         []place
	ready      bool
}

func (t *tree) newWorker() *worker {
	w := &worker{
		r: newRelaxation(t.p, &t.opts, t.keep), d: newDomains(t.p, t.rowsOf),
		rootLower: t.lower, rootUpper: t.upper,
		lower: make([]float64, len(t.lower)), upper: make([]float64, len(t.upper)),
	}
	w.ready = w.r.start()
	return w
}

// enter makes the worker's box that of a node; false if it is empty.
func (w *worker) enter(n *node) bool {
	w.d.reset(w.rootLower, w.rootUpper)
	for ; n != nil; n = n.parent {
		if !w.apply(n.moves) {
			w.d.forget()
			return false
		}
	}
	return w.d.propagate()
}

func (w *worker) apply(moves []move) bool {
	for _, m := range moves {
		if m.upper && !w.d.setUpper(m.j, m.v) || !m.upper && !w.d.setLower(m.j, m.v) {
			return false
		}
	}
	return true
}

// outside reports that the box has moved away from the linear program's point.
func (w *worker) outside() bool {
	for _, j := range w.d.touched {
		if x := w.r.x[j]; x < w.d.lower[j]-1e-6 || x > w.d.upper[j]+1e-6 {
			return true
		}
	}
	return false
}

// fractions lists the integer variables whose value is not near an integer.
func (w *worker) fractions(integers []int, near float64) []int {
	w.fractional = w.fractional[:0]
	for _, j := range integers {
		if v := w.r.x[j]; math.Abs(v-math.Round(v)) > near {
			w.fractional = append(w.fractional, j)
		}
	}
	return w.fractional
}
