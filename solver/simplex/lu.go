package simplex

import "math"

// Sparse LU factors of a basis.
//
// Left-looking elimination by Gilbert & Peierls (1988, "Sparse partial pivoting in
// time proportional to arithmetic operations", SIAM J. Sci. Stat. Comput. 9): each
// column is solved with the columns of L so far, in an order that a depth-first
// search finds, so that work is proportional to the operations on nonzeros. Columns
// are ordered by singletons (order.go), rows chosen with threshold: among entries of
// a tenth of the greatest, that of the row with the fewest entries (Markowitz 1957
// by rows).
//
// Both factors are kept by columns and by rows, so that forward and backward solves
// skip zeros.

const (
	pivotShare = 0.1   // of the greatest entry, that a sparser pivot needs
	negligible = 1e-14 // entries of the factors below this are dropped
)

// list is a sparse matrix by its rows or columns: of k, entries start[k] to
// start[k+1] of index and value.
type list struct {
	start []int
	index []int
	value []float64
}

func (l *list) reset() {
	l.start, l.index, l.value = append(l.start[:0], 0), l.index[:0], l.value[:0]
}

func (l *list) add(i int, v float64) { l.index, l.value = append(l.index, i), append(l.value, v) }

func (l *list) end() { l.start = append(l.start, len(l.index)) }

// line is the k-th line's indices and values.
func (l *list) line(k int) ([]int, []float64) {
	from, to := l.start[k], l.start[k+1]
	return l.index[from:to], l.value[from:to]
}

// transpose fills t with l by its indices, which are below n; name gives the new
// index of row k.
func (l *list) transpose(t *list, n int, name []int) {
	t.start = append(t.start[:0], make([]int, n+1)...)
	for _, i := range l.index {
		t.start[i+1]++
	}
	for i := range n {
		t.start[i+1] += t.start[i]
	}
	t.index = append(t.index[:0], make([]int, len(l.index))...)
	t.value = append(t.value[:0], make([]float64, len(l.index))...)
	next := append([]int{}, t.start[:n]...)
	for k := range len(l.start) - 1 {
		for p := l.start[k]; p < l.start[k+1]; p++ {
			i := l.index[p]
			t.index[next[i]], t.value[next[i]] = k, l.value[p]
			if name != nil {
				t.index[next[i]] = name[k]
			}
			next[i]++
		}
	}
}

// lu is L·U = the basis, rows and columns in the order of steps.
type lu struct {
	m        int
	row      []int // of each step
	slot     []int // place in the basis of each step's column
	step     []int // of each row, −1 before it is pivoted
	diagonal []float64
	lower    list // columns of L by step, below the diagonal, which is one
	upper    list // columns of U by step, above the diagonal
	lowerT   list // rows of L by row
	upperT   list // rows of U by row; indices are rows everywhere

	x     []float64 // scratch
	mark  []int
	round int
	stack []int
	next  []int
	reach []int
}

func newLU(m int) *lu {
	return &lu{
		m: m, row: make([]int, 0, m), slot: make([]int, 0, m), step: make([]int, m), diagonal: make([]float64, 0, m),
		x: make([]float64, m), mark: make([]int, m), next: make([]int, m),
	}
}

// factor eliminates the columns in the order given. A column without a pivot is
// left out and returned; the rows that remain have step −1.
func (f *lu) factor(columns *list, order []ordered, rowCount []int) (failed []int) {
	f.row, f.slot, f.diagonal = f.row[:0], f.slot[:0], f.diagonal[:0]
	for i := range f.step {
		f.step[i] = -1
	}
	f.lower.reset()
	f.upper.reset()
	for _, o := range order {
		if !f.eliminate(columns, o, rowCount) {
			failed = append(failed, o.column)
		}
	}
	return failed
}

// finish adds a step −1 on the diagonal for every row without one, by its
// logical, whose place is the given one, and makes the transposes.
func (f *lu) finish(place func(row int) int) {
	for i, s := range f.step {
		if s < 0 {
			f.addStep(i, place(i), -1)
			f.lower.end()
			f.upper.end()
		}
	}
	f.lower.transpose(&f.lowerT, f.m, f.row)
	f.upper.transpose(&f.upperT, f.m, f.row)
}

func (f *lu) addStep(row, slot int, diagonal float64) {
	f.step[row] = len(f.row)
	f.row, f.slot, f.diagonal = append(f.row, row), append(f.slot, slot), append(f.diagonal, diagonal)
}

// eliminate makes a column a step of the factors, if it has a pivot.
func (f *lu) eliminate(columns *list, o ordered, rowCount []int) bool {
	f.search(columns, o.column)
	for p := columns.start[o.column]; p < columns.start[o.column+1]; p++ {
		f.x[columns.index[p]] = columns.value[p]
	}
	for k := len(f.reach) - 1; k >= 0; k-- { // reach is in reverse topological order
		s := f.step[f.reach[k]]
		if s < 0 || f.x[f.reach[k]] == 0 {
			continue
		}
		t := f.x[f.reach[k]]
		for p := f.lower.start[s]; p < f.lower.start[s+1]; p++ {
			f.x[f.lower.index[p]] -= t * f.lower.value[p]
		}
	}
	row := f.choose(o.row, rowCount)
	if row < 0 {
		for _, i := range f.reach {
			f.x[i] = 0
		}
		return false
	}
	pivot := f.x[row]
	for _, i := range f.reach {
		v := f.x[i]
		f.x[i] = 0
		if i == row || math.Abs(v) < negligible {
			continue
		}
		if f.step[i] >= 0 {
			f.upper.add(i, v)
		} else {
			f.lower.add(i, v/pivot)
		}
	}
	f.addStep(row, o.column, pivot)
	f.lower.end()
	f.upper.end()
	return true
}

// choose is the row to pivot on: the given one, or by threshold; −1 if all entries
// are rounding errors.
func (f *lu) choose(given int, rowCount []int) int {
	if given >= 0 {
		if f.step[given] < 0 && math.Abs(f.x[given]) > singular {
			return given
		}
	}
	most := singular
	for _, i := range f.reach {
		if f.step[i] < 0 {
			most = max(most, math.Abs(f.x[i]))
		}
	}
	row := -1
	for _, i := range f.reach {
		if f.step[i] >= 0 || math.Abs(f.x[i]) < pivotShare*most || math.Abs(f.x[i]) <= singular {
			continue
		}
		if row < 0 || rowCount[i] < rowCount[row] || rowCount[i] == rowCount[row] && math.Abs(f.x[i]) > math.Abs(f.x[row]) {
			row = i
		}
	}
	return row
}

// search sets reach to the rows that the column's solution may touch, each after
// those it leads to.
func (f *lu) search(columns *list, column int) {
	f.round++
	f.reach = f.reach[:0]
	for p := columns.start[column]; p < columns.start[column+1]; p++ {
		if i := columns.index[p]; f.mark[i] != f.round {
			f.depthFirst(i)
		}
	}
}

// depthFirst appends what row i leads to, and i.
func (f *lu) depthFirst(i int) {
	f.stack = append(f.stack[:0], i)
	f.mark[i] = f.round
	f.next[i] = f.firstOf(i)
	for len(f.stack) > 0 {
		i := f.stack[len(f.stack)-1]
		s, deeper := f.step[i], false
		if s >= 0 {
			for p := f.next[i]; p < f.lower.start[s+1]; p++ {
				if k := f.lower.index[p]; f.mark[k] != f.round {
					f.next[i] = p + 1
					f.mark[k] = f.round
					f.next[k] = f.firstOf(k)
					f.stack = append(f.stack, k)
					deeper = true
					break
				}
			}
		}
		if !deeper {
			f.stack = f.stack[:len(f.stack)-1]
			f.reach = append(f.reach, i)
		}
	}
}

// firstOf is where the column of L that row i is the pivot of starts.
func (f *lu) firstOf(i int) int {
	if s := f.step[i]; s >= 0 {
		return f.lower.start[s]
	}
	return 0
}

// subtract takes t times row or column k from x.
func (l *list) subtract(k int, t float64, x []float64) {
	from, to := l.start[k], l.start[k+1]
	value := l.value[from:to]
	for e, i := range l.index[from:to] {
		x[i] -= t * value[e]
	}
}

// forward solves B·x = b: b by rows, destroyed; x by slots.
func (f *lu) forward(b, x []float64) {
	for s, i := range f.row {
		if t := b[i]; t != 0 {
			f.lower.subtract(s, t, b)
		}
	}
	for s := len(f.row) - 1; s >= 0; s-- {
		t := b[f.row[s]]
		if t != 0 {
			t /= f.diagonal[s]
			f.upper.subtract(s, t, b)
		}
		x[f.slot[s]] = t
	}
}

// backward solves Bᵀ·y = c: c by slots; y by rows.
func (f *lu) backward(c, y []float64) {
	for s, i := range f.row {
		y[i] = c[f.slot[s]]
	}
	for s, i := range f.row {
		if y[i] != 0 {
			y[i] /= f.diagonal[s]
			f.upperT.subtract(i, y[i], y)
		}
	}
	for s := len(f.row) - 1; s >= 0; s-- {
		i := f.row[s]
		if t := y[i]; t != 0 {
			f.lowerT.subtract(i, t, y)
		}
	}
}
