package bounds

// Chord or tangent: the frame of the relaxations of S-curves.
//
// Every published tightest line is the chord or a tangent (scurve.go), and the
// methods differ in where the tangent touches:
//
//	                upper line, l < 0 < u           upper line, l ≥ 0
//	CrownLines      d1                              the middle m
//	VeriNetLines    m, or d1 where that is greater  m
//	DeepCertLines   parallel to the chord, or d1    parallel to the chord
//	NeWiseLines     u                               u
//	dualapp.Dual    u', or d1 where that is greater u'
//
// with d1 the least sound point and [l', u'] the under-approximated range. The
// lower line is the mirror image. A point that is not sound is moved to the
// nearest that is, in every method and every case: published rules lack that
// clamp in some, where their lines cut the curve. DeepPoly and RobustVerifier
// are not of this form and have all of their rule in their file.
//
// Outward rounding is that of scurve.go: the intercept clears whatever rounding
// did to slope and value, so that no line depends on how exactly a point was
// found.

import "github.com/vouchnn/vouch/nn"

// TangentLines is the tightest lines around an S-curve whose tangents touch it
// at the points upper and lower, or at the nearest points that are sound. Where
// the chord is a sound line it is taken instead, since no line is tighter. Over
// ranges that are too narrow or too far out for that, the lines are those of the
// default.
//
// ok is false if f is no S-curve (Sigmoid, Tanh, Arctan).
func TangentLines(f nn.Elementwise, over Range, upper, lower float64) (lines Lines, ok bool) {
	return relaxCurve(f, over, func(*arc) (float64, float64) { return upper, lower })
}

// relaxCurve is the lines of an S-curve whose tangents touch where points says.
func relaxCurve(f nn.Elementwise, over Range, points func(a *arc) (upper, lower float64)) (Lines, bool) {
	return relaxArc(f, over, func(a *arc) (up, low line) {
		upper, lower := points(a)
		return a.upperLine(upper), a.lowerLine(lower)
	})
}

// relaxArc is the lines of an S-curve that lines draws over its arc.
func relaxArc(f nn.Elementwise, over Range, lines func(a *arc) (up, low line)) (Lines, bool) {
	c := curveOf(f)
	if c == nil {
		return Lines{}, false
	}
	a, ok := c.over(over)
	if !ok {
		return c.withoutArc(over), true
	}
	up, low := lines(&a)
	return c.join(low, up, over), true
}

// centre is the middle of the range; middle is that for both tangents.
func (a *arc) centre() float64 { return 0.5*a.l + 0.5*a.u }

func (a *arc) middle() (upper, lower float64) { m := a.centre(); return m, m }

// upperLine is the chord, or the tangent at the sound point nearest to t.
func (a *arc) upperLine(t float64) line {
	if a.chordAbove() {
		return a.upperChord()
	}
	t = min(max(t, a.l, 0), a.u)
	value, slope := a.at(t)
	if a.l < 0 && !(t > 0 && value-a.valueL >= slope*(t-a.l)) { // t < d1
		t = a.upperLimit()
		value, slope = a.at(t)
	}
	return a.upperTangent(t, value, slope)
}

// lowerLine is the mirror image.
func (a *arc) lowerLine(t float64) line {
	if a.chordBelow() {
		return a.lowerChord()
	}
	t = max(min(t, a.u, 0), a.l)
	value, slope := a.at(t)
	if a.u > 0 && !(t < 0 && a.valueU-value >= slope*(a.u-t)) { // t > d2
		t = a.lowerLimit()
		value, slope = a.at(t)
	}
	return a.lowerTangent(t, value, slope)
}
