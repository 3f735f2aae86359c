package solvertest

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/vouchnn/vouch/solver"
)

// Problems with known answers.
//
// Optimal ones are built backwards from a point, row duals and reduced costs that
// satisfy complementary slackness; the costs follow. Infeasible ones are built
// around a Farkas ray, unbounded ones around a direction. So the answer is known
// without solving anything.

// Case is a problem and its answer.
type Case struct {
	Name      string
	Problem   *solver.Problem
	Status    solver.Status
	Objective float64 // if optimal
	Scale     float64 // what Objective's error is relative to
}

// style of generated problems.
type style struct {
	name       string
	degenerate bool // many active bounds with a dual value of zero
	equalities bool // all rows are equations
	scales     float64
	density    float64
}

var styles = []style{
	{name: "sparse", density: 0.25},
	{name: "dense", density: 0.9},
	{name: "degenerate", degenerate: true, density: 0.4},
	{name: "equalities", equalities: true, density: 0.4},
	{name: "badly scaled", scales: 3, density: 0.5},
	{name: "degenerate and badly scaled", degenerate: true, scales: 2, density: 0.3},
}

// Generated returns count problems of each style and answer. Same seed, same
// problems.
func Generated(seed uint64, count int) []Case {
	rng := rand.New(rand.NewPCG(seed, 0x9e4))
	var cases []Case
	for _, s := range styles {
		for k := range count {
			m, n := 1+rng.IntN(8+4*k%40), 1+rng.IntN(8+4*k%40)
			if s.equalities {
				m = 1 + rng.IntN(n)
			}
			cases = append(cases, constructOptimal(rng, s, m, n), constructInfeasible(rng, s, m, n), constructUnbounded(rng, s, m, n))
			for i := range cases[len(cases)-3:] {
				c := &cases[len(cases)-3+i]
				c.Name = fmt.Sprintf("%v, %s, %d (%d × %d)", c.Status, s.name, k, m, n)
			}
		}
	}
	return cases
}

// matrix fills m rows with random entries; bounds are left open.
func matrix(rng *rand.Rand, p *solver.Problem, s style, m int) {
	inf := math.Inf(1)
	for range m {
		var columns []int
		var values []float64
		for j := range p.Variables {
			if rng.Float64() < s.density {
				columns, values = append(columns, j), append(values, rng.NormFloat64())
			}
		}
		p.AddRow(-inf, inf, columns, values)
	}
}

// constructOptimal builds a problem whose optimum is known.
func constructOptimal(rng *rand.Rand, s style, m, n int) Case {
	p := &solver.Problem{Offset: rng.NormFloat64()}
	x, d := make([]float64, n), make([]float64, n)
	for j := range x {
		x[j] = math.Round(rng.NormFloat64() * 3)
		lower, upper, dual := active(rng, x[j], s, false)
		d[j] = dual
		p.AddVariable(lower, upper, 0)
	}
	matrix(rng, p, s, m)
	for j := range d {
		p.Variables[j].Cost = d[j]
	}
	for i := range p.Rows {
		r := &p.Rows[i]
		var y float64
		r.Lower, r.Upper, y = active(rng, r.Activity(x), s, s.equalities)
		for k, j := range r.Columns {
			p.Variables[j].Cost += y * r.Values[k]
		}
	}
	c := Case{Problem: p, Status: solver.Optimal, Objective: p.Value(x), Scale: 1}
	for j, v := range p.Variables {
		c.Scale += math.Abs(v.Cost * x[j])
	}
	if rng.IntN(2) == 0 {
		p.Sense = solver.Maximize
		p.Offset, c.Objective = -p.Offset, -c.Objective
		for j := range p.Variables {
			p.Variables[j].Cost = -p.Variables[j].Cost
		}
	}
	rescale(rng, p, s)
	return c
}

// active is an interval around v and a dual value that fits, when minimising.
func active(rng *rand.Rand, v float64, s style, equation bool) (lower, upper, dual float64) {
	inf := math.Inf(1)
	far := func() float64 {
		if rng.IntN(2) == 0 {
			return inf
		}
		return 0.5 + 3*rng.Float64()
	}
	size := rng.ExpFloat64()
	if s.degenerate && rng.IntN(2) == 0 {
		size = 0
	}
	kind := rng.IntN(6)
	if equation {
		kind = 0
	}
	switch kind {
	case 0:
		return v, v, size * float64(2*rng.IntN(2)-1)
	case 1, 2:
		return v, v + far(), size
	case 3, 4:
		return v - far(), v, -size
	}
	return v - far(), v + far(), 0
}

// constructInfeasible builds Σ yᵢ·rowᵢ to need more than the variables can give.
func constructInfeasible(rng *rand.Rand, s style, m, n int) Case {
	p := &solver.Problem{}
	for range n {
		p.AddVariable(math.Inf(-1), math.Inf(1), rng.NormFloat64())
	}
	matrix(rng, p, s, m)
	g, y := make([]float64, n), make([]float64, m)
	for i := range y {
		if i == 0 || rng.IntN(3) > 0 {
			y[i] = rng.NormFloat64()
		}
		for k, j := range p.Rows[i].Columns {
			g[j] += y[i] * p.Rows[i].Values[k]
		}
	}
	most := 0.0 // of Σ g·x
	for j := range g {
		v := &p.Variables[j]
		a, b := math.Round(3*rng.NormFloat64()), 1+math.Round(3*rng.Float64())
		if g[j] > 0 || rng.IntN(2) == 0 {
			v.Upper = a + b
		}
		if g[j] < 0 || rng.IntN(2) == 0 {
			v.Lower = a
		}
		if g[j] != 0 {
			most += max(g[j]*v.Lower, g[j]*v.Upper)
		}
	}
	for i := range y {
		b := rng.NormFloat64()
		if i == 0 { // the first row makes up the rest
			b = 0
		}
		most -= y[i] * b
		setEnd(&p.Rows[i], y[i], b, s)
	}
	b := (most + 1 + rng.Float64()) / y[0]
	setEnd(&p.Rows[0], y[0], b, s)
	rescale(rng, p, s)
	return Case{Problem: p, Status: solver.Infeasible}
}

// setEnd bounds a row on the side that its multiplier pushes against.
func setEnd(r *solver.Row, y, b float64, s style) {
	if y > 0 || s.equalities {
		r.Lower = b
	}
	if y < 0 || s.equalities {
		r.Upper = b
	}
}

// constructUnbounded builds a problem that is feasible at a point and along a
// direction of which the objective improves.
func constructUnbounded(rng *rand.Rand, s style, m, n int) Case {
	inf := math.Inf(1)
	p := &solver.Problem{}
	x, ray := make([]float64, n), make([]float64, n)
	for j := range ray {
		x[j] = math.Round(rng.NormFloat64() * 3)
		if j == n-1 || rng.IntN(3) == 0 {
			ray[j] = float64(2*rng.IntN(2) - 1)
		}
		lower, upper, cost := active(rng, x[j], s, false)
		if ray[j] > 0 {
			upper = inf
		} else if ray[j] < 0 {
			lower = -inf
		}
		if lower == upper && ray[j] != 0 {
			lower, upper = -inf, inf
		}
		p.AddVariable(lower, upper, cost)
	}
	gain := 0.0
	for j, v := range p.Variables[:n-1] {
		gain += v.Cost * ray[j]
	}
	p.Variables[n-1].Cost = -(gain + 1) * ray[n-1] // cost·ray = −1
	matrix(rng, p, s, m)
	for i := range p.Rows {
		r := &p.Rows[i]
		r.Lower, r.Upper, _ = active(rng, r.Activity(x), s, s.equalities)
		along := r.Activity(ray)
		if s.equalities && along != 0 { // lean on the last variable to make it zero
			fixAlong(r, ray, along)
			a := r.Activity(x)
			r.Lower, r.Upper = a, a
			continue
		}
		if along > 0 {
			r.Lower, r.Upper = min(r.Lower, r.Activity(x)), inf
		} else if along < 0 {
			r.Lower, r.Upper = -inf, max(r.Upper, r.Activity(x))
		}
	}
	rescale(rng, p, s)
	return Case{Problem: p, Status: solver.Unbounded}
}

// fixAlong makes a row's activity along ray exactly zero: all entries on the
// ray become small integers, the last of them the negative sum of the others.
func fixAlong(r *solver.Row, ray []float64, _ float64) {
	sum, last := 0.0, -1
	for k, j := range r.Columns {
		if ray[j] != 0 {
			r.Values[k] = math.Round(3 * r.Values[k])
			sum += r.Values[k] * ray[j]
			last = k
		}
	}
	j := r.Columns[last]
	r.Values[last] -= sum * ray[j]
}

// rescale multiplies rows and variables by powers of ten, rounded to powers of
// two so that the answer stays what it is.
func rescale(rng *rand.Rand, p *solver.Problem, s style) {
	factor := func() float64 {
		return math.Exp2(math.Round(math.Log2(10) * s.scales * (2*rng.Float64() - 1)))
	}
	if s.scales == 0 {
		return
	}
	column := make([]float64, len(p.Variables))
	for j := range column {
		column[j] = factor()
		v := &p.Variables[j]
		v.Lower, v.Upper, v.Cost = v.Lower/column[j], v.Upper/column[j], v.Cost*column[j]
	}
	for i := range p.Rows {
		r, f := &p.Rows[i], factor()
		r.Lower, r.Upper = r.Lower*f, r.Upper*f
		for k, j := range r.Columns {
			r.Values[k] *= f * column[j]
		}
	}
}
