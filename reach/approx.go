package reach

// approx-star, relax-star and abs-dom: one star, no splits.
//
// Node by node: affine operators act on the form; at an activation every neuron
// whose range does not make it a straight line becomes a new variable between its
// lines. All neurons of a layer are relaxed against the same star, so their order
// does not matter.
//
// A neuron's range is found in this order, each step for what the last one left
// undecided:
//
//  1. by the box of the variables, which is exact while the predicate has no rows:
//     the first layer needs no linear program;
//  2. by the zonotope that is carried along (Tran et al. 2021, FAOC, call it the
//     zonotope pre-filter), where there is more than one layer of neurons;
//  3. by substitution of lines (substitute.go);
//  4. by linear programming: approx-star and abs-dom for all that is undecided,
//     relax-star for its choice (relaxstar.go).
//
// NNV has steps 1 and 4, and 2 in a variant. More filters change which programs are
// solved and never loosen a range, so the set is at most as large.
//
// Source: Tran et al. 2019, "Star-based reachability analysis of deep neural
// networks", FM; ImageStar: Tran et al. 2020, CAV, arXiv:2004.05511;
// abs-dom: Singh et al. 2019, POPL.

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/vouchnn/vouch/internal/parallel"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// analysis is one run of an approximate method over one region.
type analysis struct {
	m     *Model
	o     *Options
	begun time.Time
	p     *predicate
	forms []*form
	zonos []*form // the same form where the two do not differ yet; nil if not carried
	zbox  box
	// from is the part of an exact analysis that this one goes on from, or nil. Then
	// elements are the neurons that were relaxed first, those of node first.
	from     *part
	first    int
	elements []element
	promise  map[int]float64 // of elements: see weigh
	// free leaves out linear programs; skipped is then how many neurons missed them.
	free    bool
	skipped int
	lps     int // linear programs solved
}

// approximate runs an approximate method on a box of inputs, with free without
// linear programs.
func (m *Model) approximate(ctx context.Context, region spec.Box, o *Options, free bool) (*analysis, error) {
	a := &analysis{m: m, o: o, p: &predicate{}, forms: make([]*form, len(m.nodes)), free: free}
	a.begun = time.Now()
	a.forms[0] = inputForm(region, m.nodes[0].Shape, &a.p.box)
	if !o.NoPrefilter && m.depth > 1 && o.Method != Zono {
		a.zonos = make([]*form, len(m.nodes))
		a.zonos[0], a.zbox = a.forms[0], a.p.box.clone()
	}
	return a, a.run(ctx, 1)
}

// resume goes on from a part of an exact analysis to the output, without linear
// programs: the set that it reaches contains what the part's own parts would.
func (m *Model) resume(ctx context.Context, s *part, o *Options) (*analysis, error) {
	a := &analysis{m: m, o: o, p: s.p.clone(), forms: slices.Clone(s.forms), from: s, free: true}
	return a, a.run(ctx, s.node)
}

// run computes the nodes from first on.
func (a *analysis) run(ctx context.Context, first int) error {
	for i := first; i < len(a.m.nodes); i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := a.node(ctx, i); err != nil {
			return err
		}
		if a.o.Progress != nil && a.from == nil {
			a.o.Progress(Progress{Elapsed: time.Since(a.begun), Node: i})
		}
		for _, j := range a.m.nodes[i].Inputs {
			if a.m.last[j] == i { // nobody reads it any more
				a.forms[j] = nil
				if a.zonos != nil {
					a.zonos[j] = nil
				}
			}
		}
	}
	return nil
}

// node computes the set after node i.
func (a *analysis) node(ctx context.Context, i int) error {
	n, r := &a.m.nodes[i], &a.m.rules[i]
	if r.affine != nil {
		ins := pick(a.forms, n.Inputs)
		a.forms[i] = r.affine.apply(ins, &a.p.box)
		if a.zonos != nil {
			zins := pick(a.zonos, n.Inputs)
			if slices.Equal(ins, zins) {
				a.zonos[i] = a.forms[i]
			} else {
				a.zonos[i] = r.affine.apply(zins, &a.zbox)
			}
		}
		return nil
	}
	j := n.Inputs[0]
	if r.pool != nil {
		return a.maxPool(ctx, i, j, r.pool)
	}
	return a.activation(ctx, i, j, r.activation)
}

func pick(forms []*form, at []int) []*form {
	out := make([]*form, len(at))
	for k, j := range at {
		out[k] = forms[j]
	}
	return out
}

// activation relaxes one layer of neurons.
func (a *analysis) activation(ctx context.Context, i, j int, op nn.Elementwise) error {
	x := a.forms[j]
	s, err := x.finiteSpread(&a.p.box)
	if err != nil {
		return err
	}
	if a.from != nil && a.from.begun && a.from.node == i {
		a.from.impose(&s)
	}
	if a.o.Method == Zono {
		a.forms[i] = x.zonotope(op, s.lower, s.upper, s.size, &a.p.box)
		return nil
	}
	_, straight := piecewise(op)
	open, rows, err := a.ranges(ctx, j, &s, straight, func(k int) bool { return undecided(op, s.lower[k], s.upper[k]) })
	if err != nil {
		return err
	}
	if a.zonos != nil {
		z := a.zonos[j]
		size := s.size
		if z != x {
			size = z.spread(&a.zbox).size
		}
		a.zonos[i] = z.zonotope(op, s.lower, s.upper, size, &a.zbox)
	}
	a.forms[i] = a.relax(i, x, op, &s, open, rows)
	return nil
}

// ranges narrows s, which holds estimated ranges of node j's elements, and returns
// which elements are still undecided and their expressions. relu says that bounds
// beyond zero are of no interest.
func (a *analysis) ranges(ctx context.Context, j int, s *spread, relu bool, undecided func(int) bool) ([]int, []expr, error) {
	x := a.forms[j]
	if a.zonos != nil && a.zonos[j] != x {
		z := a.zonos[j].spread(&a.zbox)
		for k := range s.lower {
			s.lower[k], s.upper[k] = max(s.lower[k], z.lower[k]), min(s.upper[k], z.upper[k])
		}
	}
	list := filter(len(x.centre), undecided)
	rows := x.rows(list, &a.p.box)
	if a.p.bare() || len(list) == 0 {
		return list, rows, nil // the box's ranges are exact
	}
	if !a.o.NoPrefilter {
		if err := a.substitute(ctx, list, rows, s); err != nil {
			return nil, nil, err
		}
		list, rows = keep(list, rows, undecided)
	}
	wanted := a.o.wanted(list, s)
	if wanted == nil || a.free {
		if wanted != nil {
			a.skipped += len(list)
		}
		return list, rows, nil
	}
	lower, upper := make([]float64, len(list)), make([]float64, len(list))
	for r, k := range list {
		lower[r], upper[r] = s.lower[k], s.upper[k]
	}
	n, err := tighten(ctx, a.o.Solver, a.p, rows, wanted, lower, upper, relu)
	a.lps += n
	if err != nil {
		return nil, nil, err
	}
	for r, k := range list {
		// Bounds from different sources may cross by a rounding error, or because
		// the predicate is empty; either way any interval is sound.
		s.lower[k], s.upper[k] = min(lower[r], upper[r]), max(lower[r], upper[r])
	}
	list, rows = keep(list, rows, undecided)
	return list, rows, nil
}

// filter lists the k below n for which want holds.
func filter(n int, want func(int) bool) []int {
	var list []int
	for k := range n {
		if want(k) {
			list = append(list, k)
		}
	}
	return list
}

// keep drops what is no longer wanted.
func keep(list []int, rows []expr, want func(int) bool) ([]int, []expr) {
	var l []int
	var e []expr
	for r, k := range list {
		if want(k) {
			l, e = append(l, k), append(e, rows[r])
		}
	}
	return l, e
}

// substitute narrows ranges by substitution of lines.
func (a *analysis) substitute(ctx context.Context, list []int, rows []expr, s *spread) error {
	parallel.For(len(list), 4, func(lo, hi int) {
		sub := newSubstitution(a.p)
		for r := lo; r < hi && ctx.Err() == nil; r++ {
			k := list[r]
			l, u := max(s.lower[k], sub.lower(&rows[r])), min(s.upper[k], sub.upper(&rows[r]))
			s.lower[k], s.upper[k] = min(l, u), max(l, u)
		}
	})
	return ctx.Err()
}

// relax makes the form after activation i: straight neurons are scaled, the others
// become variables.
func (a *analysis) relax(i int, x *form, op nn.Operator, s *spread, open []int, rows []expr) *form {
	n := len(x.centre)
	y := &form{shape: x.shape, view: x.view, centre: make([]float64, n), slack: make([]float64, n)}
	factor := make([]float64, n)
	isOpen := make([]bool, n)
	for _, k := range open {
		isOpen[k] = true
	}
	for k := range n {
		if isOpen[k] {
			continue
		}
		e := enclose(op, s.lower[k], s.upper[k])
		factor[k] = e.slope
		y.centre[k], y.slack[k] = x.scaledAt(k, e.slope, s.size[k])
	}
	var units []unitAt
	for r, k := range open {
		e := enclose(op, s.lower[k], s.upper[k])
		if a.o.Method == AbsDom {
			e.single(s.lower[k], s.upper[k])
		}
		if e.up-e.low <= 0x1p-40*max(e.up, -e.low) || len(rows[r].vars) == 0 {
			// All but constant: not worth a variable.
			y.centre[k], y.slack[k] = between(e.low, e.up)
			continue
		}
		v, centre := a.p.relax(&rows[r], s.lower[k], s.upper[k], &e)
		if a.from != nil && (a.first == 0 || a.first == i) {
			a.first, a.elements = i, append(a.elements, element{k, len(a.p.relaxed) - 1})
		}
		y.centre[k] = centre
		units = append(units, unitAt{v, k})
	}
	y.gens = x.scaled(factor)
	y.addUnits(units)
	return y
}

// unitAt says that an element is a variable of its own.
type unitAt struct {
	variable int32
	at       int
}

func (f *form) addUnits(units []unitAt) {
	for _, u := range units {
		f.gens.appendUnit(f.view, u.variable, u.at, 1)
	}
}

// between is the middle of an interval and its radius, rounded up.
func between(low, up float64) (middle, radius float64) {
	m := 0.5*low + 0.5*up
	return m, above(max(up-m, m-low))
}

// scaledAt is centre and slack of element k times f.
func (f *form) scaledAt(k int, factor, size float64) (centre, slack float64) {
	if factor == 0 {
		return 0, 0
	}
	if f.slack != nil {
		slack = factor * f.slack[k]
	}
	if factor != 1 {
		slack = (slack+4*unit*factor*size)*spare + tiny
	}
	return factor * f.centre[k], slack
}

// relax adds a variable for a neuron y with input x in [l, u], enclosed by e, and
// returns it and the value of y that it is counted from.
func (p *predicate) relax(x *expr, l, u float64, e *enclosure) (variable int32, centre float64) {
	low, up := e.low, e.up
	if low > 0 || up < 0 {
		centre = 0.5*low + 0.5*up
		low, up = below(low-centre), above(up-centre)
	}
	r := relaxed{variable: p.box.add(low, up)}
	for _, s := range e.lower {
		t := s.intercept
		if centre != 0 {
			t = below(t - centre)
		}
		r.lower = append(r.lower, line{x, s.slope, t})
	}
	for _, s := range e.upper {
		t := s.intercept
		if centre != 0 {
			t = above(t - centre)
		}
		r.upper = append(r.upper, line{x, s.slope, t})
	}
	m := 0.5*l + 0.5*u
	r.firstLower = int8(highest(e.lower, m, e.low))
	r.firstUpper = int8(lowest(e.upper, m, e.up))
	p.relaxed = append(p.relaxed, r)
	return r.variable, centre
}

// weigh says of the first neurons that were relaxed what their relaxation costs the
// function that sub bounded last: the triangle's height at zero times the coefficient
// that the neuron's variable met. Bunel et al. 2020 (BaBSR), JMLR 21(42), choose by
// the like.
func (a *analysis) weigh(sub *substitution) {
	a.promise = make(map[int]float64, len(a.elements))
	for _, e := range a.elements {
		height := 0.0
		for _, l := range a.p.relaxed[e.relaxed].upper {
			height = l.intercept
		}
		a.promise[e.at] = height * math.Abs(sub.met[e.relaxed])
	}
}

// element is an element of a node and its index among the relaxed neurons.
type element struct{ at, relaxed int }
