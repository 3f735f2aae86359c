//go:build lpsolve

package lpsolve

// #include "lpsolve.h"
import "C"

import (
	"math"
	"unsafe"

	"github.com/vouchnn/vouch/solver"
)

// Rows and bases.
//
// A row of lp_solve has a type, a right-hand side and perhaps a range. Rows that are
// bounded from below alone are stored with the opposite sign, so a change of type under
// a basis is more than a number. Here a row keeps its kind for life; a change of kind
// loads the problem anew.
//
// A basis, as get_basis gives it, is a number per row and per column: first the basic
// ones, as many as there are rows, then the nonbasic ones, negative at their lower
// bound. Row i is number 1+i, column j is 1+rows+j. (lp_solve puts a 0 in front.) The
// engine keeps the last one in this form and maps it when rows come and go: a new row is
// basic; rows that go have to be basic, or the basis is forgotten.

// kind of a row: which sides are finite.
type kind int

const (
	open    kind = iota // neither
	atMost              // upper
	atLeast             // lower
	ranged              // both
	equal               // both, and equal
)

func kindOf(lower, upper float64) kind {
	low, high := !math.IsInf(lower, -1), !math.IsInf(upper, 1)
	switch {
	case low && high && lower == upper:
		return equal
	case low && high:
		return ranged
	case low:
		return atLeast
	case high:
		return atMost
	}
	return open
}

// addRow appends a row to lp. A ranged one still lacks its lower bound.
func (e *engine) addRow(r *solver.Row) bool {
	k := kindOf(r.Lower, r.Upper)
	e.kinds = append(e.kinds, k)
	values, columns := make([]C.REAL, 1, len(r.Columns)+1), make([]C.int, 1, len(r.Columns)+1)
	values, columns = values[:0], columns[:0]
	for at, j := range r.Columns {
		values, columns = append(values, C.REAL(r.Values[at])), append(columns, C.int(j+1))
	}
	relation, side := C.int(C.LE), r.Upper
	switch k {
	case atLeast:
		relation, side = C.GE, r.Lower
	case equal:
		relation = C.EQ
	}
	return C.add_constraintex(e.lp, C.int(len(values)), unsafe.SliceData(values), unsafe.SliceData(columns), relation, finite(side)) != 0
}

// setRow sets the numbers of a row that has kind k.
func (e *engine) setRow(i int, k kind, lower, upper float64) bool {
	side := upper
	if k == atLeast {
		side = lower
	}
	ok := C.set_rh(e.lp, C.int(i+1), finite(side)) != 0
	if k == ranged {
		ok = ok && C.set_rh_range(e.lp, C.int(i+1), finite(upper-lower)) != 0
	}
	return ok
}

// RowBounds changes numbers in place.
func (e *engine) RowBounds(i int, lower, upper float64) bool {
	k := kindOf(lower, upper)
	return !e.mixed && k == e.kinds[i] && e.setRow(i, k, lower, upper)
}

// AddRow maps the basis.
func (e *engine) AddRow(*solver.Row) bool {
	if e.basis != nil {
		e.basis = withRow(e.basis, len(e.basis)-len(e.p.Variables))
	}
	return false
}

// withRow is a basis of that many rows with one more, which is basic.
func withRow(basis []int, rows int) []int {
	to := make([]int, 0, len(basis)+1)
	for at, v := range basis {
		if at == rows {
			to = append(to, -(rows + 1))
		}
		switch {
		case v > rows:
			v++
		case v < -rows:
			v--
		}
		to = append(to, v)
	}
	return to
}

// RemoveRows maps the basis.
func (e *engine) RemoveRows(drop []bool) bool {
	if e.basis != nil {
		e.basis = withoutRows(e.basis, drop)
	}
	return false
}

// withoutRows is a basis without the rows that go; nil if one of them is not basic.
func withoutRows(basis []int, drop []bool) []int {
	rows := len(drop)
	number := make([]int, rows+1) // new number of each row
	gone := 0
	for i, d := range drop {
		if d {
			gone++
		}
		number[i+1] = i + 1 - gone
	}
	to := make([]int, 0, len(basis))
	for at, v := range basis {
		sign, z := 1, v
		if v < 0 {
			sign, z = -1, -v
		}
		switch {
		case z > rows:
			z -= gone
		case !drop[z-1]:
			z = number[z]
		case at < rows:
			continue
		default:
			return nil
		}
		to = append(to, sign*z)
	}
	return to
}

// pullBasis keeps lp's basis.
func (e *engine) pullBasis() {
	n := len(e.p.Rows) + len(e.p.Variables)
	raw := make([]C.int, 1+n)
	e.basis = nil
	if C.get_basis(e.lp, &raw[0], 1) == 0 {
		return
	}
	basis, seen := make([]int, n), make([]bool, n)
	for k, v := range raw[1:] {
		z := max(v, -v) - 1
		if z < 0 || int(z) >= n || seen[z] {
			return
		}
		seen[z] = true
		basis[k] = int(v)
	}
	e.basis = basis
}

// pushBasis gives the last basis to lp, if it has the right size.
func (e *engine) pushBasis() {
	if len(e.basis) != len(e.p.Rows)+len(e.p.Variables) {
		e.basis = nil
		return
	}
	raw := make([]C.int, 1+len(e.basis))
	for k, v := range e.basis {
		raw[1+k] = C.int(v)
	}
	if C.set_basis(e.lp, &raw[0], 1) == 0 {
		C.reset_basis(e.lp)
	}
}
