package simplex

import (
	"cmp"
	"math"
	"slices"
)

// The dual ratio test: long steps, with tolerance.
//
// As the dual step grows, reduced costs reach zero one after the other. Where
// that variable is boxed it can move to its other bound instead of entering, and
// the step goes on as long as the violation that is left has not changed sign:
// one pivot does the work of many (Fourer 1994, "Notes on the dual simplex
// method"; Maros 2003, Sect. 10.2, bound flipping). Among breakpoints that lie
// within a tolerance of each other the greatest pivot is taken (Harris 1973), and
// an earlier group is preferred to a tiny pivot. Reduced costs that change sign
// thereby are shifted.

const (
	noise      = 1e-9 // entries of T below this are rounding errors
	smallPivot = 1e-7 // pivots below this are taken from a fresh T only
	goodPivot  = 0.01 // share of the greatest pivot that a later group needs
)

// candidate is a column whose reduced cost reaches zero at step ratio.
type candidate struct {
	column int
	size   float64 // of the entry
	ratio  float64
}

// dualRatio chooses the column that enters for row r, whose variable has to grow
// (sign 1) or shrink (−1), and sets flips. If all columns together cannot repair
// the row, q is −1 and rest the violation that remains.
func (e *engine) dualRatio(r int, sign float64) (q int, rest float64) {
	e.collect(e.row(r), sign)
	e.flips = e.flips[:0]
	slope := e.lb[r] - e.xb[r]
	if sign < 0 {
		slope = e.xb[r] - e.ub[r]
	}
	greatest := 0.0
	for _, k := range e.candidates {
		greatest = max(greatest, k.size)
	}
	q, best, keep := -1, 0.0, 0 // the entering column, its size, and how many flips precede it
	for rest := e.candidates; len(rest) > 0; {
		group := e.nextGroup(rest)
		k := widest(rest[:group])
		chosen := k.size >= best || k.size >= goodPivot*greatest
		if chosen {
			q, best, keep = k.column, k.size, len(e.flips)
		}
		before := slope
		for _, c := range rest[:group] {
			slope -= c.size * (e.un[c.column] - e.ln[c.column])
			e.flips = append(e.flips, c.column)
		}
		if slope < 0 {
			e.flips = e.flips[:keep]
			if chosen {
				e.flipWithin(rest[:group], k, before)
			}
			return q, 0
		}
		rest = rest[group:]
	}
	bound := e.lb[r]
	if sign < 0 {
		bound = e.ub[r]
	}
	if q >= 0 && slope <= e.feasible*max(1, math.Abs(bound)) {
		e.flips = e.flips[:keep] // what remains is within the tolerance
		return q, 0
	}
	return -1, slope
}

// collect lists the columns that can move row r's variable the way of sign, with
// the steps at which their reduced costs are zero.
func (e *engine) collect(row []float64, sign float64) {
	e.candidates = e.candidates[:0]
	at, d := e.at[:len(row)], e.d[:len(row)]
	for c, a := range row {
		a *= sign
		switch at[c] {
		case atLower:
			if a <= noise {
				continue
			}
		case atUpper:
			if a >= -noise {
				continue
			}
		case atZero:
			if math.Abs(a) <= noise {
				continue
			}
		case fixed:
			continue
		}
		a = math.Abs(a)
		e.candidates = append(e.candidates, candidate{c, a, math.Abs(d[c]) / a})
	}
}

// nextGroup moves to the front the candidates that come next, within the
// tolerance, and returns their number.
func (e *engine) nextGroup(rest []candidate) int {
	limit := math.Inf(1)
	for _, k := range rest {
		limit = min(limit, k.ratio+e.optimal/k.size)
	}
	n := 0
	for i, k := range rest {
		if k.ratio <= limit {
			rest[n], rest[i] = k, rest[n]
			n++
		}
	}
	return n
}

// flipWithin adds to flips what of the last group reaches zero no later than the entering
// column k, as far as slope allows. Where many reduced costs are equal they are all in
// one group, and without this each would need a pivot of its own.
func (e *engine) flipWithin(group []candidate, k candidate, slope float64) {
	for _, c := range group {
		if c.column == k.column || c.ratio > k.ratio {
			continue
		}
		if rest := slope - c.size*(e.un[c.column]-e.ln[c.column]); rest > 0 {
			slope = rest
			e.flips = append(e.flips, c.column)
		}
	}
}

// widest is the candidate with the greatest entry.
func widest(group []candidate) candidate {
	return slices.MaxFunc(group, func(a, b candidate) int { return cmp.Compare(a.size, b.size) })
}

// proveInfeasible keeps the row as a proof: its variable has to pass rest to
// reach its bound even if all others help. It is trouble if rounding errors could
// amount to that.
func (e *engine) proveInfeasible(r int, sign, rest float64) outcome {
	e.farkas = make([]float64, e.n+e.m)
	size := max(math.Abs(e.xb[r]), 1)
	for c, a := range e.row(r) {
		if math.Abs(a) > noise {
			e.farkas[e.nonbasic[c]] = -sign * a
			size = max(size, math.Abs(a*e.xn[c]))
		}
	}
	e.farkas[e.basic[r]] = sign
	if rest <= 1e-13*size {
		return trouble
	}
	return infeasible
}
