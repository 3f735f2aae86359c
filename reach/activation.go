package reach

// Activations as linear bounds.
//
// Over an interval [l, u] of its input an activation is a straight line, or it is
// enclosed between a few lines and the interval of its own values. The lines of
// ReLU are the triangle's (Tran et al. 2019, FM): y ≥ 0 (the interval), y ≥ x,
// y ≤ u(x−l)/(u−l). LeakyReLU's are the same with y ≥ slope·x. S-curves: scurve.go.
//
// abs-dom keeps one lower line only (Singh et al. 2019): of ReLU the one that leaves
// less area. A zonotope needs two parallel lines.

import (
	"math"

	"github.com/vouchnn/vouch/nn"
)

// segment is slope·x + intercept, a bound of an activation's value.
type segment struct{ slope, intercept float64 }

func (s segment) at(x float64) float64 { return s.slope*x + s.intercept }

// enclosure is what is known of y = f(x) for x in [l, u].
type enclosure struct {
	straight bool    // y = slope·x exactly, and nothing else is set
	slope    float64 // of a straight one, and of the two parallel lines
	low, up  float64 // of y
	lower    []segment
	upper    []segment
	// slope·x + parallelLow ≤ y ≤ slope·x + parallelUp.
	parallelLow, parallelUp float64
}

// supported reports whether an activation has lines.
func supported(op nn.Operator) bool {
	switch op.(type) {
	case nn.ReLU, nn.LeakyReLU:
		return true
	}
	return curveOf(op) != nil
}

// piecewise is the slope left of zero, for activations that are straight on each
// side of it.
func piecewise(op nn.Operator) (slope float64, ok bool) {
	switch op := op.(type) {
	case nn.ReLU:
		return 0, true
	case nn.LeakyReLU:
		return op.Slope, true
	}
	return 0, false
}

// undecided reports whether op is not a straight line over [l, u].
func undecided(op nn.Operator, l, u float64) bool {
	if _, ok := piecewise(op); ok {
		return l < 0 && u > 0
	}
	return true
}

// enclose bounds op over [l, u]. Precondition: supported, l ≤ u, u − l finite.
func enclose(op nn.Operator, l, u float64) enclosure {
	if slope, ok := piecewise(op); ok {
		return encloseLeaky(slope, l, u)
	}
	return encloseCurve(curveOf(op), l, u)
}

// encloseLeaky bounds max(x, slope·x) for a slope in [0, 1].
func encloseLeaky(slope, l, u float64) enclosure {
	switch {
	case l >= 0 || slope == 1:
		return enclosure{straight: true, slope: 1}
	case u <= 0:
		return enclosure{straight: true, slope: slope}
	}
	e := enclosure{low: below(slope * l), up: u}
	if slope == 0 {
		e.low = 0
	} else {
		e.lower = append(e.lower, segment{slope, 0})
	}
	e.lower = append(e.lower, segment{1, 0})
	k := (u - slope*l) / (u - l)
	// Any slope between slope and 1 is sound with an intercept that puts both ends
	// of the line above the function.
	k = min(max(k, slope), 1)
	t := max(above(above((1-k)*u)), above(above((k-slope)*-l)))
	t = above(t + 2*unit*max(u, -l)) // 1−k and k−slope are rounded
	e.upper = []segment{{k, t}}
	// Below, any line through the origin with a slope between slope and 1.
	e.slope, e.parallelLow, e.parallelUp = k, 0, t
	return e
}

// single keeps the lower and upper line, or bound, that is best at the middle of
// [l, u]: the one that leaves the least area.
func (e *enclosure) single(l, u float64) {
	m := 0.5*l + 0.5*u
	if i := highest(e.lower, m, e.low); i >= 0 {
		e.lower = e.lower[i : i+1]
		// The interval no longer serves as a lower bound, beyond what the line
		// itself implies.
		v := e.lower[0].at(l)
		e.low = min(e.low, below(v-4*unit*(math.Abs(e.lower[0].slope*l)+math.Abs(e.lower[0].intercept))))
	} else {
		e.lower = nil
	}
	if i := lowest(e.upper, m, e.up); i >= 0 {
		e.upper = e.upper[i : i+1]
	} else {
		e.upper = nil
	}
}

// highest is the line that is highest at x, −1 if none is above own.
func highest(lines []segment, x, own float64) int {
	best := -1
	for i, s := range lines {
		if v := s.at(x); v > own {
			best, own = i, v
		}
	}
	return best
}

// lowest is the line that is lowest at x, −1 if none is below own.
func lowest(lines []segment, x, own float64) int {
	best := -1
	for i, s := range lines {
		if v := s.at(x); v < own {
			best, own = i, v
		}
	}
	return best
}
