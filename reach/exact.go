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
// Source: Tran et al. 2019, FM, Algorithm 3.1 and Theorem 1; for images Tran et al.
// 2020, CAV. Deviation: a part keeps the splits of the layer it is in as a list of
// slopes and makes its form once, at the end of the layer.

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/vouchnn/vouch/internal/parallel"
	"github.com/vouchnn/vouch/nn"
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

// impose narrows the ranges of the node that s has begun to the sides that it is on.
func (s *part) impose(r *spread) {
	for k, side := range s.sides {
		switch {
		case s.over[k] > 0: // not quite on that side
		case side > 0:
			r.lower[k] = max(r.lower[k], 0)
			r.upper[k] = max(r.upper[k], r.lower[k])
		case side < 0:
			r.upper[k] = min(r.upper[k], 0)
			r.lower[k] = min(r.lower[k], r.upper[k])
		}
	}
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

// errMemory and errStars end an exact analysis.
var (
	errMemory = errors.New("reach: the stars exceed Options.MaxMemory")
	errStars  = errors.New("reach: more stars than Options.MaxStars")
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
	kept  int64 // bytes that the leaves' receiver keeps
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
			return errMemory
		}
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
		return true, errStars
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

// sort puts the open elements in order: those whose relaxation costs the open
// conjunction most, then those that reach farthest beyond zero on both sides.
func (s *part) sort() {
	open := slices.Clone(s.open) // which other parts share
	lower, upper := s.ranges.lower, s.ranges.upper
	prefer := s.prefer
	if s.preferAt != s.node {
		prefer = nil
	}
	slices.SortStableFunc(open, func(a, b int) int {
		return cmp.Or(cmp.Compare(prefer[b], prefer[a]), cmp.Compare(min(-lower[b], upper[b]), min(-lower[a], upper[a])))
	})
	s.open = open
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

// driver is a part with its session.
type driver struct {
	t *task
	s *part
	g *program
}

func (d *driver) close() {
	if d.g != nil {
		d.t.lps += d.g.solves
		d.g.close()
		d.g = nil
	}
}

// add appends a row to the part's predicate and session.
func (d *driver) add(r row) error {
	d.s.p.add(r)
	if d.g == nil {
		return nil
	}
	if d.g.session == nil {
		d.close()
		return nil
	}
	return d.g.session.AddRow(r.solver())
}

// lower bounds sign·x from below over the part and keeps the point it found.
func (d *driver) lower(ctx context.Context, x *expr, sign float64) (bound float64, empty bool, err error) {
	if d.g == nil {
		if d.g, err = open(d.t.e.o.Solver, d.s.p.problem()); err != nil {
			return 0, false, err
		}
	}
	v, o, err := d.g.lower(ctx, x, sign)
	if err == nil && o.point != nil && len(d.s.points) < 64 {
		d.s.points = append(d.s.points, o.point)
	}
	return v, o.empty, err
}

// rangeOf is x's range over a box.
func (x *expr) rangeOf(b *box) (low, up float64) {
	low, up = x.centre, x.centre
	mag := math.Abs(x.centre)
	for i, j := range x.vars {
		c := x.coef[i]
		l, u := c*b.lower[j], c*b.upper[j]
		low, up = low+min(l, u), up+max(l, u)
		mag += math.Abs(c) * b.reach[j]
	}
	e := gamma(len(x.vars)+4)*mag + x.slack*spare + tiny
	return below(low - e), above(up + e)
}

// activation decides the neurons of one layer, splitting where it must.
func (d *driver) activation(ctx context.Context, op nn.Elementwise, x *form) (alive bool, err error) {
	s := d.s
	if !s.begun {
		if err := s.begin(op, x); err != nil {
			return false, err
		}
	}
	for len(s.open) > 0 {
		k := s.open[0]
		s.open = s.open[1:]
		row := s.rows[k]
		side, over, empty, err := d.side(ctx, row)
		if err != nil || empty {
			return false, err
		}
		if side != 0 {
			s.sides[k], s.over[k] = side, over
			continue
		}
		s.sides[k] = 1
		other := s.split()
		other.sides[k] = -1
		other.p.add(row.atMost(0))
		d.t.stack = append(d.t.stack, other)
		other.points, s.points = share(row, s.points)
		if err := d.add(row.negated().atMost(0)); err != nil {
			return false, err
		}
		if done, err := d.t.settled(ctx, s); done || err != nil {
			return false, err
		}
	}
	s.forms[s.node] = s.straighten(op, x)
	return true, nil
}

// begin sorts the neurons of one layer into those that are on one side of zero and
// those that are open, the widest first.
func (s *part) begin(op nn.Elementwise, x *form) (err error) {
	if s.ranges, err = x.finiteSpread(&s.p.box); err != nil {
		return err
	}
	lower, upper := s.ranges.lower, s.ranges.upper
	s.begun, s.rows, s.open = true, map[int]*expr{}, nil
	s.sides, s.over = make([]int8, len(x.centre)), make([]float64, len(x.centre))
	for k := range s.sides {
		switch {
		case undecided(op, lower[k], upper[k]):
			s.open = append(s.open, k)
		case lower[k] >= 0:
			s.sides[k] = 1
		default:
			s.sides[k] = -1
		}
	}
	s.sort()
	rows := x.rows(s.open, &s.p.box)
	for r, k := range s.open {
		s.rows[k] = &rows[r]
	}
	return nil
}

// straighten is the form after an activation all of whose neurons are decided.
func (s *part) straighten(op nn.Elementwise, x *form) *form {
	slope, _ := piecewise(op)
	n := len(x.centre)
	y := &form{shape: x.shape, view: x.view, centre: make([]float64, n), slack: make([]float64, n)}
	factor := make([]float64, n)
	for k, side := range s.sides {
		if factor[k] = 1; side < 0 {
			factor[k] = slope
		}
		y.centre[k], y.slack[k] = x.scaledAt(k, factor[k], s.ranges.size[k])
		if s.over[k] > 0 {
			y.slack[k] = above(y.slack[k] + s.over[k]) // |x − slope·x| ≤ over on the wrong side
		}
	}
	y.gens = x.scaled(factor)
	return y
}

// share deals points out to the two sides of a neuron.
func share(x *expr, points [][]float64) (negative, positive [][]float64) {
	for _, a := range points {
		if x.value(a) <= 0 {
			negative = append(negative, a)
		} else {
			positive = append(positive, a)
		}
	}
	return negative, positive
}

// sliver is how far beyond zero, relative to the size of its terms, a neuron may
// reach and still count as being on the other side: less would make a part without
// an interior. What that is wrong by goes into the slack.
const sliver = 0x1p-40

// side finds on which side of zero x is: 1, −1, or 0 if it can be on both. It may be
// beyond by up to over.
func (d *driver) side(ctx context.Context, x *expr) (side int8, over float64, empty bool, err error) {
	low, up := x.rangeOf(&d.s.p.box)
	tol := sliver * (math.Abs(x.centre) + x.mag)
	negative, positive := share(x, d.s.points)
	if low < -tol && len(negative) == 0 && up > tol {
		if low, empty, err = d.lower(ctx, x, 1); err != nil || empty {
			return 0, 0, empty, err
		}
	}
	if low >= -tol {
		return 1, max(-low, 0), false, nil
	}
	if up > tol && len(positive) == 0 {
		if up, empty, err = d.lower(ctx, x, -1); err != nil || empty {
			return 0, 0, empty, err
		}
		up = -up
	}
	if up <= tol {
		return -1, max(up, 0), false, nil
	}
	return 0, 0, false, nil
}

// pool decides the windows of one max pooling: for each element that can be the
// maximum there is a part in which it is.
func (d *driver) pool(ctx context.Context, w *windows, x *form) (alive bool, err error) {
	s := d.s
	if !s.begun {
		if s.ranges, err = x.finiteSpread(&s.p.box); err != nil {
			return false, err
		}
		s.begun, s.source, s.open, s.rows = true, make([]int, w.count()), nil, map[int]*expr{}
		var list []int
		for o := range s.source {
			_, _, rivals := contest(w.window(o), s.ranges.lower, s.ranges.upper)
			s.source[o] = rivals[0]
			if len(rivals) > 1 {
				s.open = append(s.open, o)
				list = append(list, rivals...)
			}
		}
		slices.Sort(list)
		list = slices.Compact(list)
		rows := x.rows(list, &s.p.box)
		for r, k := range list {
			s.rows[k] = &rows[r]
		}
	}
	for len(s.open) > 0 {
		o := s.open[0]
		s.open = s.open[1:]
		if alive, err := d.window(ctx, o, w); err != nil || !alive {
			return false, err
		}
	}
	y := &form{shape: w.out, view: viewOf(w.out), centre: make([]float64, w.count()), slack: make([]float64, w.count())}
	x.gather(y, s.source)
	s.forms[s.node] = y
	return true, nil
}

// window makes a part for each element that can be the maximum of window o, and
// goes on as the first of them.
func (d *driver) window(ctx context.Context, o int, w *windows) (alive bool, err error) {
	s := d.s
	_, _, rivals := contest(w.window(o), s.ranges.lower, s.ranges.upper)
	var parts []*part
	for _, k := range rivals {
		other := s.split()
		other.source[o] = k
		possible := true
		for _, q := range rivals {
			if q == k {
				continue
			}
			f := s.p.functional()
			f.add(1, s.rows[q])
			f.add(-1, s.rows[k])
			x := f.expr()
			if low, _ := x.rangeOf(&other.p.box); low > 0 {
				possible = false
				break
			}
			other.p.add(x.atMost(0))
		}
		if !possible {
			continue
		}
		for _, a := range s.points {
			if !slices.ContainsFunc(rivals, func(q int) bool { return s.rows[q].value(a) > s.rows[k].value(a) }) {
				other.points = append(other.points, a)
			}
		}
		if len(other.points) == 0 {
			c := &driver{t: d.t, s: other}
			_, empty, err := c.lower(ctx, s.rows[k], 1)
			c.close()
			if err != nil {
				return false, err
			}
			if empty {
				continue
			}
		}
		parts = append(parts, other)
	}
	if len(parts) == 0 {
		return false, nil
	}
	for i := len(parts) - 1; i > 0; i-- {
		d.t.stack = append(d.t.stack, parts[i])
	}
	d.close()
	*s = *parts[0]
	return true, nil
}

// expr is the functional with its coefficients listed.
func (f *functional) expr() *expr {
	x := &expr{centre: f.centre, slack: f.slack, mag: f.mag}
	for j, c := range f.coef {
		if c != 0 {
			x.vars, x.coef = append(x.vars, int32(j)), append(x.coef, c)
		}
	}
	return x
}
