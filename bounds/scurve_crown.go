package bounds

// CROWN's lines: over a range that holds 0 inside, the upper line passes through
// (l, f(l)) and touches the curve at d1, the lower one passes through (u, f(u))
// and touches it at d2; on one side of 0, the tangent at the middle and the
// chord.
//
// Source: Zhang et al. 2018, arXiv:1811.00866, §3.3 and Table 2. Deviations: the
// paper does not ask whether d1 lies in the range; where it does not the chord is
// sound and tighter, and is taken (as CNN-Cert does). d1 is found by a fixed point
// from its safe side and not by bisection with a tolerance of 0.01.

import (
	"math"

	"github.com/vouchnn/vouch/nn"
)

// CrownLines is the Relaxer of CROWN for S-curves. The module's default,
// VeriNetLines, differs from it where the middle is a sound point.
//
// Guarantee: sound, rounded outward. Cost: up to 12 evaluations of the curve for
// each of d1 and d2.
type CrownLines struct{}

// Relax implements Relaxer.
func (CrownLines) Relax(f nn.Elementwise, over Range, _ *Range) (Lines, bool) {
	return relaxCurve(f, over, func(a *arc) (upper, lower float64) {
		upper, lower = a.middle()
		if a.l < 0 {
			upper = math.Inf(-1) // moved to d1
		}
		if a.u > 0 {
			lower = math.Inf(1)
		}
		return upper, lower
	})
}
