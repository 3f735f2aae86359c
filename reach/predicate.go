package reach

// Predicates: what is known of the variables.
//
// A predicate is a box, linear rows (from half-spaces and splits), and relaxed
// neurons. A relaxed neuron is a variable with linear bounds in terms of the
// neuron's input x, itself an affine expression over earlier variables:
//
//	slope·x + intercept ≤ a_v   for every line in lower,
//	a_v ≤ slope·x + intercept   for every line in upper.
//
// These are rows too, and for the solver they are written out as such. Keeping
// them as they arose lets a bound be computed without a solver, by putting lines
// in place of variables from the last to the first (substitute.go).
//
// A row holds over the reals for the coefficients as stored. Where a coefficient
// slope·V_ij had to be rounded, the right side is raised by what that can matter:
// u·|slope|·Σ|V_ij|·max|a_j|.

import (
	"math"
	"slices"

	"github.com/vouchnn/vouch/solver"
)

// expr is centre + Σ coef·a + e with |e| ≤ slack.
type expr struct {
	vars   []int32
	coef   []float64
	centre float64
	slack  float64
	mag    float64 // at least Σ |coef|·max|a|
}

// line is slope·x + intercept of an expression x.
type line struct {
	x                *expr
	slope, intercept float64
}

// relaxed is a variable that stands for a neuron.
type relaxed struct {
	variable     int32
	lower, upper []line
	// first is the index of the best lower and upper line over x's range, −1
	// where the variable's own bound is.
	firstLower, firstUpper int8
}

// row is Σ coef·a ≤ bound.
type row struct {
	vars  []int32
	coef  []float64
	bound float64
}

// predicate is the set of values of the variables.
type predicate struct {
	box     box
	relaxed []relaxed
	rows    []row
}

// bare reports that the box is all there is.
func (p *predicate) bare() bool { return len(p.relaxed) == 0 && len(p.rows) == 0 }

// clone is a copy that can grow and be tightened on its own.
func (p *predicate) clone() *predicate {
	return &predicate{box: p.box.clone(), relaxed: slices.Clip(p.relaxed), rows: slices.Clip(p.rows)}
}

// atMost is the row x ≤ g, weakened by what is not known of x.
func (x *expr) atMost(g float64) row {
	b := g - x.centre
	b += x.slack + 4*unit*(math.Abs(g)+math.Abs(x.centre)+x.slack) + tiny
	return row{x.vars, x.coef, above(b)}
}

// negated is −x.
func (x *expr) negated() *expr {
	n := *x
	n.centre = -x.centre
	n.coef = make([]float64, len(x.coef))
	for i, c := range x.coef {
		n.coef[i] = -c
	}
	return &n
}

// row is the line as a bound of variable v: sign·(slope·x + intercept − a_v) ≤ 0.
func (l *line) row(v int32, sign float64) row {
	x, s := l.x, sign*l.slope
	n := len(x.vars)
	r := row{vars: make([]int32, 0, n+1), coef: make([]float64, 0, n+1)}
	if s != 0 {
		r.vars = append(r.vars, x.vars...)
		for _, c := range x.coef {
			r.coef = append(r.coef, s*c)
		}
	}
	r.vars, r.coef = append(r.vars, v), append(r.coef, -sign)
	at := s * x.centre
	size := math.Abs(at) + math.Abs(l.intercept) + math.Abs(s)*(x.slack+x.mag)
	r.bound = above(-at - sign*l.intercept + math.Abs(s)*x.slack + 8*unit*size + tiny)
	return r
}

// problem is the predicate as a linear program without an objective.
func (p *predicate) problem() *solver.Problem {
	lp := &solver.Problem{Variables: make([]solver.Variable, p.box.len())}
	for j := range lp.Variables {
		lp.Variables[j] = solver.Variable{Lower: p.box.lower[j], Upper: p.box.upper[j]}
	}
	for i := range p.rows {
		lp.Rows = append(lp.Rows, p.rows[i].solver())
	}
	for i := range p.relaxed {
		r := &p.relaxed[i]
		for k := range r.lower {
			q := r.lower[k].row(r.variable, 1)
			lp.Rows = append(lp.Rows, q.solver())
		}
		for k := range r.upper {
			q := r.upper[k].row(r.variable, -1)
			lp.Rows = append(lp.Rows, q.solver())
		}
	}
	return lp
}

// solver is the row in the solver's form.
func (r *row) solver() solver.Row {
	columns := make([]int, len(r.vars))
	for i, j := range r.vars {
		columns[i] = int(j)
	}
	return solver.Row{Lower: math.Inf(-1), Upper: r.bound, Columns: columns, Values: r.coef}
}

// add appends a row and tightens the box by it: each variable has at most what
// the others leave it. Precondition: p is a clone of its own.
func (p *predicate) add(r row) {
	p.rows = append(p.rows, r)
	b := &p.box
	least, size := 0.0, math.Abs(r.bound)
	for i, j := range r.vars {
		t := min(r.coef[i]*b.lower[j], r.coef[i]*b.upper[j])
		least += t
		size += math.Abs(t)
	}
	// What is left for a term is bound − least + that term's own least.
	e := gamma(len(r.vars)+4)*size*2 + tiny
	for i, j := range r.vars {
		v := r.coef[i]
		own := min(v*b.lower[j], v*b.upper[j])
		room := r.bound - least + own + e
		to := room / v
		if !finite(to) {
			continue
		}
		lower, upper := b.lower[j], b.upper[j]
		to += math.Copysign(4*unit*math.Abs(to)+tiny, v)
		switch {
		case v > 0 && to < upper:
			upper = max(to, lower)
		case v < 0 && to > lower:
			lower = min(to, upper)
		default:
			continue
		}
		b.set(int(j), lower, upper)
	}
}

// functional is a linear function of outputs and inputs over the variables, dense.
type functional struct {
	coef   []float64
	centre float64
	slack  float64
	mag    float64 // at least Σ |coef|·max|a|, of the terms it was added up from
}

// functional starts an empty function.
func (p *predicate) functional() *functional { return &functional{coef: make([]float64, p.box.len())} }

// add adds w·x, with all rounding errors in the slack.
func (f *functional) add(w float64, x *expr) {
	if w == 0 {
		return
	}
	for i, j := range x.vars {
		f.coef[j] += w * x.coef[i]
	}
	a := math.Abs(w)
	f.mag += a * x.mag
	f.centre += w * x.centre
	// Each coefficient and the centre are sums: their errors are counted here,
	// once per term added, by the size that they have reached.
	f.slack += a*x.slack*spare + 4*unit*(f.mag+math.Abs(f.centre)+a*(math.Abs(x.centre)+x.slack)+f.slack) + tiny
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
