package bounds

// Sigmoid, tanh and arctan: ranges and linear relaxations.
//
// An S-curve f rises, bends up left of 0 and down right of it, and is
// symmetric about (0, f(0)). Over [l, u] the tightest lines are chords and
// tangents:
//
//	above   u ≤ 0                     the chord
//	        l < 0 < u, chord ≤ f'(u)  the chord
//	        otherwise                 a tangent at some t ≥ d1
//	below   the mirror image, with t ≤ d2
//
// where the tangent at d1 passes through (l, f(l)) and the one at d2 through
// (u, f(u)). The default is t = max(m, d1) above and min(m, d2) below, with m
// the middle of [l, u]: of all sound tangents the one that leaves least area.
// That is CROWN's choice (Zhang et al. 2018, arXiv:1811.00866, §3.3) with the
// limit points d1 and d2 replaced by m where m is allowed, as in VeriNet
// (Henriksen and Lomuscio 2020) and in auto_LiRPA. CROWN's own line for
// l = −1, u = 100 rises to 24.
//
// Rounding. The slope of a line may be any number. What has to hold is the
// intercept: f(t) − s·t, plus what the rounding of f(t), s and the sum can
// have done, and where a line must clear an end of the interval, enough to
// clear it. So no line depends on how exactly d1 was found.

import (
	"math"

	"github.com/vouchnn/vouch/nn"
)

const (
	// valueError bounds the relative error of at's values and slopes: 16
	// units, where the worst in tests is below 5.
	valueError = 0x1p-49
	// lineError bounds the relative error of a line's intercept: those of the
	// value and the slope, and three roundings.
	lineError = 0x1p-48
	// floor is above what underflow can do to a value or an intercept.
	floor = 0x1p-1020
	// slopeFloor is above what underflow can do to a slope.
	slopeFloor = 0x1p-1000
	// farthest is where lines are no longer tried: beyond it the squares in
	// slopes overflow.
	farthest = 0x1p500
	// narrow is the width below which one tangent serves both lines.
	narrow = 0x1p-20
)

// curve is what there is to know of one S-curve.
type curve struct {
	// at is f(x) and f'(x).
	at func(x float64) (value, slope float64)
	// inverse is the x ≥ 0 where f'(x) = slope; 0 if there is none.
	inverse func(slope float64) float64
	// low and high are float64 bounds of f.
	low, high float64
	// bend is the least number with |f”| ≤ bend·f'.
	bend float64
	// odd says that f(0) = 0.
	odd bool
}

var (
	sigmoidCurve = &curve{at: sigmoidAt, inverse: sigmoidInverse, low: 0, high: 1, bend: 1}
	tanhCurve    = &curve{at: tanhAt, inverse: tanhInverse, low: -1, high: 1, bend: 2, odd: true}
	arctanCurve  = &curve{at: arctanAt, inverse: arctanInverse, low: below(-math.Pi / 2), high: above(math.Pi / 2), bend: 1, odd: true}
)

// curveOf is the S-curve of an activation, or nil.
func curveOf(f nn.Elementwise) *curve {
	switch f.(type) {
	case nn.Sigmoid:
		return sigmoidCurve
	case nn.Tanh:
		return tanhCurve
	case nn.Arctan:
		return arctanCurve
	}
	return nil
}

func sigmoidAt(x float64) (value, slope float64) {
	e := math.Exp(-math.Abs(x))
	r := 1 / (1 + e)
	if x >= 0 {
		return r, e * r * r
	}
	return e * r, e * r * r
}

func sigmoidInverse(k float64) float64 {
	r := 1 + math.Sqrt(max(1-4*k, 0))
	return math.Log(r * r / (4 * k))
}

func tanhAt(x float64) (value, slope float64) {
	a := math.Abs(x)
	if a < 0.5 { // 1 − e would cancel
		v := math.Tanh(x)
		return v, 1 - v*v
	}
	e := math.Exp(-2 * a)
	r := 1 / (1 + e)
	return math.Copysign((1-e)*r, x), 4 * e * r * r
}

func tanhInverse(k float64) float64 {
	r := 1 + math.Sqrt(max(1-k, 0))
	return 0.5 * math.Log(r*r/k)
}

func arctanAt(x float64) (value, slope float64) {
	return math.Atan(x), 1 / (1 + x*x)
}

func arctanInverse(k float64) float64 { return math.Sqrt(max(1/k-1, 0)) }

// rangeSCurve is an interval that holds f over [lo, up], exact up to a few
// units. The ends may be infinite.
func rangeSCurve(f nn.Elementwise, lo, up float64) (float64, float64) {
	c := curveOf(f)
	l, _ := c.at(lo)
	u, _ := c.at(up)
	return c.down(l), c.up(u)
}

// down and up round a computed value outward. The computed value 0 is exact,
// but for the sigmoid's underflow.
func (c *curve) down(v float64) float64 {
	if v == 0 {
		return 0
	}
	return max(v-valueError*math.Abs(v)-floor, c.low)
}

func (c *curve) up(v float64) float64 {
	if v == 0 && c.odd {
		return 0
	}
	return min(v+valueError*math.Abs(v)+floor, c.high)
}

// line is slope·x + intercept.
type line struct{ slope, intercept float64 }

func (l line) finite() bool {
	// Inf − Inf and NaN − NaN are not 0.
	return l.slope-l.slope == 0 && l.intercept-l.intercept == 0
}

// arc is a curve over an interval [l, u] with l < u: the numbers from which
// relaxations of S-curves are built.
type arc struct {
	*curve
	l, u           float64
	valueL, slopeL float64 // f and f' at l
	valueU, slopeU float64 // at u
	chord          float64 // slope of the chord, at least 0
}

// over is the arc over a range. ok is false if the range is not one over
// which lines make sense: too narrow for a chord or too far out.
func (c *curve) over(r Range) (a arc, ok bool) {
	if !(r.Upper-r.Lower >= narrow) || !(r.Lower > -farthest && r.Upper < farthest) {
		return arc{}, false
	}
	a = arc{curve: c, l: r.Lower, u: r.Upper}
	a.valueL, a.slopeL = c.at(a.l)
	a.valueU, a.slopeU = c.at(a.u)
	a.chord = max((a.valueU-a.valueL)/(a.u-a.l), 0)
	return a, true
}

// chordAbove reports whether the upper line through both ends is above the
// curve between them. Left of 0 the curve is convex. If l < 0 < u it is
// concave on [0, u], so it lies below the line through (u, f(u)) of any slope
// that is at most f'(u); then also at 0, and on [l, 0] it is convex again.
func (a *arc) chordAbove() bool {
	return a.u <= 0 || a.chord == 0 || (a.l < 0 && a.slopeU > slopeFloor && a.chord <= a.slopeU*(1-lineError))
}

// chordBelow reports whether the lower line through both ends is below.
func (a *arc) chordBelow() bool {
	return a.l >= 0 || a.chord == 0 || (a.u > 0 && a.slopeL > slopeFloor && a.chord <= a.slopeL*(1-lineError))
}

// interceptAbove is an intercept that puts a line of slope s ≥ 0 above the
// curve at x, where v is its computed value; interceptBelow puts it below.
func interceptAbove(s, x, v float64) float64 {
	return v - s*x + lineError*(math.Abs(v)+s*math.Abs(x)) + floor
}

func interceptBelow(s, x, v float64) float64 {
	return v - s*x - lineError*(math.Abs(v)+s*math.Abs(x)) - floor
}

// upperChord is sound if chordAbove.
func (a *arc) upperChord() line {
	return line{a.chord, max(interceptAbove(a.chord, a.l, a.valueL), interceptAbove(a.chord, a.u, a.valueU))}
}

// lowerChord is sound if chordBelow.
func (a *arc) lowerChord() line {
	return line{a.chord, min(interceptBelow(a.chord, a.l, a.valueL), interceptBelow(a.chord, a.u, a.valueU))}
}

// upperLimit is the least t whose tangent is above the curve, up to rounding:
// d1 if l < 0, else l. Precondition: u > 0.
func (a *arc) upperLimit() float64 {
	if a.l >= 0 {
		return a.l
	}
	return a.limit(1, a.l, a.valueL, min(a.u, -0.5*a.l))
}

// lowerLimit is the greatest t whose tangent is below the curve: d2 if u > 0,
// else u. Precondition: l < 0.
func (a *arc) lowerLimit() float64 {
	if a.u <= 0 {
		return a.u
	}
	return -a.limit(-1, a.u, a.valueU, min(-a.l, 0.5*a.u))
}

// limit is the x > 0 where the tangent at sign·x passes through (end, value),
// from the right.
//
// The slope of the secant from the end to sign·x is greatest at the limit,
// where it equals f'. From the right of it, the x whose f' is the secant's
// slope is closer and still not left of it. The steps converge quadratically;
// half the end's distance from 0 is never left of the limit and starts close.
func (c *curve) limit(sign, end, value, x float64) float64 {
	for range 12 {
		v, _ := c.at(sign * x)
		// Rounding may make the slope steeper than the curve is anywhere.
		next := max(c.inverse(sign*(v-value)/(x-sign*end)), 0)
		if !(next < x) {
			break
		}
		done := x-next <= 0x1p-12*x
		x = next
		if done {
			break
		}
	}
	return x
}

// upperTangent is the line at t, raised to clear (l, f(l)) if it has to be, so
// that it is sound for every t in [max(l, 0), u]; from upperLimit on it is the
// tangent. The curve is concave on [max(l, 0), u] and convex left of it.
// value and slope are at(t).
func (a *arc) upperTangent(t, value, slope float64) line {
	w := a.u - a.l
	b := interceptAbove(slope, t, value) + w*(lineError*slope+slopeFloor)
	if a.l < 0 {
		b = max(b, interceptAbove(slope, a.l, a.valueL))
	}
	return line{slope, b}
}

// lowerTangent is the mirror image, for t in [l, min(u, 0)].
func (a *arc) lowerTangent(t, value, slope float64) line {
	w := a.u - a.l
	b := interceptBelow(slope, t, value) - w*(lineError*slope+slopeFloor)
	if a.u > 0 {
		b = min(b, interceptBelow(slope, a.u, a.valueU))
	}
	return line{slope, b}
}

// join makes Lines of the two, or flat lines if either has overflowed.
func (c *curve) join(low, up line, over Range) Lines {
	if !low.finite() || !up.finite() {
		return c.flat(over)
	}
	return Lines{low.slope, low.intercept, up.slope, up.intercept}
}

// flat is the lines of slope 0, which every increasing curve has.
func (c *curve) flat(over Range) Lines {
	l, _ := c.at(over.Lower)
	u, _ := c.at(over.Upper)
	return Lines{LowerIntercept: c.down(l), UpperIntercept: c.up(u)}
}

// withoutArc is the lines over a range that has no arc. Over a narrow one they
// are the tangent at the middle, moved by max |f”|·d²/2 with d the distance to
// the farther end; f' varies over it by a factor of at most exp(bend·narrow).
// Else they are flat.
func (c *curve) withoutArc(over Range) Lines {
	l, u := over.Lower, over.Upper
	m := 0.5*l + 0.5*u
	if !(u-l < narrow) || !(math.Abs(m) < farthest) {
		return c.flat(over)
	}
	v, s := c.at(m)
	d := max(u-m, m-l)
	e := 0.50001*c.bend*s*d*d + 2*d*(lineError*s+slopeFloor)
	return c.join(line{s, interceptBelow(s, m, v) - e}, line{s, interceptAbove(s, m, v) + e}, over)
}
