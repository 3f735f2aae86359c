package simplex

import "context"

// The dictionary, and two ways to keep it.
//
// With a logical variable per row for its activity, A·x − s = 0, a basis
// expresses m of the n+m variables in the n others:
//
//	z_B = T·z_N            (Chvátal 1983, "Linear Programming", ch. 2)
//
// The methods of this package need rows and columns of T, and pivots. A tableau
// provides them: dense keeps T itself, factored computes what is asked for from
// sparse factors of the basis.
type tableau interface {
	// reset makes all logicals basic: T is the matrix.
	reset()
	// row is row r of T, valid until the next pivot.
	row(r int) []float64
	// gather is column q of T, and sets frame.column to it.
	gather(q int) []float64
	// pivot exchanges the variables of row r and column q, after gather(q).
	pivot(r, q int)
	// trusted is false if only a rebuild can help.
	trusted() bool
	// rebuild makes the variables enter and the logicals of the rows not in leave
	// basic, from the matrix alone. What has no pivot stays nonbasic, and rows
	// without one keep their logical. The order of rows and columns may change.
	// Stopped halfway, it leaves a dictionary of another basis.
	rebuild(ctx context.Context, enter []int, leave []bool) outcome
	// multiply computes xb = T·xn, move adds the changes of some columns' variables
	// to xb, combine adds Tᵀ·y to d.
	multiply(xn, xb []float64)
	move(columns []int, changes, xb []float64)
	combine(y, d []float64)
	// rowLengths and columnLengths are weights for pricing to start from.
	rowLengths(w []float64)
	columnLengths(w []float64)
	// save keeps the tableau in s, and back returns to it: the same basis in the
	// same order of rows and columns.
	save(s *saved)
	back(s *saved)
	// appended takes note of a new last row of the frame, whose dictionary row is
	// given; false asks for a rebuild.
	appended(row []float64) bool
}

// frame is what both tableaux share: the scaled matrix by rows, and which variable
// has which row and column of T. Variables 0..n−1 are structural, n+i is the
// logical of row i.
type frame struct {
	m, n     int
	start    []int
	index    []int
	value    []float64
	byColumn *list // the matrix by columns, made when asked for

	basic    []int     // variable of each row of T
	nonbasic []int     // variable of each column of T
	column   []float64 // the column last gathered
	age      int       // pivots since rebuild
}

// saved is a tableau to come back to. It belongs to the tableau that filled it in.
type saved struct {
	basic, nonbasic []int
	age             int
	t               []float64 // of a dense tableau
	pivots, version int       // of factors: pivots since, and which factorisation
}

func (k *frame) saveFrame(s *saved) {
	s.basic, s.nonbasic = append(s.basic[:0], k.basic...), append(s.nonbasic[:0], k.nonbasic...)
	s.age = k.age
}

func (k *frame) backFrame(s *saved) {
	copy(k.basic, s.basic)
	copy(k.nonbasic, s.nonbasic)
	k.age = s.age
}

// logicals makes all logical variables basic.
func (k *frame) logicals() {
	k.basic = append(k.basic[:0], make([]int, k.m)...)
	k.nonbasic = append(k.nonbasic[:0], make([]int, k.n)...)
	for i := range k.basic {
		k.basic[i] = k.n + i
	}
	for c := range k.nonbasic {
		k.nonbasic[c] = c
	}
	k.age = 0
}

// columns is the matrix by columns.
func (k *frame) columns() *list {
	if k.byColumn == nil {
		rows := list{k.start, k.index, k.value}
		k.byColumn = new(list)
		rows.transpose(k.byColumn, k.n, nil)
	}
	return k.byColumn
}

// keeping says how T is kept.
type keeping int

const (
	byShape   keeping = iota // inFull or byFactors
	inFull                   // dense
	byFactors                // factored
	notAtAll                 // the memory allowed does not suffice
)

// T is kept in full up to denseAlways entries, and up to denseTimes entries per
// nonzero of the matrix.
const (
	denseAlways = 1 << 18
	denseTimes  = 4
)

// resolve chooses for a problem of the given shape.
func (k keeping) resolve(m, n, nonzeros int, memory int64) keeping {
	entries := float64(m) * float64(n)
	if k == byShape {
		k = byFactors
		if entries <= denseAlways || entries <= denseTimes*float64(nonzeros) {
			k = inFull
		}
		if entries*8 > float64(memory) {
			k = byFactors
		}
	}
	need := entries * 8
	if k == byFactors { // matrix by rows and columns, factors by rows and columns, scratch
		need = 128*float64(nonzeros) + 256*float64(m+n)
	}
	if need > float64(memory) {
		return notAtAll
	}
	return k
}
