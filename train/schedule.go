package train

// Schedules: numbers that change while training goes on. Rates, radii and the
// weights of losses are all schedules, functions of the share of the training
// that is done, 0 at the start and 1 at the end. So a schedule means the same
// whatever the number of epochs.

import "math"

// Schedule is a number as a function of progress, in [0, 1].
type Schedule func(progress float64) float64

// Constant is v throughout.
func Constant(v float64) Schedule { return func(float64) float64 { return v } }

// Ramp goes from first to last on a straight line between the given progresses,
// and is constant outside. Precondition: from < to.
func Ramp(first, last, from, to float64) Schedule {
	return func(p float64) float64 {
		return first + (last-first)*min(max((p-from)/(to-from), 0), 1)
	}
}

// StepDecay is v, times factor for every listed progress that has been reached.
func StepDecay(v, factor float64, at ...float64) Schedule {
	return func(p float64) float64 {
		r := v
		for _, a := range at {
			if p >= a {
				r *= factor
			}
		}
		return r
	}
}

// Cosine falls from first to last along half a wave.
// Source: Loshchilov and Hutter 2017, arXiv:1608.03983, equation 5.
func Cosine(first, last float64) Schedule {
	return func(p float64) float64 {
		return last + (first-last)*(1+math.Cos(math.Pi*min(max(p, 0), 1)))/2
	}
}

// WarmUp rises from 0 to s on a straight line up to the given progress, and is
// s from there. At the very first step it is not 0 but what it is a thousandth
// of the way, so that no step is lost. Precondition: until > 0.
func WarmUp(s Schedule, until float64) Schedule {
	return func(p float64) float64 { return s(p) * min(max(p/until, 1e-3), 1) }
}

// at is s's value, or v without a schedule.
func (s Schedule) at(progress, v float64) float64 {
	if s == nil {
		return v
	}
	return s(progress)
}

// within reports the first of some values of s that is not in [low, high].
func (s Schedule) within(field string, low, high float64) error {
	if s == nil {
		return nil
	}
	for i := range 65 {
		if v := s(float64(i) / 64); !(v >= low && v <= high) {
			return valuef(field, "is %v after %d/64 of the training, want [%g, %g]", v, i, low, high)
		}
	}
	return nil
}
