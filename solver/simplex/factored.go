package simplex

import (
	"context"
	"math"
)

// T by factors of the basis.
//
// Where T itself would be too large, its rows and columns are computed when they
// are asked for: with [A −I]·z = 0 split into B·z_B + N·z_N = 0,
//
//	column q of T = −B⁻¹·N_q        row r of T = −(B⁻ᵀ·e_r)ᵀ·N
//
// B is kept as L·U (lu.go) times elementary matrices, one per pivot since: the
// product form of the inverse (Dantzig & Orchard-Hays 1954), simple and, with a
// fresh factorisation every refactorEvery pivots, not much slower than updating
// the factors themselves. A pivot costs a forward and a backward solve and a pass
// over those rows of A that the pivot row touches.

const (
	refactorEvery = 64
	disagree      = 1e-7 // between the pivot seen by row and by column
)

// factored is the tableau of a sparse problem.
type factored struct {
	*frame
	f          *lu
	etas       list // by pivot: what entered, in terms of the basis, but for the pivot
	etaSlot    []int
	etaInverse []float64 // one over the pivot
	where      []int     // of each variable: its column, or −1 − its slot
	broken     bool      // the factors are not to be trusted
	version    int       // how often factors were computed

	rowOf   int // which row rowBuf holds, −1 if none
	rowBuf  []float64
	slotBuf []float64 // scratch by slots
	lineBuf []float64 // scratch by rows, zero between calls
}

func newFactored(k *frame) *factored {
	t := &factored{
		frame: k, f: newLU(k.m), where: make([]int, k.n+k.m),
		rowBuf: make([]float64, k.n), slotBuf: make([]float64, k.m), lineBuf: make([]float64, k.m),
	}
	t.etas.reset()
	t.reset()
	return t
}

// reset starts from the basis of logical variables.
func (t *factored) reset() {
	t.logicals()
	t.refactor()
}

// basisColumns are the columns of the variables z.
func (t *factored) basisColumns(variables []int) *list {
	var b list
	b.reset()
	byColumn := t.columns()
	for _, z := range variables {
		if z >= t.n {
			b.add(z-t.n, -1)
		} else {
			for p := byColumn.start[z]; p < byColumn.start[z+1]; p++ {
				b.add(byColumn.index[p], byColumn.value[p])
			}
		}
		b.end()
	}
	return &b
}

// refactor computes the factors of the current basis.
func (t *factored) refactor() {
	columns := t.basisColumns(t.basic)
	order, rowCount := orderColumns(columns, t.m)
	if failed := t.f.factor(columns, order, rowCount); len(failed) > 0 {
		t.broken = true
		return
	}
	t.f.finish(nil)
	t.clean()
}

// clean forgets the pivots since the last factorisation.
func (t *factored) clean() {
	t.version++
	t.etas.reset()
	t.etaSlot, t.etaInverse = t.etaSlot[:0], t.etaInverse[:0]
	t.rowOf, t.broken = -1, false
	t.locate()
}

// locate sets where.
func (t *factored) locate() {
	for i, z := range t.basic {
		t.where[z] = -1 - i
	}
	for c, z := range t.nonbasic {
		t.where[z] = c
	}
}

func (t *factored) save(s *saved) {
	t.saveFrame(s)
	s.pivots, s.version = len(t.etaSlot), t.version
}

// back drops the pivots since, or factors anew if the factors have been replaced.
func (t *factored) back(s *saved) {
	t.backFrame(s)
	if t.version != s.version || t.broken {
		t.refactor()
		return
	}
	t.etaSlot, t.etaInverse = t.etaSlot[:s.pivots], t.etaInverse[:s.pivots]
	end := t.etas.start[s.pivots]
	t.etas.start, t.etas.index, t.etas.value = t.etas.start[:s.pivots+1], t.etas.index[:end], t.etas.value[:end]
	t.rowOf = -1
	t.locate()
}

// rebuild factors a basis of the variables enter and the logicals of the rows not
// in leave; what has no pivot is replaced by logicals.
func (t *factored) rebuild(_ context.Context, enter []int, leave []bool) outcome {
	var variables []int
	for i, l := range leave {
		if !l {
			variables = append(variables, t.n+i)
		}
	}
	variables = append(variables, enter...)
	columns := t.basisColumns(variables)
	order, rowCount := orderColumns(columns, t.m)
	if len(t.slotBuf) != t.m { // rows were added
		t.f, t.where = newLU(t.m), make([]int, t.n+t.m)
		t.slotBuf, t.lineBuf = make([]float64, t.m), make([]float64, t.m)
	}
	t.f.factor(columns, order, rowCount)
	t.logicals()
	for s, i := range t.f.row { // the slot of a variable is the row of its pivot
		t.basic[i] = variables[t.f.slot[s]]
		t.f.slot[s] = i
	}
	t.f.finish(func(i int) int { return i })
	isBasic := make([]bool, t.n+t.m)
	for _, z := range t.basic {
		isBasic[z] = true
	}
	c := 0
	for z, b := range isBasic {
		if !b {
			t.nonbasic[c] = z
			c++
		}
	}
	t.clean()
	t.age = 0
	return done
}

// trusted reports that the factors agree with themselves.
func (t *factored) trusted() bool { return !t.broken }

// solve computes x = B⁻¹·rhs by slots; rhs, by rows, is zero afterwards.
func (t *factored) solve(rhs, x []float64) {
	t.f.forward(rhs, x)
	clear(rhs)
	for k, r := range t.etaSlot {
		if x[r] == 0 {
			continue
		}
		v := x[r] * t.etaInverse[k]
		t.etas.subtract(k, v, x)
		x[r] = v
	}
}

// solveTransposed computes y = B⁻ᵀ·c by rows; c, by slots, is zero afterwards.
func (t *factored) solveTransposed(c, y []float64) {
	for k := len(t.etaSlot) - 1; k >= 0; k-- {
		r := t.etaSlot[k]
		v := c[r]
		from, to := t.etas.start[k], t.etas.start[k+1]
		value := t.etas.value[from:to]
		for e, i := range t.etas.index[from:to] {
			v -= c[i] * value[e]
		}
		c[r] = v * t.etaInverse[k]
	}
	t.f.backward(c, y)
	clear(c)
}

// addRows adds −yᵀ·N to d, by columns, for y by rows, which is zero afterwards.
func (t *factored) addRows(y, d []float64) {
	for i, v := range y {
		if v == 0 {
			continue
		}
		y[i] = 0
		from, to := t.start[i], t.start[i+1]
		value := t.value[from:to]
		for e, j := range t.index[from:to] {
			if c := t.where[j]; c >= 0 {
				d[c] -= v * value[e]
			}
		}
		if c := t.where[t.n+i]; c >= 0 {
			d[c] += v
		}
	}
}

// row computes row r of T.
func (t *factored) row(r int) []float64 {
	if t.rowOf == r {
		return t.rowBuf
	}
	t.slotBuf[r] = 1
	t.solveTransposed(t.slotBuf, t.lineBuf)
	clear(t.rowBuf)
	t.addRows(t.lineBuf, t.rowBuf)
	t.rowOf = r
	return t.rowBuf
}

// gather computes column q of T.
func (t *factored) gather(q int) []float64 {
	t.subtract(t.nonbasic[q], 1)
	t.solve(t.lineBuf, t.column)
	return t.column
}

// subtract takes x times the column of variable z from lineBuf.
func (t *factored) subtract(z int, x float64) {
	if z >= t.n {
		t.lineBuf[z-t.n] += x
		return
	}
	b := t.columns()
	for p := b.start[z]; p < b.start[z+1]; p++ {
		t.lineBuf[b.index[p]] -= x * b.value[p]
	}
}

// pivot exchanges the variables of row r and column q, which row and gather have
// computed last.
func (t *factored) pivot(r, q int) {
	alpha := t.column[r]
	if t.rowOf == r && !(math.Abs(t.rowBuf[q]-alpha) <= disagree*math.Abs(alpha)) {
		t.broken = true
	}
	for i, a := range t.column {
		if i != r && math.Abs(a) > negligible {
			t.etas.add(i, -a)
		}
	}
	t.etas.end()
	t.etaSlot, t.etaInverse = append(t.etaSlot, r), append(t.etaInverse, -1/alpha)
	t.basic[r], t.nonbasic[q] = t.nonbasic[q], t.basic[r]
	t.where[t.basic[r]], t.where[t.nonbasic[q]] = -1-r, q
	t.rowOf = -1
	t.age++
	if len(t.etaSlot) >= refactorEvery && !t.broken {
		t.refactor()
	}
}

// multiply computes xb = T·xn.
func (t *factored) multiply(xn, xb []float64) {
	for c, x := range xn {
		if x != 0 {
			t.subtract(t.nonbasic[c], x)
		}
	}
	t.solve(t.lineBuf, xb)
}

// move adds the changes of some nonbasic variables to xb.
func (t *factored) move(columns []int, changes, xb []float64) {
	if len(columns) == 0 {
		return
	}
	for k, c := range columns {
		t.subtract(t.nonbasic[c], changes[k])
	}
	t.solve(t.lineBuf, t.slotBuf)
	for i, v := range t.slotBuf {
		xb[i] += v
	}
	clear(t.slotBuf)
}

// combine adds Tᵀ·y to d.
func (t *factored) combine(y, d []float64) {
	copy(t.slotBuf, y)
	t.solveTransposed(t.slotBuf, t.lineBuf)
	t.addRows(t.lineBuf, d)
}

// rowLengths is exact if all logical variables are basic, otherwise one: exact
// lengths would take a solve per row.
func (t *factored) rowLengths(w []float64) {
	ones(w)
	for i, z := range t.basic {
		if z != t.n+i {
			ones(w)
			return
		}
		for _, a := range t.value[t.start[i]:t.start[i+1]] {
			w[i] += a * a
		}
	}
}

// columnLengths starts from one.
func (t *factored) columnLengths(w []float64) { ones(w) }

func ones(w []float64) {
	for i := range w {
		w[i] = 1
	}
}

// appended leaves the new row to rebuild.
func (t *factored) appended([]float64) bool { return false }
