package reach

// How a part of exact-star goes through a layer that is not affine: which elements
// are open, how they are decided, and into what the part is split (exact.go).

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/vouchnn/vouch/nn"
)

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
		d.t.splits++
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

// cheapVariables is up to how many variables a program costs less than looking at a
// part (task.settled). With more, and where parts are looked at, a neuron that the box
// leaves open is split without asking; an empty part is then looked at in vain.
const cheapVariables = 64

// side finds on which side of zero x is: 1, −1, or 0 if it can be on both. It may be
// beyond by up to over.
func (d *driver) side(ctx context.Context, x *expr) (side int8, over float64, empty bool, err error) {
	low, up := x.rangeOf(&d.s.p.box)
	tol := sliver * (math.Abs(x.centre) + x.mag)
	if low < -tol && up > tol && d.t.e.look != nil && d.s.p.box.len() > cheapVariables {
		return 0, 0, false, nil
	}
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
		d.t.splits++
	}
	d.close()
	*s = *parts[0]
	return true, nil
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
