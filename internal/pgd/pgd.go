// Package pgd is projected gradient descent on the input of a network, many
// points at a time: the attack behind package bab's search for
// counterexamples and package train's adversarial losses.
//
// Every point has its own box and its own loss. A step moves each coordinate
// by a fraction of the box's width against the sign of the gradient and
// clamps it to the box (in a ball that is not a box: along the gradient, and
// projects); the fraction falls over the steps. The network runs in
// float32, one forward and one backward pass per step for the whole batch.
//
// Source: Madry et al. 2018, arXiv:1706.06083, §2.1. Deviation: the step is
// relative to each dimension's width, since boxes of control problems are far
// from cubes.
package pgd

import (
	"context"
	"math"

	"github.com/vouchnn/vouch/nn"
)

// Loss tells the value to be minimised at one point and its gradient.
// gradX and gradY come zeroed and are to be added to. Called for one point
// after the other, so it need not be safe for concurrent use.
type Loss func(point int, x, y, gradX, gradY []float32) float32

// Batch is points under attack, with one box each. All slices are
// [points × input size].
type Batch struct {
	Points       int
	X            []float32 // current points, overwritten
	Lower, Upper []float32
	// Project, if not nil, moves a point of the box to one of the region that
	// the box surrounds.
	Project func(point int, x []float32)
}

// Schedule is the budget of one descent.
type Schedule struct {
	Steps int     // gradient steps
	First float32 // step size as a fraction of the box's width, at the start
	Last  float32 // and at the end; geometric in between
}

// Searcher owns the buffers of a descent. Not safe for concurrent use.
type Searcher struct {
	eval         *nn.Evaluator[float32]
	inputs       int
	outputs      int
	gradX, gradY []float32
	flat         int
}

// Flat is at how many of its starting points the last descent found no slope
// at all.
func (s *Searcher) Flat() int { return s.flat }

// NewSearcher prepares descents on net.
func NewSearcher(net nn.Network) *Searcher {
	return &Searcher{
		eval: nn.NewEvaluator[float32](net), inputs: nn.InputShape(net).Size(), outputs: nn.OutputShape(net).Size(),
	}
}

// Descend moves the batch's points down the loss. Before each step and after
// the last, found is called for every point with its index, input, output and
// loss; if it returns true the descent ends at once with true.
func (s *Searcher) Descend(ctx context.Context, b *Batch, loss Loss, plan Schedule, found func(point int, x, y []float32, value float32) bool) bool {
	n, m := s.inputs, s.outputs
	s.gradX, s.gradY = grow(s.gradX, b.Points*n), grow(s.gradY, b.Points*m)
	s.flat = 0
	size := plan.First
	decay := geometric(plan)
	for step := 0; ; step++ {
		if ctx.Err() != nil {
			return false
		}
		clear(s.gradX)
		clear(s.gradY)
		y := s.eval.Forward(b.X, b.Points)
		for p := range b.Points {
			xp, yp := b.X[p*n:(p+1)*n], y[p*m:(p+1)*m]
			v := loss(p, xp, yp, s.gradX[p*n:(p+1)*n], s.gradY[p*m:(p+1)*m])
			if found(p, xp, yp, v) {
				return true
			}
		}
		if step == plan.Steps {
			return false
		}
		g := s.eval.Backward(s.gradY, nil)
		for i, v := range g {
			s.gradX[i] += v
		}
		for p := range b.Points {
			from, to := p*n, (p+1)*n
			if !move(b.X[from:to], s.gradX[from:to], b.Lower[from:to], b.Upper[from:to], size, b.Project == nil) && step == 0 {
				s.flat++
			}
			if b.Project != nil {
				b.Project(p, b.X[from:to])
			}
		}
		size *= decay
	}
}

// move takes one step against the gradient g inside the box: by size times the
// box's width in each dimension against the sign of g, or, for regions with
// round corners, in proportion to g, by that much where it is largest. It
// reports whether there was a slope.
func move(x, g, lower, upper []float32, size float32, signs bool) bool {
	largest := float32(0)
	for _, v := range g {
		largest = max(largest, v, -v)
	}
	if largest == 0 {
		return false
	}
	for i, v := range g {
		step := size * (upper[i] - lower[i])
		switch {
		case !signs:
			step *= v / largest
		case v < 0:
			step = -step
		case v == 0:
			continue
		}
		if to := x[i] - step; to == to { // not for a NaN
			x[i] = min(max(to, lower[i]), upper[i])
		}
	}
	return true
}

// geometric is the factor per step that leads from First to Last.
func geometric(p Schedule) float32 {
	if p.Steps < 2 || p.First <= 0 || p.Last <= 0 {
		return 1
	}
	return float32(math.Pow(float64(p.Last/p.First), 1/float64(p.Steps-1)))
}

func grow(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	return s[:n]
}
