package bounds

// RobustVerifier's lines: two parallel lines with the slope a = f'(m) of the
// curve in the middle m of the range, as close as the curve allows. f(x) − a·x is
// stationary only at m and −m, so its extremes over [l, u] are among its values
// at l, u, m and −m.
//
// Source: Lin et al. 2019, "Robustness verification of classification deep neural
// networks via linear programming" (CVPR), §4. Deviation: the intercepts are the
// exact extremes.
//
// Rounding. The computed slope is f'(m) up to a relative error, so the points
// where f' equals it lie a little beside m and −m. On the way from m to such a
// point f' − a does not exceed the error of a, and with it f(x) − a·x changes by
// no more than that error times the width.

import "github.com/vouchnn/vouch/nn"

// RobustVerifierLines is the Relaxer of RobustVerifier for S-curves.
//
// Guarantee: sound, rounded outward.
type RobustVerifierLines struct{}

// Relax implements Relaxer.
func (RobustVerifierLines) Relax(f nn.Elementwise, over Range, _ *Range) (Lines, bool) {
	return relaxArc(f, over, func(a *arc) (up, low line) {
		m := a.centre()
		value, slope := a.at(m)
		up = line{slope, max(interceptAbove(slope, a.l, a.valueL), interceptAbove(slope, a.u, a.valueU), interceptAbove(slope, m, value))}
		low = line{slope, min(interceptBelow(slope, a.l, a.valueL), interceptBelow(slope, a.u, a.valueU), interceptBelow(slope, m, value))}
		if -m >= a.l && -m <= a.u {
			mirrored, _ := a.at(-m)
			up.intercept = max(up.intercept, interceptAbove(slope, -m, mirrored))
			low.intercept = min(low.intercept, interceptBelow(slope, -m, mirrored))
		}
		slack := (a.u - a.l) * (lineError*slope + slopeFloor)
		up.intercept += slack
		low.intercept -= slack
		return up, low
	})
}
