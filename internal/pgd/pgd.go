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
// Run is the descent alone, for losses that see more of a network than its
// output; Searcher is Run on losses of the output. Violation is the loss of a
// search for counterexamples, Replayer checks what such a search has found.
//
// Source: Madry et al. 2018, arXiv:1706.06083, §2.1. Deviation: the step is
// relative to each dimension's width, since boxes of control problems are far
// from cubes; Sign has the paper's, Raw steps along the gradient itself.
package pgd

import (
	"context"
	"math"
	"sync/atomic"

	"github.com/vouchnn/vouch/internal/parallel"
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
	// Step is how a size becomes a step. With Sign and Raw, First and Last are
	// lengths in units of the input, not fractions of a box's width.
	Step Step
}

// Step is a rule that turns a gradient and a size into a step.
type Step int

// The rules.
const (
	// Relative moves by the size times the box's width against the sign.
	Relative Step = iota
	// Sign moves by the size against the sign.
	Sign
	// Raw moves by the size times the gradient.
	Raw
)

// Run moves the batch's points against the gradients that slope computes at
// b.X, [points × input size], which it may use as long as it wants. Before each
// step and, with last set, after the last, slope is called; its second result
// ends the descent at once. Run reports whether that happened, and at how many
// of the starting points there was no slope at all.
func Run(ctx context.Context, b *Batch, plan Schedule, slope func(last bool) (grad []float32, end bool)) (ended bool, flat int) {
	size, decay := plan.First, geometric(plan)
	n := len(b.X) / max(b.Points, 1)
	for step := 0; ; step++ {
		if ctx.Err() != nil {
			return false, flat
		}
		grad, end := slope(step == plan.Steps)
		if end {
			return true, flat
		}
		if step == plan.Steps {
			return false, flat
		}
		var still atomic.Int64
		parallel.For(b.Points, 1+(1<<14)/max(n, 1), func(lo, hi int) {
			for p := lo; p < hi; p++ {
				from, to := p*n, (p+1)*n
				if !move(b.X[from:to], grad[from:to], b.Lower[from:to], b.Upper[from:to], size, plan.Step, b.Project == nil) {
					still.Add(1)
				}
			}
		})
		if step == 0 {
			flat = int(still.Load())
		}
		if b.Project != nil {
			for p := range b.Points {
				b.Project(p, b.X[p*n:(p+1)*n])
			}
		}
		size *= decay
	}
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
	ended, flat := Run(ctx, b, plan, func(last bool) ([]float32, bool) {
		clear(s.gradX)
		clear(s.gradY)
		y := s.eval.Forward(b.X, b.Points)
		for p := range b.Points {
			xp, yp := b.X[p*n:(p+1)*n], y[p*m:(p+1)*m]
			v := loss(p, xp, yp, s.gradX[p*n:(p+1)*n], s.gradY[p*m:(p+1)*m])
			if found(p, xp, yp, v) {
				return nil, true
			}
		}
		if last {
			return nil, false
		}
		for i, v := range s.eval.Backward(s.gradY, nil) {
			s.gradX[i] += v
		}
		return s.gradX, false
	})
	s.flat = flat
	return ended
}

// move takes one step against the gradient g inside the box: by size times the
// box's width in each dimension against the sign of g, or by size alone, or by
// size times g; or, for regions with round corners, in proportion to g, by that
// much where it is largest. It reports whether there was a slope.
func move(x, g, lower, upper []float32, size float32, rule Step, signs bool) bool {
	largest := float32(0)
	for _, v := range g {
		largest = max(largest, v, -v)
	}
	if largest == 0 {
		return false
	}
	for i, v := range g {
		step := size
		if rule == Relative {
			step *= upper[i] - lower[i]
		}
		switch {
		case rule == Raw:
			step *= v
		case !signs:
			step *= v / largest
		case v == 0:
			continue
		default: // the sign of v, without a branch that nobody can predict
			step = math.Float32frombits(math.Float32bits(step) | math.Float32bits(v)&(1<<31))
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
