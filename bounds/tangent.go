package bounds

// Tangent points of S-curves as variables of an optimiser.
//
// Where the line above an S-curve is not the chord it is a tangent, at any
// t in [d1, u] (scurve.go); below, at any t in [l, d2]. Each row has a point of
// its own for each neuron and side. With A the coefficient behind the neuron
// and v the value in front of it (alphabeta.go), the bound changes with t by
//
//	A · d/dt (f(t) + f'(t)·(v − t)) = A · f''(t)·(v − t).
//
// The line is built from t anew in every pass, rounded outward as all lines
// are. Steps are measured in widths of the range of t. Where a Relaxer chooses
// the lines, the first pass takes them as they are and the steps start from the
// tangents of their slopes.
//
// Source: Xu et al. 2021, arXiv:2011.13824; Zhang et al. 2022 (NeWise), for
// d/dt. Deviation: none but the unit of the steps.

import "math"

// tangentStep is the first step of a tangent point, in widths of its range.
const tangentStep = 0.25

// tangentSet is the tangents that one node's neurons may have, [domains × size].
type tangentSet struct {
	curve        *curve
	arcs         []arc
	upper, lower []Range // of the points; Lower > Upper where the line is fixed
}

// fixedLine is the range of a point that there is not.
var fixedLine = Range{math.Inf(1), math.Inf(-1)}

// ownLine is the point that stands for the line of the state's Relaxer.
var ownLine = math.Inf(1)

// prepareTangents finds the ranges of the tangent points of all S-curves that
// rows from the start node meet, and makes magnitudes cover their tangents.
func (s *state) prepareTangents(start int) {
	for i := 1; i <= start; i++ {
		e, ok := s.m.rules[i].(elementwise)
		if !ok || s.tangents[i] != nil {
			continue
		}
		c := curveOf(e.op)
		if c == nil {
			continue
		}
		n := len(s.lower[i])
		t := &tangentSet{curve: c, arcs: make([]arc, n), upper: make([]Range, n), lower: make([]Range, n)}
		j := s.m.nodes[i].Inputs[0]
		for k := range n {
			t.upper[k], t.lower[k] = fixedLine, fixedLine
			s.magnitude[i][k] = max(s.magnitude[i][k], c.largest(Range{s.lower[j][k], s.upper[j][k]}))
			if a, ok := c.over(Range{s.lower[j][k], s.upper[j][k]}); ok {
				t.arcs[k] = a
				t.upper[k], t.lower[k] = a.tangentPoints()
			}
		}
		s.tangents[i] = t
	}
}

// tangentPoints is where the upper and the lower line may touch the curve.
func (a *arc) tangentPoints() (upper, lower Range) {
	upper, lower = fixedLine, fixedLine
	if !a.chordAbove() {
		upper = Range{a.upperLimit(), a.u}
	}
	if !a.chordBelow() {
		lower = Range{a.l, a.lowerLimit()}
	}
	return upper, lower
}

// startTangents sets the points [upper, lower] of a row of node i to those of
// a containing domain, or to the default's: the middle where it is allowed.
func (u *tuner) startTangents(i int, w row, dst []float64) {
	s := u.s
	size := s.m.size[i]
	t := s.tangents[i]
	var old []float32
	if warm := s.domains[w.domain].Warm; warm != nil && w.sign > 0 {
		old = warm.alpha[warmKey{i, w.index}]
	}
	for k := range size {
		at := w.domain*size + k
		for side, r := range [2]Range{t.upper[at], t.lower[at]} {
			x := &dst[side*size+k]
			*x = ownLine
			if r.Lower > r.Upper {
				continue
			}
			if s.relaxer == nil {
				*x = r.clamp(t.arcs[at].centre())
			}
			if old != nil && !math.IsInf(float64(old[side*size+k]), 1) {
				*x = r.clamp(float64(old[side*size+k]))
			}
		}
	}
}

// touching is where the optimiser goes on from a Relaxer's line: the point whose
// tangent has the line's slope, or the nearest in its range.
func (c *curve) touching(upper bool, slope float64, over Range) float64 {
	x := c.inverse(slope)
	if !upper {
		x = -x
	}
	return over.clamp(x)
}

func (r Range) holds(x float64) bool { return r.Lower <= x && x <= r.Upper }

func (r Range) clamp(x float64) float64 { return min(max(x, r.Lower), r.Upper) }

// relaxCurves is the step of elementwise for row r of the pass with the row's
// own tangents, which it notes.
func (u *tuner) relaxCurves(p *pass, i, r int, a, dst []float64) (constant, mass float64) {
	s, w := u.s, p.rows[r]
	size := len(a)
	t, ls := s.tangents[i], &s.lines[i]
	points := u.alpha[i][2*w.id*size : 2*(w.id+1)*size]
	chosen := u.chosen[i][2*r*size : 2*(r+1)*size]
	mag := s.span(s.magnitude[i], i, w.domain)
	for k, v := range a {
		at := w.domain*size + k
		var l line
		if v < 0 {
			l = line{ls.upperSlope[at], ls.upperIntercept[at]}
			if x := points[k]; t.upper[at].holds(x) {
				value, slope := t.curve.at(x)
				if n := t.arcs[at].upperTangent(x, value, slope); n.finite() {
					l = n
				}
			}
		} else {
			l = line{ls.lowerSlope[at], ls.lowerIntercept[at]}
			if x := points[size+k]; t.lower[at].holds(x) {
				value, slope := t.curve.at(x)
				if n := t.arcs[at].lowerTangent(x, value, slope); n.finite() {
					l = n
				}
			}
		}
		chosen[k], chosen[size+k] = l.slope, l.intercept
		if p.fresh {
			dst[k] = v * l.slope
		} else {
			dst[k] += v * l.slope
		}
		constant += v * l.intercept
		mass += math.Abs(v) * mag[k]
	}
	return constant, mass
}

// stepTangents moves the points of node i up the gradient.
func (u *tuner) stepTangents(p *pass, i int, rate, c1, c2 float64) {
	s := u.s
	size := s.m.size[i]
	t := s.tangents[i]
	j := s.m.nodes[i].Inputs[0]
	p.parallelRows(size, func(r int) {
		w := p.rows[r]
		a, in := u.saved[i][r*size:(r+1)*size], u.values[j][r*size:(r+1)*size]
		chosen := u.chosen[i][2*r*size : 2*(r+1)*size]
		base := 2 * w.id * size
		for k, v := range a {
			at, x, over := w.domain*size+k, base+k, t.upper[w.domain*size+k]
			if v >= 0 {
				x, over = x+size, t.lower[at]
			}
			if !(over.Lower < over.Upper) {
				continue
			}
			if math.IsInf(u.alpha[i][x], 1) {
				u.alpha[i][x] = t.curve.touching(v < 0, chosen[k], over)
			}
			old := u.alpha[i][x]
			g := v * t.curve.second(old, chosen[k]) * (in[k] - old)
			move := adam(&u.first[i][x], &u.second[i][x], g, c1, c2)
			u.alpha[i][x] = over.clamp(old + rate*(over.Upper-over.Lower)*move)
		}
	})
}

// second is f” at x, given f' there.
func (c *curve) second(x, slope float64) float64 {
	switch c {
	case sigmoidCurve:
		return math.Copysign(slope*math.Sqrt(max(1-4*slope, 0)), -x)
	case tanhCurve:
		return math.Copysign(2*slope*math.Sqrt(max(1-slope, 0)), -x)
	}
	return -2 * x * slope * slope
}

// largest bounds |slope·x| + |intercept| of every tangent within a range, for
// x in it, with room for rounding: |f| is at most its largest value there, and
// the slope at most that at the point nearest 0.
func (c *curve) largest(over Range) float64 {
	far := max(-over.Lower, over.Upper)
	if !(far < farthest) {
		return 0
	}
	_, slope := c.at(min(max(over.Lower, 0), over.Upper))
	low, _ := c.at(over.Lower)
	high, _ := c.at(over.Upper)
	return 1.0001*(2*(slope+2*slopeFloor)*far+max(math.Abs(low), math.Abs(high))) + 2*floor
}
