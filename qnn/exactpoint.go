package qnn

import (
	"github.com/vouchnn/vouch/internal/blas"
)

// Exact runs of the reduced network. Within the region they agree with
// Network.Run; outside they mean nothing. All numbers are integers in float64.

// probe runs inputs through the model and judges them by a conjunction.
type probe struct {
	m      *model
	levels [][]float64 // per stage
	acc    [][]float64
}

func newProbe(m *model) *probe {
	p := &probe{m: m}
	for s := range m.stages {
		p.levels = append(p.levels, make([]float64, m.stages[s].out))
		p.acc = append(p.acc, make([]float64, m.stages[s].out))
	}
	return p
}

// run computes all accumulators and levels at x.
func (p *probe) run(x []float64) {
	st := &p.m.stages[0]
	for j := range st.out {
		p.acc[0][j] = blas.Dot(st.w[j*st.in:(j+1)*st.in], x) + st.b[j]
	}
	p.runFrom()
}

// runFrom computes everything behind the first stage's accumulators.
func (p *probe) runFrom() {
	for s := range p.m.stages {
		st := &p.m.stages[s]
		if s > 0 {
			for j := range st.out {
				p.acc[s][j] = blas.Dot(st.w[j*st.in:(j+1)*st.in], p.levels[s-1]) + st.b[j]
			}
		}
		levels := p.levels[s]
		for j, a := range p.acc[s] {
			levels[j] = float64(st.stair[j].Level(int64(a)))
		}
	}
}

// shortfall is how much conjunction k lacks at the last run with inputs x: the
// sum over its rows of what is missing, 0 if it holds. The second number is the
// same with outputs before rounding, for comparing inputs of equal shortfall.
func (p *probe) shortfall(k int, x []float64) (exact, soft float64) {
	q := &p.m.rows[k]
	s := len(p.m.stages) - 1
	st := &p.m.stages[s]
	n := st.out
	for r, d := range q.d {
		hard, smooth := d, d
		if q.e[r] != nil {
			v := blas.Dot(q.e[r], x)
			hard -= v
			smooth -= v
		}
		for j, c := range q.c[r*n : (r+1)*n] {
			if c != 0 {
				hard -= c * p.levels[s][j]
				level := (p.acc[s][j]-st.base[j])/st.width[j] + st.min[j] - 0.5
				smooth -= c * min(max(level, float64(st.first[j])-1), float64(st.last[j])+1)
			}
		}
		exact += max(0, -hard)
		soft += max(0, -smooth)
	}
	return exact, soft
}
