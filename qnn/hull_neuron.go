package qnn

import "math"

// One neuron over the box, the sub-problem of hull.go.
//
// A neuron's own problem has two pieces: its outermost level, where it gets nothing
// more, and the levels beyond, where a line through the level's starts and the
// greatest level bound it (mirrored if ω < 0). On a piece the objective is concave in
// the accumulator z, and the problem is a continuous knapsack: for every price u per
// unit of z,
//
//	max_{z in piece} (f(z) − u·z)  +  max_{xʲ in box} (u·w_j − λ_j)·xʲ + u·b_j
//
// bounds it, the least u is found by a search for the root of a monotone function,
// and inexact roots cost tightness, not soundness. The neuron's maximum is the greater
// of the pieces: each has its own u, which is the gain over dual.go.

// hullNeuron is a first-stage neuron's problem, mirrored if ω < 0 so that more is
// better.
type hullNeuron struct {
	mirror      float64 // −1 if mirrored
	omega       float64 // ≥ 0
	pieces      [2]hullPiece
	count       int     // pieces in use
	chosen      int     // the greater one
	size        float64 // greatest |u| of the last evaluation
	level, z    float64 // what was chosen, not mirrored
	meanZ, mean float64 // averages of both
}

// hullPiece is a range of accumulators with a concave objective, the least of a line
// and a constant, and a price that bounds it.
type hullPiece struct {
	low, high   float64 // accumulators
	slope, at   float64 // of the line: slope·(z − at)
	top         float64 // the constant
	u, value, z float64 // price, bound and accumulator that the inputs deliver
}

// hullNeuron states neuron j's pieces within domain d.
func (m *model) hullNeuron(d *domain, j int, omega float64) hullNeuron {
	st := &m.stages[0]
	n := hullNeuron{mirror: 1, omega: omega, count: 1}
	low, high, first, last := d.low[j], d.high[j], float64(d.first[j]), float64(d.last[j])
	at := st.base[j] - st.min[j]*st.width[j] // the line is (z − at)/width
	second := math.Inf(1)                    // where the second level starts
	if first < last {
		second = float64(st.stair[j].Start(int64(first) + 1))
	}
	if omega < 0 {
		n.mirror, n.omega = -1, -omega
		if first < last {
			second = 1 - float64(st.stair[j].Start(int64(last)))
		}
		at = -(st.base[j] + st.slack[j] - 1 + (1-st.min[j])*st.width[j])
		low, high, first, last = -high, -low, -last, -first
	}
	n.pieces[0] = hullPiece{low: low, high: high, top: n.omega * first}
	if first == last || omega == 0 {
		n.pieces[0].top = n.omega * last
		return n
	}
	n.count = 2
	n.pieces[0].high = second - 1
	n.pieces[1] = hullPiece{low: second, high: high, slope: n.omega / st.width[j], at: at, top: n.omega * last}
	return n
}

// greatest is the greatest value of the piece's objective minus u·z, and between which
// accumulators it is attained.
func (p *hullPiece) greatest(u float64) (value, from, to float64) {
	knee := p.low
	if p.slope > 0 {
		knee = min(max(p.at+p.top/p.slope, p.low), p.high)
	}
	switch {
	case u < 0:
		from, to = p.high, p.high
	case u == 0:
		from, to = knee, p.high
	case u < p.slope:
		from, to = knee, knee
	case u == p.slope:
		from, to = p.low, knee
	default:
		from, to = p.low, p.low
	}
	value = math.Inf(-1)
	for _, z := range [...]float64{p.low, knee, p.high} {
		value = max(value, p.objective(z)-u*z)
	}
	return value, from, to
}

// objective is the least of the piece's line and constant.
func (p *hullPiece) objective(z float64) float64 {
	if p.slope == 0 {
		return p.top
	}
	return min(p.slope*(z-p.at), p.top)
}

// priced is the sum of |u·w − λ| and the accumulator, about the middle, of the
// inputs that attain it.
func priced(u float64, w, price []float64) (sum, z float64) {
	var s0, s1, z0, z1 float64
	price = price[:len(w)]
	const signBit = 1 << 63
	i := 0
	for ; i+1 < len(w); i += 2 {
		a, b := w[i], w[i+1]
		c, d := u*a-price[i], u*b-price[i+1]
		s0 += math.Abs(c)
		s1 += math.Abs(d)
		z0 += math.Float64frombits(math.Float64bits(a) ^ math.Float64bits(c)&signBit)
		z1 += math.Float64frombits(math.Float64bits(b) ^ math.Float64bits(d)&signBit)
	}
	if i < len(w) {
		c := u*w[i] - price[i]
		s0 += math.Abs(c)
		z0 += math.Float64frombits(math.Float64bits(w[i]) ^ math.Float64bits(c)&signBit)
	}
	return s0 + s1, z0 + z1
}

// try bounds a piece with price u and keeps the price if it is better. gap is how far
// the inputs' accumulator lies above the objective's, the slope of the bound in u.
func (h *hull) try(n *hullNeuron, p *hullPiece, j int, u float64) (gap float64) {
	k := len(h.columns)
	sum, z := priced(n.mirror*u, h.w[j], h.price[j*k:(j+1)*k])
	z = n.mirror * (z + h.center[j])
	top, from, to := p.greatest(u)
	n.size = max(n.size, math.Abs(u))
	if value := top + sum + u*n.mirror*h.center[j]; value < p.value {
		p.value, p.u, p.z = value, u, z
	}
	switch {
	case z < from:
		return z - from
	case z > to:
		return z - to
	}
	return 0
}

// searches is how many prices bound a piece at most.
const searches = 8

// solve bounds a piece: it looks for the price at which inputs and objective ask for
// the same accumulator, the root of the gap, which grows with u.
func (h *hull) solve(n *hullNeuron, p *hullPiece, j int) {
	warm := p.u
	p.value = math.Inf(1)
	tolerance := 0.01 * h.reach[j]
	grow := max(n.omega, 1e-9) / h.m.stages[0].width[j]
	low, high := math.Inf(-1), math.Inf(1)
	var gapLow, gapHigh float64
	tries := [...]float64{warm, 0, p.slope}
	for left := range searches {
		var u float64
		switch {
		case left < len(tries):
			if u = tries[left]; u <= low || u >= high {
				continue
			}
		case math.IsInf(high, 1):
			u = low + grow
			grow *= 4
		case math.IsInf(low, -1):
			u = high - grow
			grow *= 4
		default:
			u = low + (high-low)*min(max(-gapLow/(gapHigh-gapLow), 0.1), 0.9)
		}
		gap := h.try(n, p, j, u)
		switch {
		case math.Abs(gap) <= tolerance:
			return
		case gap < 0:
			low, gapLow = u, gap
		default:
			high, gapHigh = u, gap
		}
	}
}

// reweigh states neuron j's pieces for another weight of its levels.
func (h *hull) reweigh(n *hullNeuron, j int, omega float64) {
	old := *n
	*n = h.m.hullNeuron(h.pass.domain[0], j, omega)
	n.mean, n.meanZ = old.mean, old.meanZ
	if n.mirror == old.mirror {
		for i := range n.pieces {
			n.pieces[i].u = old.pieces[i].u
		}
	}
}
