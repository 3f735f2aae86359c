package bounds

// VeriNet's lines: of all sound lines those that leave the least area between
// line and curve. The area under a line over [l, u] is the width times its height
// at the middle m, and of all tangents the one at m is lowest there. So the
// tangent touches at m, or at the sound point nearest to it.
//
// Source: Henriksen and Lomuscio 2020, "Efficient neural network verification via
// adaptive refinement and adversarial search" (ECAI), §3. Deviation: m is tested
// exactly and clamped to d1 and d2; the published code takes two steps towards
// them.

import "github.com/vouchnn/vouch/nn"

// VeriNetLines is the Relaxer of least area for S-curves. It is what Relax does.
//
// Guarantee: sound, rounded outward; no line leaves less area.
type VeriNetLines struct{}

// Relax implements Relaxer.
func (VeriNetLines) Relax(f nn.Elementwise, over Range, _ *Range) (Lines, bool) {
	return relaxCurve(f, over, (*arc).middle)
}
