package solver

import "math"

// Duals that satisfy equations exactly.
//
// A variable without bounds needs a reduced cost of exactly zero, which rounded duals
// seldom give, and implied bounds do not always exist. But duals need not be known to
// be used: it is enough that some exist near y for which those reduced costs vanish.
// Let F be the variables whose reduced costs must vanish, and R as many rows such that
// M, the columns F of A in the rows R, transposed, is regular. The duals
//
//	y* = y + δ on R,   M·δ = d_F
//
// do it. With an approximate inverse C of M and ρ ≥ ‖I − C·M‖ < 1 in the maximum norm,
// M is regular and |δ − C·d_F| ≤ ρ/(1−ρ)·‖C·d_F‖ (Rump 1999, "INTLAB", and Jansson
// 2004, "Rigorous lower and upper bounds in linear programming", SIAM J. Optim. 14,
// Sect. 3, where interval duals serve the same end). All of that is evaluated with
// outward rounding, and the Lagrangian then for all duals within these bounds of y.
//
// R is found by elimination among rows whose dual may change a little without needing
// a bound that the row lacks. Cost: O(|F|²·rows).

const (
	mustVanish  = 1e-6 // reduced costs below this, relative to their terms, may be errors
	robust      = 1e-8 // duals above this, relative to the greatest, keep their sign
	correctable = 3e7  // most work, in multiplications
)

// corrected is the Lagrangian's least value at nearby duals that satisfy what has to
// hold exactly; −Inf if none are found. It changes y.
func (l *lagrangian) corrected() float64 {
	variables := l.vanishing()
	if n := float64(len(variables)); n == 0 || n*n*float64(len(l.p.Rows)) > correctable {
		return math.Inf(-1)
	}
	m := l.rowsFor(variables)
	if m == nil {
		return math.Inf(-1)
	}
	for range 2 { // as close as rounding allows
		l.least()
		for k, i := range m.rows {
			step := 0.0
			for f, j := range m.variables {
				step += m.inverse[k][f] * (l.d[j].sum + l.d[j].low)
			}
			l.y[i] += step
		}
	}
	l.least()
	l.radius, l.zero = m.errors(l), make([]bool, len(l.d))
	defer func() { l.radius, l.zero = nil, nil }()
	if l.radius == nil {
		return math.Inf(-1)
	}
	for _, j := range m.variables {
		l.zero[j] = true
	}
	return l.least()
}

// vanishing lists the variables with an infinite bound whose reduced cost is zero up
// to errors. d must be that of y.
func (l *lagrangian) vanishing() []int {
	size := make([]float64, len(l.d))
	for j := range size {
		size[j] = math.Abs(l.cost * l.p.Variables[j].Cost)
	}
	for i, y := range l.y {
		if y != 0 {
			for k, j := range l.p.Rows[i].Columns {
				size[j] += math.Abs(y * l.p.Rows[i].Values[k])
			}
		}
	}
	var list []int
	for j := range l.d {
		open := math.IsInf(l.lower[j], -1) || math.IsInf(l.upper[j], 1)
		if open && math.Abs(l.d[j].sum) <= mustVanish*size[j] && size[j] > 0 {
			list = append(list, j)
		}
	}
	return list
}

// correction is a square system: reduced costs of variables by duals of rows.
type correction struct {
	p         *Problem
	variables []int
	rows      []int
	matrix    [][]float64 // M, by variables
	inverse   [][]float64 // C, by rows
}

// rowsFor finds a row for each variable, as far as there are any.
func (l *lagrangian) rowsFor(variables []int) *correction {
	most := 0.0
	for _, y := range l.y {
		most = max(most, math.Abs(y))
	}
	var usable []int
	for i, y := range l.y {
		r := &l.p.Rows[i]
		if math.Abs(y) > robust*most || !math.IsInf(r.Lower, -1) && !math.IsInf(r.Upper, 1) {
			usable = append(usable, i)
		}
	}
	c := &correction{p: l.p}
	c.eliminate(variables, usable, entriesOf(l.p, variables, usable))
	if len(c.rows) == 0 {
		return nil
	}
	c.matrix = entriesOf(l.p, c.variables, c.rows)
	if c.inverse = invert(c.matrix); c.inverse == nil {
		return nil
	}
	return c
}

// entriesOf is the coefficients of the variables, one line each, in the rows.
func entriesOf(p *Problem, variables, rows []int) [][]float64 {
	line := make(map[int][]float64, len(variables))
	all := make([][]float64, len(variables))
	for f, j := range variables {
		all[f] = make([]float64, len(rows))
		line[j] = all[f]
	}
	for k, i := range rows {
		for e, j := range p.Rows[i].Columns {
			if to := line[j]; to != nil {
				to[k] = p.Rows[i].Values[e]
			}
		}
	}
	return all
}

// eliminate chooses variables and rows such that the matrix between them is regular:
// Gaussian elimination of g, a line per variable and a column per usable row.
func (c *correction) eliminate(variables, usable []int, g [][]float64) {
	taken := make([]bool, len(usable))
	for f := range g {
		size, best := 0.0, -1
		for k, v := range g[f] {
			if !taken[k] && math.Abs(v) > size {
				size, best = math.Abs(v), k
			}
		}
		scale := 0.0
		for k := range usable {
			scale = max(scale, math.Abs(g[f][k]))
		}
		if best < 0 || size <= 1e-9*scale {
			continue
		}
		taken[best] = true
		c.variables, c.rows = append(c.variables, variables[f]), append(c.rows, usable[best])
		for h := f + 1; h < len(g); h++ {
			if t := g[h][best] / g[f][best]; t != 0 {
				for k, v := range g[f] {
					g[h][k] -= t * v
				}
				g[h][best] = 0
			}
		}
	}
}

// invert is an approximate inverse by Gauss-Jordan elimination, or nil.
func invert(matrix [][]float64) [][]float64 {
	n := len(matrix)
	a := make([][]float64, n)
	for i := range a {
		a[i] = append(append(make([]float64, 0, 2*n), matrix[i]...), make([]float64, n)...)
		a[i][n+i] = 1
	}
	for k := range n {
		r := k
		for i := k; i < n; i++ {
			if math.Abs(a[i][k]) > math.Abs(a[r][k]) {
				r = i
			}
		}
		if !(math.Abs(a[r][k]) > 0) {
			return nil
		}
		a[k], a[r] = a[r], a[k]
		inverse := 1 / a[k][k]
		for c := range a[k] {
			a[k][c] *= inverse
		}
		for i := range a {
			if t := a[i][k]; i != k && t != 0 {
				for c, v := range a[k] {
					a[i][c] -= t * v
				}
			}
		}
	}
	for i := range a {
		a[i] = a[i][n:]
	}
	return a
}

// errors bounds |δ| for every row of the problem, given the reduced costs in l; nil if
// the system is not shown to be regular.
func (c *correction) errors(l *lagrangian) []float64 {
	norm, most := 0.0, 0.0 // of I − C·M, and of C·d
	z := make([]float64, len(c.rows))
	for k := range c.rows {
		sum := 0.0
		for h := range c.rows {
			var e enclosure
			if h == k {
				e.add(1)
			}
			for f := range c.variables {
				e.addProduct(-c.inverse[k][f], c.matrix[f][h])
			}
			low, high := e.bounds()
			sum = addUp(sum, max(-low, high))
		}
		norm = max(norm, sum)
		for f, j := range c.variables {
			low, high := l.d[j].bounds()
			z[k] = addUp(z[k], mulUp(math.Abs(c.inverse[k][f]), max(-low, high)))
		}
		most = max(most, z[k])
	}
	if !(norm < 0.5) || math.IsInf(most, 1) || math.IsNaN(most) {
		return nil
	}
	radius := make([]float64, len(c.p.Rows))
	for k, i := range c.rows {
		radius[i] = addUp(z[k], mulUp(mulUp(2, norm), most)) // 1/(1−ρ) < 2
	}
	return radius
}
