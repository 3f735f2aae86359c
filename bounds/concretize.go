package bounds

// From linear functions to numbers.
//
// What arrives at the input is a linear function, a constant, and what rounding
// may have done on the way (rounding.go). Its least value over the region is the
// bound. The same is done once on the way, in front of the first activation
// (cut), where intervals alone bound the functions through the last affine
// layers.

import (
	"math"

	"github.com/vouchnn/vouch/internal/blas"
	"github.com/vouchnn/vouch/spec"
)

// cut bounds the rows where the pass stands, by the intervals of the nodes that
// hold coefficients. In front of the last nonlinear node that is the interval
// bound of the functions, carried through the last affine layers.
func (p *pass) cut() {
	s := p.s
	p.atCut = grow(p.atCut, len(p.rows))
	steps := 2*len(s.m.nodes) + 4
	for r := range p.rows {
		d := p.rows[r].domain
		least, mass, err := p.value[r], p.mass[r], p.err[r]
		for j, coef := range p.coef {
			if coef == nil {
				continue
			}
			n := p.width(j)
			var live []int32
			if p.view != nil {
				live = p.view[j].live
			}
			sum, mag := minOverBox(coef[r*n:(r+1)*n], s.span(s.lower[j], j, d), s.span(s.upper[j], j, d), live)
			least += sum
			mass += math.Abs(sum) + math.Abs(least)
			err += gamma(n)*mag + tiny
		}
		v := least - err*(1+gamma(steps)) - gamma(steps)*(mass+err) - tiny
		if math.IsNaN(v) {
			v = math.Inf(-1)
		}
		p.atCut[r] = below(v)
	}
}

// concretize turns the linear functions of the input into numbers.
func (p *pass) concretize(bound []float64, linear []DomainResult) {
	if len(p.atCut) > 0 && p.s.shallow {
		copy(bound, p.atCut)
		return
	}
	p.coefOf(0)
	p.bound, p.linear = bound, linear
	p.spread(0, p.s.m.inputs, overInput{})
	p.bound, p.linear = nil, nil
}

// overInput is the last step of a pass: the least value over the region.
type overInput struct{}

func (overInput) step(p *pass, _, d, lo, hi int) {
	s, n, coef := p.s, p.s.m.inputs, p.coef[0]
	blas.BoxRows(hi-lo, n, coef[lo*n:hi*n], s.span(s.lower[0], 0, d), s.span(s.upper[0], 0, d), s.span(s.magnitude[0], 0, d), p.sums[2*lo:2*hi])
	_, box := s.domains[d].Region.(spec.Box)
	c := s.cornerOf(d)
	for r := lo; r < hi; r++ {
		least := p.sums[2*r] - gamma(n)*p.sums[2*r+1] - tiny
		if c != nil {
			var x []float64
			if p.tune != nil {
				x = p.tune.least[r*n : (r+1)*n]
			}
			least = c.raise(coef[r*n:(r+1)*n], p.supportOf(r, x), least, p.sums[2*r+1], x)
		}
		if !box {
			least = max(least, s.domains[d].Region.MinLinear(coef[r*n:(r+1)*n]))
		}
		p.bound[r] = p.total(r, least)
		if p.linear != nil && p.rows[r].sign > 0 {
			p.keepLinear(r, &p.linear[d], coef[r*n:(r+1)*n])
		}
		if p.spaces != nil {
			p.keepSpace(r, coef[r*n:(r+1)*n])
		}
	}
	if p.tune != nil && (c == nil || !box) {
		p.tune.keepMinimizers(d, lo, hi, coef)
	}
}

// slack bounds what rounding has done to the constant of row r.
func (p *pass) slack(r int) float64 {
	steps := gamma(2*len(p.s.m.nodes) + 4)
	return p.err[r]*(1+steps) + steps*p.mass[r] + gamma(4)*math.Abs(p.value[r]) + tiny
}

// total is the bound of row r whose part of the input is at least least.
func (p *pass) total(r int, least float64) float64 {
	slack := p.slack(r)
	v := p.value[r] - slack + least - gamma(4)*(math.Abs(p.value[r])+slack+math.Abs(least))
	if math.IsNaN(v) {
		v = math.Inf(-1)
	}
	v = below(v)
	if len(p.atCut) > 0 {
		v = max(v, p.atCut[r])
	}
	return v
}

// keepLinear hands the linear function of row r out.
func (p *pass) keepLinear(r int, o *DomainResult, a []float64) {
	k := p.rows[r].index
	copy(o.Coef[k*len(a):], a)
	if offset := below(p.value[r] - p.slack(r)); !math.IsNaN(offset) {
		o.Offset[k] = offset
	}
}

// minOverBox is the least value of a·x over the box, and the sum of the
// absolute values of its terms. The coefficients are those of the live elements,
// nil standing for all.
func minOverBox(a, lo, up []float64, live []int32) (sum, mag float64) {
	for j, v := range a {
		if live != nil {
			j = int(live[j])
		}
		t := max(v, 0)*lo[j] + min(v, 0)*up[j]
		sum += t
		mag += math.Abs(t)
	}
	return sum, mag
}
