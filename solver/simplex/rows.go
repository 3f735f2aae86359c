package simplex

import (
	"math"
	"slices"

	"github.com/vouchnn/vouch/solver"
)

// Rows that come and go, and variables that come.
//
// A new row's logical variable is basic, so its row of T is the row itself with
// basic variables replaced by their own rows. A row that goes takes its logical
// with it; if that was nonbasic there is one basic variable too many, and rebuild
// leaves out the one without a pivot. A new variable stands at a bound, outside of the
// basis; T is rebuilt.

// appendRow adds r, scaled by its own factor, to the matrix and to T. It returns
// false if the tableau has to be rebuilt.
func (e *engine) appendRow(r *solver.Row) bool {
	factor := powerOfTwo(e.scale.rowFactor(r.Columns, r.Values))
	e.scale.row = append(e.scale.row, factor)
	row, y := make([]float64, e.n), make([]float64, e.m)
	at := make([]int, e.n)
	for c, z := range e.nonbasic {
		if z < e.n {
			at[z] = c + 1
		}
	}
	for i, z := range e.basic {
		if z < e.n {
			at[z] = -i - 1
		}
	}
	for k, j := range r.Columns {
		a := r.Values[k] * factor * e.scale.column[j]
		if a == 0 {
			continue
		}
		e.index, e.value = append(e.index, j), append(e.value, a)
		if at[j] > 0 {
			row[at[j]-1] += a
		} else {
			y[-at[j]-1] += a
		}
	}
	e.combine(y, row)
	e.start = append(e.start, len(e.index))
	e.byColumn = nil
	e.basic = append(e.basic, e.n+e.m)
	e.lower, e.upper = append(e.lower, r.Lower*factor), append(e.upper, r.Upper*factor)
	e.m++
	for _, v := range []*[]float64{&e.xb, &e.lb, &e.ub, &e.weightRow, &e.column, &e.costBasic} {
		*v = append(*v, 0)
	}
	return e.appended(row)
}

// without is an engine for p, whose rows are those not dropped. Its T waits for
// restore.
func (e *engine) without(p *solver.Problem, drop []bool, keep keeping) *engine {
	number := make([]int, e.m) // new index of each row
	scale := scaling{column: e.scale.column}
	for i := range number {
		number[i] = len(scale.row)
		if !drop[i] {
			scale.row = append(scale.row, e.scale.row[i])
		}
	}
	n := newEngineScaled(p, linesOf(p), scale, keep)
	n.basic, n.nonbasic, n.at = n.basic[:0], n.nonbasic[:0], n.at[:0]
	for _, z := range e.basic {
		if z < e.n {
			n.basic = append(n.basic, z)
		} else if !drop[z-e.n] {
			n.basic = append(n.basic, e.n+number[z-e.n])
		}
	}
	for c, z := range e.nonbasic {
		if z < e.n {
			n.nonbasic, n.at = append(n.nonbasic, z), append(n.at, e.at[c])
		} else if !drop[z-e.n] {
			n.nonbasic, n.at = append(n.nonbasic, e.n+number[z-e.n]), append(n.at, e.at[c])
		}
	}
	return n
}

// with is an engine for p, which has one more variable, with these entries. Its T waits
// for restore.
func (e *engine) with(p *solver.Problem, rows []int, values []float64, keep keeping) *engine {
	most, least := 0.0, 0.0
	for k, i := range rows {
		spread(math.Abs(values[k])*e.scale.row[i], &most, &least)
	}
	scale := scaling{row: e.scale.row, column: append(slices.Clone(e.scale.column), powerOfTwo(factor(most, least)))}
	n := newEngineScaled(p, linesOf(p), scale, keep)
	shifted := func(z int) int {
		if z >= e.n {
			return z + 1
		}
		return z
	}
	n.basic, n.nonbasic, n.at = n.basic[:0], n.nonbasic[:0], append(n.at[:0], e.at...)
	for _, z := range e.basic {
		n.basic = append(n.basic, shifted(z))
	}
	for _, z := range e.nonbasic {
		n.nonbasic = append(n.nonbasic, shifted(z))
	}
	n.nonbasic, n.at = append(n.nonbasic, e.n), append(n.at, atLower)
	return n
}
