package qnn

import (
	"math"

	"github.com/vouchnn/vouch/internal/blas"
)

// Descent on the multipliers of a batch of domains.
//
// The Lagrangian bound is convex and piecewise linear in the multipliers, and
// every backward pass yields a subgradient. The step is Polyak's towards a level
// a little below the best value so far (Polyak 1969; the level shrinks when it
// is not reached, Goffin & Kiwiel 1999), along the subgradient plus a part of
// the last direction (Camerini, Fratta & Maffioli 1975), each multiplier in
// units of its neuron's range. A domain leaves the batch when its bound is below
// zero with the rounding margin, when it stagnates, or after its iterations.
//
// The average of the delivered accumulators approximates the optimum of the
// linear program and tells where to branch (branch.go). Each pass also names an
// input, the one that maximises the Lagrangian; it costs little to run it
// through the exact staircases, and where a counterexample exists one of them
// often is one.

// descentOptions say how long a batch is optimised.
type descentOptions struct {
	iterations int     // at most
	patience   int     // without progress worth having
	goal       float64 // a bound below it is good enough
	rate       float64 // of the first step, in units of a typical multiplier
}

// slot is the state of one domain in the batch.
type slot struct {
	domain  *domain
	index   int // in the caller's slice
	best    float64
	checked float64 // best at the last look at progress
	// Of all stages: averages of the delivered accumulators, and of the
	// subgradient and its square; per stage the size of a multiplier.
	average, first, second []float64
	unit                   []float64
	x                      []float64 // average input, if wanted
	mu1, mu2               float64   // of the share that accumulators have (moveShare)
}

// found receives inputs worth an exact look: the slot's chosen input and its
// accumulators are in p. It reports whether the search may end.
type found func(k int) bool

// descend optimises the domains and sets their bound and branch. It stops early
// when visit says so. The pass has at least as many slots as domains.
func (p *pass) descend(domains []*domain, o descentOptions, visit found) {
	slots := make([]*slot, len(domains))
	p.slots = len(domains)
	p.domain = p.domain[:0]
	for k, d := range domains {
		p.domain = append(p.domain, d)
		slots[k] = p.newSlot(k, d)
		p.load(k, d)
	}
	for it := 0; p.slots > 0; it++ {
		p.evaluate()
		p.deliver()
		for k := 0; k < p.slots; {
			s := slots[k]
			p.record(k, s)
			if visit != nil && visit(k) {
				return
			}
			if p.done(k, s, it, o) {
				p.finish(k, s)
				p.remove(k, slots)
				continue
			}
			p.move(k, s, it, o)
			k++
		}
	}
}

func (p *pass) newSlot(k int, d *domain) *slot {
	n := p.m.total
	return &slot{
		domain: d, index: k, best: math.Inf(1), unit: make([]float64, p.top),
		average: make([]float64, n), first: make([]float64, n), second: make([]float64, n),
	}
}

// adopt fills the slots with domains, without their multipliers.
func (p *pass) adopt(domains []*domain) {
	p.slots = len(domains)
	p.domain = append(p.domain[:0], domains...)
	for k, d := range domains {
		p.mu[k] = append(p.mu[k][:0], d.mu...)
	}
}

// load copies a domain's multipliers into slot k.
func (p *pass) load(k int, d *domain) {
	p.mu[k] = append(p.mu[k][:0], d.mu...)
	for s := range p.m.stages {
		n := p.m.stages[s].out
		copy(p.v[s][k*n:(k+1)*n], d.v[p.m.offset[s]:])
	}
}

// record keeps the multipliers if they are the best so far.
func (p *pass) record(k int, s *slot) {
	value := p.value[k]
	if !(value < s.best) {
		return
	}
	s.best = value
	for st := range p.m.stages {
		n := p.m.stages[st].out
		copy(s.domain.v[p.m.offset[st]:p.m.offset[st]+n], p.v[st][k*n:(k+1)*n])
	}
	copy(s.domain.mu, p.mu[k])
	s.domain.bound = value + p.margin(k)
}

func (p *pass) done(k int, s *slot, it int, o descentOptions) bool {
	if s.domain.bound < o.goal || it+1 >= o.iterations || math.IsInf(s.best, 1) || math.IsNaN(p.value[k]) {
		return true
	}
	if it > 0 && it%o.patience == 0 {
		left := float64(o.iterations-it) / float64(o.patience)
		if gain := s.checked - s.best; s.best-gain*left > o.goal && it > o.patience {
			return true // at this pace the bound stays above zero
		}
		s.checked = s.best
	}
	return false
}

// move takes one step from slot k's multipliers.
func (p *pass) move(k int, s *slot, it int, o descentOptions) {
	d := s.domain
	if it == 0 {
		s.checked = s.best
		p.setUnits(k, s)
	}
	share := max(2/float64(it+2), 0.1)
	if p.polish != nil {
		s.blend(p.x[k*len(p.neg):(k+1)*len(p.neg)], share)
	}
	rate := o.rate * math.Pow(0.02, float64(it)/float64(o.iterations))
	fade1, fade2 := 1/(1-math.Pow(momentum, float64(it+1))), 1/(1-math.Pow(memory, float64(it+1)))
	for st := range p.top {
		p.moveStage(k, s, st, share, rate, fade1, fade2)
	}
	if p.top == len(p.m.stages) {
		p.moveRows(k, d, rate)
		p.moveShare(k, s, rate*fade1, fade2)
	}
}

// moveStage is the step of one stage's multipliers.
func (p *pass) moveStage(k int, s *slot, st int, share, rate, fade1, fade2 float64) {
	n, off := p.m.stages[st].out, p.m.offset[st]
	acc, z, v := p.acc[st][k*n:(k+1)*n], p.z[st][k*n:(k+1)*n], p.v[st][k*n:(k+1)*n]
	average, first, second := s.average[off:off+n], s.first[off:off+n], s.second[off:off+n]
	unit := s.unit[st]
	var uses []bool
	if st == p.top-1 && p.top == len(p.m.stages) {
		uses = p.m.rows[s.domain.conj].uses
	}
	for j, a := range acc {
		average[j] += share * (a - average[j])
		if uses != nil && !uses[j] {
			continue
		}
		g := a - z[j]
		first[j] += (1 - momentum) * (g - first[j])
		second[j] += (1 - memory) * (g*g - second[j])
		if second[j] > 0 {
			v[j] -= rate * unit / p.m.stages[st].width[j] * first[j] * fade1 / math.Sqrt(second[j]*fade2)
		}
	}
}

// blend moves the average input towards x.
func (s *slot) blend(x []float64, share float64) {
	if s.x == nil {
		s.x = append([]float64(nil), x...)
	}
	for i, v := range x {
		s.x[i] += share * (v - s.x[i])
	}
}

// setUnits measures the weights of each stage's levels, which a multiplier's
// size follows.
func (p *pass) setUnits(k int, s *slot) {
	for st := range p.top {
		n := p.m.stages[st].out
		sum, count := 0.0, 0.0
		for _, w := range p.omega[st][k*n : (k+1)*n] {
			if w != 0 {
				sum += math.Abs(w)
				count++
			}
		}
		s.unit[st] = sum / max(count, 1)
		if sum == 0 {
			s.unit[st] = 1
		}
		if st == p.top-1 && p.accumulators(k) != nil && n > 0 {
			s.unit[st] = 0.2 * p.m.stages[st].width[0] // multipliers beside coefficients ±1
		}
	}
}

const (
	momentum = 0.9
	memory   = 0.99
)

// moveRows adjusts the multipliers of a conjunction with several rows, scaled to
// sum 1 together with everything below.
func (p *pass) moveRows(k int, d *domain, rate float64) {
	q := &p.m.rows[d.conj]
	if len(q.d) < 2 || q.acc != nil {
		return
	}
	n := p.m.stages[p.top-1].out
	t := p.t[p.top-1][k*n : (k+1)*n]
	sum := 0.0
	mu := p.mu[k]
	for r := range mu {
		g := q.d[r] - blas.Dot(q.c[r*n:(r+1)*n], t)
		if q.e[r] != nil {
			in := p.m.stages[0].in
			g -= blas.Dot(q.e[r], p.x[k*in:(k+1)*in])
		}
		mu[r] = max(mu[r]-rate*g/(q.size[r]+1), 0)
		sum += mu[r]
	}
	if sum == 0 {
		for r := range mu {
			mu[r] = 1 / float64(len(mu))
		}
		return
	}
	for r := range mu {
		mu[r] /= sum
	}
}

// moveShare adjusts how much the linear function of accumulators counts beside the
// ranges that the conjunction demands of them: an unsafe input has both, so any share
// from 0 to 1 will do. Where the ranges alone cannot be met, the share goes to 0.
func (p *pass) moveShare(k int, s *slot, rate, fade2 float64) {
	acc := p.accumulators(k)
	if acc == nil || p.whole {
		return
	}
	n := len(acc)
	last := p.top - 1
	g := blas.Dot(acc, p.z[last][k*n:(k+1)*n]) + p.m.rows[s.domain.conj].constant
	s.mu1 += (1 - momentum) * (g - s.mu1)
	s.mu2 += (1 - memory) * (g*g - s.mu2)
	if s.mu2 > 0 {
		mu := &p.mu[k][0]
		*mu = min(max(*mu-0.2*rate*s.mu1/math.Sqrt(s.mu2*fade2), 0), 1)
	}
}

// finish leaves what the search needs in the domain.
func (p *pass) finish(k int, s *slot) {
	if s.domain.bound < 0 || p.top < len(p.m.stages) {
		return
	}
	if !p.tighten(k) {
		s.domain.bound = math.Inf(-1)
		return
	}
	if p.polish != nil && s.x != nil {
		n := p.m.stages[0].out
		p.polish(s.domain, s.x, p.omega[0][k*n:(k+1)*n])
	}
	s.domain.branch = p.m.chooseBranch(p, k, s)
	if s.domain.branch.neuron < 0 {
		in := p.m.stages[0].in
		s.domain.x = append([]float64(nil), p.x[k*in:(k+1)*in]...)
	}
}

// remove moves the last slot into k's place.
func (p *pass) remove(k int, slots []*slot) {
	last := p.slots - 1
	slots[k] = slots[last]
	p.domain[k] = p.domain[last]
	p.mu[k], p.mu[last] = p.mu[last], p.mu[k]
	if p.top < len(p.m.stages) {
		n := p.m.stages[p.top].out
		copy(p.seeds[k*n:(k+1)*n], p.seeds[last*n:(last+1)*n])
	}
	p.value[k] = p.value[last]
	for s := range p.m.stages {
		n := p.m.stages[s].out
		for _, a := range [][]float64{p.v[s], p.z[s], p.t[s], p.acc[s], p.omega[s]} {
			copy(a[k*n:(k+1)*n], a[last*n:(last+1)*n])
		}
	}
	in := p.m.stages[0].in
	copy(p.c[k*in:(k+1)*in], p.c[last*in:(last+1)*in])
	copy(p.x[k*in:(k+1)*in], p.x[last*in:(last+1)*in])
	p.slots--
}
