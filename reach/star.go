package reach

// Star sets: {c + V·a : a in P} with a predicate P, a box and linear rows (Tran et
// al. 2019, FM). The set here is larger by an error box that holds
// what rounding has done (form.go); it is about 10⁻¹⁵ of the set's size.

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/simplex"
	"github.com/vouchnn/vouch/spec"
)

// Star is a star set. It is immutable and safe for concurrent use.
type Star struct {
	f *form
	p *predicate
	// Solver answers what needs a linear program. nil: simplex.Solver{}.
	Solver solver.Solver
}

// NewStar is the star of a box, with one predicate variable for each dimension that
// varies, over points of the given shape (nil: a vector).
// Errors: *spec.Error for a malformed box; *nn.ShapeError.
func NewStar(b spec.Box, shape nn.Shape) (*Star, error) {
	if err := b.Validate(); err != nil {
		return nil, err
	}
	if shape == nil {
		shape = nn.Shape{b.Dim()}
	}
	if shape.Size() != b.Dim() {
		return nil, &nn.ShapeError{Detail: fmt.Sprintf("a box of %d dimensions does not fill %v", b.Dim(), shape)}
	}
	p := &predicate{}
	return &Star{f: inputForm(b, shape, &p.box), p: p}, nil
}

// Dim is the number of dimensions of the star's points, Shape their shape.
func (s *Star) Dim() int { return len(s.f.centre) }

// Shape is the shape of the star's points. The caller must not change it.
func (s *Star) Shape() nn.Shape { return s.f.shape }

// Variables is the number of predicate variables, Rows of linear constraints on
// them beside their intervals.
func (s *Star) Variables() int { return s.p.box.len() }

// Rows is the number of linear constraints on the predicate variables.
func (s *Star) Rows() int {
	n := len(s.p.rows)
	for i := range s.p.relaxed {
		n += len(s.p.relaxed[i].lower) + len(s.p.relaxed[i].upper)
	}
	return n
}

// Stored is how many numbers the generators are kept in. A dense matrix would take
// Dim times Variables.
func (s *Star) Stored() int { return len(s.f.gens.data) }

// Apply is the image under an affine operator of one input.
// Errors: *nn.ShapeError.
func (s *Star) Apply(op nn.Affine) (*Star, error) {
	in := []nn.Shape{s.f.shape}
	out, err := op.OutShape(in)
	if err != nil {
		return nil, err
	}
	return s.with(newAffine(op, in, out).apply([]*form{s.f}, &s.p.box)), nil
}

func (s *Star) with(f *form) *Star { return &Star{f: f, p: s.p, Solver: s.Solver} }

// Affine is the image under x ↦ W·x + b, with W [m × Dim] row-major.
// Errors: *nn.ShapeError.
func (s *Star) Affine(w []float64, b []float64) (*Star, error) {
	if s.Dim() == 0 || len(w)%s.Dim() != 0 || len(w) == 0 {
		return nil, &nn.ShapeError{Detail: fmt.Sprintf("a matrix of %d numbers for %d dimensions", len(w), s.Dim())}
	}
	d, err := nn.NewDense(len(w)/s.Dim(), s.Dim(), w, b)
	if err != nil {
		return nil, err
	}
	flat := s.with(s.f)
	f := *s.f
	f.shape = nn.Shape{s.Dim()}
	flat.f = &f
	return flat.Apply(d)
}

// Intersect is the part of the star with h·x ≤ g. It may be empty: see Empty.
// Precondition: len(h) is Dim.
func (s *Star) Intersect(h []float64, g float64) *Star {
	x := s.functional(h).expr()
	t := s.with(s.f)
	t.p = s.p.clone()
	t.p.add(x.atMost(g))
	return t
}

// functional is h·x.
func (s *Star) functional(h []float64) *functional {
	list := filter(len(h), func(i int) bool { return h[i] != 0 })
	rows := s.f.rows(list, &s.p.box)
	f := s.p.functional()
	for r, i := range list {
		f.add(h[i], &rows[r])
	}
	return f
}

// Box is the star's estimated ranges, by the predicate variables' intervals alone;
// exact up to rounding if the star has no rows.
func (s *Star) Box() spec.Box {
	r := s.f.spread(&s.p.box)
	return spec.Box{Lower: r.lower, Upper: r.upper}
}

func (s *Star) solver() solver.Solver {
	if s.Solver == nil {
		return simplex.Solver{}
	}
	return s.Solver
}

// Minimum is a proven lower bound of h·x over the star, from the dual solution of a
// linear program, and a point of the star at which h·x is that small as far as the
// solver can tell. The bound of an empty star is +Inf, and −Inf where nothing can be
// proven; then there is no point.
// Precondition: len(h) is Dim. Errors: the context's; the solver's.
func (s *Star) Minimum(ctx context.Context, h []float64) (bound float64, point []float64, err error) {
	f := s.functional(h)
	m := &image{p: s.p, in: s.f, out: s.f}
	if s.p.bare() {
		low, _ := s.p.box.rangeOf(f)
		a := make([]float64, len(f.coef))
		for j, c := range f.coef {
			if a[j] = s.p.box.lower[j]; c < 0 {
				a[j] = s.p.box.upper[j]
			}
		}
		return low, m.point(a), nil
	}
	found := &finding{bound: math.Inf(-1), values: []*functional{f}}
	if _, err := m.solve(ctx, s.solver(), found); err != nil {
		return 0, nil, err
	}
	if found.point != nil && !math.IsInf(found.bound, 1) {
		point = m.point(found.point)
	}
	return found.bound, point, nil
}

// Range is proven bounds of dimension i by two linear programs.
// Errors: those of Minimum.
func (s *Star) Range(ctx context.Context, i int) (lower, upper float64, err error) {
	h := make([]float64, s.Dim())
	h[i] = 1
	if lower, _, err = s.Minimum(ctx, h); err != nil {
		return 0, 0, err
	}
	h[i] = -1
	upper, _, err = s.Minimum(ctx, h)
	return lower, -upper, err
}

// Empty reports whether the star is proven to be empty.
// Errors: the context's; the solver's.
func (s *Star) Empty(ctx context.Context) (bool, error) {
	if s.p.bare() {
		return false, nil
	}
	g, err := open(s.solver(), s.p.problem())
	if err != nil {
		return false, err
	}
	defer g.close()
	o, err := g.least(ctx)
	return o.empty, err
}

// Contains reports whether x lies in the star, up to the solver's tolerance.
// Precondition: len(x) is Dim. Errors: the context's; the solver's.
func (s *Star) Contains(ctx context.Context, x []float64) (bool, error) {
	lp := s.p.problem()
	rows := s.f.rows(filter(s.Dim(), func(int) bool { return true }), &s.p.box)
	for i := range rows {
		e := &rows[i]
		d := x[i] - e.centre
		slack := e.slack + 4*unit*(math.Abs(x[i])+math.Abs(e.centre)+e.mag)
		if len(e.vars) == 0 {
			if math.Abs(d) > slack {
				return false, nil
			}
			continue
		}
		r := row{vars: e.vars, coef: e.coef, bound: d + slack}
		q := r.solver()
		q.Lower = d - slack
		lp.Rows = append(lp.Rows, q)
	}
	a, err := s.solver().Solve(ctx, lp, solver.Options{})
	if err != nil {
		return false, err
	}
	return a.Status == solver.Optimal, ctx.Err()
}

// Sample is count points of the star: of one without rows uniform over the
// predicate's box, else random mixtures of vertices, which do not fill it evenly. An
// empty star has none. Errors: the context's; the solver's.
func (s *Star) Sample(ctx context.Context, rng *rand.Rand, count int) ([][]float64, error) {
	m := &image{p: s.p, in: s.f}
	b := &s.p.box
	a := make([]float64, b.len())
	out := make([][]float64, 0, count)
	if s.p.bare() {
		for range count {
			for j := range a {
				a[j] = b.lower[j] + rng.Float64()*(b.upper[j]-b.lower[j])
			}
			out = append(out, m.point(a))
		}
		return out, nil
	}
	g, err := open(s.solver(), s.p.problem())
	if err != nil {
		return nil, err
	}
	defer g.close()
	var vertices [][]float64
	for range min(2*len(a)+2, count+2) {
		for j := range g.costs {
			g.costs[j] = rng.NormFloat64()
		}
		o, err := g.least(ctx)
		if err != nil {
			return nil, err
		}
		if o.point == nil {
			return nil, nil
		}
		vertices = append(vertices, o.point)
	}
	for range count {
		clear(a)
		total := 0.0
		weight := make([]float64, len(vertices))
		for k := range weight {
			weight[k] = rng.ExpFloat64()
			total += weight[k]
		}
		for k, v := range vertices {
			for j := range a {
				a[j] += weight[k] / total * v[j]
			}
		}
		out = append(out, m.point(a))
	}
	return out, nil
}

// Zonotope is the star without its rows: the zonotope of its generators.
func (s *Star) Zonotope() *Zonotope {
	return &Zonotope{Star{f: s.f, p: &predicate{box: s.p.box}, Solver: s.Solver}}
}

// Zonotope is a star whose predicate is a box. Everything a star can do it can do
// without a solver, but for Contains.
type Zonotope struct{ Star }

// NewZonotope is the zonotope of a box.
// Errors: those of NewStar.
func NewZonotope(b spec.Box, shape nn.Shape) (*Zonotope, error) {
	s, err := NewStar(b, shape)
	if err != nil {
		return nil, err
	}
	return &Zonotope{*s}, nil
}
