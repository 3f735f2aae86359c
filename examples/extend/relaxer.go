package main

// A relaxation of one's own: two parallel lines around ReLU, as Fast-Lin has them
// (Weng et al. 2018, arXiv:1804.09699), in place of CROWN's choice of the lower one.
//
// A bounds.Relaxer sees a neuron's range and answers with two lines, or declines. The
// lines have to enclose the activation over the range; nothing else is asked.

import (
	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
)

// parallel gives the lower line the slope of the upper one.
type parallel struct{}

var _ bounds.Relaxer = parallel{}

// Relax implements bounds.Relaxer.
func (parallel) Relax(f nn.Elementwise, over bounds.Range, _ *bounds.Range) (bounds.Lines, bool) {
	if _, ok := f.(nn.ReLU); !ok || over.Lower >= 0 || over.Upper <= 0 {
		return bounds.Lines{}, false // nothing to choose: the library's lines
	}
	lines := bounds.Relax(f, over)
	// Through the kink, with a slope in [0, 1]: below ReLU everywhere.
	lines.LowerSlope, lines.LowerIntercept = min(1, lines.UpperSlope), 0
	return lines, true
}
