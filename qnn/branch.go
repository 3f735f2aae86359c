package qnn

// Where to cut a domain.
//
// At the optimum of the linear program a neuron sits at accumulator ẑ, the
// average of what the descent delivered, with a level on the hull of its
// staircase instead of on the staircase itself. The neuron whose hull gains most
// over the exact level, weighted by ω, is cut, at the step that makes the hull
// exact at ẑ on one side and moves ẑ away on the other: where the hull lies
// above, the next step up; where it lies below, the step before. But a first-stage
// neuron with more than a step of its clamp in reach is cut where the clamp ends, the
// ReLU's split: on both sides only rounding is left, so one cut will do for it.

// chooseBranch picks neuron and level for slot k; neuron < 0 if no level is open.
func (m *model) chooseBranch(p *pass, k int, s *slot) branch {
	d := s.domain
	best := branch{neuron: -1}
	score := -1.0
	var cuts []candidateCut
	for st := range m.stages {
		n, o := m.stages[st].out, m.offset[st]
		omega := p.omega[st][k*n : (k+1)*n]
		for j := range n {
			if d.first[o+j] == d.last[o+j] {
				continue
			}
			if st == len(m.stages)-1 && !m.rows[d.conj].uses[j] {
				continue
			}
			z := min(max(s.average[o+j], d.low[o+j]), d.high[o+j])
			gap, level, upper := m.hullGap(st, j, d, omega[j], z)
			b := branch{neuron: o + j, level: level, upper: upper}
			if c, ok := m.kink(st, j, d, omega[j]); ok && st == 0 {
				b.level, b.upper = c, z >= float64(m.stages[st].stair[j].Start(int64(c)))
			}
			if gap > score {
				score, best = gap, b
			}
			if st == 0 && gap > 0 {
				cuts = append(cuts, candidateCut{b, gap})
			}
		}
	}
	if len(cuts) > 1 && best.neuron < m.stages[0].out && d.region.ball == nil {
		return p.lookAhead(k, s, cuts)
	}
	return best
}

// hullGap is |ω| times the distance of hull and staircase at z, and the level at
// whose start to cut.
func (m *model) hullGap(s, j int, d *domain, omega, z float64) (gap float64, cut int32, upper bool) {
	st := &m.stages[s]
	k := m.offset[s] + j
	first, last := d.first[k], d.last[k]
	stair := st.stair[j]
	level := int32(stair.Level(int64(z)))
	level = min(max(level, first), last)
	if omega > 0 {
		up := m.upperHull(s, j, d, z)
		cut = min(level+1, last)
		return omega * (up - float64(level)), cut, z >= float64(stair.Start(int64(cut)))
	}
	down := m.lowerHull(s, j, d, z)
	cut = max(level, first+1)
	return -omega * (float64(level) - down), cut, z >= float64(stair.Start(int64(cut)))
}

// upperHull is the concave hull of the staircase over the neuron's range, at z:
// through (low, first) and the starts of the levels above.
func (m *model) upperHull(s, j int, d *domain, z float64) float64 {
	st := m.stages[s].stair[j]
	k := m.offset[s] + j
	a, b := float64(d.first[k]), float64(d.last[k])
	low, next, top := d.low[k], float64(st.Start(int64(d.first[k])+1)), float64(st.Start(int64(d.last[k])))
	if z >= top {
		return b
	}
	direct := a + (b-a)*(z-low)/(top-low)
	if z <= next {
		return max(direct, a+(z-low)/(next-low))
	}
	return max(direct, a+1+(b-a-1)*(z-next)/(top-next))
}

// lowerHull is the convex hull from below: through (high, last) and the ends of
// the levels below.
func (m *model) lowerHull(s, j int, d *domain, z float64) float64 {
	st := m.stages[s].stair[j]
	k := m.offset[s] + j
	a, b := float64(d.first[k]), float64(d.last[k])
	high, prev, bottom := d.high[k], float64(st.Start(int64(d.last[k]))-1), float64(st.Start(int64(d.first[k])+1)-1)
	if z <= bottom {
		return a
	}
	direct := b - (b-a)*(high-z)/(high-bottom)
	if z >= prev {
		return min(direct, b-(high-z)/(high-prev))
	}
	return min(direct, b-1-(b-a-1)*(prev-z)/(prev-bottom))
}

// kink is the level at whose start the staircase bends away from what is good for ω:
// where its clamp ends, if more than a step of it is in reach.
func (m *model) kink(s, j int, d *domain, omega float64) (int32, bool) {
	st := &m.stages[s]
	k := m.offset[s] + j
	first, last := d.first[k], d.last[k]
	if first == last {
		return 0, false
	}
	if omega > 0 {
		return first + 1, float64(st.stair[j].Start(int64(first)+1))-d.low[k] > st.width[j]
	}
	return last, d.high[k]+1-float64(st.stair[j].Start(int64(last))) > st.width[j]
}
