package reach

// exact-star: the output set as a union of stars, without loss.
//
// At a neuron that may be on either side of zero the star is split in two by the
// half-spaces x ≤ 0 and x ≥ 0; on each side the activation is a straight line. The
// parts go on node by node. Variables are only those of the input; splits add rows.
//
// Which side a neuron can be on is found from: the box of the variables, which
// every row tightens; points of the star that earlier programs came with and that
// already lie on both sides; and two linear programs at most, from a session that
// stays warm from neuron to neuron. A neuron taken for undecided that is not costs
// an empty part, never a wrong one.
//
// Parts wait on a stack. In each round some of its top are worked on at the same
// time, each depth first for a limited number of leaves, and what they leave is put
// back in order, so that the answer does not depend on the number of processors.
// Memory is that of the stack: depth first, a few stars per neuron. When it nears
// its limit only the top star is worked on.
//
// Where only a verdict is wanted, a part is first looked at with approx-star from
// where it is: if that proves the part safe, it need not be split any further; else
// the point at which the proof fails is a candidate for a counterexample, and the
// neurons whose relaxation costs the proof most are split first (within a layer the
// order does not matter to the union). This is ours; Options.NoPrefilter leaves it
// out, and sets of outputs are never cut short.
//
// Source: Tran et al. 2019, FM; for images Tran et al.
// 2020, CAV. Deviation: a part keeps the splits of the layer it is in as a list of
// slopes and makes its form once, at the end of the layer.

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/vouchnn/vouch/internal/parallel"
	"github.com/vouchnn/vouch/spec"
)

// part is a star on its way through the network.
type part struct {
	p      *predicate
	forms  []*form // by node; not shared with another part
	node   int     // the node to be computed next
	points [][]float64
	// prefer is the elements of node preferAt by how much their splits promise.
	prefer   map[int]float64
	preferAt int

	// Of the node, if it is an activation or a pool that has been begun.
	begun  bool
	sides  []int8    // of the elements decided so far: 1 is x ≥ 0, −1 x ≤ 0
	over   []float64 // by how much an element may be beyond its side
	ranges spread    // of the elements when it was begun
	open   []int     // elements, or windows, still to be decided
	rows   map[int]*expr
	source []int // per window its maximum
}

// split is a copy of s to go its own way.
func (s *part) split() *part {
	t := *s
	t.p, t.forms = s.p.clone(), slices.Clone(s.forms)
	t.sides, t.over, t.source = slices.Clone(s.sides), slices.Clone(s.over), slices.Clone(s.source)
	t.points = nil
	return &t
}

func (s *part) bytes() int64 {
	n := int64(8 * (len(s.sides) + len(s.over) + len(s.source) + 5*s.p.box.len()*(1+len(s.points))))
	for _, f := range s.forms[1:] {
		if f != nil {
			n += f.bytes()
		}
	}
	return n
}

// ErrMemory and ErrStars end Model.Reach by ExactStar at a limit of its options. Of
// Model.Verify they are the reason of an Unknown, not an error.
var (
	ErrMemory = errors.New("reach: the stars exceed Options.MaxMemory")
	ErrStars  = errors.New("reach: more stars than Options.MaxStars")
)

// exact is one exact analysis over one region.
type exact struct {
	m     *Model
	o     *Options
	begun time.Time
	// look, if not nil, says of the set that approx-star makes of a part whether the
	// part is settled, and in any case what collect is to get of it, nil for nothing.
	look  func(ctx context.Context, a *analysis) (settled bool, found any)
	stack []*part
	stars int // that have reached the output
	lps   int
	// splits is how many parts others came from, frontier the most that waited.
	splits, frontier int
	kept             int64 // bytes that the leaves' receiver keeps
}

// leaf is a star at the output. What examine returns is handed to collect, in
// order; examine is called from several goroutines.
type leaf struct {
	image *image
	lps   int
}

const (
	exactWidth  = 16 // parts worked on in a round
	exactLeaves = 8  // leaves of each
)

// run drives parts to the output. It ends when the stack is empty, collect returns
// true, ctx ends or a limit is reached.
func (e *exact) run(ctx context.Context, region spec.Box, examine func(context.Context, *leaf) (any, error), collect func(any) bool) error {
	root := &part{p: &predicate{}, forms: make([]*form, len(e.m.nodes)), node: 1}
	root.forms[0] = inputForm(region, e.m.nodes[0].Shape, &root.p.box)
	e.stack = []*part{root}
	for len(e.stack) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		waiting := e.kept
		for _, s := range e.stack {
			waiting += s.bytes()
		}
		if waiting > 2*e.o.MaxMemory {
			return ErrMemory
		}
		e.frontier = max(e.frontier, len(e.stack))
		width, leaves := min(exactWidth, len(e.stack)), exactLeaves
		if waiting > e.o.MaxMemory {
			width, leaves = 1, 1
		}
		top := e.stack[len(e.stack)-width:]
		tasks := make([]*task, width)
		for i := range tasks {
			// The stack's last is the first to go.
			tasks[i] = &task{e: e, stack: []*part{top[width-1-i]}, leaves: leaves, examine: examine}
		}
		parallel.For(width, 1, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				tasks[i].run(ctx)
			}
		})
		e.stack = e.stack[:len(e.stack)-width]
		for i := len(tasks) - 1; i >= 0; i-- {
			e.stack = append(e.stack, tasks[i].stack...)
		}
		if done, err := e.gather(tasks, collect); done || err != nil {
			return err
		}
	}
	return nil
}

// gather takes over what a round has found.
func (e *exact) gather(tasks []*task, collect func(any) bool) (done bool, err error) {
	for _, t := range tasks {
		e.lps += t.lps
		e.splits += t.splits
		e.stars += t.stars
		for _, found := range t.found {
			if collect(found) {
				return true, nil
			}
		}
		if t.err != nil {
			return true, t.err
		}
	}
	if e.o.Progress != nil {
		e.o.Progress(Progress{Elapsed: time.Since(e.begun), Node: e.m.output, Stars: e.stars, Open: len(e.stack)})
	}
	if e.o.MaxStars > 0 && e.stars >= e.o.MaxStars && len(e.stack) > 0 {
		return true, ErrStars
	}
	return false, nil
}

// task works on one part of a round and what comes of it.
type task struct {
	e       *exact
	stack   []*part
	leaves  int
	examine func(context.Context, *leaf) (any, error)
	found   []any
	stars   int // that have reached the output or were settled before
	lps     int
	splits  int
	err     error
}

// settled reports whether a part needs no further splits.
func (t *task) settled(ctx context.Context, s *part) (bool, error) {
	if t.e.look == nil {
		return false, nil
	}
	a, err := t.e.m.resume(ctx, s, t.e.o)
	if err != nil {
		return false, err
	}
	settled, found := t.e.look(ctx, a)
	if found != nil {
		t.found = append(t.found, found)
	}
	if settled {
		t.stars++
		return true, nil
	}
	s.prefer, s.preferAt = a.promise, a.first
	if s.begun && s.node == a.first {
		s.sort()
	}
	return false, nil
}

func (t *task) run(ctx context.Context) {
	for len(t.stack) > 0 && t.stars < t.leaves && t.err == nil {
		s := t.stack[len(t.stack)-1]
		t.stack = t.stack[:len(t.stack)-1]
		alive, err := t.drive(ctx, s)
		if err != nil {
			t.err = err
			return
		}
		if !alive {
			continue
		}
		l := &leaf{image: newImage(s.p, s.forms[0], s.forms[t.e.m.output])}
		found, err := t.examine(ctx, l)
		t.lps += l.lps
		if err != nil {
			t.err = err
			return
		}
		t.found = append(t.found, found)
		t.stars++
	}
}

// drive takes a part to the output, leaving the other sides of its splits on the
// stack. It reports false if the part turned out to be empty.
func (t *task) drive(ctx context.Context, s *part) (alive bool, err error) {
	m := t.e.m
	d := &driver{t: t, s: s}
	defer d.close()
	if done, err := t.settled(ctx, s); done || err != nil {
		return false, err
	}
	for ; s.node < len(m.nodes); s.node++ {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		n, r := &m.nodes[s.node], &m.rules[s.node]
		alive := true
		switch {
		case r.affine != nil:
			s.forms[s.node] = r.affine.apply(pick(s.forms, n.Inputs), &s.p.box)
		case r.pool != nil:
			alive, err = d.pool(ctx, r.pool, s.forms[n.Inputs[0]])
		default:
			alive, err = d.activation(ctx, r.activation, s.forms[n.Inputs[0]])
		}
		if err != nil || !alive {
			return false, err
		}
		s.begun = false
		for _, j := range n.Inputs {
			if m.last[j] == s.node {
				s.forms[j] = nil
			}
		}
	}
	return true, nil
}
