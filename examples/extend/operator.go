package main

// An operator of one's own: |x|, which the library does not have.
//
// nn.Operator makes it a layer: values, shapes and gradients. nn.Elementwise says
// that it works number by number, and bounds.SelfRelaxer brings the two lines and the
// range that bounds need. Then attacks, bounds, branch and bound and training take it
// like any other.

import (
	"math"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
)

// abs is |x|.
type abs struct{}

var _ bounds.SelfRelaxer = abs{}

// Kind implements nn.Operator.
func (abs) Kind() string { return "Abs" }

// OutShape implements nn.Operator.
func (a abs) OutShape(in []nn.Shape) (nn.Shape, error) {
	if len(in) != 1 {
		return nil, &nn.ShapeError{Detail: "Abs takes one input"}
	}
	return in[0], nil
}

// Params implements nn.Operator.
func (abs) Params() []*nn.Param { return nil }

// Forward64 implements nn.Operator.
func (abs) Forward64(c *nn.Call[float64]) { absForward(c) }

// Forward32 implements nn.Operator.
func (abs) Forward32(c *nn.Call[float32]) { absForward(c) }

// VJP64 implements nn.Operator.
func (abs) VJP64(c *nn.Call[float64]) { absVJP(c) }

// VJP32 implements nn.Operator.
func (abs) VJP32(c *nn.Call[float32]) { absVJP(c) }

func absForward[T nn.Float](c *nn.Call[T]) {
	for i, x := range c.In[0] {
		c.Out[i] = max(x, -x)
	}
}

func absVJP[T nn.Float](c *nn.Call[T]) {
	if c.GradIn[0] == nil {
		return
	}
	for i, x := range c.In[0] {
		if x >= 0 {
			c.GradIn[0][i] += c.GradOut[i]
		} else {
			c.GradIn[0][i] -= c.GradOut[i]
		}
	}
}

// Value implements nn.Elementwise.
func (abs) Value(x float64) float64 { return math.Abs(x) }

// Derivative implements nn.Elementwise.
func (abs) Derivative(x float64) float64 {
	if x >= 0 {
		return 1
	}
	return -1
}

// RelaxLines implements bounds.SelfRelaxer: the chord above, and below the line
// through the kink that leaves the least area. The chord's numbers are rounded, so its
// intercept is raised until it holds at both ends, in exact arithmetic too.
func (abs) RelaxLines(over bounds.Range) bounds.Lines {
	l, u := over.Lower, over.Upper
	switch {
	case l >= 0:
		return bounds.Lines{LowerSlope: 1, UpperSlope: 1}
	case u <= 0:
		return bounds.Lines{LowerSlope: -1, UpperSlope: -1}
	}
	below := 1.0
	if -l > u {
		below = -1
	}
	s := (u + l) / (u - l) // within [−1, 1]: u − s·u and −l − s·l are not negative
	above := 1e-300 + (1+1e-15)*max(u-s*u, -l-s*l)
	return bounds.Lines{LowerSlope: below, UpperSlope: s, UpperIntercept: above + 1e-15*max(u, -l)}
}

// RangeOver implements bounds.SelfRelaxer.
func (abs) RangeOver(over bounds.Range) bounds.Range {
	if over.Lower <= 0 && over.Upper >= 0 {
		return bounds.Range{Lower: 0, Upper: max(-over.Lower, over.Upper)}
	}
	a, b := math.Abs(over.Lower), math.Abs(over.Upper)
	return bounds.Range{Lower: min(a, b), Upper: max(a, b)}
}
