package simplex

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/vouchnn/vouch/internal/blas"
	"github.com/vouchnn/vouch/solver"
)

// place says where a nonbasic variable stands.
type place int8

const (
	atLower place = iota
	atUpper
	atZero // free
	fixed  // both bounds
	inBasis
)

// engine is a scaled problem, to be minimised, with its dictionary. The frame is
// shared with the tableau.
type engine struct {
	*frame
	tableau
	scale scaling

	cost   []float64 // of structural variables
	lower  []float64 // of all variables
	upper  []float64
	costBy float64 // the objective's factor, with its sense

	// Working copies in the order of T's rows and columns.
	xb, lb, ub []float64
	xn, ln, un []float64
	d          []float64 // reduced costs
	costBasic  []float64
	at         []place
	weightRow  []float64
	weightCol  []float64
	candidates []candidate
	flips      []int
	changes    []float64
	trial      []float64 // scratch of flipsPay: values of T's columns and rows
	trialBasic []float64

	feasible   float64 // tolerances
	optimal    float64
	shifted    bool // d is not that of the true costs
	widened    bool // lb and ub are not the true bounds
	unmeasured int  // pivots since weights were measured
	stall      int  // steps in a row without progress
	upsets     int  // perturbations in this solve
	count      int  // iterations in this solve
	most       int  // their limit
	given      int  // the caller's limit, or 0
	random     *rand.Rand
	cut        float64   // the dual method stops where the objective passes it
	objective  float64   // of the dual method, if cut is finite
	farkas     []float64 // of the last infeasible dual phase, per variable
	ray        []float64 // of the last unbounded primal phase, per variable
}

// outcome is how a phase ended.
type outcome int

const (
	done       outcome = iota
	infeasible         // farkas is set
	unbounded          // ray is set
	stopped            // the context ended
	exhausted          // the iteration limit
	trouble            // rounding errors
	passed             // the objective passed cut
)

// newEngine scales p and starts from the basis of logical variables.
func newEngine(p *solver.Problem, keep keeping) *engine {
	rows := linesOf(p)
	return newEngineScaled(p, rows, scaleLines(rows, len(p.Rows), len(p.Variables)), keep)
}

// newEngineScaled takes p's rows, as linesOf gives them, over.
func newEngineScaled(p *solver.Problem, rows *list, scale scaling, keep keeping) *engine {
	m, n := len(p.Rows), len(p.Variables)
	e := &engine{
		frame: &frame{m: m, n: n, column: make([]float64, m)},
		scale: scale,
		cost:  make([]float64, n),
		lower: make([]float64, n+m), upper: make([]float64, n+m),
		xb: make([]float64, m), lb: make([]float64, m), ub: make([]float64, m), weightRow: make([]float64, m),
		xn: make([]float64, n), ln: make([]float64, n), un: make([]float64, n), weightCol: make([]float64, n),
		d: make([]float64, n), costBasic: make([]float64, m), at: make([]place, n),
	}
	e.setMatrix(rows)
	if keep == inFull {
		e.tableau = newDense(e.frame)
	} else {
		e.tableau = newFactored(e.frame)
	}
	e.setObjective(p)
	for j := range p.Variables {
		e.setVariable(j, p.Variables[j].Lower, p.Variables[j].Upper)
	}
	for i := range p.Rows {
		e.setRow(i, p.Rows[i].Lower, p.Rows[i].Upper)
	}
	e.firstPlaces()
	return e
}

// setMatrix takes rows over and scales them. Entries that underflow are dropped.
func (e *engine) setMatrix(rows *list) {
	kept, from := 0, 0
	for i, factor := range e.scale.row {
		to := rows.start[i+1]
		for k := from; k < to; k++ {
			if a := rows.value[k] * factor * e.scale.column[rows.index[k]]; a != 0 {
				rows.index[kept], rows.value[kept] = rows.index[k], a
				kept++
			}
		}
		from, rows.start[i+1] = to, kept
	}
	e.start, e.index, e.value = rows.start, rows.index[:kept], rows.value[:kept]
}

func (e *engine) setObjective(p *solver.Problem) {
	most := 0.0
	for j := range p.Variables {
		most = max(most, math.Abs(p.Variables[j].Cost*e.scale.column[j]))
	}
	e.costBy = 1
	if most > 0 {
		e.costBy = 1 / powerOfTwo(most)
	}
	if p.Sense == solver.Maximize {
		e.costBy = -e.costBy
	}
	for j := range p.Variables {
		e.cost[j] = p.Variables[j].Cost * e.scale.column[j] * e.costBy
	}
}

func (e *engine) setVariable(j int, lower, upper float64) {
	e.lower[j], e.upper[j] = lower/e.scale.column[j], upper/e.scale.column[j]
}

func (e *engine) setRow(i int, lower, upper float64) {
	e.lower[e.n+i], e.upper[e.n+i] = lower*e.scale.row[i], upper*e.scale.row[i]
}

// firstPlaces puts every structural variable at the bound that its cost likes,
// or at the one closer to zero.
func (e *engine) firstPlaces() {
	for c, j := range e.nonbasic {
		e.at[c] = atLower
		if e.cost[j] < 0 || e.cost[j] == 0 && math.Abs(e.upper[j]) < math.Abs(e.lower[j]) {
			e.at[c] = atUpper
		}
	}
}

// load copies bounds into the order of T and puts nonbasic variables where they
// may stand.
func (e *engine) load() {
	for i, z := range e.basic {
		e.lb[i], e.ub[i] = e.lower[z], e.upper[z]
	}
	for c, z := range e.nonbasic {
		e.ln[c], e.un[c] = e.lower[z], e.upper[z]
		e.settle(c)
	}
	e.widened = false
}

// settle gives column c the place it has, or the next possible one.
func (e *engine) settle(c int) {
	l, u := e.ln[c], e.un[c]
	switch {
	case l == u:
		e.at[c], e.xn[c] = fixed, l
	case e.at[c] == atUpper && !math.IsInf(u, 1), math.IsInf(l, -1) && !math.IsInf(u, 1):
		e.at[c], e.xn[c] = atUpper, u
	case !math.IsInf(l, -1):
		e.at[c], e.xn[c] = atLower, l
	default:
		e.at[c], e.xn[c] = atZero, 0
	}
}

// values computes the basic variables from the nonbasic ones.
func (e *engine) values() {
	e.multiply(e.xn, e.xb)
}

// prices computes the reduced costs of the true objective.
func (e *engine) prices() {
	for c, z := range e.nonbasic {
		e.d[c] = 0
		if z < e.n {
			e.d[c] = e.cost[z]
		}
	}
	for i, z := range e.basic {
		e.costBasic[i] = 0
		if z < e.n {
			e.costBasic[i] = e.cost[z]
		}
	}
	e.combine(e.costBasic, e.d)
	e.shifted = false
}

// violation is by how much row i is outside its bounds: negative below, positive
// above, zero within the tolerance.
func (e *engine) violation(i int) float64 {
	x := e.xb[i]
	if v := x - e.lb[i]; v < -e.feasible && v < -e.feasible*math.Abs(e.lb[i]) {
		return v
	}
	if v := x - e.ub[i]; v > e.feasible && v > e.feasible*math.Abs(e.ub[i]) {
		return v
	}
	return 0
}

// primalFeasible reports that no row is outside its bounds.
func (e *engine) primalFeasible() bool {
	for i := range e.xb {
		if e.violation(i) != 0 {
			return false
		}
	}
	return true
}

// pricing says whose weights a pivot updates.
type pricing int

const (
	priceRows pricing = iota
	priceColumns
)

// exchange pivots, after gather(q), and moves the working copies along: the variable
// of row r goes to a bound, that of column q becomes basic with value x.
func (e *engine) exchange(r, q int, x float64, to place, mode pricing) {
	row := e.row(r)
	inverse := 1 / e.column[r]
	greatest := 0.0
	if mode == priceRows {
		greatest = devex(e.weightRow, e.column, r, inverse)
	} else {
		greatest = devex(e.weightCol, row, q, inverse)
	}
	if step := e.d[q] * inverse; step != 0 {
		blas.Axpy(-step, row, e.d)
		e.d[q] = step
	}
	e.pivot(r, q)
	e.xb[r] = x
	e.lb[r], e.ln[q] = e.ln[q], e.lb[r]
	e.ub[r], e.un[q] = e.un[q], e.ub[r]
	e.at[q] = to
	if e.ln[q] == e.un[q] {
		e.at[q] = fixed
	}
	e.xn[q] = e.ln[q]
	if to == atUpper {
		e.xn[q] = e.un[q]
	}
	if e.unmeasured++; greatest > weightLimit && e.unmeasured > measureEvery {
		e.measure(mode)
	}
}

// Weights that have grown beyond weightLimit say little; they are measured anew, but
// not more often than every measureEvery pivots.
const (
	weightLimit  = 1e7
	measureEvery = 25
)

// measure sets the weights to the lengths of the edges.
func (e *engine) measure(mode pricing) {
	e.unmeasured = 0
	if mode == priceRows {
		e.rowLengths(e.weightRow)
	} else {
		e.columnLengths(e.weightCol)
	}
}

// devex raises the weights of rows by a pivot column, or those of columns by a
// pivot row (Harris 1973, "Pivot selection methods of the Devex LP code", Math.
// Program. 5). They start from the lengths of the edges, exact if the tableau knows
// them. Exact updates were tried on dense tableaux: on random problems they take
// twice the time a pivot and, in the primal method, more pivots. The result is the
// greatest weight that was raised.
func devex(w, entries []float64, pivot int, inverse float64) (greatest float64) {
	reference := w[pivot] * inverse * inverse
	for i, a := range entries {
		if v := a * a * reference; v > w[i] {
			w[i] = v
			greatest = max(greatest, v)
		}
	}
	w[pivot] = max(reference, 1)
	return greatest
}

// poll counts an iteration and tells whether to go on.
func (e *engine) poll(ctx context.Context) outcome {
	if ctx.Err() != nil {
		return stopped
	}
	if e.given > 0 && e.count >= e.given {
		return exhausted
	}
	if e.count >= e.most {
		return trouble
	}
	e.count++
	return done
}
