package simplex

import (
	"math"

	"github.com/vouchnn/vouch/solver"
)

// Mixed-integer rounding, safely.
//
// A weighted sum of rows, Σ yᵢ·(Aᵢx − sᵢ) = 0 with sᵢ = Uᵢ − tᵢ or Lᵢ + tᵢ, is brought
// to Σ aⱼx'ⱼ + Σ cᵢtᵢ ≤ β over variables that are not negative, x' the distance from a
// bound. With f = β − ⌊β⌋ and
//
//	F(d) = ⌊d⌋ + max(0, d − ⌊d⌋ − f)/(1 − f)
//
// all points with integers satisfy
//
//	Σ over integers F(aⱼ)x'ⱼ + Σ over the others min(0, aⱼ)/(1 − f)·x'ⱼ ≤ ⌊β⌋
//
// (Nemhauser & Wolsey 1988, "Integer and Combinatorial Optimization", II.1.7; Marchand &
// Wolsey 2001, "Aggregation and mixed integer rounding to solve MIPs", Oper. Res. 49).
// With the row of a basic variable that has no integer this is Gomory's mixed-integer cut.
//
// Every number is rounded so that the cut holds over the real numbers (as in Cook, Dash,
// Fukasawa & Goycoolea 2009, "Numerically safe Gomory mixed-integer cuts", INFORMS J.
// Comput. 21): any weights will do; coefficients may be too small, as what they multiply is
// not negative, and the right side too great; when slacks are replaced by their rows again
// what rounding may have done to a coefficient is paid for by the variable's greatest
// size.

const (
	mirFraction   = 0.01 // f and 1 − f are at least this
	mirTiny       = 1e-9 // coefficients below this share of the greatest are dropped
	mirSpread     = 1e6  // the greatest may be this many times the least
	mirWeights    = 1e6  // and so the weights
	mirTinyWeight = 1e-9
)

// weighted is a row in a sum: its activity is its upper end minus a slack, or its lower
// one plus a slack.
type weighted struct {
	i       int
	y       float64
	atUpper bool
}

// rounder makes cuts from weighted rows. The box is the root's.
type rounder struct {
	p            *solver.Problem
	lower, upper []float64
	whole        []bool // rows whose slacks are integers
	sum, size    []float64
	cut, error   []float64
}

func newRounder(p *solver.Problem, lower, upper []float64) *rounder {
	n := len(p.Variables)
	r := &rounder{
		p: p, lower: lower, upper: upper,
		sum: make([]float64, n), size: make([]float64, n), cut: make([]float64, n), error: make([]float64, n),
	}
	r.whole = newReferee(p, 0).exact
	return r
}

// bounded is a sum with the sum of its terms' sizes.
type bounded struct {
	v, size float64
	terms   int
}

func (b *bounded) add(v float64) {
	b.v += v
	b.size += math.Abs(v)
	b.terms++
}

// above is at least the exact sum, if the terms were rounded once at most.
func (b *bounded) above() float64 { return upward(b.v + 2*slackOf(b.terms, b.size)) }

// round cuts by the weighted rows; x is where variables are, for the choice of bounds.
// False if nothing worth having comes out.
func (r *rounder) round(rows []weighted, x []float64) (solver.Row, bool) {
	right, ok := r.add(rows)
	if !ok {
		return solver.Row{}, false
	}
	most := 0.0
	for _, v := range r.sum {
		most = max(most, math.Abs(v))
	}
	// Bounds.
	for j, a := range r.sum {
		if r.size[j] == 0 {
			continue
		}
		e := slackOf(len(rows), r.size[j])
		if math.Abs(a) <= 1e-11*most { // zero but for rounding
			width := r.upper[j] - r.lower[j]
			if math.IsInf(width, 0) {
				return solver.Row{}, false
			}
			r.sum[j], r.size[j] = 0, 0
			right.add(upward(upward(math.Abs(a)+e) * upward(width)))
			// What is dropped is a·x = a·end + a·x'.
			right.add(-a * r.lower[j])
			right.add(upward(e * math.Abs(r.lower[j])))
			continue
		}
		end := r.end(j, x[j])
		if math.IsInf(end, 0) {
			return solver.Row{}, false
		}
		right.add(-a * end)
		right.add(upward(e * math.Abs(end)))
		r.size[j] = e
	}
	beta := right.above()
	floor := math.Floor(beta)
	f := beta - floor
	if math.Abs(beta) > 1e9 || !(f >= mirFraction && f <= 1-mirFraction) {
		return solver.Row{}, false
	}
	return r.back(rows, x, floor, f)
}

// add sums the rows into r.sum, with the sizes of the terms in r.size, and their ends.
func (r *rounder) add(rows []weighted) (bounded, bool) {
	clear(r.sum)
	clear(r.size)
	var right bounded
	for _, w := range rows {
		row := &r.p.Rows[w.i]
		end := row.Lower
		if w.atUpper {
			end = row.Upper
		}
		if math.IsInf(end, 0) {
			return right, false
		}
		right.add(w.y * end)
		for k, j := range row.Columns {
			t := w.y * row.Values[k]
			r.sum[j] += t
			r.size[j] += math.Abs(t) + 0x1p-1000 // a product may underflow
		}
	}
	return right, true
}

// end is the bound from which variable j is counted: the one near x, if both are
// there.
func (r *rounder) end(j int, x float64) float64 {
	l, u := r.lower[j], r.upper[j]
	if math.IsInf(l, -1) || !math.IsInf(u, 1) && u-x < x-l {
		return u
	}
	return l
}

// function is a lower bound of F(d).
func function(d, f float64) float64 {
	floor := math.Floor(d)
	part := d - floor // may have been rounded up to 1
	if part <= f {
		return floor
	}
	part = (part - f) / (1 - f) * (1 - 0x1p-49)
	return downward(floor + part)
}

// back writes the cut in the problem's variables. sum is Σ yA, size the errors in it.
func (r *rounder) back(rows []weighted, x []float64, floor, f float64) (solver.Row, bool) {
	clear(r.cut)
	clear(r.error)
	var right bounded
	right.add(floor)
	for j, a := range r.sum {
		if r.size[j] == 0 {
			continue
		}
		end, sign := r.end(j, x[j]), 1.0
		if end != r.lower[j] {
			sign = -1
		}
		c := r.coefficient(downward(sign*a-r.size[j]), f, r.p.Variables[j].Integer)
		if c == 0 {
			continue
		}
		r.cut[j] += sign * c
		r.error[j] += math.Abs(c)
		right.add(sign * c * end)
	}
	for _, w := range rows {
		row := &r.p.Rows[w.i]
		if row.Lower == row.Upper {
			continue
		}
		sign, end := 1.0, row.Lower // t = Ax − L, its coefficient −y
		if w.atUpper {
			sign, end = -1, row.Upper
		}
		c := r.coefficient(-sign*w.y, f, r.whole[w.i])
		if c == 0 {
			continue
		}
		right.add(sign * c * end)
		for k, j := range row.Columns {
			t := sign * c * row.Values[k]
			r.cut[j] += t
			r.error[j] += math.Abs(t) + 0x1p-1000
		}
	}
	return r.clean(right, len(rows)+1)
}

// coefficient of something with coefficient d that is not negative.
func (r *rounder) coefficient(d, f float64, integer bool) float64 {
	switch {
	case integer:
		return function(d, f)
	case d < 0:
		return downward(d / (1 - f) * (1 + 0x1p-49))
	}
	return 0
}

// clean pays for rounding, drops tiny coefficients and scales.
func (r *rounder) clean(right bounded, terms int) (solver.Row, bool) {
	most := 0.0
	for _, v := range r.cut {
		most = max(most, math.Abs(v))
	}
	row := solver.Row{Lower: math.Inf(-1)}
	least := most
	if !(most > 0) || math.IsInf(most, 0) {
		return row, false
	}
	scale := 1 / powerOfTwo(most)
	for j, v := range r.cut {
		if r.error[j] == 0 {
			continue
		}
		e, l, u := slackOf(terms, r.error[j]), r.lower[j], r.upper[j]
		far := max(math.Abs(l), math.Abs(u))
		if math.IsInf(far, 0) {
			return row, false
		}
		right.add(upward(e * far))
		if math.Abs(v) <= mirTiny*most {
			right.add(upward(-min(v*l, v*u)))
			continue
		}
		least = min(least, math.Abs(v))
		row.Columns, row.Values = append(row.Columns, j), append(row.Values, v*scale)
	}
	row.Upper = right.above() * scale
	return row, most <= mirSpread*least && !math.IsInf(row.Upper, 0)
}
