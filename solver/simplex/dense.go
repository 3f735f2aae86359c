package simplex

import (
	"context"
	"math"

	"github.com/vouchnn/vouch/internal/blas"
)

// T in full.
//
// The tableau method, which textbooks drop in favour of a factorised basis matrix:
// for sparse problems of thousands of rows rightly. For the problems of up to some
// hundred rows and columns that verifiers ask by the thousand, T has no more
// entries than the inverse of the basis matrix would have, pricing and ratio tests
// read their row and column without any solve, the lengths of edges that pricing
// starts from are read off, and a pivot is one pass of vector instructions over T.
// Rows whose entry in the pivot column is zero are skipped, and a sparse pivot row
// is applied by its entries, so sparse problems do less.
//
// Every pivot rounds all of T; drift.go measures what that has come to. rebuild
// computes T afresh by Gauss-Jordan elimination with the same pivot: for each basic
// structural variable the greatest entry among the rows whose logical variable has
// to leave. The number of pivots is that of basic structural variables, however
// many led there.

// dense keeps T, row-major.
type dense struct {
	*frame
	t        []float64
	pivotRow []float64 // scratch: what is added to every row
	entries  []int     // its nonzeros
}

func newDense(k *frame) *dense {
	t := &dense{frame: k, t: make([]float64, k.m*k.n), pivotRow: make([]float64, k.n), entries: make([]int, 0, k.n)}
	t.reset()
	return t
}

// reset makes T the matrix.
func (t *dense) reset() {
	t.logicals()
	clear(t.t)
	for i := range t.m {
		row := t.row(i)
		for p := t.start[i]; p < t.start[i+1]; p++ {
			row[t.index[p]] = t.value[p]
		}
	}
}

func (t *dense) row(r int) []float64 { return t.t[r*t.n : (r+1)*t.n : (r+1)*t.n] }

func (t *dense) gather(q int) []float64 {
	p := q
	for i := range t.column {
		t.column[i] = t.t[p]
		p += t.n
	}
	return t.column
}

// sparseShare is the share of nonzeros below which entries beat vectors.
const sparseShare = 0.15

func (t *dense) pivot(r, q int) {
	row := t.row(r)
	inverse := 1 / row[q]
	v := t.pivotRow
	t.entries = t.entries[:0]
	for c, a := range row {
		v[c] = -a * inverse
		if a != 0 {
			t.entries = append(t.entries, c)
		}
	}
	v[q] = inverse
	sparse := float64(len(t.entries)) < sparseShare*float64(t.n)
	for i, a := range t.column {
		if a == 0 || i == r {
			continue
		}
		target := t.row(i)
		target[q] = 0
		if !sparse {
			blas.Axpy(a, v, target)
			continue
		}
		for _, c := range t.entries {
			target[c] += a * v[c]
		}
	}
	copy(row, v)
	t.basic[r], t.nonbasic[q] = t.nonbasic[q], t.basic[r]
	t.age++
}

func (t *dense) save(s *saved) {
	t.saveFrame(s)
	s.t = append(s.t[:0], t.t...)
}

func (t *dense) back(s *saved) {
	t.backFrame(s)
	copy(t.t, s.t)
}

func (t *dense) trusted() bool { return true }

func (t *dense) multiply(xn, xb []float64) {
	for i := range xb {
		xb[i] = blas.Dot(t.row(i), xn)
	}
}

func (t *dense) move(columns []int, changes, xb []float64) {
	for k, c := range columns {
		change, p := changes[k], c
		for i := range xb {
			xb[i] += change * t.t[p]
			p += t.n
		}
	}
}

func (t *dense) combine(y, d []float64) {
	for i, v := range y {
		if v != 0 {
			blas.Axpy(v, t.row(i), d)
		}
	}
}

// rowLengths sets w to the squared length of every row's edge.
func (t *dense) rowLengths(w []float64) {
	for i := range w {
		row := t.row(i)
		w[i] = 1 + blas.Dot(row, row)
	}
}

// columnLengths sets w to the squared length of every column's edge.
func (t *dense) columnLengths(w []float64) {
	ones(w)
	for i := range t.m {
		for c, a := range t.row(i) {
			w[c] += a * a
		}
	}
}

func (t *dense) appended(row []float64) bool {
	t.t = append(t.t, row...)
	return true
}

func (t *dense) rebuild(ctx context.Context, enter []int, leave []bool) outcome {
	t.reset()
	for len(enter) > 0 {
		later := enter[:0]
		for _, z := range enter {
			if ctx.Err() != nil {
				return stopped
			}
			column := t.gather(z) // from reset on, variable z has column z until it enters
			if r := largest(column, leave); r >= 0 {
				t.pivot(r, z)
				leave[r] = false
			} else {
				later = append(later, z)
			}
		}
		if len(later) == len(enter) {
			break
		}
		enter = later
	}
	t.age = 0
	return done
}

// largest is the row with the greatest entry among those allowed, or −1.
func largest(column []float64, allowed []bool) int {
	best, r := singular, -1
	for i, a := range column {
		if allowed[i] && math.Abs(a) > best {
			best, r = math.Abs(a), i
		}
	}
	return r
}
