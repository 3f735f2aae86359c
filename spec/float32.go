package spec

import (
	"math"
)

// Rounding a point to float32 without leaving its region.
//
// Networks are stored and run in float32, and the competition's checkers read a
// counterexample into float32 before they look at it. A point of a region in
// float64 may leave it by that rounding, so the rounding is done here, inward:
// each coordinate becomes the float32 value nearest to it among those in the
// coordinate's interval. An interval may hold none (a box written with 17 digits
// around a single pixel value); such a coordinate stays a float64 value.

// Float32Rounder is a region that knows how to round its own points. RoundInto32
// uses it where a region implements it.
type Float32Rounder interface {
	// RoundInto32 does what the function RoundInto32 promises.
	RoundInto32(x []float64) bool
}

// RoundInto32 overwrites x with a point of the region near it whose coordinates
// are float32 values wherever that is possible, and reports whether all are.
// Contains(x) holds afterwards.
//
// Boxes: exact, the nearest float32 value of each interval that holds one.
// Balls: the point moves towards the centre until its rounded coordinates are
// inside; if none of them is, coordinates are rounded one by one where the
// float32 grid has a value between point and centre. Other regions: float32
// values if the rounded point happens to be inside, else the point itself.
func RoundInto32(region Region, x []float64) bool {
	if r, ok := region.(Float32Rounder); ok {
		return r.RoundInto32(x)
	}
	region.Project(x)
	rounded := append([]float64(nil), x...)
	if region.Box().RoundInto32(rounded) && region.Contains(rounded) {
		copy(x, rounded)
		return true
	}
	return allFloat32(x)
}

// RoundInto32 implements Float32Rounder.
func (b Box) RoundInto32(x []float64) bool {
	b.Project(x)
	all := true
	for i, v := range x {
		if f, ok := nearest32(v, b.Lower[i], b.Upper[i]); ok {
			x[i] = f
		} else {
			all = false
		}
	}
	return all
}

// RoundInto32 implements Float32Rounder.
func (b *Ball) RoundInto32(x []float64) bool {
	b.Project(x)
	try := make([]float64, len(x))
	lower, upper := b.box.Lower, b.box.Upper
	if b.Norm != L0 {
		for eps := 0.0; eps <= 1; eps = max(0x1p-26, eps*4) {
			fits := true
			for i, p := range b.anchor {
				var ok bool
				if try[i], ok = nearest32(p+(1-eps)*(x[i]-p), lower[i], upper[i]); !ok {
					fits = false
					break
				}
			}
			if !fits {
				break // no float32 value in an interval: no shrinking helps
			}
			if b.Contains(try) {
				copy(x, try)
				return true
			}
		}
	}
	for i, v := range x {
		lo, hi := min(v, b.anchor[i]), max(v, b.anchor[i])
		if b.Norm == L0 && v != b.Center[i] {
			lo, hi = b.Clip.Lower[i], b.Clip.Upper[i]
		}
		if f, ok := nearest32(v, lo, hi); ok {
			x[i] = f
		}
	}
	b.settle(x)
	return allFloat32(x)
}

// nearest32 is the float32 value in [lo, hi] nearest to v, which lies there.
func nearest32(v, lo, hi float64) (float64, bool) {
	f := float32(v)
	if math.IsInf(float64(f), 0) {
		f = float32(math.Copysign(math.MaxFloat32, v))
	}
	if float64(f) < lo {
		f = math.Nextafter32(f, float32(math.Inf(1)))
	} else if float64(f) > hi {
		f = math.Nextafter32(f, float32(math.Inf(-1)))
	}
	g := float64(f)
	return g, lo <= g && g <= hi && !math.IsInf(g, 0)
}

func allFloat32(x []float64) bool {
	for _, v := range x {
		if float64(float32(v)) != v || math.IsInf(v, 0) {
			return false
		}
	}
	return true
}
