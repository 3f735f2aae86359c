package simplex

import (
	"math"

	"github.com/vouchnn/vouch/solver"
)

// Presolve for integers.
//
// Before branch and bound the problem is turned into one to be minimised and made
// smaller and tighter, in turns, until little changes (Savelsbergh 1994, Sect. 1;
// Achterberg, Bixby, Gu, Rothberg & Weninger 2020, "Presolve reductions in mixed
// integer programming", INFORMS J. Comput. 32, Sect. 3 and 4):
//   - bounds of integer variables are rounded inward and tightened by all rows;
//   - a variable whose cost and rows all pull the same way goes to that bound;
//   - rows of integers with integer coefficients are divided by their greatest common
//     divisor and their ends rounded inward;
//   - rows that the bounds imply are dropped;
//   - an integer variable's coefficient shrinks where, short of its bound, the row
//     could not be violated.
//
// No reduction needs more for the way back than the values of the variables that
// were fixed. Every number that is changed is either changed exactly or rounded so
// that no point is lost: what is infeasible afterwards was so before. Points are
// judged on the original problem.

const (
	reduceTurns   = 6
	mostDivided   = 0x1p20 // rows whose coefficients would be greater are not divided
	largestFactor = 0x1p50 // integer coefficients and ends beyond this are left alone
)

// reducer is a problem with integers on its way to a smaller one.
type reducer struct {
	given *solver.Problem
	p     *solver.Problem // to be minimised; rows and variables as many as given
	d     *domains
	gone  []bool // rows
}

// integerReduction is what is left of a problem, to be minimised.
type integerReduction struct {
	p      *solver.Problem
	kept   []int     // its variables in the original
	values []float64 // of the original's variables; those kept are overwritten
	slack  float64   // bounds the error of p's offset
}

// reduceIntegers returns nil if no point is feasible.
func reduceIntegers(given *solver.Problem) *integerReduction {
	r := &reducer{given: given, p: given.Clone(), gone: make([]bool, len(given.Rows))}
	if given.Sense == solver.Maximize {
		r.p.Sense, r.p.Offset = solver.Minimize, -given.Offset
		for j := range r.p.Variables {
			r.p.Variables[j].Cost = -given.Variables[j].Cost
		}
	}
	for j := range r.p.Variables {
		if v := &r.p.Variables[j]; v.Integer {
			if v.Lower, v.Upper = math.Ceil(v.Lower)+0, math.Floor(v.Upper)+0; v.Lower > v.Upper {
				return nil
			}
		}
	}
	r.d = newDomains(r.p, rowsOfVariables(r.p))
	r.d.all()
	for range reduceTurns {
		for i := range r.p.Rows {
			if !r.gone[i] && !r.divide(&r.p.Rows[i]) {
				return nil
			}
		}
		if !r.d.propagate() {
			return nil
		}
		changed := r.fixByCosts()
		for i := range r.p.Rows {
			if !r.gone[i] {
				changed = r.simplify(i) || changed
			}
		}
		if !changed && len(r.d.queue) == 0 {
			break
		}
	}
	if !r.d.propagate() {
		return nil
	}
	return r.build()
}

// divide rounds the ends of an integer row inward and divides it by its greatest
// common divisor; false means that no integer lies between the ends.
func (r *reducer) divide(row *solver.Row) bool {
	g, most := 0.0, 0.0
	for k, j := range row.Columns {
		if v := row.Values[k]; v != 0 {
			most = max(most, math.Abs(v))
			if !r.p.Variables[j].Integer {
				return true
			}
			if g = commonStep(g, v); g == 0 {
				return true
			}
		}
	}
	if g == 0 {
		return true
	}
	lower, upper := row.Lower/g, row.Upper/g // the activity over g is an integer
	if !math.IsInf(lower, 0) {
		if math.Abs(lower) > largestFactor {
			return true
		}
		lower = math.Ceil(downward(lower))
	}
	if !math.IsInf(upper, 0) {
		if math.Abs(upper) > largestFactor {
			return true
		}
		upper = math.Floor(upward(upper))
	}
	if most/g > mostDivided { // dividing would make the numbers unwieldy
		g1, fits1 := exactProduct(lower, g)
		g2, fits2 := exactProduct(upper, g)
		if fits1 || math.IsInf(lower, 0) {
			row.Lower = g1
		}
		if fits2 || math.IsInf(upper, 0) {
			row.Upper = g2
		}
		return lower <= upper
	}
	for k := range row.Values {
		row.Values[k] /= g
	}
	row.Lower, row.Upper = lower, upper
	return lower <= upper
}

// commonStep is the greatest number of which a and b are integer multiples, zero if
// there is none worth having. a = 0 gives |b|.
func commonStep(a, b float64) float64 {
	a, b = math.Abs(a), math.Abs(b)
	if a == 0 {
		return b
	}
	least := max(a, b) / largestFactor
	for b > 0 {
		if a, b = b, math.Mod(a, b); b > 0 && b < least {
			return 0
		}
	}
	return a
}

// fixByCosts moves variables that only gain by it to a bound.
func (r *reducer) fixByCosts() bool {
	up, down := make([]bool, len(r.p.Variables)), make([]bool, len(r.p.Variables)) // someone objects
	for i := range r.p.Rows {
		if r.gone[i] {
			continue
		}
		row := &r.p.Rows[i]
		for k, j := range row.Columns {
			v := row.Values[k]
			if v == 0 {
				continue
			}
			if !math.IsInf(row.Upper, 1) {
				up[j], down[j] = up[j] || v > 0, down[j] || v < 0
			}
			if !math.IsInf(row.Lower, -1) {
				up[j], down[j] = up[j] || v < 0, down[j] || v > 0
			}
		}
	}
	changed := false
	for j := range r.p.Variables {
		v := &r.p.Variables[j]
		low, high := r.d.lower[j], r.d.upper[j]
		switch {
		case low == high:
		case v.Cost >= 0 && !down[j] && !math.IsInf(low, -1):
			changed = r.d.fix(j, low)
		case v.Cost <= 0 && !up[j] && !math.IsInf(high, 1):
			changed = r.d.fix(j, high)
		}
	}
	return changed
}

// simplify drops row i, or a side of it, if the bounds imply it, and shrinks
// coefficients.
func (r *reducer) simplify(i int) bool {
	row := &r.p.Rows[i]
	a := r.d.activity(row)
	changed := false
	if !math.IsInf(row.Upper, 1) && a.openAbove == 0 && a.most+a.mostError <= row.Upper {
		row.Upper, changed = math.Inf(1), true
	}
	if !math.IsInf(row.Lower, -1) && a.openBelow == 0 && a.least-a.leastError >= row.Lower {
		row.Lower, changed = math.Inf(-1), true
	}
	if unboundedRow(row) {
		r.gone[i] = true
		return true
	}
	switch {
	case math.IsInf(row.Lower, -1) && a.openAbove == 0:
		return r.shrink(i, 1, a.most+a.mostError) || changed
	case math.IsInf(row.Upper, 1) && a.openBelow == 0:
		return r.shrink(i, -1, -(a.least-a.leastError)) || changed
	}
	return changed
}

// shrink tightens coefficients in Σ sign·Values·x ≤ limit, whose activity is at most
// most: if one step from its bound x makes the row slack by s, its coefficient can be
// smaller by s and the limit by s times the bound.
func (r *reducer) shrink(i int, sign, most float64) bool {
	row := &r.p.Rows[i]
	limit := sign * row.Upper
	if sign < 0 {
		limit = sign * row.Lower
	}
	changed := false
	for k, j := range row.Columns {
		a := sign * row.Values[k]
		if !r.p.Variables[j].Integer || a == 0 || r.d.lower[j] == r.d.upper[j] {
			continue
		}
		s := downward(limit - upward(most-math.Abs(a)))
		if s = math.Floor(s*0x1p20) * 0x1p-20; !(s > 1e-6*math.Abs(a)) || s > math.Abs(a) {
			continue
		}
		end := r.d.upper[j]
		if a < 0 {
			s, end = -s, r.d.lower[j]
		}
		less, fits1 := exactSum(a, -s)
		by, fits2 := exactProduct(s, end)
		next, fits3 := exactSum(limit, -by)
		if !fits1 || !fits2 || !fits3 {
			continue
		}
		row.Values[k] = sign * less
		limit = next
		most = upward(most - by) // at its bound the variable gives that much less
		changed = true
	}
	if changed {
		if sign > 0 {
			row.Upper = limit
		} else {
			row.Lower = -limit
		}
		r.d.wait(i)
	}
	return changed
}

// build writes the problem that is left; nil if a row without variables is violated.
func (r *reducer) build() *integerReduction {
	out := &integerReduction{values: make([]float64, len(r.p.Variables))}
	q := &solver.Problem{Offset: r.p.Offset}
	number := make([]int, len(r.p.Variables))
	for j, v := range r.p.Variables {
		v.Lower, v.Upper = r.d.lower[j], r.d.upper[j]
		if v.Lower == v.Upper {
			out.values[j] = v.Lower
			out.addOffset(q, v.Cost, v.Lower)
			number[j] = -1
			continue
		}
		number[j] = len(q.Variables)
		q.Variables = append(q.Variables, v)
		out.kept = append(out.kept, j)
	}
	for i := range r.p.Rows {
		if r.gone[i] {
			continue
		}
		row := solver.Row{Lower: r.p.Rows[i].Lower, Upper: r.p.Rows[i].Upper}
		for k, j := range r.p.Rows[i].Columns {
			v := r.p.Rows[i].Values[k]
			if number[j] >= 0 && v != 0 {
				row.Columns, row.Values = append(row.Columns, number[j]), append(row.Values, v)
			} else if v != 0 {
				row.Lower, row.Upper = less(row.Lower, v, out.values[j], -1), less(row.Upper, v, out.values[j], 1)
			}
		}
		if len(row.Columns) == 0 {
			if row.Lower > 0 || row.Upper < 0 {
				return nil
			}
			continue
		}
		q.Rows = append(q.Rows, row)
	}
	out.p = q
	return out
}

// addOffset adds cost·x to q's offset and keeps account of the rounding.
func (r *integerReduction) addOffset(q *solver.Problem, cost, x float64) {
	t, exact := exactProduct(cost, x)
	s, exactly := exactSum(q.Offset, t)
	if !exact || !exactly {
		r.slack += slackOf(2, math.Abs(t)+math.Abs(s))
	}
	q.Offset = s
}

// less is end − v·x, rounded outward to the given side.
func less(end, v, x, side float64) float64 {
	if math.IsInf(end, 0) {
		return end
	}
	t, exact := exactProduct(v, x)
	s, exactly := exactSum(end, -t)
	if exact && exactly {
		return s
	}
	wrong := math.Abs(t)*0x1p-52 + math.Abs(s)*0x1p-52
	return math.Nextafter(s+side*(wrong+0x1p-1000), math.Inf(int(side)))
}

// lift turns a point of the reduced problem into one of the original.
func (r *integerReduction) lift(x []float64) []float64 {
	full := append([]float64{}, r.values...)
	for k, j := range r.kept {
		full[j] = x[k]
	}
	return full
}
