package reach

// Is an unsafe condition possible in a set?
//
// A conjunction of inequalities q_i(x, y) ≤ 0 is excluded if one of them is: if its
// least value over the set is positive. Inputs x and outputs y are forms over the
// same variables, so a condition on both is one linear function. The least value is
// bounded by substitution first, and by a linear program if that leaves it open. If
// no inequality is excluded alone, one program bounds the least t for which all
// q_i ≤ t hold.
//
// NNV intersects the output star with the unsafe half-space and asks whether the
// result is empty; the least value decides the same and says by how much.

import (
	"context"
	"math"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/spec"
)

// image is what a set knows of inputs and outputs.
type image struct {
	p       *predicate
	in, out *form
	outputs []expr       // of all elements of out
	inputs  map[int]expr // of those of in that were asked for
}

func newImage(p *predicate, in, out *form) *image {
	return &image{p: p, in: in, out: out, outputs: out.rows(filter(len(out.centre), func(int) bool { return true }), &p.box), inputs: map[int]expr{}}
}

func (m *image) input(i int) *expr {
	e, ok := m.inputs[i]
	if !ok {
		e = *m.in.row(i, &m.p.box)
		m.inputs[i] = e
	}
	return &e
}

// value is the left side of an inequality minus its bound.
func (m *image) value(q *spec.Inequality) *functional {
	f := m.p.functional()
	for _, t := range q.Output {
		f.add(t.Coef, &m.outputs[t.Index])
	}
	for _, t := range q.Input {
		f.add(t.Coef, m.input(t.Index))
	}
	f.add(1, &expr{centre: -q.Bound})
	return f
}

// point is the input at the variables a.
func (m *image) point(a []float64) []float64 {
	x := append([]float64(nil), m.in.centre...)
	for k, j := range m.in.gens.vars {
		src := m.in.gens.values(k)
		m.in.view.lines(m.in.gens.patches[k], func(stored, flat, length int) {
			for i := range length {
				x[flat+i] += a[j] * src[stored+i]
			}
		})
	}
	return x
}

// finding is what is known of a conjunction in a set.
type finding struct {
	bound   float64 // the conjunction's violation is at least this
	ceiling float64 // no linear program over the set proves more than this
	point   []float64
	points  [][]float64 // where each inequality alone is least
	values  []*functional
}

func (f *finding) excluded() bool { return f.bound > 0 }

// candidates is inputs at which the conjunction may hold: where each inequality is
// least, and between them.
func (m *image) candidates(f *finding) [][]float64 {
	if len(f.points) < 2 {
		return [][]float64{m.point(f.point)}
	}
	mean := make([]float64, len(f.point))
	var inputs [][]float64
	for _, a := range f.points {
		inputs = append(inputs, m.point(a))
		for j, v := range a {
			mean[j] += v / float64(len(f.points))
		}
	}
	return append(inputs, m.point(mean))
}

// quick bounds a conjunction by substitution.
func (m *image) quick(ctx context.Context, sub *substitution, c spec.Conjunction) *finding {
	f := &finding{bound: math.Inf(-1), ceiling: math.Inf(1)}
	if len(c) == 0 {
		f.ceiling = math.Inf(-1)
		f.point = make([]float64, m.p.box.len())
		return f
	}
	for i := range c {
		q := m.value(&c[i])
		f.values = append(f.values, q)
		a := make([]float64, m.p.box.len())
		bound, ceiling := sub.ascend(ctx, q, a)
		f.bound = max(f.bound, bound)
		if len(c) == 1 {
			f.ceiling = ceiling
		}
		if f.points = append(f.points, a); i == 0 {
			f.point = a
		}
		if f.excluded() {
			break
		}
	}
	return f
}

// solve improves a finding by linear programming. An empty set has bound +Inf.
func (m *image) solve(ctx context.Context, s solver.Solver, f *finding) (solves int, err error) {
	lp := m.p.problem()
	var shift, slack float64
	if len(f.values) == 1 {
		for j, c := range f.values[0].coef {
			lp.Variables[j].Cost = c
		}
		shift, slack = f.values[0].centre, f.values[0].slack
	} else {
		m.bind(lp, f.values)
	}
	g, err := open(s, lp)
	if err != nil {
		return 0, err
	}
	defer g.close()
	for j := range lp.Variables {
		g.costs[j] = lp.Variables[j].Cost
	}
	o, err := g.least(ctx)
	if err != nil {
		return 1, err
	}
	if o.empty {
		f.bound = math.Inf(1)
		return 1, nil
	}
	v := below(o.bound + shift - slack - 4*unit*(math.Abs(o.bound)+math.Abs(shift)+slack))
	if v > f.bound {
		f.bound = v
	}
	if o.point != nil {
		f.point = o.point[:m.p.box.len()]
	}
	return 1, nil
}

// bind adds a variable t to lp, to be minimised, with every value at most t.
func (m *image) bind(lp *solver.Problem, values []*functional) {
	low, up := math.Inf(-1), math.Inf(-1)
	for _, q := range values {
		l, u := m.p.box.rangeOf(q)
		low, up = max(low, l), max(up, u)
	}
	t := len(lp.Variables)
	lp.Variables = append(lp.Variables, solver.Variable{Lower: low, Upper: up, Cost: 1})
	for _, q := range values {
		r := solver.Row{Lower: math.Inf(-1), Upper: above(-q.centre + q.slack*(1+4*unit) + 4*unit*math.Abs(q.centre))}
		for j, c := range q.coef {
			if c != 0 {
				r.Columns, r.Values = append(r.Columns, j), append(r.Values, c)
			}
		}
		r.Columns, r.Values = append(r.Columns, t), append(r.Values, -1)
		lp.Rows = append(lp.Rows, r)
	}
}

// rangeOf bounds a functional over the box alone.
func (b *box) rangeOf(q *functional) (low, up float64) {
	mag := math.Abs(q.centre) + q.mag
	low, up = q.centre, q.centre
	for j, c := range q.coef {
		l, u := c*b.lower[j], c*b.upper[j]
		low, up = low+min(l, u), up+max(l, u)
		mag += math.Abs(c) * b.reach[j]
	}
	e := gamma(len(q.coef)+8)*mag + q.slack*spare + tiny
	return below(low - e), above(up + e)
}
