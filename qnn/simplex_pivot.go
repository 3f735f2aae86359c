package qnn

import (
	"math"

	"github.com/vouchnn/vouch/internal/blas"
)

// The pivots of simplex.go: a row that leaves, by steepest edge, and a column that
// enters, where the reduced costs that have changed sign before it have used up what
// the row misses (bound flipping).

// ratio is where a reduced cost changes sign, and how much slope that costs.
type ratio struct {
	theta, weight float64
	column        int32
}

// bounds are those of column c.
func (p *hullProgram) bounds(c int32) (low, high float64) {
	if int(c) < p.k {
		return -1, 1
	}
	return 0, p.length[int(c)-p.k]
}

// worst is the row that leaves: side is −1 if its value is too great, 1 if too small,
// 0 if all are within bounds.
func (p *hullProgram) worst() (row int, side, miss float64) {
	n := p.n
	row = -1
	best := 0.0
	for r, c := range p.head {
		low, high := p.bounds(c)
		v, to := 0.0, 1.0
		switch x := p.basic[r]; {
		case x > high+1e-7:
			v, to = x-high, -1
		case x < low-1e-7:
			v = low - x
		default:
			continue
		}
		inv := p.inv[r*n : (r+1)*n]
		if score := v * v / blas.Dot(inv, inv); score > best {
			best, row, side, miss = score, r, to, v
		}
	}
	return row, side, miss
}

// tableau computes row r of the tableau for the inputs; for pieces it is the inverse.
func (p *hullProgram) tableau(r int) {
	blas.Gemv(true, p.n, p.k, -1, p.a, p.k, p.inv[r*p.n:(r+1)*p.n], 0, p.alpha)
}

// collect lists where reduced costs change sign if the multipliers move by side along
// row r; pieces of neuron skip are left out.
func (p *hullProgram) collect(r int, side float64, skip int) {
	p.steps = p.steps[:0]
	for i, a := range p.alpha {
		if p.place[i] >= 0 {
			continue
		}
		if s := side * a; p.upper[i] && s > 1e-9 || !p.upper[i] && s < -1e-9 {
			p.steps = append(p.steps, ratio{max(p.reduce[i]/s, 0), 2 * math.Abs(a), int32(i)})
		}
	}
	for j, a := range p.inv[r*p.n : (r+1)*p.n] {
		if j == skip {
			continue
		}
		s := side * a
		for c := p.k + 3*j; c < p.k+3*j+3; c++ {
			if p.place[c] >= 0 || p.length[c-p.k] == 0 {
				continue
			}
			if p.upper[c] && s > 1e-9 || !p.upper[c] && s < -1e-9 {
				p.steps = append(p.steps, ratio{max(p.reduce[c]/s, 0), p.length[c-p.k] * math.Abs(a), int32(c)})
			}
		}
	}
}

// crossing is the least θ up to which the ratios' weights add up to need, +Inf if all
// together do not. It reorders the ratios.
func crossing(list []ratio, need float64) float64 {
	for len(list) > 0 {
		pivot := median(list[0].theta, list[len(list)/2].theta, list[len(list)-1].theta)
		less, equal, sumLess, sumEqual := 0, 0, 0.0, 0.0
		for i, s := range list { // [less | equal | greater]
			switch {
			case s.theta < pivot:
				sumLess += s.weight
				list[i] = list[less+equal]
				list[less+equal] = list[less]
				list[less] = s
				less++
			case s.theta == pivot:
				sumEqual += s.weight
				list[i] = list[less+equal]
				list[less+equal] = s
				equal++
			}
		}
		switch {
		case sumLess >= need && less > 0:
			list = list[:less]
		case sumLess+sumEqual >= need:
			return pivot
		default:
			need -= sumLess + sumEqual
			list = list[less+equal:]
		}
	}
	return math.Inf(1)
}

func median(a, b, c float64) float64 {
	return max(min(a, b), min(max(a, b), c))
}

// solve pivots until the program is solved, its value is below goal or limit pivots
// are done.
func (p *hullProgram) solve(goal float64, limit int) {
	for range limit {
		if p.value < goal {
			return
		}
		r, side, miss := p.worst()
		if r < 0 {
			return
		}
		p.tableau(r)
		p.collect(r, side, -1)
		if !p.pivot(r, side, miss) {
			return
		}
	}
}

// pivot moves the multipliers along row r as far as that lowers the value. It reports
// false if that never ends, which means that the domain is empty, or if the arithmetic
// is not to be trusted.
func (p *hullProgram) pivot(r int, side, miss float64) bool {
	n, k := p.n, p.k
	theta := crossing(p.steps, miss-1e-8) // what just fits is not empty
	row := p.inv[r*n : (r+1)*n]
	if math.IsInf(theta, 1) {
		left, far := miss, 0.0
		for _, s := range p.steps {
			left -= s.weight
			far = max(far, s.theta)
		}
		if left > 1e-7 {
			blas.Axpy(side*(far+2*(math.Abs(p.value)+1)/left), row, p.y)
			p.value = math.Inf(-1)
		}
		return false
	}
	enter, fall := int32(-1), miss*theta
	var size float64
	for _, s := range p.steps {
		if s.theta == theta {
			if a := p.entry(s.column, row); math.Abs(a) > size {
				enter, size = s.column, math.Abs(a)
			}
		}
		if s.theta < theta {
			fall -= s.weight * (theta - s.theta)
		}
	}
	p.ftran(enter)
	if a := p.entry(enter, row); math.Abs(a-p.column[r]) > 1e-6*(1+math.Abs(a)) || math.Abs(a) < 1e-7 {
		return false
	}
	p.flip(theta)
	p.value -= fall
	blas.Axpy(side*theta, row, p.y)
	blas.Axpy(-side*theta, p.alpha, p.reduce[:k])
	for j, a := range row {
		a *= side * theta
		p.reduce[k+3*j] -= a
		p.reduce[k+3*j+1] -= a
		p.reduce[k+3*j+2] -= a
	}
	out := p.head[r]
	low, high := p.bounds(out)
	to := low
	if side < 0 {
		to = high
	}
	t := (p.basic[r] - to) / p.column[r]
	blas.Axpy(-t, p.column, p.basic)
	low, high = p.bounds(enter)
	if p.basic[r] = low + t; p.upper[enter] {
		p.basic[r] = high + t
	}
	p.upper[out] = side < 0
	p.reduce[out] = -side * theta
	p.reduce[enter] = 0
	for i, c := range p.head {
		if i != r {
			p.reduce[c] = 0
		}
	}
	p.head[r], p.place[out], p.place[enter] = enter, -1, int32(r)
	p.eliminate(r)
	return true
}

// entry is column c's in a row of the tableau.
func (p *hullProgram) entry(c int32, row []float64) float64 {
	if int(c) < p.k {
		return p.alpha[c]
	}
	return row[(int(c)-p.k)/3]
}

// flip moves the columns whose reduced costs change sign before theta to their other
// bounds.
func (p *hullProgram) flip(theta float64) {
	n := p.n
	clear(p.delta)
	moved := false
	for _, s := range p.steps {
		if s.theta >= theta {
			continue
		}
		low, high := p.bounds(s.column)
		by := high - low
		if p.upper[s.column] {
			by = -by
		}
		p.upper[s.column] = !p.upper[s.column]
		moved = true
		if c := int(s.column); c < p.k {
			blas.Axpy(by, p.at[c*n:(c+1)*n], p.delta)
		} else {
			p.delta[(c-p.k)/3] -= by
		}
	}
	if moved {
		blas.Gemv(false, n, n, 1, p.inv, n, p.delta, 1, p.basic)
	}
}
