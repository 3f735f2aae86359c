package bounds

// Max pooling.
//
// The output y = max x_k of one window with x_k in [l_k, u_k] lies in
// [max l_k, max u_k], without rounding. If one element's lower bound is at
// least all other upper bounds, y is that element. Otherwise:
//
// Below, y is at least any one element; the one with the largest lower bound
// is taken.
//
// Above, let L = max l_k and take any c ≥ L. Elements with u_k ≤ c never
// exceed c. For the others, max(x, c) is convex in x and at most
//
//	c + s_k·(x − l_k),  s_k = (u_k − c)/(u_k − l_k) in [0, 1],
//
// at both ends, so everywhere. The terms s_k·(x_k − l_k) are not negative, so
//
//	y ≤ max(c, x_k with u_k > c) ≤ c + Σ s_k·(x_k − l_k).
//
// There is no better bound with coefficients a_k ≥ 0 and value c where all x_k
// are at their lower ends: c ≥ L is needed there, and a_k·(u_k − l_k) ≥ u_k − c
// where x_k alone is at its upper end. Over the window's box the bound's mean
// is c + Σ (u_k − c)⁺/2. As a function of c it falls while three or more u_k
// exceed c and rises when only one does, so it is least from the third to the
// second largest u_k (c = max u_k would be the constant bound). The code takes
// the second largest: one element is left, and on random convolutional networks
// CROWN's bounds are 12 % closer than with two. An undecided window has two
// elements that reach L, so that this c is at least L.
//
// Source: the proof above; the exact case and the lower line are those of
// Boopathy et al. 2019 (CNN-Cert), arXiv:1811.12395, whose upper line balances
// all elements instead.

import (
	"math"

	"github.com/vouchnn/vouch/nn"
)

// maxPool is the rule of nn.MaxPool. Output w is the maximum of the inputs
// index[start[w]:start[w+1]].
type maxPool struct {
	start, index []int
	overlap      int // the most windows over one input
}

// poolSet is the relaxation of every window of one node, [domains × size].
type poolSet []poolLines

// poolLines is the lines around one window's maximum:
//
//	x[lower] ≤ y ≤ slope·x[upper] + intercept
type poolLines struct {
	lower, upper     int32
	slope, intercept float64
}

func newMaxPool(op *nn.MaxPool, in nn.Shape) rule {
	m := &maxPool{}
	var err error
	if m.start, m.index, err = op.Windows(in); err != nil {
		panic("bounds: windows of a node whose shape was inferred: " + err.Error())
	}
	covers := make([]int, in.Size())
	for _, k := range m.index {
		covers[k]++
		m.overlap = max(m.overlap, covers[k])
	}
	return m
}

func (*maxPool) linear() bool { return false }

func (m *maxPool) window(w int) []int { return m.index[m.start[w]:m.start[w+1]] }

func (m *maxPool) interval(s *state, i int) {
	j := s.m.nodes[i].Inputs[0]
	for d := range s.count {
		m.maxima(s.span(s.lower[j], j, d), s.span(s.lower[i], i, d))
		m.maxima(s.span(s.upper[j], j, d), s.span(s.upper[i], i, d))
	}
}

func (m *maxPool) maxima(x, out []float64) {
	for w := range out {
		top := math.Inf(-1)
		for _, k := range m.window(w) {
			top = max(top, x[k])
		}
		out[w] = top
	}
}

func (m *maxPool) wanted(s *state, i, _, d int, mark []bool) {
	j := s.m.nodes[i].Inputs[0]
	lo, up := s.span(s.lower[j], j, d), s.span(s.upper[j], j, d)
	for w := range s.m.size[i] {
		c := contend(m.window(w), lo, up)
		if c.decided {
			continue
		}
		for _, k := range m.window(w) {
			if up[k] > lo[c.leader] {
				mark[k] = true
			}
		}
	}
}

func (m *maxPool) relax(s *state, i int) {
	j := s.m.nodes[i].Inputs[0]
	size := s.m.size[i]
	s.pools[i] = make(poolSet, s.count*size)
	s.magnitude[i] = make([]float64, s.count*size)
	for d := range s.count {
		lo, up := s.span(s.lower[j], j, d), s.span(s.upper[j], j, d)
		mag := s.span(s.magnitude[i], i, d)
		for w := range size {
			l := relaxWindow(m.window(w), lo, up)
			s.pools[i][d*size+w] = l
			mag[w] = max(l.slope*max(-lo[l.upper], up[l.upper])+math.Abs(l.intercept), -lo[l.lower], up[l.lower])
		}
	}
}

// contest is the elements of a window that matter.
type contest struct {
	leader  int     // has the largest lower bound; of equals, the larger upper bound
	top     int     // has the largest upper bound
	second  float64 // the largest upper bound of the others
	decided bool    // the leader is always the maximum
}

func contend(window []int, lo, up []float64) contest {
	c := contest{leader: window[0], top: window[0], second: math.Inf(-1), decided: true}
	for _, k := range window {
		if lo[k] > lo[c.leader] || (lo[k] == lo[c.leader] && up[k] > up[c.leader]) {
			c.leader = k
		}
		switch {
		case k == c.top:
		case up[k] > up[c.top]:
			c.second, c.top = up[c.top], k
		default:
			c.second = max(c.second, up[k])
		}
	}
	for _, k := range window {
		if k != c.leader && !(up[k] <= lo[c.leader]) {
			c.decided = false
			break
		}
	}
	return c
}

// relaxWindow chooses the lines of one window.
func relaxWindow(window []int, lo, up []float64) poolLines {
	c := contend(window, lo, up)
	leader := int32(c.leader)
	if c.decided {
		return poolLines{lower: leader, upper: leader, slope: 1}
	}
	l, u, at := lo[c.top], up[c.top], c.second
	// Rounded up; the exact quotient is at most 1.
	s := min(above(above(u-at)/below(u-l)), 1)
	t := above(at - s*l + gamma(4)*(math.Abs(at)+math.Abs(s*l)) + tiny)
	if u == at || t-t != 0 { // flat, infinite bounds, or an overflow
		return poolLines{lower: leader, upper: leader, intercept: u}
	}
	return poolLines{lower: leader, upper: int32(c.top), slope: s, intercept: t}
}

// along implements forwardRule.
func (m *maxPool) along(p *pass, i int) {
	u, s := p.tune, p.s
	j, size := s.m.nodes[i].Inputs[0], s.m.size[i]
	if u.saved[i] == nil { // no row depends on this node
		clear(u.values[i])
		return
	}
	n := s.m.size[j]
	p.parallelRows(size, func(r int) {
		d := p.rows[r].domain
		lines := s.pools[i][d*size : (d+1)*size]
		in, out := u.values[j][r*n:(r+1)*n], u.values[i][r*size:(r+1)*size]
		for w, a := range u.saved[i][r*size : (r+1)*size] {
			l := &lines[w]
			if a >= 0 {
				out[w] = in[l.lower]
			} else {
				out[w] = l.slope*in[l.upper] + l.intercept
			}
		}
	})
}

func (m *maxPool) backward(p *pass, i int) {
	s := p.s
	j, size := s.m.nodes[i].Inputs[0], s.m.size[i]
	n := s.m.size[j]
	g := gamma(size + 4 + s.m.arriving[j])
	from, to := p.coef[i], p.coefOf(j)
	p.parallelRows(size, func(r int) {
		d := p.rows[r].domain
		lines, mag := s.pools[i][d*size:(d+1)*size], s.span(s.magnitude[i], i, d)
		dst := to[r*n : (r+1)*n]
		constant, mass := 0.0, 0.0
		for w, v := range from[r*size : (r+1)*size] {
			l := &lines[w]
			switch {
			case v == 0:
				continue
			case v > 0:
				dst[l.lower] += v
			default: // NaN too, which must not get lost
				dst[l.upper] += v * l.slope
				constant += v * l.intercept
			}
			mass += math.Abs(v) * mag[w]
		}
		p.addConst(r, constant)
		p.err[r] += g * mass
	})
}
