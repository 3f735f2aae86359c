package bounds

import (
	"math"

	"github.com/vouchnn/vouch/internal/blas"
)

// What is proven of one function at the end of its ascent: every sum with the error
// that it may have.

// provenAt is the bound at the best lines and these slopes, rounded outward; they become
// the variables.
func (a *patchAscent) provenAt(alpha []float64) float64 {
	copy(a.t.alpha, alpha)
	for k := range a.groups {
		copy(a.groups[k].line, a.groups[k].best)
	}
	g, s, t := a.g, a.g.s, a.t
	// What adds up to each coefficient of the linear part, how many terms at most, and
	// to the constants; slack is what is not known.
	constant := a.gather()
	size, count, terms := make([]float64, len(a.coef)), make([]int, len(a.coef)), 1
	sums, slack := math.Abs(t.value), t.slack
	for i, c := range t.coef {
		size[i] = math.Abs(c)
	}
	add := func(at int, v float64) {
		size[at] += math.Abs(v)
		count[at]++
		terms = max(terms, count[at]+1)
	}
	n := len(a.coef) + 8
	total := t.value + constant
	for _, k := range a.bend {
		u, v := &g.rows.neurons[k], t.after[k]*t.alpha[k]
		for i, at := range g.rows.reads[u.reads] {
			add(at, v*u.weight[i])
		}
		sums += v * math.Abs(u.bias)
		slack += t.after[k] * u.slack
		n += 2
	}
	for at := range a.groups {
		p := &a.groups[at]
		least, loss := a.provenGroup(p)
		total += least
		sums += math.Abs(least) + math.Abs(total)
		slack += loss
		for i, from := range g.rows.reads[p.list] {
			add(from, p.line[i])
		}
		n += 2
	}
	for i, c := range a.coef {
		v := min(c*s.lower[0][i], c*s.upper[0][i])
		total += v
		sums += math.Abs(v) + math.Abs(total)
		slack += gamma(terms+6) * size[i] * s.magnitude[0][i]
	}
	slack += gamma(n)*sums + tiny
	v := total - slack*(1+gamma(n)) - gamma(4)*math.Abs(total) - tiny
	if math.IsNaN(v) {
		return math.Inf(-1)
	}
	return below(v)
}

// provenGroup is the least of a group, and by how much it may be wrong.
func (a *patchAscent) provenGroup(p *patchGroup) (least, slack float64) {
	rows, magnitude := a.g.rows, a.g.s.magnitude[0]
	inputs := rows.reads[p.list]
	size := 0.0 // of the terms of a value
	for i, from := range inputs {
		size += math.Abs(p.line[i]) * magnitude[from]
	}
	for _, k := range p.members {
		v := -a.t.after[k]
		size += v * rows.neurons[k].size
		slack += v * rows.neurons[k].slack
	}
	slack += gamma(2*len(inputs)+2*len(p.members)+8) * size
	if p.after != nil {
		return a.leastOf(p), slack
	}
	// Each pattern by itself, since errors of the Gray code's steps add up.
	lo, up := a.g.bottom[p.list], a.g.top[p.list]
	least = math.Inf(1)
	r := a.buf[:len(p.line)]
	for pattern := range 1 << len(p.members) {
		constant := 0.0
		for i, v := range p.line {
			r[i] = -v
		}
		for k := range p.members {
			if pattern>>k&1 == 1 {
				blas.Axpy(1, p.scaled[k], r)
				constant += p.offset[k]
			}
		}
		least = min(least, constant+blas.PosNegDot(r, lo, up))
	}
	return least, slack
}
