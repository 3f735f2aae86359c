package bounds

// Half-spaces of inputs.
//
// Branch and bound looks for inputs at which a function f of the output is not
// positive. Where a·x + o lies below f, such inputs satisfy a·x + o ≤ 0: of the
// box only a corner is of interest, often a small one. With that known, any
// linear lower bound l of any neuron improves to
//
//	max over γ ≥ 0 of  min over the box of  l(x) + Σ γ·(a·x + o),
//
// for every choice of the multipliers γ a valid bound. For one half-space the
// value is a concave function of one number, piecewise linear with a kink where
// a coefficient changes its sign; its tangents at two points meet above the
// maximum, and where they meet is the next point to try. That ends at the exact
// maximum after finitely many steps, and very close to it after a few. Several
// half-spaces take turns. A step costs about as much as one row of a box, and less
// where l depends on few inputs, as behind a convolution: on the others the sum
// is linear in γ.
//
// In an optimiser's pass the minimiser is that of the sum, which is what the
// derivative by any other variable wants.
//
// Sources: Zhou et al. 2025 (Clip-and-Verify) for half-spaces of inputs;
// Kotha et al. 2023, arXiv:2302.01404 (INVPROP), for the conditions of the
// output as multipliers. Deviation: the maximum by tangents, not by sorting.

import (
	"math"
	"sync"

	"github.com/vouchnn/vouch/internal/blas"
	"github.com/vouchnn/vouch/spec"
)

// Halfspace is the inputs x with Coef·x + Offset ≤ 0, the numbers taken
// exactly.
type Halfspace struct {
	Coef   []float64
	Offset float64
}

// Valid reports whether there is one coefficient for each of so many inputs, and
// all numbers are finite.
func (h *Halfspace) Valid(inputs int) bool {
	if len(h.Coef) != inputs || !finite(h.Offset) {
		return false
	}
	for _, v := range h.Coef {
		if !finite(v) {
			return false
		}
	}
	return true
}

func finite(v float64) bool { return v-v == 0 }

// tangentTries is how often tangents are intersected for one half-space, and
// enlarge how often the multiplier may grow before.
const (
	tangentTries = 6
	enlarge      = 12
)

// corner is the box of a domain and its half-spaces, made ready for many rows.
type corner struct {
	lower, upper []float64
	mid, radius  []float64
	faces        []face
}

// face is one half-space.
type face struct {
	coef, reach []float64 // coefficients; times the radius, with their signs
	offset      float64
	middle      float64 // its value at the middle of the box
	width       float64 // the sum of |reach|
	least       float64 // its least value on the box without the offset, up to rounding
	size        float64 // the sum of the absolute values of its terms
}

// makeCorners prepares the half-spaces of all domains.
func (s *state) makeCorners() {
	for d := range s.domains {
		if len(s.domains[d].Halfspaces) == 0 || s.empty[d] {
			continue
		}
		if s.corners == nil {
			s.corners, s.boxes = make([]*corner, s.count), false
		}
		s.corners[d] = newCorner(s.span(s.lower[0], 0, d), s.span(s.upper[0], 0, d), s.domains[d].Halfspaces)
	}
}

func newCorner(lower, upper []float64, spaces []Halfspace) *corner {
	n := len(lower)
	c := &corner{lower: lower, upper: upper, mid: make([]float64, n), radius: make([]float64, n)}
	for j, lo := range lower {
		c.mid[j] = 0.5*lo + 0.5*upper[j]
		c.radius[j] = upper[j] - c.mid[j]
	}
	for _, h := range spaces {
		f := face{coef: h.Coef, offset: h.Offset, middle: h.Offset, size: math.Abs(h.Offset), reach: make([]float64, n)}
		for j, v := range h.Coef {
			f.reach[j] = v * c.radius[j]
			f.middle += v * c.mid[j]
			f.width += math.Abs(f.reach[j])
			f.least += min(v*lower[j], v*upper[j])
			f.size += math.Abs(v) * max(-lower[j], upper[j])
		}
		if finite(f.size) && f.size > 0 {
			c.faces = append(c.faces, f)
		}
	}
	return c
}

// cornerOf is domain d's, or nil.
func (s *state) cornerOf(d int) *corner {
	if s.corners == nil {
		return nil
	}
	return s.corners[d]
}

// run is elements [from, from+count) of a row.
type run struct{ from, count int }

// lifter is a row while multiples of half-spaces are added to it.
type lifter struct {
	c       *corner
	row     []float64 // all coefficients
	support []run     // where they are not zero; nil stands for everywhere

	// Of the support, for the face at hand:
	a, coef, reach, radius []float64
	middle                 float64 // value of the row at the middle of the box
	outside                float64 // the face's width outside
	face                   *face
	hold                   [5][]float64 // memory of the slices above, and of the row
	sums                   []float64
}

var lifters = sync.Pool{New: func() any { return &lifter{sums: make([]float64, 2)} }}

// raise improves the least value of a·x on the corner: it adds to total, the
// value on the box alone, what the half-spaces gain, rounded down. mag is the
// sum of the absolute values of the terms of a·x. The coefficients outside of
// support, if that is not nil, must be zero. The point at which the value is
// attained goes to x, if that is not nil.
func (c *corner) raise(a []float64, support []run, total, mag float64, x []float64) float64 {
	l := lifters.Get().(*lifter)
	defer lifters.Put(l)
	l.start(c, a, support)
	constant, size, steps, last := 0.0, mag, 0, 0.0
	turns := 1
	if len(c.faces) > 1 {
		turns = 2
	}
	for range turns {
		for k := range c.faces {
			f := &c.faces[k]
			l.take(f)
			if last = l.multiplier(mag / f.size); last == 0 {
				continue
			}
			if l.support == nil {
				blas.Axpy(last, f.coef, l.row)
			}
			constant += last * f.offset
			size += last * f.size
			steps += 2
		}
	}
	if x != nil {
		(spec.Box{Lower: c.lower, Upper: c.upper}).Minimizer(l.row, x)
	}
	if steps == 0 {
		return total
	}
	least := constant
	if l.support == nil {
		least += blas.PosNegDot(l.row, c.lower, c.upper)
	} else { // one face; outside the support the row is a multiple of it
		least += l.inside(last)
	}
	least -= gamma(8*len(a)+4*steps+8)*size + tiny
	if least > total { // not if it is not a number
		return least
	}
	return total
}

// inside is the least value of the row plus g times the only face, without its
// offset, where the row alone is not zero in the support alone.
func (l *lifter) inside(g float64) float64 {
	c, least, k := l.c, g*l.face.least, 0
	for _, r := range l.support {
		for j := r.from; j < r.from+r.count; j++ {
			f := l.coef[k]
			v := l.a[k] + g*f
			least += min(v*c.lower[j], v*c.upper[j]) - g*min(f*c.lower[j], f*c.upper[j])
			k++
		}
	}
	return least
}

// start takes a row. Its support is used if it is small and there is one face, and
// if the minimiser is not wanted, which needs the whole row.
func (l *lifter) start(c *corner, a []float64, support []run) {
	l.c, l.support = c, nil
	if len(c.faces) == 1 && support != nil {
		n := 0
		for _, r := range support {
			n += r.count
		}
		if 2*n < len(a) {
			l.row, l.support = a, support
			return
		}
	}
	l.hold[4] = append(l.hold[4][:0], a...)
	l.row = l.hold[4]
}

// take prepares for one face.
func (l *lifter) take(f *face) {
	c := l.c
	l.face, l.outside, l.middle = f, 0, 0
	if l.support == nil {
		l.a, l.coef, l.reach, l.radius = l.row, f.coef, f.reach, c.radius
		l.middle = blas.Dot(l.row, c.mid)
		return
	}
	for k := range 4 {
		l.hold[k] = l.hold[k][:0]
	}
	l.outside = f.width
	for _, r := range l.support {
		to := r.from + r.count
		l.hold[0] = append(l.hold[0], l.row[r.from:to]...)
		l.hold[1] = append(l.hold[1], f.coef[r.from:to]...)
		l.hold[2] = append(l.hold[2], f.reach[r.from:to]...)
		l.hold[3] = append(l.hold[3], c.radius[r.from:to]...)
		for j := r.from; j < to; j++ {
			l.middle += l.row[j] * c.mid[j]
			l.outside -= math.Abs(f.reach[j])
		}
	}
	l.a, l.coef, l.reach, l.radius = l.hold[0], l.hold[1], l.hold[2], l.hold[3]
}

// multiplier is the γ that is best for the row, or close to it. guess is its
// order of magnitude.
func (l *lifter) multiplier(guess float64) float64 {
	low := 0.0
	lowValue, lowSlope := l.value(0)
	if !(lowSlope > 0) {
		return 0
	}
	best, most := 0.0, lowValue
	high, highValue, highSlope := guess, 0.0, 0.0
	if !(guess > 0) || math.IsInf(guess, 0) {
		high = 1
	}
	for range enlarge {
		highValue, highSlope = l.value(high)
		if highValue > most {
			best, most = high, highValue
		}
		if !(highSlope > 0) {
			break
		}
		low, lowValue, lowSlope = high, highValue, highSlope
		high *= 4
	}
	for range tangentTries {
		if !(lowSlope > 0) || !(highSlope < 0) {
			break
		}
		g := (highValue - highSlope*high - lowValue + lowSlope*low) / (lowSlope - highSlope)
		if !(g > low && g < high) {
			break
		}
		roof := lowValue + lowSlope*(g-low)
		v, slope := l.value(g)
		if v > most {
			best, most = g, v
		}
		if roof-v <= 1e-3*math.Abs(roof-lowValue) {
			break
		}
		if slope > 0 {
			low, lowValue, lowSlope = g, v, slope
		} else {
			high, highValue, highSlope = g, v, slope
		}
	}
	return best
}

// value is the least value on the box of the row plus g times the face, and its
// derivative by g, up to rounding. Coefficients t have their least value
// −|t|·radius around the middle, with a slope of −reach in the direction of t.
func (l *lifter) value(g float64) (v, slope float64) {
	blas.Tilt(g, l.a, l.coef, l.radius, l.reach, l.sums)
	return l.middle + g*(l.face.middle-l.outside) - l.sums[0], l.face.middle - l.outside - l.sums[1]
}
