package reach

// The box around the predicate variables.
//
// Every variable starts with an interval that contains zero: input variables have
// [−1, 1], and the variable of a relaxed neuron is counted from a point of the
// neuron's range. So |a_j| is at most twice the interval's radius, and the sums
// that bound a form bound the size of its terms as well. Only where exact
// reachability has tightened an interval can zero lie outside; such a box says so.

import (
	"github.com/vouchnn/vouch/spec"
)

// box is intervals, with centres and radii that enclose them.
type box struct {
	lower, upper   []float64
	middle, radius []float64
	reach          []float64 // the greatest |a|
	shifted        bool      // some interval does not contain zero
}

func (b *box) len() int { return len(b.lower) }

// add appends a variable and returns its index. It is widened to contain zero.
func (b *box) add(lower, upper float64) int32 {
	b.lower, b.upper = append(b.lower, 0), append(b.upper, 0)
	b.middle, b.radius, b.reach = append(b.middle, 0), append(b.radius, 0), append(b.reach, 0)
	j := len(b.lower) - 1
	b.set(j, min(lower, 0), max(upper, 0))
	return int32(j)
}

// set changes the interval of variable j.
func (b *box) set(j int, lower, upper float64) {
	m := 0.5*lower + 0.5*upper
	r := 0.0
	switch {
	case lower == -upper:
		m, r = 0, upper
	case lower < upper:
		r = above(max(upper-m, m-lower))
	default:
		r = max(-lower, upper)
	}
	b.lower[j], b.upper[j], b.middle[j], b.radius[j], b.reach[j] = lower, upper, m, r, max(-lower, upper)
	b.shifted = b.shifted || lower > 0 || upper < 0
}

// clone is an independent copy.
func (b *box) clone() box {
	return box{
		append([]float64(nil), b.lower...), append([]float64(nil), b.upper...),
		append([]float64(nil), b.middle...), append([]float64(nil), b.radius...),
		append([]float64(nil), b.reach...), b.shifted,
	}
}

// inputForm is the box of inputs as a form: one generator for each input that
// varies, all over variables in [−1, 1], which are added to b.
func inputForm(region spec.Box, s []int, b *box) *form {
	n := len(region.Lower)
	f := &form{shape: s, view: viewOf(s), centre: make([]float64, n), gens: generators{start: []int{0}}}
	for i, l := range region.Lower {
		u := region.Upper[i]
		c := 0.5*l + 0.5*u
		f.centre[i] = c
		if l == u {
			f.centre[i] = l
			continue
		}
		// Rounded up, so that c ± r covers the interval.
		r := above(max(u-c, c-l))
		f.gens.appendUnit(f.view, b.add(-1, 1), i, r)
	}
	return f
}
