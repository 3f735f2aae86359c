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
// half-spaces take turns. A step costs as much as one row of a box, so all of
// it is little beside the products that led to l.
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

// buffers are the coefficients of rows while multiples of half-spaces are added.
var buffers = sync.Pool{New: func() any { return new([]float64) }}

// raise improves the least value of a·x on the corner: it adds to total, the
// value on the box alone, what the half-spaces gain, rounded down. mag is the
// sum of the absolute values of the terms of a·x. The point at which it is
// attained goes to x, if that is not nil.
func (c *corner) raise(a []float64, total, mag float64, x []float64) float64 {
	held := buffers.Get().(*[]float64)
	defer buffers.Put(held)
	*held = append((*held)[:0], a...)
	t := *held
	constant, size, steps := 0.0, mag, 0
	turns := 1
	if len(c.faces) > 1 {
		turns = 2
	}
	for range turns {
		for k := range c.faces {
			f := &c.faces[k]
			g := c.multiplier(f, t, mag/f.size)
			if g == 0 {
				continue
			}
			for j, v := range f.coef {
				t[j] += g * v
			}
			constant += g * f.offset
			size += g * f.size
			steps += 2
		}
	}
	if x != nil {
		(spec.Box{Lower: c.lower, Upper: c.upper}).Minimizer(t, x)
	}
	if steps == 0 {
		return total
	}
	least := constant
	for j, v := range t {
		least += min(v*c.lower[j], v*c.upper[j])
	}
	least -= gamma(len(a)+4*steps+8)*size + tiny
	if least > total { // not if it is not a number
		return least
	}
	return total
}

// multiplier is the γ that is best for a·x, or close to it. guess is its order
// of magnitude.
func (c *corner) multiplier(f *face, a []float64, guess float64) float64 {
	low, lowValue, lowSlope := 0.0, 0.0, 0.0
	if lowValue, lowSlope = c.value(f, a, 0); !(lowSlope > 0) {
		return 0
	}
	best, most := 0.0, lowValue
	high, highValue, highSlope := guess, 0.0, 0.0
	if !(guess > 0) || math.IsInf(guess, 0) {
		high = 1
	}
	for range enlarge {
		highValue, highSlope = c.value(f, a, high)
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
		v, slope := c.value(f, a, g)
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

// value is the least value of (a + g·f)·x + g·offset on the box, and its
// derivative by g, up to rounding.
func (c *corner) value(f *face, a []float64, g float64) (v, slope float64) {
	coef, reach, mid, radius := f.coef[:len(a)], f.reach[:len(a)], c.mid[:len(a)], c.radius[:len(a)]
	const sign = 1 << 63
	for j, t := range a {
		t += g * coef[j]
		v += t*mid[j] - math.Abs(t)*radius[j]
		slope -= math.Float64frombits(math.Float64bits(reach[j]) ^ math.Float64bits(t)&sign)
	}
	return v + g*f.offset, slope + f.middle
}
