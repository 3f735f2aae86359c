package bounds

// Linear relaxations of activations.
//
// Over an interval [l, u] of its input an activation f lies between two lines.
// A Relaxer chooses them: this is the one place where CROWN, DeepPoly,
// DeepCert, VeriNet, NeWise, RobustVerifier and DualApp differ, and where a
// caller's own choice plugs in. The default is CROWN's.

import (
	"math"

	"github.com/vouchnn/vouch/internal/blas"
	"github.com/vouchnn/vouch/nn"
)

// Range is a closed interval of one neuron's input.
type Range struct {
	Lower, Upper float64
}

// Lines is two lines around an activation over a Range:
//
//	LowerSlope·x + LowerIntercept ≤ f(x) ≤ UpperSlope·x + UpperIntercept
//
// for every real x in the range, with the four numbers taken exactly.
type Lines struct {
	LowerSlope, LowerIntercept float64
	UpperSlope, UpperIntercept float64
}

// Relaxer chooses the lines of an activation.
//
// over is the interval that holds the neuron's inputs (an over-approximation)
// and under, where the domain has one (Domain.Under), an interval of inputs that
// are known to occur (an under-approximation), inside over. The lines must hold
// on over whatever under is. Range ends are finite. What under points to is not
// to be kept.
//
// ok is false if the Relaxer does not know the activation or the range defeats
// it; the default relaxation is then used.
//
// Implementations are safe for concurrent use.
type Relaxer interface {
	Relax(f nn.Elementwise, over Range, under *Range) (lines Lines, ok bool)
}

// SelfRelaxer is an optional interface of a caller's own nn.Elementwise
// operators that carry their relaxation.
type SelfRelaxer interface {
	nn.Elementwise
	// RelaxLines is Relaxer's method for this activation.
	RelaxLines(over Range) Lines
	// RangeOver is an interval that holds f(x) for every x in over.
	RangeOver(over Range) Range
}

func hasRelaxation(f nn.Elementwise) bool {
	switch f.(type) {
	case nn.ReLU, nn.LeakyReLU, nn.Sigmoid, nn.Tanh, nn.Arctan, SelfRelaxer:
		return true
	}
	return false
}

// Relax is the default relaxation of f over the range: CROWN's adaptive lower
// line for ReLU, chord and tangents for S-curves. f must be one of this
// module's activations or a SelfRelaxer.
func Relax(f nn.Elementwise, over Range) Lines {
	switch f := f.(type) {
	case nn.ReLU:
		return relaxLeaky(0, over)
	case nn.LeakyReLU:
		return relaxLeaky(f.Slope, over)
	case SelfRelaxer:
		return f.RelaxLines(over)
	}
	lines, _ := relaxCurve(f, over, (*arc).middle)
	return lines
}

// relaxLeaky is the relaxation of ReLU (slope 0) and LeakyReLU.
//
// Above, the chord; below, whichever of the two pieces leaves less area (Zhang
// et al. 2018, arXiv:1811.00866, §3.3): slope 1 if u > −l, else the lower
// slope. Both lower lines pass through the origin, without rounding.
func relaxLeaky(slope float64, over Range) Lines {
	l, u := over.Lower, over.Upper
	switch {
	case l >= 0:
		return Lines{LowerSlope: 1, UpperSlope: 1}
	case u <= 0:
		return Lines{LowerSlope: slope, UpperSlope: slope}
	}
	lower := slope
	if u > -l {
		lower = 1
	}
	// Any slope between slope and 1 with an intercept that puts both ends of
	// the line above the curve is sound, so the slope may be rounded freely.
	s := (u - slope*l) / (u - l)
	if math.IsNaN(s) {
		s = 1
	}
	s = min(max(s, slope), 1)
	// At u: s·u + t ≥ u. At l: s·l + t ≥ slope·l.
	t := max(above(above((1-s)*u)), above(above((s-slope)*-l)))
	// 1−s and s−slope are rounded; cover half an ulp of 1 of each.
	t += 2 * unit * max(u, -l)
	return Lines{LowerSlope: lower, UpperSlope: s, UpperIntercept: above(t)}
}

type elementwise struct{ op nn.Elementwise }

func (elementwise) linear() bool { return false }

// interval: every activation here is increasing, so ends map to ends.
func (e elementwise) interval(s *state, i int) {
	j := s.m.nodes[i].Inputs[0]
	lo, up := s.lower[i], s.upper[i]
	switch op := e.op.(type) {
	case nn.ReLU:
		for k, v := range s.lower[j] {
			lo[k] = max(v, 0)
		}
		for k, v := range s.upper[j] {
			up[k] = max(v, 0)
		}
	case nn.LeakyReLU:
		for k, v := range s.lower[j] {
			lo[k] = below(op.Value(v))
		}
		for k, v := range s.upper[j] {
			up[k] = above(op.Value(v))
		}
	case SelfRelaxer:
		for k := range lo {
			r := op.RangeOver(Range{s.lower[j][k], s.upper[j][k]})
			lo[k], up[k] = r.Lower, r.Upper
		}
	default:
		for k := range lo {
			lo[k], up[k] = rangeSCurve(op, s.lower[j][k], s.upper[j][k])
		}
	}
}

// wanted marks the inputs over which the activation is not a straight line.
func (e elementwise) wanted(s *state, i, _, d int, mark []bool) {
	j := s.m.nodes[i].Inputs[0]
	lo, up := s.span(s.lower[j], j, d), s.span(s.upper[j], j, d)
	switch e.op.(type) {
	case nn.ReLU, nn.LeakyReLU:
		for k := range lo {
			if lo[k] < 0 && up[k] > 0 {
				mark[k] = true
			}
		}
	default:
		for k := range lo {
			if lo[k] < up[k] {
				mark[k] = true
			}
		}
	}
}

func (e elementwise) relax(s *state, i int) {
	j := s.m.nodes[i].Inputs[0]
	n := len(s.lower[i])
	buf := s.scratch.floats(5 * n)
	ls := lineSet{buf[:n], buf[n : 2*n], buf[2*n : 3*n], buf[3*n : 4*n]}
	mag := buf[4*n:]
	s.lines[i], s.magnitude[i] = ls, mag
	_, relu := e.op.(nn.ReLU)
	relu = relu && s.relaxer == nil
	var occurring Range
	for k := range n {
		if l, u := s.lower[j][k], s.upper[j][k]; relu && u <= 0 && l-l == 0 {
			ls.lowerSlope[k], ls.lowerIntercept[k], ls.upperSlope[k], ls.upperIntercept[k], mag[k] = 0, 0, 0, 0, 0
			continue
		} else if relu && l >= 0 && u-u == 0 {
			ls.lowerSlope[k], ls.lowerIntercept[k], ls.upperSlope[k], ls.upperIntercept[k], mag[k] = 1, 0, 1, 0, u
			continue
		}
		over := Range{s.lower[j][k], s.upper[j][k]}
		lines := e.choose(s.relaxer, over, s.underAt(j, k, over, &occurring))
		ls.lowerSlope[k], ls.lowerIntercept[k] = lines.LowerSlope, lines.LowerIntercept
		ls.upperSlope[k], ls.upperIntercept[k] = lines.UpperSlope, lines.UpperIntercept
		steepest := max(math.Abs(lines.LowerSlope), math.Abs(lines.UpperSlope))
		if e.tuned() && lines.LowerSlope != lines.UpperSlope {
			steepest = 1 // an optimiser may choose any lower slope up to it
		}
		mag[k] = steepest*max(-over.Lower, over.Upper) +
			max(math.Abs(lines.LowerIntercept), math.Abs(lines.UpperIntercept))
	}
}

func (e elementwise) choose(r Relaxer, over Range, under *Range) Lines {
	if math.IsInf(over.Lower, 0) || math.IsInf(over.Upper, 0) {
		lo, up := math.Inf(-1), math.Inf(1)
		switch op := e.op.(type) {
		case nn.ReLU:
			lo = 0
		case nn.LeakyReLU:
		case SelfRelaxer:
			v := op.RangeOver(over)
			lo, up = v.Lower, v.Upper
		default:
			lo, up = rangeSCurve(op, over.Lower, over.Upper)
		}
		return Lines{LowerIntercept: lo, UpperIntercept: up}
	}
	if r != nil {
		if lines, ok := r.Relax(e.op, over, under); ok {
			return lines
		}
	}
	return Relax(e.op, over)
}

func (e elementwise) backward(p *pass, i int) {
	from := p.coef[i]
	_, p.fresh = p.target(p.s.m.nodes[i].Inputs[0])
	if p.curved(i) {
		p.tune.chosen[i] = p.buffer(2 * len(p.rows) * p.width(i))
	}
	p.spread(i, p.width(i), p.s.m.rules[i].(stepper))
	if p.impact != nil {
		for r := range p.rows {
			e.addImpact(p, i, r, from)
		}
	}
}

// curved reports whether rows have tangents of their own at node i.
func (p *pass) curved(i int) bool { return p.tune != nil && p.s.tangents[i] != nil }

// step implements stepper.
func (e elementwise) step(p *pass, i, d, lo, hi int) {
	j, size := p.s.m.nodes[i].Inputs[0], p.width(i)
	g := gamma(p.s.m.size[i] + 4 + p.s.m.arriving[j])
	if p.curved(i) {
		for r := lo; r < hi; r++ {
			c, mass := p.tune.relaxCurves(p, i, r, p.coef[i][r*size:(r+1)*size], p.coef[j][r*size:(r+1)*size])
			p.addConst(r, c)
			p.err[r] += g * mass
		}
		return
	}
	v := p.at(i, d)
	if p.tune != nil && e.tuned() {
		v.lines.LowSlope, v.lines.LowStep = p.tune.slopes(p, i, lo), size*p.stride(lo)
	}
	sums := p.sums[2*lo : 2*hi]
	blas.RelaxRows(hi-lo, size, p.coef[i][lo*size:hi*size], p.coef[j][lo*size:hi*size], &v.lines, v.magnitude, sums, !p.fresh)
	for r := lo; r < hi; r++ {
		p.addConst(r, sums[2*(r-lo)])
		p.err[r] += g * sums[2*(r-lo)+1]
	}
}

// addImpact adds what the relaxation of each neuron costs row r: the gap
// between the activation and the line that the row uses, where it is widest,
// times the row's coefficient.
func (e elementwise) addImpact(p *pass, i, r int, coef []float64) {
	s, n := p.s, p.width(i)
	w := p.rows[r]
	if w.sign < 0 {
		return
	}
	j := s.m.nodes[i].Inputs[0]
	ls := &s.lines[i]
	dst := s.span(p.impact[i], i, w.domain)
	base := w.domain * s.m.size[i]
	var live []int32
	if p.view != nil {
		live = p.view[i].live
	}
	for k, a := range coef[r*n : (r+1)*n] {
		if live != nil {
			k = int(live[k])
		}
		lo, up := s.lower[j][base+k], s.upper[j][base+k]
		if !(lo < up) || a == 0 {
			continue
		}
		dst[k] += math.Abs(a) * e.gap(a > 0, lo, up, base+k, ls)
	}
}

// gap is the largest distance between the activation and its lower or upper
// line, over the ends and the middle of the range (for ReLU: zero).
func (e elementwise) gap(lower bool, lo, up float64, k int, ls *lineSet) float64 {
	mid := 0.5 * (lo + up)
	switch e.op.(type) {
	case nn.ReLU, nn.LeakyReLU:
		if lo >= 0 || up <= 0 {
			return 0
		}
		mid = 0
	}
	g := 0.0
	for _, x := range [3]float64{lo, mid, up} {
		v := e.op.Value(x)
		if lower {
			g = max(g, v-ls.lowerSlope[k]*x-ls.lowerIntercept[k])
		} else {
			g = max(g, ls.upperSlope[k]*x+ls.upperIntercept[k]-v)
		}
	}
	return g
}

// tuned reports whether the lower line of an undecided neuron passes through
// the origin with a slope that is free within limits.
func (e elementwise) tuned() bool {
	switch e.op.(type) {
	case nn.ReLU, nn.LeakyReLU:
		return true
	}
	return false
}

// lowestSlope is the least slope of a sound lower line; the greatest is 1.
func (e elementwise) lowestSlope() float64 {
	if l, ok := e.op.(nn.LeakyReLU); ok {
		return l.Slope
	}
	return 0
}
