package spec

import (
	"math"
)

// Regions: the sets of inputs that a property speaks of.
//
// A verifier needs few things of a region: a box to start interval arithmetic
// from, a lower bound of a linear function over it (the last step of every
// bound by linear relaxation), the point that attains it and a projection (both
// for attacks), and an exact answer to "is this point inside?", on which the
// claim Falsified rests. A region is a set of real vectors. Bounds over it are
// rounded outward, points taken from it are rounded inward.

// Region is a set of inputs: closed, bounded and not empty.
//
// Implementations are immutable and safe for concurrent use.
type Region interface {
	// Dim is the number of input dimensions.
	Dim() int
	// Box is the smallest box around the region. The caller must not change it.
	Box() Box
	// Contains reports whether x lies in the region, with no tolerance.
	Contains(x []float64) bool
	// MinLinear is a lower bound of a·x over the region, rounded downward,
	// never below that over Box. It is exact up to rounding for boxes and
	// norm balls without clipping.
	MinLinear(a []float64) float64
	// Minimizer overwrites x with a point of the region that attains, up to
	// rounding, the least value of a·x over the region or over a subset of it
	// that is easy to search. Contains(x) holds afterwards.
	Minimizer(a, x []float64)
	// Project overwrites x with a point of the region near it.
	// Contains(x) holds afterwards, whatever x was. A point of the region
	// stays as it is.
	Project(x []float64)
}

// Box is an axis-parallel box, Lower[i] ≤ x[i] ≤ Upper[i].
type Box struct {
	Lower, Upper []float64
}

// NewBox checks and copies the bounds.
// Errors: *Error if lengths differ, a bound is NaN or infinite, or Lower > Upper somewhere.
func NewBox(lower, upper []float64) (Box, error) {
	if err := (Box{Lower: lower, Upper: upper}).Validate(); err != nil {
		return Box{}, err
	}
	return Box{Lower: append([]float64(nil), lower...), Upper: append([]float64(nil), upper...)}, nil
}

// Validate checks what NewBox checks, for a box made by hand.
func (b Box) Validate() error {
	if len(b.Lower) != len(b.Upper) || len(b.Lower) == 0 {
		return errorf("box", "%d lower and %d upper bounds", len(b.Lower), len(b.Upper))
	}
	for i, l := range b.Lower {
		u := b.Upper[i]
		if !finite(l) || !finite(u) {
			return errorf("box", "dimension %d has the bounds [%v, %v]", i, l, u)
		}
		if l > u {
			return errorf("box", "dimension %d is empty: [%v, %v]", i, l, u)
		}
	}
	return nil
}

// Dim implements Region.
func (b Box) Dim() int { return len(b.Lower) }

// Box implements Region.
func (b Box) Box() Box { return b }

// Contains implements Region.
func (b Box) Contains(x []float64) bool {
	if len(x) != len(b.Lower) {
		return false
	}
	for i, v := range x {
		if !(v >= b.Lower[i] && v <= b.Upper[i]) {
			return false
		}
	}
	return true
}

// MinLinear implements Region. It is −Inf if the sum overflows or a holds a NaN.
func (b Box) MinLinear(a []float64) float64 {
	sum, mag := 0.0, 0.0
	for i, v := range a {
		t := v * b.Upper[i]
		if v >= 0 {
			t = v * b.Lower[i]
		}
		sum += t
		mag += math.Abs(t)
	}
	return lowerOf(sum, roundingError(len(a), mag))
}

// Minimizer implements Region.
func (b Box) Minimizer(a, x []float64) {
	for i, v := range a {
		if v >= 0 {
			x[i] = b.Lower[i]
		} else {
			x[i] = b.Upper[i]
		}
	}
}

// Project implements Region.
func (b Box) Project(x []float64) {
	for i, v := range x {
		if !(v >= b.Lower[i]) { // also NaN
			x[i] = b.Lower[i]
		} else if v > b.Upper[i] {
			x[i] = b.Upper[i]
		}
	}
}
