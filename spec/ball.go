package spec

import (
	"math"
)

// Norm balls, optionally clipped to a box.
//
// A ball is the set of real vectors x with ‖x − Center‖ ≤ Radius that also lie
// in Clip, if there is one (pixel values stay in [0, 1]). Three norms are true
// norms, LInf, L2 and L1; L0 counts changed coordinates and is what a pixel
// attack is measured in.
//
// This file holds what a ball is: its constructor, its box and its membership
// test. ball_linear.go minimises linear functions over it, ball_project.go
// moves points into it.
//
// The clip may cut the centre off. The nearest point of the clip to the centre,
// in every one of the norms, is the centre clamped coordinate by coordinate;
// the code calls it the anchor. The region is empty exactly if the anchor is
// outside the ball, so one exact membership test at construction settles that,
// and every method has a point to fall back on.

// Norm is the distance in which a Ball is round.
type Norm int

// The norms.
const (
	LInf Norm = iota // the largest |x[i]|
	L2               // the square root of the sum of squares
	L1               // the sum of absolute values
	L0               // the number of coordinates that are not zero
)

// String is the norm's usual name.
func (n Norm) String() string {
	switch n {
	case LInf:
		return "Linf"
	case L2:
		return "L2"
	case L1:
		return "L1"
	case L0:
		return "L0"
	default:
		return "unknown norm"
	}
}

// Ball is a norm ball, clipped to a box. It is made by NewBall; its fields are
// for reading.
//
// Guarantee: Contains is exact; Box and MinLinear are rounded outward.
// Box is the smallest one up to rounding if the centre lies in the clip.
type Ball struct {
	Center []float64
	Radius float64 // for L0: the number of coordinates that may change
	Norm   Norm
	Clip   *Box // nil: none

	box    Box
	anchor []float64 // the point of Clip nearest to Center
	used   float64   // the L0 distance, or a lower bound of the L1 distance, from Center to anchor
}

// NewBall checks and copies its arguments.
//
// Errors: *Error if the norm is unknown, the centre is empty or not finite, the
// radius is negative or not finite (for L0: not an integer), the clip is
// malformed, of another dimension or, for L0, missing, if Center ± Radius
// overflows, and if ball and clip have no point in common.
func NewBall(norm Norm, center []float64, radius float64, clip *Box) (*Ball, error) {
	switch {
	case norm < LInf || norm > L0:
		return nil, errorf("ball", "the norm %d is unknown", int(norm))
	case len(center) == 0:
		return nil, errorf("ball", "the centre has no dimensions")
	case !(radius >= 0) || math.IsInf(radius, 0):
		return nil, errorf("ball", "the radius is %v, want a finite number ≥ 0", radius)
	case norm == L0 && radius != math.Trunc(radius):
		return nil, errorf("ball", "the L0 radius is %v, want an integer", radius)
	case norm == L0 && clip == nil:
		return nil, errorf("ball", "an L0 ball is unbounded without a clip")
	}
	for i, c := range center {
		if !finite(c) {
			return nil, errorf("ball", "dimension %d of the centre is %v", i, c)
		}
	}
	b := &Ball{Center: append([]float64(nil), center...), Radius: radius, Norm: norm}
	b.anchor = b.Center
	if clip != nil {
		if len(clip.Lower) != len(center) {
			return nil, errorf("ball", "the clip has %d dimensions, the centre %d", len(clip.Lower), len(center))
		}
		c, err := NewBox(clip.Lower, clip.Upper)
		if err != nil {
			return nil, err
		}
		b.Clip = &c
		b.anchor = append([]float64(nil), center...)
		c.Project(b.anchor)
	}
	if !b.Contains(b.anchor) {
		return nil, errorf("ball", "no point of the clip lies within %v radius %v", norm, radius)
	}
	b.used = b.anchorDistance()
	b.box = b.bounds()
	for i := range center {
		if !finite(b.box.Lower[i]) || !finite(b.box.Upper[i]) {
			return nil, errorf("ball", "dimension %d: %v ± %v overflows", i, center[i], radius)
		}
	}
	return b, nil
}

// NewLInfBall is the smallest box of float64 bounds around the Linf ball
// intersected with clip (nil: none). It is the region to use where the last bit
// of the radius does not matter; NewBall(LInf, ...) answers Contains for the
// ball over the reals.
// Errors: those of NewBall.
func NewLInfBall(center []float64, radius float64, clip *Box) (Box, error) {
	b, err := NewBall(LInf, center, radius, clip)
	if err != nil {
		return Box{}, err
	}
	return b.box, nil
}

// anchorDistance is how much of the radius is spent on reaching the clip:
// exact for L0, rounded down for L1, not used otherwise.
func (b *Ball) anchorDistance() float64 {
	sum := 0.0
	for i, p := range b.anchor {
		switch {
		case p == b.Center[i]:
		case b.Norm == L0:
			sum++
		case b.Norm == L1:
			sum = max(0, sumDown(sum, max(0, math.Nextafter(math.Abs(p-b.Center[i]), 0))))
		}
	}
	return sum
}

// bounds is the box around the ball.
func (b *Ball) bounds() Box {
	n := len(b.Center)
	box := Box{Lower: make([]float64, n), Upper: make([]float64, n)}
	for i, c := range b.Center {
		lo, hi := sumDown(c, -b.Radius), sumUp(c, b.Radius)
		if b.Norm == L0 {
			lo, hi = math.Inf(-1), math.Inf(1)
			if b.Radius-b.used < 1 && b.anchor[i] == c {
				lo, hi = c, c
			}
		}
		if b.Clip != nil {
			lo, hi = max(lo, b.Clip.Lower[i]), min(hi, b.Clip.Upper[i])
		}
		box.Lower[i], box.Upper[i] = lo, hi
	}
	return box
}

// Dim implements Region.
func (b *Ball) Dim() int { return len(b.Center) }

// Box implements Region.
func (b *Ball) Box() Box { return b.box }

// Contains implements Region. It is exact over the reals: a point that rounding
// puts outside by any amount is refused, one on the boundary is accepted.
// Cost: O(n); where x is within rounding of the boundary of an L2 or L1 ball,
// an exact sum of n terms.
func (b *Ball) Contains(x []float64) bool {
	if len(x) != len(b.Center) || !allFinite(x) {
		return false
	}
	if b.Clip != nil && !b.Clip.Contains(x) {
		return false
	}
	switch b.Norm {
	case LInf:
		for i, v := range x {
			if !within(v, b.Center[i], b.Radius) {
				return false
			}
		}
		return true
	case L0:
		changed := 0.0
		for i, v := range x {
			if v != b.Center[i] {
				changed++
			}
		}
		return changed <= b.Radius
	default:
		return b.containsSum(x)
	}
}

// within reports |v − c| ≤ r over the reals.
func within(v, c, r float64) bool {
	d, e := twoSum(v, -c)
	if d < 0 {
		d, e = -d, -e
	}
	// Rounding is monotone: d < r implies d+e < r, and d > r implies d+e > r.
	return d < r || d == r && e <= 0
}

// containsSum is the ball part of Contains for L1 and L2.
func (b *Ball) containsSum(x []float64) bool {
	square := b.Norm == L2
	sum, r := 0.0, b.Radius
	for i, v := range x {
		d := math.Abs(v - b.Center[i])
		if square {
			d *= d
		}
		sum += d
	}
	if square {
		r *= r
	}
	// Differences have a relative error of u, squares of 3u, the sum adds n·u.
	// Outside the range below, overflow or underflow could spoil that.
	err := 2 * roundingError(len(x)+4, sum+r)
	if b.Radius > 0x1p-450 && b.Radius < 0x1p+450 {
		if sum+err < r {
			return true
		}
		if sum-err > r {
			return false
		}
	}
	acc := newAccumulator()
	for i, v := range x {
		acc.addDifference(v, b.Center[i], square)
	}
	if square {
		acc.addProduct(-b.Radius, b.Radius)
	} else {
		acc.addProduct(-1, b.Radius)
	}
	return acc.sign() <= 0
}
