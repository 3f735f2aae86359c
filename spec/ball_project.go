package spec

import (
	"math"
)

// Moving points into a ball.
//
// The nearest point of ball ∩ clip in the Euclidean norm has, for the norms with
// a closed form, one multiplier t for the ball and a clamp per coordinate for
// the clip (Duchi et al. 2008, "Efficient projections onto the l1-ball", for L1;
// the same argument gives the others):
//
//	LInf  clamp to the ball's interval and the clip
//	L2    x(t) = clamp(c + t·(x−c)),                 t from 0 to 1
//	L1    x(t) = clamp(c + soft(x−c, T·(1−t))),      soft shrinks |·| by its second argument
//	L0    keep the changes that lie farthest from the centre, undo the rest
//
// In both paths the distance to the centre grows with t, so bisection finds the
// last t inside. Displacements are rounded towards the centre and the radius is
// first shortened by the rounding error of a sum, so that the exact membership
// test at the end passes without the help of big numbers.

// slack is the factor that shortens a radius so that a sum of n terms computed
// to it passes the floating-point filter of Contains.
func slack(n int) float64 { return 1 - float64(n+8)*0x1p-49 }

// clamp moves x into the clip.
func (b *Ball) clamp(x []float64) {
	if b.Clip != nil {
		b.Clip.Project(x)
	}
}

// at is coordinate i moved by d from the centre, rounded towards the centre and
// clamped to the clip.
func (b *Ball) at(i int, d float64) float64 {
	v := step(b.Center[i], d)
	if b.Clip != nil {
		v = min(max(v, b.Clip.Lower[i]), b.Clip.Upper[i])
	}
	return v
}

// sweep follows the path of displacements d(i, t), t ≥ 0, whose distance grows
// with t and is 0 at t = 0, up to the last point inside an L1 or L2 ball that
// bisection finds, and writes it to x.
func (b *Ball) sweep(x []float64, d func(i int, t float64) float64) {
	limit := b.Radius * slack(len(x))
	if b.Norm == L2 {
		limit *= limit
	}
	inside := func(t float64) bool {
		sum := 0.0
		for i, c := range b.Center {
			v := math.Abs(b.at(i, d(i, t)) - c)
			if b.Norm == L2 {
				v *= v
			}
			sum += v
			if sum > limit {
				return false
			}
		}
		return true
	}
	lo, hi := 0.0, 1.0
	if b.Norm == L2 {
		hi = max(b.Radius, math.SmallestNonzeroFloat64)
	}
	// Widen until the path leaves the ball or stops moving against the clip.
	for k := 0; k < 64 && inside(hi); k++ {
		lo, hi = hi, hi*16
	}
	for k := 0; k < 60 && lo < hi; k++ {
		mid := lo + (hi-lo)/2
		if mid == lo || mid == hi {
			break
		}
		if inside(mid) {
			lo = mid
		} else {
			hi = mid
		}
	}
	for i := range x {
		x[i] = b.at(i, d(i, lo))
	}
}

// Project implements Region. It is the nearest point in the Euclidean norm, up
// to rounding. A NaN counts as the centre's coordinate.
// Cost: O(n), O(n log n) for L0, about 100 passes over x for L1 and for L2
// with a clip.
func (b *Ball) Project(x []float64) {
	if b.Contains(x) {
		return
	}
	for i, v := range x {
		if math.IsNaN(v) {
			x[i] = b.anchor[i]
		} else {
			// ±Inf, and values whose difference to the centre overflows.
			x[i] = min(max(v, -0x1p1000), 0x1p1000)
		}
	}
	switch b.Norm {
	case LInf:
		for i, c := range b.Center {
			x[i] = min(max(x[i], sumUp(c, -b.Radius)), sumDown(c, b.Radius))
		}
		b.clamp(x)
	case L2:
		b.project2(x)
	case L1:
		b.project1(x)
	case L0:
		b.project0(x)
	}
	b.settle(x)
}

func (b *Ball) project2(x []float64) {
	top := 0.0
	for i, c := range b.Center {
		top = max(top, math.Abs(x[i]-c))
	}
	if top == 0 || !finite(top) {
		return
	}
	d := make([]float64, len(x))
	squares := 0.0
	for i, c := range b.Center {
		d[i] = (x[i] - c) / top
		squares += d[i] * d[i]
	}
	norm := math.Sqrt(squares)
	full := b.Radius * slack(len(x)) / norm
	if b.Clip == nil {
		for i := range x {
			x[i] = b.at(i, min(full, top)*d[i])
		}
		return
	}
	b.sweep(x, func(i int, t float64) float64 { return min(t, top) * d[i] })
}

func (b *Ball) project1(x []float64) {
	top := 0.0
	d := make([]float64, len(x))
	for i, c := range b.Center {
		d[i] = x[i] - c
		top = max(top, math.Abs(d[i]))
	}
	if !finite(top) {
		copy(x, b.anchor)
		return
	}
	// The anchor's displacement is part of every point, so it must not be
	// shrunk away: clamping in sweep puts it back.
	b.sweep(x, func(i int, t float64) float64 {
		return math.Copysign(max(0, math.Abs(d[i])-top*(1-min(t, 1))), d[i])
	})
}

func (b *Ball) project0(x []float64) {
	o := takeOrder(len(x))
	defer orders.Put(o)
	for i, c := range b.Center {
		switch v := min(max(x[i], b.Clip.Lower[i]), b.Clip.Upper[i]); {
		case b.anchor[i] != c || v == c:
			o.key[i] = -1 // changed for free, or not at all
		default:
			// How much nearer to x the coordinate gets by changing.
			o.key[i] = math.Abs(v-c) * (math.Abs(x[i]-c) + math.Abs(x[i]-v))
		}
	}
	o.descending()
	b.clamp(x)
	for k, i := range o.index {
		if o.key[i] < 0 {
			break
		}
		if float64(k) >= b.Radius-b.used {
			x[i] = b.Center[i]
		}
	}
}

// settle ends every construction of a point: should rounding have put x
// outside, it moves towards the anchor, by steps that double, until Contains is
// true.
func (b *Ball) settle(x []float64) {
	if b.Contains(x) {
		return
	}
	if b.Norm != L0 {
		for eps := 0x1p-50; eps < 1; eps *= 4 {
			for i, p := range b.anchor {
				x[i] = step(p, (1-eps)*(x[i]-p))
			}
			b.clamp(x)
			if b.Contains(x) {
				return
			}
		}
	}
	copy(x, b.anchor)
}
