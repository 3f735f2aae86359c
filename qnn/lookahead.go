package qnn

import (
	"cmp"
	"math"
	"slices"
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
	for _, cut := range cuts[:min(len(cuts), lookaheads)] {
		b := cut.branch
		gain0, step0 := p.gain(k, s, b.neuron, b.level, false)
		gain1, step1 := p.gain(k, s, b.neuron, b.level, true)
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
func (p *pass) gain(k int, s *slot, j int, level int32, upper bool) (gain, step float64) {
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
	before := d.region.boxSupport(c, row, 0)
	for _, f := range lookaheadSteps {
		delta := f * unit
		_, value = m.chooseOne(j, low, high, first, last, w, v+delta)
		g := now - value + before - d.region.boxSupport(c, row, delta) - delta*st.b[j]
		if g <= gain {
			break
		}
		gain, step = g, delta
	}
	return min(gain, p.value[k]*1.05), step
}

// boxSupport is the greatest value of (c + delta·row)·x over the box.
func (r *region) boxSupport(c, row []float64, delta float64) float64 {
	sum0, sum1 := 0.0, 0.0
	n := len(c)
	row, ends := row[:n], r.ends[:2*n]
	i := 0
	for ; i+1 < n; i += 2 {
		c0, c1 := c[i]+delta*row[i], c[i+1]+delta*row[i+1]
		sum0 += c0 * ends[2*i+int(math.Float64bits(c0)>>63)]
		sum1 += c1 * ends[2*i+2+int(math.Float64bits(c1)>>63)]
	}
	if i < n {
		c0 := c[i] + delta*row[i]
		sum0 += c0 * ends[2*i+int(math.Float64bits(c0)>>63)]
	}
	return sum0 + sum1
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
