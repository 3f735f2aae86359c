package reach

// Sigmoid, tanh and arctan as linear bounds.
//
// An S-curve f rises, is convex left of 0 and concave right of it, and its slope
// falls on both sides. Over [l, u], with d = min(f'(l), f'(u)):
//
//	0 ≤ l        y ≤ tangents at l and u, y ≥ chord
//	u ≤ 0        y ≥ tangents at l and u, y ≤ chord
//	l < 0 < u    y ≥ f(l) + d(x−l),  y ≤ f(u) + d(x−u);
//	             y ≤ the line through (l, f(l)) and (0, U), U the upper line at 0,
//	             y ≥ the line through (u, f(u)) and (0, L), L the lower line at 0
//
// (NNV's rules, Tran et al. 2020, CAV.) The last two: left of 0 the curve is convex
// and both ends are under the line; right of 0 the line is above the upper one,
// since its slope is not less and they meet at 0.
//
// Rounding. Slopes may be any number where only ends have to be cleared; where a
// slope has to be at most d it is lowered by more than its error. Intercepts clear
// the computed values by far more than their errors: math's exp, tanh and atan are
// good to a few units in the last place, valueError allows for 64.

import (
	"math"

	"github.com/vouchnn/vouch/nn"
)

// curve is what there is to know of an S-curve.
type curve struct {
	f         nn.Elementwise
	low, high float64
}

const (
	// valueError bounds the relative error of f(x) and f'(x).
	valueError = 0x1p-47
	// valueFloor is above what underflow can do to either.
	valueFloor = 0x1p-1000
	// lineError bounds the relative error of an intercept's terms.
	lineError = 0x1p-46
)

var (
	sigmoidCurve = &curve{nn.Sigmoid{}, 0, 1}
	tanhCurve    = &curve{nn.Tanh{}, -1, 1}
	arctanCurve  = &curve{nn.Arctan{}, below(-math.Pi / 2), above(math.Pi / 2)}
)

// curveOf is the S-curve of an activation, or nil.
func curveOf(op nn.Operator) *curve {
	switch op.(type) {
	case nn.Sigmoid:
		return sigmoidCurve
	case nn.Tanh:
		return tanhCurve
	case nn.Arctan:
		return arctanCurve
	}
	return nil
}

// under and over are bounds of f(x).
func (c *curve) under(x float64) float64 {
	v := c.f.Value(x)
	return max(v-valueError*math.Abs(v)-valueFloor, c.low)
}

func (c *curve) over(x float64) float64 {
	v := c.f.Value(x)
	return min(v+valueError*math.Abs(v)+valueFloor, c.high)
}

// gentle is at most f'(x) and at least 0.
func (c *curve) gentle(x float64) float64 {
	return max(c.f.Derivative(x)*(1-valueError)-valueFloor, 0)
}

// encloseCurve bounds an S-curve over [l, u].
func encloseCurve(c *curve, l, u float64) enclosure {
	e := enclosure{low: c.under(l), up: c.over(u)}
	d := min(c.gentle(l), c.gentle(u))
	width := u - l
	if !finite(width) || width <= 0 || math.Abs(l) > 0x1p300 || math.Abs(u) > 0x1p300 {
		e.parallelLow, e.parallelUp = e.low, e.up
		return e
	}
	flat := segment{d, clearBelow(d, l, c.under(l))}
	high := segment{d, clearAbove(d, u, c.over(u))}
	e.slope, e.parallelLow, e.parallelUp = d, flat.intercept, high.intercept
	chord := max((c.f.Value(u)-c.f.Value(l))/width, 0)
	switch {
	case l >= 0:
		e.upper = []segment{c.tangentAbove(l, width), c.tangentAbove(u, width)}
		e.lower = []segment{{chord, min(clearBelow(chord, l, c.under(l)), clearBelow(chord, u, c.under(u)))}}
	case u <= 0:
		e.lower = []segment{c.tangentBelow(l, width), c.tangentBelow(u, width)}
		e.upper = []segment{{chord, max(clearAbove(chord, l, c.over(l)), clearAbove(chord, u, c.over(u)))}}
	default:
		e.lower = []segment{flat, c.bentBelow(flat, u)}
		e.upper = []segment{high, c.bentAbove(high, l)}
	}
	e.lower, e.upper = onlyFinite(e.lower), onlyFinite(e.upper)
	return e
}

// clearAbove is an intercept that puts a line of slope s at or above v at x.
func clearAbove(s, x, v float64) float64 {
	return v - s*x + lineError*(math.Abs(v)+math.Abs(s*x)) + valueFloor
}

func clearBelow(s, x, v float64) float64 {
	return v - s*x - lineError*(math.Abs(v)+math.Abs(s*x)) - valueFloor
}

// tangentAbove is the tangent at t where the curve is concave, over a range of the
// given width around t.
func (c *curve) tangentAbove(t, width float64) segment {
	s := c.f.Derivative(t)
	return segment{s, clearAbove(s, t, c.over(t)) + width*(lineError*s+valueFloor)}
}

func (c *curve) tangentBelow(t, width float64) segment {
	s := c.f.Derivative(t)
	return segment{s, clearBelow(s, t, c.under(t)) - width*(lineError*s+valueFloor)}
}

// bentAbove is the line through (l, f(l)) and the point of line high at 0, l < 0.
func (c *curve) bentAbove(high segment, l float64) segment {
	s := max((high.intercept-c.f.Value(l))/-l, high.slope)
	return segment{s, max(high.intercept, clearAbove(s, l, c.over(l)))}
}

// bentBelow is the line through (u, f(u)) and the point of line flat at 0, u > 0.
func (c *curve) bentBelow(flat segment, u float64) segment {
	s := max((c.f.Value(u)-flat.intercept)/u, flat.slope)
	return segment{s, min(flat.intercept, clearBelow(s, u, c.under(u)))}
}

// onlyFinite drops lines that have overflowed.
func onlyFinite(lines []segment) []segment {
	kept := lines[:0]
	for _, s := range lines {
		if finite(s.slope) && finite(s.intercept) {
			kept = append(kept, s)
		}
	}
	return kept
}
