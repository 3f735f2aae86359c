package bounds

// DeepPoly's lines: the lower one passes through (l, f(l)), the upper one through
// (u, f(u)). On the side where the curve bends towards it a line is the chord;
// else its slope is the lesser of f'(l) and f'(u), which the curve nowhere rises
// more slowly than.
//
// Source: Singh et al. 2019, "An abstract domain for certifying neural networks"
// (POPL), §4.4; ERAN uses these lines. Deviation: ERAN replaces lines that its
// floating-point check rejects, and those of wide or far ranges, by flat ones; here
// they are rounded outward instead.

import "github.com/vouchnn/vouch/nn"

// DeepPolyLines is the Relaxer of DeepPoly and ERAN for S-curves.
//
// Guarantee: sound, rounded outward; the lines' values at u and at l are the
// curve's.
type DeepPolyLines struct{}

// Relax implements Relaxer.
func (DeepPolyLines) Relax(f nn.Elementwise, over Range, _ *Range) (Lines, bool) {
	return relaxArc(f, over, func(a *arc) (up, low line) {
		q := min(a.slopeL, a.slopeU)
		slack := (a.u - a.l) * (lineError*q + slopeFloor) // q may be rounded upward
		if a.u <= 0 {
			up = a.upperChord()
		} else {
			up = line{q, interceptAbove(q, a.u, a.valueU) + slack}
		}
		if a.l >= 0 {
			low = a.lowerChord()
		} else {
			low = line{q, interceptBelow(q, a.l, a.valueL) - slack}
		}
		return up, low
	})
}
