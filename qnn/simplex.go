package qnn

import (
	"math"

	"github.com/vouchnn/vouch/internal/blas"
)

// The multipliers of the first stage, by the simplex method.
//
// The best bound of dual.go over a box, with the weights of the first stage's levels
// fixed, is a linear program of one row per neuron: the concave hull of ω_j·q_j is a
// line of up to three pieces, one variable each, so
//
//	max Σ slope·piece,   Σ_p piece_jp − w_j·x = b_j − low_j,
//
// where inputs and pieces have both bounds. So every basis is dual feasible once the
// others sit at the bound that their reduced cost likes, and the dual simplex method
// (Lemke 1954) needs no first phase: a part of a domain starts from the basis of its
// parent and is some pivots away. Steps run through all reduced costs that change sign
// while that helps (bound flipping: Fourer 1994; Maros 2003), rows are chosen by
// steepest edge (Forrest & Goldfarb 1992), whose norms are exact since the inverse is
// kept as a dense matrix.
//
// Where descent.go takes a hundred passes to come near the best multipliers, this
// takes some ten products with one row. Nothing rests on its arithmetic: what it finds
// are multipliers, and dual.go bounds with them.

// hullProgram is the memory for one domain at a time. Columns are the inputs that vary and
// three pieces per neuron.
type hullProgram struct {
	*hullShape
	n, k   int
	a, at  []float64 // neurons × inputs, in widths of levels; and transposed
	width  []float64 // of a neuron's levels
	inv    []float64 // n×n: the inverse of the basis
	head   []int32   // per row: the column in the basis
	place  []int32   // per column: its row, or −1
	upper  []bool    // per column that is not in the basis: at which bound
	free   []bool    // scratch: rows that wait for a column
	reduce []float64 // reduced costs
	cost   []float64 // of pieces
	length []float64 // of pieces
	rhs    []float64
	y      []float64 // multipliers times widths
	basic  []float64 // values of the basis
	alpha  []float64 // a row of the tableau
	value  float64   // of the program

	at0, column, delta []float64
	steps              []ratio
}

func newHullProgram(shape *hullShape) *hullProgram {
	n, k := len(shape.w), len(shape.columns)
	p := &hullProgram{
		hullShape: shape, n: n, k: k, a: make([]float64, n*k), at: make([]float64, n*k), width: shape.m.stages[0].width,
		inv: make([]float64, n*n), head: make([]int32, n), place: make([]int32, k+3*n), upper: make([]bool, k+3*n),
		free:   make([]bool, n),
		reduce: make([]float64, k+3*n), cost: make([]float64, 3*n), length: make([]float64, 3*n), rhs: make([]float64, n),
		y: make([]float64, n), basic: make([]float64, n), alpha: make([]float64, k),
		at0: make([]float64, k), column: make([]float64, n), delta: make([]float64, n),
	}
	for j := range n {
		for i, w := range shape.w[j] {
			p.a[j*k+i] = w / p.width[j]
			p.at[i*n+j] = w / p.width[j]
		}
	}
	return p
}

// hullPieces are the pieces of neuron j's hull: lengths in widths, slopes per width.
func (m *model) hullPieces(j int, low, high float64, first, last int32, omega float64, length, slope *[3]float64) {
	st := &m.stages[0]
	width := st.width[j]
	all := (high - low) / width
	*length, *slope = [3]float64{all}, [3]float64{}
	if first == last || omega == 0 {
		return
	}
	steps := float64(last - first)
	begin := st.base[j] - st.min[j]*width
	if omega > 0 {
		rise := max((begin+float64(first+1)*width-low)/width, 1e-3)
		if rise < 1 {
			*length = [3]float64{rise, steps - 1, max(all-rise-steps+1, 0)}
			*slope = [3]float64{omega / rise, omega, 0}
			return
		}
		rise += steps - 1
		*length = [3]float64{rise, max(all-rise, 0), 0}
		*slope = [3]float64{omega * steps / rise, 0, 0}
		return
	}
	fall := max((high-begin-st.slack[j]+1)/width-float64(last), 1e-3)
	if fall < 1 {
		*length = [3]float64{max(all-fall-steps+1, 0), steps - 1, fall}
		*slope = [3]float64{0, omega, omega / fall}
		return
	}
	fall += steps - 1
	*length = [3]float64{max(all-fall, 0), fall, 0}
	*slope = [3]float64{0, omega * steps / fall, omega * steps / fall}
}

// load states domain d with weights omega of the first stage's levels, from d's basis.
func (p *hullProgram) load(d *domain, omega []float64) {
	for j := range p.n {
		var length, slope [3]float64
		p.m.hullPieces(j, d.low[j], d.high[j], d.first[j], d.last[j], omega[j], &length, &slope)
		copy(p.length[3*j:], length[:])
		copy(p.cost[3*j:], slope[:])
		p.rhs[j] = (p.center[j] - d.low[j]) / p.width[j]
	}
	p.factor(d.basis)
	p.price()
	p.deliver()
}

// factor inverts the basis; without one, that of the neurons' first pieces.
func (p *hullProgram) factor(basis []int32) {
	n := p.n
	clear(p.inv)
	for c := range p.place {
		p.place[c] = -1
	}
	for j := range n {
		p.inv[j*n+j] = 1
		p.head[j] = int32(p.k + 3*j)
	}
	free := p.free
	clear(free)
	if basis != nil {
		for j := range free {
			free[j] = true
		}
		for _, c := range basis {
			if int(c) >= p.k {
				j := (int(c) - p.k) / 3
				p.head[j], free[j] = c, false
			}
		}
		for _, c := range basis {
			if int(c) < p.k {
				p.enter(c, free)
			}
		}
	}
	for r, c := range p.head {
		p.place[c] = int32(r)
	}
}

// enter brings an input into the basis, in one of the free rows.
func (p *hullProgram) enter(c int32, free []bool) {
	p.ftran(c)
	best := -1
	for r, v := range p.column {
		if free[r] && (best < 0 || math.Abs(v) > math.Abs(p.column[best])) {
			best = r
		}
	}
	if best < 0 || math.Abs(p.column[best]) < 1e-7 {
		return
	}
	free[best] = false
	p.head[best] = c
	p.eliminate(best)
}

// ftran is column c in terms of the basis.
func (p *hullProgram) ftran(c int32) {
	n := p.n
	if int(c) >= p.k {
		j := (int(c) - p.k) / 3
		for r := range n {
			p.column[r] = p.inv[r*n+j]
		}
		return
	}
	blas.Gemv(false, n, n, -1, p.inv, n, p.at[int(c)*n:(int(c)+1)*n], 0, p.column)
}

// eliminate updates the inverse for p.column in row r.
func (p *hullProgram) eliminate(r int) {
	n := p.n
	row := p.inv[r*n : (r+1)*n]
	scale := 1 / p.column[r]
	for j := range row {
		row[j] *= scale
	}
	for i, v := range p.column {
		if i != r && v != 0 {
			blas.Axpy(-v, row, p.inv[i*n:(i+1)*n])
		}
	}
}

// price computes multipliers and reduced costs, and puts columns at their bounds.
func (p *hullProgram) price() {
	n, k := p.n, p.k
	clear(p.y)
	for r, c := range p.head {
		if int(c) >= k && p.cost[int(c)-k] != 0 {
			blas.Axpy(p.cost[int(c)-k], p.inv[r*n:(r+1)*n], p.y)
		}
	}
	blas.Gemv(true, n, k, 1, p.a, k, p.y, 0, p.reduce)
	for s, c := range p.cost {
		p.reduce[k+s] = c - p.y[s/3]
	}
	for c, r := range p.place {
		if r >= 0 {
			p.reduce[c] = 0
		}
		p.upper[c] = p.reduce[c] > 0
	}
}

// deliver computes the values of the basis and of the program.
func (p *hullProgram) deliver() {
	n, k := p.n, p.k
	for i := range k {
		switch {
		case p.place[i] >= 0:
			p.at0[i] = 0
		case p.upper[i]:
			p.at0[i] = 1
		default:
			p.at0[i] = -1
		}
	}
	copy(p.delta, p.rhs)
	blas.Gemv(false, n, k, 1, p.a, k, p.at0, 1, p.delta)
	p.value = 0
	for s, l := range p.length {
		if p.place[k+s] < 0 && p.upper[k+s] {
			p.delta[s/3] -= l
			p.value += p.cost[s] * l
		}
	}
	blas.Gemv(false, n, n, 1, p.inv, n, p.delta, 0, p.basic)
	for r, c := range p.head {
		if int(c) >= k {
			p.value += p.cost[int(c)-k] * p.basic[r]
		}
	}
}

// accumulator is that of neuron j over the inputs of the present basis, where the
// pieces say it is.
func (p *hullProgram) accumulator(j int, low float64) float64 {
	sum := 0.0
	for c := p.k + 3*j; c < p.k+3*j+3; c++ {
		switch r := p.place[c]; {
		case r >= 0:
			sum += p.basic[r]
		case p.upper[c]:
			sum += p.length[c-p.k]
		}
	}
	return low + sum*p.width[j]
}

// point writes the inputs of the present basis to x.
func (p *hullProgram) point(x []float64) {
	copy(x, p.m.region.low)
	for k, i := range p.columns {
		s := -1.0
		switch r := p.place[k]; {
		case r >= 0:
			s = min(max(p.basic[r], -1), 1)
		case p.upper[k]:
			s = 1
		}
		x[i] = p.x[k] + s*p.r[k]
	}
}
