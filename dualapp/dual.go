package dualapp

// The dual relaxation.
//
// Over an interval [l, u] that holds a neuron's inputs there are many sound lines
// around an S-curve, and the best is not the one that is tightest over [l, u]:
// inputs that really occur lie in a smaller interval, and what the lines do
// outside does no harm. With [l', u'] between values that occur, the upper line is
// the tangent at u', if that is above the curve on all of [l, u], else the nearest
// tangent that is, at d1; the lower line touches at l' or d2. Where the chord is
// sound it is taken. Soundness rests on [l, u] alone, tightness on both.
//
//	     sound tangents above      sound tangents below       chord
//	u    t ∈ [d1, u], t = u'       t ∈ [l, d2], t = l'        where neither is cut
//
// With [l', u'] = [l, u] this is NeWise's choice, with l' = u' = (l+u)/2 VeriNet's.
//
// Source: Xue et al. 2023, "A tale of two approximations" (ISSTA),
// arXiv:2305.00998, §4.3, equations 3–6. Deviations: one rule serves all three
// cases. The published code omits the test against d1 and d2 where the chord is
// taken on the other side (its cases I and II with l < 0 < u) and then cuts the
// curve; here every line is clamped (bounds.TangentLines). The paper's formula for
// case II places d1 by the under-approximated end; it must be the other.
//
// For ReLU, which the paper leaves out, the lower line's slope is chosen by what
// occurs: 1 if only positive inputs are known to, 0 if only negative, and by area
// over [l', u'] if both.

import (
	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
)

// Dual is the Relaxer guided by under-approximated domains. For neurons that have
// none, and activations other than this module's, the default lines are taken.
//
// Guarantee: sound whatever the under-approximated domains are, rounded outward.
type Dual struct{}

// Relax implements bounds.Relaxer.
func (Dual) Relax(f nn.Elementwise, over bounds.Range, under *bounds.Range) (bounds.Lines, bool) {
	if under == nil {
		return bounds.Lines{}, false
	}
	if isLeaky(f) {
		return guideLeaky(f, over, *under), true
	}
	return bounds.TangentLines(f, over, under.Upper, under.Lower)
}

func isLeaky(op nn.Operator) bool {
	switch op.(type) {
	case nn.ReLU, nn.LeakyReLU:
		return true
	}
	return false
}

// guideLeaky is the default lines of ReLU or LeakyReLU with the lower slope
// chosen by the under-approximated domain. Every line through the origin whose
// slope is that of one of the pieces is below the curve.
func guideLeaky(f nn.Elementwise, over, under bounds.Range) bounds.Lines {
	lines := bounds.Relax(f, over)
	if over.Lower >= 0 || over.Upper <= 0 {
		return lines
	}
	lines.LowerSlope = 1
	if under.Upper <= -under.Lower {
		lines.LowerSlope = f.Derivative(-1)
	}
	return lines
}
