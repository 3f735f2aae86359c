package simplex

import "slices"

// The order of elimination.
//
// Most of a basis of a linear program is triangular up to its order (Suhl & Suhl
// 1990, "Computing sparse LU factorizations for large-scale linear programming
// bases", ORSA J. Comput. 2): a column with one entry among the rows that are left
// needs no elimination, and a row with one entry among the columns that are left
// makes no fill. Those go first, repeatedly; the rest, the nucleus, by the number of
// entries.

// ordered is a column and the row to pivot on, −1 if that is open.
type ordered struct{ column, row int }

// peeling is a matrix of which rows and columns are taken away.
type peeling struct {
	columns, rows       *list
	inRow, inColumn     []int // entries left
	rowDone, columnDone []bool
	order               []ordered
}

// orderColumns is the order of elimination and the number of entries of every row,
// for the nucleus within it.
func orderColumns(columns *list, m int) (order []ordered, rowCount []int) {
	n := len(columns.start) - 1
	t := peeling{
		columns: columns, rows: new(list), inRow: make([]int, m), inColumn: make([]int, n),
		rowDone: make([]bool, m), columnDone: make([]bool, n),
	}
	columns.transpose(t.rows, m, nil)
	t.columnSingletons()
	t.rowSingletons()
	return append(t.order, nucleus(columns, t.rowDone, t.columnDone)...), t.inRow
}

func (t *peeling) take(j, i int) {
	t.rowDone[i], t.columnDone[j] = true, true
	t.order = append(t.order, ordered{j, i})
}

// columnSingletons takes columns with one entry, and their rows, until there are none.
func (t *peeling) columnSingletons() {
	var work []int
	for j := range t.inColumn {
		t.inColumn[j] = t.columns.start[j+1] - t.columns.start[j]
		if t.inColumn[j] == 1 {
			work = append(work, j)
		}
	}
	for len(work) > 0 {
		j := work[len(work)-1]
		work = work[:len(work)-1]
		i := only(t.columns, j, t.rowDone)
		if t.columnDone[j] || i < 0 {
			continue
		}
		t.take(j, i)
		for _, k := range t.rows.index[t.rows.start[i]:t.rows.start[i+1]] {
			if t.inColumn[k]--; t.inColumn[k] == 1 {
				work = append(work, k)
			}
		}
	}
}

// rowSingletons takes rows with one entry, and their columns, until there are none.
func (t *peeling) rowSingletons() {
	var work []int
	for i := range t.inRow {
		for _, j := range t.rows.index[t.rows.start[i]:t.rows.start[i+1]] {
			if !t.rowDone[i] && !t.columnDone[j] {
				t.inRow[i]++
			}
		}
		if t.inRow[i] == 1 {
			work = append(work, i)
		}
	}
	for len(work) > 0 {
		i := work[len(work)-1]
		work = work[:len(work)-1]
		j := only(t.rows, i, t.columnDone)
		if t.rowDone[i] || j < 0 {
			continue
		}
		t.take(j, i)
		for _, k := range t.columns.index[t.columns.start[j]:t.columns.start[j+1]] {
			if t.inRow[k]--; t.inRow[k] == 1 && !t.rowDone[k] {
				work = append(work, k)
			}
		}
	}
}

// only is the index of the one entry that is not done, or −1.
func only(l *list, k int, done []bool) int {
	for p := l.start[k]; p < l.start[k+1]; p++ {
		if !done[l.index[p]] {
			return l.index[p]
		}
	}
	return -1
}

// nucleus is the columns that are left, those with few entries first.
func nucleus(columns *list, rowDone, columnDone []bool) []ordered {
	var left []ordered
	count := make(map[int]int)
	for j, done := range columnDone {
		if done {
			continue
		}
		left = append(left, ordered{j, -1})
		for p := columns.start[j]; p < columns.start[j+1]; p++ {
			if !rowDone[columns.index[p]] {
				count[j]++
			}
		}
	}
	slices.SortStableFunc(left, func(a, b ordered) int { return count[a.column] - count[b.column] })
	return left
}
