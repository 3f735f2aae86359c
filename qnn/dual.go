package qnn

import (
	"math"

	"github.com/vouchnn/vouch/internal/blas"
)

// The Lagrangian bound.
//
// Give every accumulator two names, z for what the staircase reads and W·y + b
// for what the layer before delivers, and allow them to differ at a price v per
// unit. For every v,
//
//	max { ω·q(z) : z = W·y + b, ... }  ≤  Σ_j max_{l≤z≤u} (ω_j·q_j(z) − v_j·z)
//	                                      + v·b + max_y (Wᵀv)·y
//
// and the last term is the same question one layer below with ω' = Wᵀv, until
// the inputs are reached, where it is the region's support. So one backward pass
// with any multipliers v is a bound. The maximum over z of a staircase minus a
// line is attained at an end of the range or at the first or last inner level:
// a handful of operations, and the best v makes the bound equal to the linear
// program over the convex hulls of all staircases, clamps and rounding included.
// No relaxation has to be chosen, and ranges cut by branch and bound need no
// further multipliers.
//
// Dvijotham et al. 2018 (UAI, arXiv:1803.06567) have this dual for real
// activations, Bunel et al. 2020 (UAI, arXiv:2002.10410) the decomposition view;
// the staircase is ours. A subgradient in v_j is the accumulator that the
// maximiser below delivers minus the z chosen above (ascent.go).
//
// Rounding: with γ the relative error of the longest sum and S the sum of
// |v_j|·(|W_j|·|y| + |b_j| + |z_j|) the computed bound is off by at most γS
// (margin). The levels, weights and biases are integers and exact.

// pass is the memory for bounding a batch of domains on one goroutine. Row k of
// every matrix belongs to slot k.
type pass struct {
	whole  bool // the share of accumulators stays 1
	m      *model
	slots  int
	domain []*domain
	top    int         // bound the rows of this stage; len(stages): of conjunctions
	seeds  []float64   // slots × stages[top].out, if top < len(stages)
	v      [][]float64 // per stage slots×out: multipliers
	omega  [][]float64 // per stage slots×out: weights of the levels
	z      [][]float64 // per stage slots×out: chosen accumulators
	t      [][]float64 // per stage slots×out: chosen levels
	acc    [][]float64 // per stage slots×out: delivered accumulators
	c      []float64   // slots×inputs: weights of the inputs
	x      []float64   // slots×inputs: chosen inputs
	neg    []float64   // inputs
	value  []float64   // slots: the bound, without margin
	// polish, if set, sees every domain that stays open, with the average of the
	// inputs that its bounds named and the weights of the first stage's levels.
	polish  func(d *domain, x, omega []float64)
	mu      [][]float64 // slots: multipliers of the conjunction's rows
	visited int         // evaluations, for statistics
}

func newPass(m *model, slots int) *pass {
	p := &pass{m: m, top: len(m.stages)}
	inputs := len(m.region.low)
	matrix := func(n int) []float64 { return make([]float64, slots*n) }
	for k := range m.stages {
		n := m.stages[k].out
		p.v, p.omega = append(p.v, matrix(n)), append(p.omega, matrix(n))
		p.z, p.t, p.acc = append(p.z, matrix(n)), append(p.t, matrix(n)), append(p.acc, matrix(n))
	}
	p.c, p.x, p.neg = matrix(inputs), matrix(inputs), make([]float64, inputs)
	p.value, p.mu = make([]float64, slots), make([][]float64, slots)
	return p
}

// evaluate bounds every slot with its multipliers, and leaves weights, choices
// and delivered accumulators behind.
func (p *pass) evaluate() {
	p.visited += p.slots
	p.evaluateAbove()
	if p.top > 0 {
		p.evaluateStage(0)
	}
	p.inputs()
}

// evaluateAbove is the part of evaluate that belongs to stages behind the first: it
// leaves their share of the bound, and the weights of the first stage's levels.
func (p *pass) evaluateAbove() {
	last := p.top - 1
	for k := range p.slots {
		p.value[k] = p.start(k)
	}
	if p.top < len(p.m.stages) && last >= 0 {
		p.deliverWeights(p.top, p.seeds, p.omega[last])
	}
	for s := last; s > 0; s-- {
		p.evaluateStage(s)
		p.deliverWeights(s, p.v[s], p.omega[s-1])
	}
}

// evaluateStage adds stage s's share to the bounds.
func (p *pass) evaluateStage(s int) {
	n := p.m.stages[s].out
	for k := range p.slots {
		row := k * n
		v := p.v[s][row : row+n]
		p.value[k] += blas.Dot(v, p.m.stages[s].b)
		if s == p.top-1 && p.accumulators(k) != nil {
			p.value[k] += p.m.chooseAccumulators(p.domain[k], p.mu[k][0], v, p.z[s][row:row+n], p.t[s][row:row+n])
			continue
		}
		p.value[k] += p.m.choose(s, p.domain[k], p.omega[s][row:row+n], v, p.z[s][row:row+n], p.t[s][row:row+n])
	}
}

// accumulators is the linear function that slot k bounds in place of rows, if
// any. It is part of the last stage's multipliers.
func (p *pass) accumulators(k int) []float64 {
	if p.top < len(p.m.stages) {
		return nil
	}
	return p.m.rows[p.domain[k].conj].acc
}

// start sets the weights of the last stage's levels and returns the constant.
func (p *pass) start(k int) float64 {
	d := p.domain[k]
	if p.top < len(p.m.stages) {
		n := p.m.stages[p.top].out
		return blas.Dot(p.seeds[k*n:(k+1)*n], p.m.stages[p.top].b)
	}
	q := &p.m.rows[d.conj]
	n := p.m.stages[p.top-1].out
	omega := p.omega[p.top-1][k*n : (k+1)*n]
	clear(omega)
	if q.acc != nil {
		return p.mu[k][0] * q.constant
	}
	sum := 0.0
	for r, mu := range p.mu[k] {
		blas.Axpy(-mu, q.c[r*n:(r+1)*n], omega)
		sum += mu * q.d[r]
	}
	return sum
}

// deliverWeights is omega = v·W for all slots.
func (p *pass) deliverWeights(s int, v, omega []float64) {
	st := &p.m.stages[s]
	blas.GemmSerial(false, false, p.slots, st.in, st.out, 1, v, max(st.out, 1), st.w, max(st.in, 1), 0, omega, max(st.in, 1))
}

// inputs ends a backward pass at the region.
func (p *pass) inputs() {
	st := &p.m.stages[0]
	if p.top == 0 {
		p.deliverWeights(0, p.seeds, p.c)
	} else {
		p.deliverWeights(0, p.v[0], p.c)
	}
	for k := range p.slots {
		c := p.c[k*st.in : (k+1)*st.in]
		d := p.domain[k]
		if p.top == len(p.m.stages) && p.m.rows[d.conj].acc == nil {
			for r, e := range p.m.rows[d.conj].e {
				if e != nil {
					blas.Axpy(-p.mu[k][r], e, c)
				}
			}
		}
		p.value[k] += d.region.support(c, p.x[k*st.in:(k+1)*st.in], p.neg)
	}
}

// deliver computes the accumulators that the chosen inputs and levels make: with
// z and t the subgradient.
func (p *pass) deliver() {
	for s := range p.top {
		if s >= len(p.m.stages) {
			break
		}
		st := &p.m.stages[s]
		from := p.x
		if s > 0 {
			from = p.t[s-1]
		}
		blas.GemmSerial(false, false, p.slots, st.out, st.in, 1, from, max(st.in, 1), st.wt, max(st.out, 1), 0, p.acc[s], max(st.out, 1))
		for k := range p.slots {
			blas.Axpy(1, st.b, p.acc[s][k*st.out:(k+1)*st.out])
		}
	}
}

// choose maximises omega·q(z) − v·z over each neuron's range; it returns the sum
// of the maxima, and z and t that attain it. With an uneven staircase z may be
// up to its slack outside, which weakens the bound only.
func (m *model) choose(s int, d *domain, omega, v, z, t []float64) float64 {
	st := &m.stages[s]
	o := m.offset[s]
	n := len(omega)
	low, high := d.low[o:o+n], d.high[o:o+n]
	first, last := d.first[o:o+n], d.last[o:o+n]
	v, z, t = v[:n], z[:n], t[:n]
	sum := 0.0
	for j, w := range omega {
		a, b := first[j], last[j]
		y := v[j]
		var level, at, best float64
		if y >= 0 {
			level, at = float64(a), low[j]
			best = w*level - y*at
			if w > 0 && b > a {
				l := float64(a) + 1
				if w > y*st.width[j] {
					l = float64(b)
				}
				p := st.base[j] + (l-st.min[j])*st.width[j]
				if value := w*l - y*p; value > best {
					level, at, best = l, p, value
				}
			}
		} else {
			level, at = float64(b), high[j]
			best = w*level - y*at
			if w < 0 && b > a {
				l := float64(b) - 1
				if w < y*st.width[j] {
					l = float64(a)
				}
				p := st.base[j] + st.slack[j] - 1 + (l+1-st.min[j])*st.width[j]
				if value := w*l - y*p; value > best {
					level, at, best = l, p, value
				}
			}
		}
		z[j], t[j] = at, level
		sum += best
	}
	return sum
}

// chooseAccumulators is choose for a conjunction that is a function of the last
// stage's accumulators: it maximises alpha·acc·z − v·z.
func (m *model) chooseAccumulators(d *domain, alpha float64, v, z, t []float64) float64 {
	q := &m.rows[d.conj]
	o := m.offset[len(m.stages)-1]
	sum := 0.0
	for j, a := range q.acc {
		a *= alpha
		low, high := d.low[o+j], d.high[o+j]
		level, at := d.first[o+j], low
		if a > v[j] {
			level, at = d.last[o+j], high
		}
		z[j], t[j] = at, float64(level)
		sum += a*at - v[j]*at
	}
	return sum
}

// margin bounds the rounding error of slot k's value from above.
func (p *pass) margin(k int) float64 {
	sum := 0.0
	d := p.domain[k]
	if p.top < len(p.m.stages) {
		n := p.m.stages[p.top].out
		sum += blas.AbsDot(p.seeds[k*n:(k+1)*n], p.m.stages[p.top].size)
	} else if q := &p.m.rows[d.conj]; q.acc != nil {
		sum += math.Abs(q.constant) + blas.AbsDot(q.acc, p.m.stages[p.top-1].size)
	} else {
		for r, mu := range p.mu[k] {
			sum += math.Abs(mu) * p.m.rows[d.conj].size[r]
		}
	}
	for s := range min(p.top, len(p.m.stages)) {
		n := p.m.stages[s].out
		sum += blas.AbsDot(p.v[s][k*n:(k+1)*n], p.m.stages[s].size)
	}
	return p.m.gamma * sum
}
