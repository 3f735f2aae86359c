package simplex

import (
	"context"
	"math"
	"slices"

	"github.com/vouchnn/vouch/solver"
)

// Presolve.
//
// Before a cold solve the easy parts of the reductions of Andersen & Andersen
// (1995, "Presolving in linear programming", Math. Program. 71, Sect. 3.1) are
// made until nothing changes:
//   - a variable whose bounds coincide goes into the constants;
//   - a row with one variable left becomes a bound of that variable;
//   - a row with none left, or without bounds, is dropped.
//
// The way back needs the duals of dropped rows. A row that became the bound that a
// variable stands at takes over that variable's reduced cost; going through the
// variables in the reverse order of their removal, each such row mentions only
// variables that come later. With zero costs the same turns a Farkas ray of the
// reduced problem into one of the original. An answer that does not stand the
// checks on the original problem, or a contradiction found on the way, is left to
// a solve without presolve. Sessions do not presolve: any bound may change later.

// reduction is a problem without its easy parts.
type reduction struct {
	p        *solver.Problem // the original
	reduced  *solver.Problem
	lower    []float64 // bounds as tightened
	upper    []float64
	lowerRow []int   // the row that a bound comes from, or −1
	upperRow []int   // likewise
	gone     []bool  // variables
	order    []int   // variables in the order of their removal
	dropped  []bool  // rows
	open     []int   // number of variables left in each row
	columns  [][]int // rows of each variable, zero coefficients left out
	keptVars []int
	keptRows []int
}

// presolve returns nil if nothing can be reduced or the problem is contradictory.
func presolve(p *solver.Problem) *reduction {
	r := &reduction{
		p: p, gone: make([]bool, len(p.Variables)), dropped: make([]bool, len(p.Rows)),
		open: make([]int, len(p.Rows)), columns: make([][]int, len(p.Variables)),
	}
	easy := false
	for i := range p.Rows {
		for k := range p.Rows[i].Columns {
			if p.Rows[i].Values[k] != 0 {
				r.open[i]++
			}
		}
		easy = easy || r.open[i] < 2 || unboundedRow(&p.Rows[i])
	}
	for j := range p.Variables {
		v := &p.Variables[j]
		easy = easy || v.Lower == v.Upper
		r.lower, r.upper = append(r.lower, v.Lower), append(r.upper, v.Upper)
		r.lowerRow, r.upperRow = append(r.lowerRow, -1), append(r.upperRow, -1)
	}
	if !easy {
		return nil
	}
	for i := range p.Rows {
		for k, j := range p.Rows[i].Columns {
			if p.Rows[i].Values[k] != 0 {
				r.columns[j] = append(r.columns[j], i)
			}
		}
	}
	if !r.run() {
		return nil
	}
	r.build()
	return r
}

func unboundedRow(r *solver.Row) bool { return math.IsInf(r.Lower, -1) && math.IsInf(r.Upper, 1) }

// run reduces until nothing changes; false means a contradiction.
func (r *reduction) run() bool {
	work := make([]int, 0, len(r.p.Rows)) // rows to look at
	for i := range r.p.Rows {
		work = append(work, i)
	}
	for j := range r.p.Variables {
		if r.lower[j] == r.upper[j] {
			work = r.remove(j, work)
		}
	}
	for len(work) > 0 {
		i := work[len(work)-1]
		work = work[:len(work)-1]
		if r.dropped[i] || r.open[i] > 1 && !unboundedRow(&r.p.Rows[i]) {
			continue
		}
		r.dropped[i] = true
		if unboundedRow(&r.p.Rows[i]) {
			continue
		}
		j, ok := r.absorb(i)
		if !ok {
			return false
		}
		if j >= 0 && r.lower[j] == r.upper[j] {
			work = r.remove(j, work)
		}
	}
	return true
}

// remove takes a fixed variable out and adds its rows to work.
func (r *reduction) remove(j int, work []int) []int {
	r.gone[j] = true
	r.order = append(r.order, j)
	for _, i := range r.columns[j] {
		r.open[i]--
		work = append(work, i)
	}
	return work
}

// entry is row's coefficient of variable j.
func entry(row *solver.Row, j int) float64 {
	return row.Values[slices.Index(row.Columns, j)]
}

// rest is the activity of the removed variables in row i, the size of its terms,
// and the variable that is left, or −1, with its coefficient.
func (r *reduction) rest(i int) (sum, size float64, j int, a float64) {
	j = -1
	row := &r.p.Rows[i]
	for k, c := range row.Columns {
		if r.gone[c] {
			sum += row.Values[k] * r.lower[c]
			size += math.Abs(row.Values[k] * r.lower[c])
		} else if row.Values[k] != 0 {
			j, a = c, row.Values[k]
		}
	}
	return sum, size, j, a
}

// absorb makes row i, with at most one variable left, a bound of that variable.
func (r *reduction) absorb(i int) (j int, ok bool) {
	row := &r.p.Rows[i]
	sum, size, j, a := r.rest(i)
	if j < 0 {
		return j, within(sum, row.Lower, row.Upper, size, defaultTolerance/10)
	}
	lower, upper := (row.Lower-sum)/a, (row.Upper-sum)/a
	if a < 0 {
		lower, upper = upper, lower
	}
	if lower > r.lower[j] {
		r.lower[j], r.lowerRow[j] = lower, i
	}
	if upper < r.upper[j] {
		r.upper[j], r.upperRow[j] = upper, i
	}
	if gap := r.lower[j] - r.upper[j]; gap > 0 {
		if gap > defaultTolerance*max(1, math.Abs(r.lower[j])) {
			return j, false
		}
		if r.lowerRow[j] >= 0 {
			r.lower[j] = r.upper[j]
		} else {
			r.upper[j] = r.lower[j]
		}
	}
	return j, !math.IsInf(r.lower[j], 1) && !math.IsInf(r.upper[j], -1)
}

// build writes the problem that is left.
func (r *reduction) build() {
	q := &solver.Problem{Sense: r.p.Sense, Offset: r.p.Offset}
	number := make([]int, len(r.p.Variables))
	for j, v := range r.p.Variables {
		if r.gone[j] {
			q.Offset += v.Cost * r.lower[j]
			continue
		}
		number[j] = q.AddVariable(r.lower[j], r.upper[j], v.Cost)
		r.keptVars = append(r.keptVars, j)
	}
	for i := range r.p.Rows {
		if r.dropped[i] {
			continue
		}
		row := &r.p.Rows[i]
		sum, _, _, _ := r.rest(i)
		columns, values := make([]int, 0, r.open[i]), make([]float64, 0, r.open[i])
		for k, j := range row.Columns {
			if !r.gone[j] && row.Values[k] != 0 {
				columns, values = append(columns, number[j]), append(values, row.Values[k])
			}
		}
		q.AddRow(row.Lower-sum, row.Upper-sum, columns, values)
		r.keptRows = append(r.keptRows, i)
	}
	r.reduced = q
}

// liftRows turns row duals of the reduced problem into such of the original, with
// its costs times factor.
func (r *reduction) liftRows(short []float64, factor float64) []float64 {
	y := make([]float64, len(r.p.Rows))
	for k, i := range r.keptRows {
		y[i] = short[k]
	}
	sign := 1.0
	if r.p.Sense == solver.Maximize && factor != 0 {
		sign = -1
	}
	d := reducedCosts(r.p, y)
	if factor == 0 {
		for j := range d {
			d[j] -= r.p.Variables[j].Cost
		}
	}
	lift := func(j int) {
		i := r.lowerRow[j]
		if sign*d[j] < 0 {
			i = r.upperRow[j]
		}
		if i < 0 || d[j] == 0 {
			return
		}
		row := &r.p.Rows[i]
		y[i] = d[j] / entry(row, j)
		for k, c := range row.Columns {
			d[c] -= y[i] * row.Values[k]
		}
		d[j] = 0
	}
	for _, j := range r.keptVars {
		lift(j)
	}
	for _, j := range slices.Backward(r.order) {
		lift(j)
	}
	return y
}

// liftColumns turns a point or, with zero for removed variables, a direction of
// the reduced problem into one of the original.
func (r *reduction) liftColumns(short []float64, point bool) []float64 {
	x := make([]float64, len(r.p.Variables))
	for k, j := range r.keptVars {
		x[j] = short[k]
	}
	for _, j := range r.order {
		if point {
			x[j] = r.lower[j]
		}
	}
	return x
}

// solve answers the original problem by way of the reduced one. It returns nil if
// that takes a solve without presolve.
func (r *reduction) solve(ctx context.Context, opts *solver.Options, keep keeping) (*solver.Solution, error) {
	inner := *opts
	inner.Rays = true // what is claimed is shown on the original problem
	s := newSession(r.reduced, &inner, keep)
	a, err := s.Solve(ctx)
	if err != nil {
		return nil, err
	}
	switch a.Status {
	case solver.Optimal:
		a.X, a.RowDuals = r.liftColumns(a.X, true), r.liftRows(a.RowDuals, 1)
		a.ReducedCosts = reducedCosts(r.p, a.RowDuals)
		a.Objective = r.p.Value(a.X)
		a.Bound = a.Objective
		if !feasiblePoint(r.p, a.X, s.feasibility()) || !smallGap(r.p, a, s.optimality()) {
			return nil, nil
		}
	case solver.Infeasible:
		if a.FarkasRay == nil {
			return nil, nil
		}
		if a.FarkasRay = r.liftRows(a.FarkasRay, 0); !solver.SafeInfeasible(r.p, a.FarkasRay) {
			return nil, nil
		}
	case solver.Unbounded:
		a.X = r.liftColumns(a.X, true)
		a.Objective = r.p.Value(a.X)
		if !feasiblePoint(r.p, a.X, s.feasibility()) {
			return nil, nil
		}
		if a.UnboundedRay != nil {
			a.UnboundedRay = r.liftColumns(a.UnboundedRay, false)
		}
	case solver.Limit:
		return a, nil
	default:
		return nil, nil
	}
	if !opts.Rays {
		a.FarkasRay, a.UnboundedRay = nil, nil
	}
	return a, nil
}
