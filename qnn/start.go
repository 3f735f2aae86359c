package qnn

import "math"

// First multipliers, and bounds of the later layers from them.
//
// The descent has to start somewhere. Walking back from the property, each
// neuron gets the slope of one line of its hull: where its level helps (ω > 0),
// the chord that lies above; where it hurts, the step 1/2^e inside and 0 or the
// step's slope where a clamp is near, whichever side is longer. That is DeepPoly
// (Singh et al. 2019) with rounding, and gives its bound before any descent.
//
// The same descent bounds accumulators of later layers: the unit vector in
// place of a conjunction.

// initialise gives slots first to last the multipliers of lines.
func (p *pass) initialise() {
	for s := p.top - 1; s >= 0; s-- {
		if s == p.top-1 {
			for k := range p.slots {
				p.start(k)
			}
			if p.top < len(p.m.stages) {
				p.deliverWeights(p.top, p.seeds, p.omega[s])
			}
		} else {
			p.deliverWeights(s+1, p.v[s+1], p.omega[s])
		}
		n, o := p.m.stages[s].out, p.m.offset[s]
		for k := range p.slots {
			d := p.domain[k]
			omega, v := p.omega[s][k*n:(k+1)*n], p.v[s][k*n:(k+1)*n]
			if acc := p.accumulators(k); acc != nil && s == p.top-1 {
				for j, a := range acc {
					v[j] = p.mu[k][0] * a
				}
				continue
			}
			for j, w := range omega {
				if s == len(p.m.stages)-1 {
					v[j] = w / p.m.stages[s].width[j]
					continue
				}
				v[j] = w * p.m.slope(s, j, d.low[o+j], d.high[o+j], d.first[o+j], d.last[o+j], w > 0)
			}
		}
	}
	for k := range p.slots {
		for s := range p.top {
			n := p.m.stages[s].out
			copy(p.domain[k].v[p.m.offset[s]:], p.v[s][k*n:(k+1)*n])
		}
	}
}

// slope is that of a line above (or below) the staircase between low and high.
func (m *model) slope(s, j int, low, high float64, first, last int32, above bool) float64 {
	if first == last {
		return 0
	}
	st := &m.stages[s]
	stair := st.stair[j]
	atMin, atMax := int64(first) == stair.Min, int64(last) == stair.Max
	if above {
		if atMin {
			return float64(last-first) / (float64(stair.Start(int64(last))) - low)
		}
		if flat := high - float64(stair.Start(int64(last))); atMax && flat > float64(last-first)*st.width[j] {
			return 0
		}
		return 1 / st.width[j]
	}
	bottom := float64(stair.Start(int64(first) + 1))
	if atMax {
		return float64(last-first) / (high - bottom + 1)
	}
	if flat := bottom - low; atMin && flat > float64(last-first)*st.width[j] {
		return 0
	}
	return 1 / st.width[j]
}

// tightenLater bounds the accumulators of the stages behind the first by
// descents and narrows the model. It reports false if some neuron has no value
// left, so that the region holds no point at all.
func (m *model) tightenLater(iterations int) bool {
	for s := 1; s < len(m.stages); s++ {
		st := &m.stages[s]
		if st.out == 0 {
			continue
		}
		var list []int
		for j := range st.out {
			if s < len(m.stages)-1 || m.usedByRows(j) {
				list = append(list, j)
			}
		}
		m.tightenStage(s, list, iterations)
		for _, j := range list {
			if st.low[j] > st.high[j] {
				return false
			}
			st.first[j], st.last[j] = int32(st.stair[j].Level(int64(st.low[j]))), int32(st.stair[j].Level(int64(st.high[j])))
		}
	}
	return true
}

// usedByRows reports whether output j of the last stage occurs in a conjunction
// that is bounded by its rows.
func (m *model) usedByRows(j int) bool {
	for k := range m.rows {
		if m.rows[k].acc == nil && m.rows[k].uses[j] {
			return true
		}
	}
	return false
}

// tightenStage bounds the accumulators of stage s's neurons in list.
func (m *model) tightenStage(s int, list []int, iterations int) {
	st := &m.stages[s]
	const batch = 64
	p := newPass(m, min(batch, 2*len(list)))
	p.top = s
	p.seeds = make([]float64, batch*st.out)
	root := m.newBare()
	for from := 0; from < 2*len(list); from += batch {
		n := min(batch, 2*len(list)-from)
		domains := make([]*domain, n)
		clear(p.seeds)
		for k := range domains {
			domains[k] = root.clone(nil)
			sign := 1 - 2*float64((from+k)%2)
			p.seeds[k*st.out+list[(from+k)/2]] = sign
		}
		p.adopt(domains)
		p.initialise()
		p.descend(domains, descentOptions{iterations: iterations, patience: iterations, goal: math.Inf(-1), rate: 0.1}, nil)
		for k, d := range domains {
			j := list[(from+k)/2]
			if (from+k)%2 == 0 {
				st.high[j] = min(st.high[j], math.Floor(d.bound))
			} else {
				st.low[j] = max(st.low[j], math.Ceil(-d.bound))
			}
		}
	}
}

// newBare is the whole region without a conjunction.
func (m *model) newBare() *domain {
	d := &domain{region: m.region, v: make([]float64, m.total)}
	for s := range m.stages {
		st := &m.stages[s]
		d.low, d.high = append(d.low, st.low...), append(d.high, st.high...)
		d.first, d.last = append(d.first, st.first...), append(d.last, st.last...)
	}
	return d
}
