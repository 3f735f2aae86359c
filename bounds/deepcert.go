package bounds

// DeepCert's lines: where one side is the chord, the other is the tangent that is
// parallel to it; where neither is, the tangents at d1 and d2.
//
// The point of the parallel tangent is known in closed form, the inverse of f' at
// the chord's slope, where the published code bisects. It is always sound: it is
// one step of the fixed point that leads to d1.
//
// Source: Wu and Zhang 2021, "Tightening robustness verification of
// convolutional neural networks with fine-grained linear approximation" (AAAI),
// §3.2, five cases. Deviation: none but the closed form. (The re-implementation
// in the code of NeWise and DualApp brackets the arctangent's point on the wrong
// side and cuts the curve; this follows the paper.)

import (
	"math"

	"github.com/vouchnn/vouch/nn"
)

// DeepCertLines is the Relaxer of DeepCert for S-curves.
//
// Guarantee: sound, rounded outward.
type DeepCertLines struct{}

// Relax implements Relaxer.
func (DeepCertLines) Relax(f nn.Elementwise, over Range, _ *Range) (Lines, bool) {
	return relaxCurve(f, over, func(a *arc) (upper, lower float64) {
		upper, lower = math.Inf(-1), math.Inf(1) // moved to d1 and d2
		parallel := a.inverse(a.chord)
		if a.chordBelow() {
			upper = parallel
		}
		if a.chordAbove() {
			lower = -parallel
		}
		return upper, lower
	})
}
