package qnn

import (
	"cmp"
	"slices"

	"github.com/vouchnn/vouch/internal/blas"
)

// A look ahead at the parts.
//
// The hull's gap says where the linear program is wrong, not what a cut gains. For
// the few first-stage neurons with the greatest gaps both parts are bounded in
// advance, with all multipliers kept but the neuron's own, which takes the best of
// a few steps in the direction of its subgradient: that changes the inputs' weights
// by multiples of one row, and costs a scan of the inputs per step. The neuron whose
// parts gain most (product of both gains, as in integer programming: Achterberg,
// Koch & Martin 2005) is cut, and the parts start from the multiplier found.

// lookaheads is how many neurons are looked at, and lookaheadSteps by how much a
// multiplier may change, in units of a typical one.
const lookaheads = 20

var lookaheadSteps = [...]float64{0.02, 0.05, 0.1, 0.17, 0.27, 0.4, 0.6, 0.8, 1, 1.4}

// candidateCut is a cut with the gap of the hull there.
type candidateCut struct {
	branch
	gap float64
}

// lookAhead picks among cuts of first-stage neurons. It needs the slot's last pass.
func (p *pass) lookAhead(k int, s *slot, cuts []candidateCut) branch {
	slices.SortStableFunc(cuts, func(a, b candidateCut) int { return cmp.Compare(b.gap, a.gap) })
	best, score := cuts[0].branch, -1.0
	in := p.m.stages[0].in
	now := blas.PosNegDot(p.c[k*in:(k+1)*in], s.domain.region.high, s.domain.region.low)
	for _, cut := range cuts[:min(len(cuts), lookaheads)] {
		b := cut.branch
		gain0, step0 := p.gain(k, s, now, b.neuron, b.level, false)
		gain1, step1 := p.gain(k, s, now, b.neuron, b.level, true)
		floor := 1e-3*p.value[k] + 1e-9
		if v := max(gain0, floor) * max(gain1, floor); v > score {
			score, best = v, b
			best.step = [2]float64{step0, step1}
		}
	}
	return best
}

// gain is by how much the bound falls, at most to below zero, if neuron j of the
// first stage is cut at level, and the change of the multiplier that does it.
// support is the inputs' part of the bound.
func (p *pass) gain(k int, s *slot, support float64, j int, level int32, upper bool) (gain, step float64) {
	m, d := p.m, p.domain[k]
	st := &m.stages[0]
	low, high, first, last := d.low[j], d.high[j], d.first[j], d.last[j]
	if start := float64(st.stair[j].Start(int64(level))); upper {
		low, first = start, level
	} else {
		high, last = start-1, level-1
	}
	n, in := st.out, st.in
	at := k*n + j
	w, v := p.omega[0][at], p.v[0][at]
	c, row := p.c[k*in:(k+1)*in], st.w[j*in:(j+1)*in]
	now := w*p.t[0][at] - v*p.z[0][at]
	z, value := m.chooseOne(j, low, high, first, last, w, v)
	gain = now - value
	unit := s.unit[0] / st.width[j]
	if p.acc[0][at] > z {
		unit = -unit
	}
	for _, f := range lookaheadSteps {
		delta := f * unit
		_, value = m.chooseOne(j, low, high, first, last, w, v+delta)
		copy(p.neg, c)
		blas.Axpy(delta, row, p.neg)
		g := now - value + support - blas.PosNegDot(p.neg, d.region.high, d.region.low) - delta*st.b[j]
		if g <= gain {
			break
		}
		gain, step = g, delta
	}
	return min(gain, p.value[k]*1.05), step
}

// chooseOne is choose for one first-stage neuron within given ranges.
func (m *model) chooseOne(j int, low, high float64, first, last int32, w, v float64) (z, value float64) {
	st := &m.stages[0]
	var level float64
	if v >= 0 {
		level, z = float64(first), low
		value = w*level - v*z
		if w > 0 && last > first {
			l := float64(first) + 1
			if w > v*st.width[j] {
				l = float64(last)
			}
			at := st.base[j] + (l-st.min[j])*st.width[j]
			if x := w*l - v*at; x > value {
				z, value = at, x
			}
		}
		return z, value
	}
	level, z = float64(last), high
	value = w*level - v*z
	if w < 0 && last > first {
		l := float64(last) - 1
		if w < v*st.width[j] {
			l = float64(first)
		}
		at := st.base[j] + st.slack[j] - 1 + (l+1-st.min[j])*st.width[j]
		if x := w*l - v*at; x > value {
			z, value = at, x
		}
	}
	return z, value
}
