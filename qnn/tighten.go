package qnn

import "math"

// Narrower ranges from a bound that did not suffice.
//
// With the multipliers at hand, a neuron contributes φ_j, its best over all of
// its range. If an unsafe input exists, the neuron's own accumulator there must
// contribute at least φ_j − f, where f ≥ 0 is the bound: whatever part of the
// range offers less can be cut off, level by level from both ends, and within
// the outermost level by the slope v_j. This is reduced-cost fixing of integer
// programming (Dantzig, Fulkerson & Johnson 1954) on the Lagrangian; it never
// cuts off an unsafe input.

// tighten narrows slot k's domain by its last multipliers and reports whether
// anything is left.
func (p *pass) tighten(k int) bool {
	m, d := p.m, p.domain[k]
	slack := p.value[k] + 2*p.margin(k)
	if !(slack >= 0) || math.IsInf(slack, 0) {
		return true
	}
	changed := -1
	for s := range m.stages {
		n, o := m.stages[s].out, m.offset[s]
		for j := range n {
			if d.low[o+j] == d.high[o+j] || s == len(m.stages)-1 && !m.rows[d.conj].uses[j] {
				continue
			}
			at := k*n + j
			w, v := p.omega[s][at], p.v[s][at]
			if acc := p.accumulators(k); acc != nil && s == len(m.stages)-1 {
				v -= p.mu[k][0] * acc[j]
			}
			levels := max(math.Abs(float64(d.first[o+j])), math.Abs(float64(d.last[o+j])))
			need := w*p.t[s][at] - v*p.z[s][at] - slack
			need -= 0x1p-40 * (math.Abs(w)*levels + math.Abs(v)*m.stages[s].size[j] + slack)
			low, high := m.worthwhile(s, j, d, w, v, need)
			if low > d.low[o+j] || high < d.high[o+j] {
				d.low[o+j], d.high[o+j] = max(low, d.low[o+j]), min(high, d.high[o+j])
				if !m.relevel(d, s, j) {
					return false
				}
				if changed < 0 {
					changed = s
				}
			}
		}
	}
	return changed < 0 || m.propagate(d, changed)
}

// worthwhile is the range of accumulators within which ω·q(z) − v·z can reach
// need, found from both ends.
func (m *model) worthwhile(s, j int, d *domain, w, v, need float64) (low, high float64) {
	st := m.stages[s].stair[j]
	k := m.offset[s] + j
	low, high = d.low[k], d.high[k]
	first, last := d.first[k], d.last[k]
	for {
		end := high
		if first < last {
			end = float64(st.Start(int64(first)+1) - 1)
		}
		if best := w*float64(first) - min(v*low, v*end); best >= need {
			if v < 0 {
				if l := math.Ceil((need-w*float64(first))/-v - 1e-6); l > low {
					low = min(l, end)
				}
			}
			break
		}
		if first == last {
			return 1, 0 // nothing is left
		}
		low = end + 1
		first++
	}
	for last >= first {
		start := low
		if last > first {
			start = float64(st.Start(int64(last)))
		}
		if best := w*float64(last) - min(v*start, v*high); best >= need {
			if v > 0 {
				if h := math.Floor((w*float64(last)-need)/v + 1e-6); h < high {
					high = max(h, start)
				}
			}
			break
		}
		if last == first {
			return 1, 0
		}
		high = start - 1
		last--
	}
	return low, high
}
