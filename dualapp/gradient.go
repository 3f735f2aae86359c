package dualapp

// Algorithm 2: under-approximated domains by gradients.
//
// For every pre-activation F, the gradient of F at the centre x0 tells where to
// step: x0 ± a·sign ∇F(x0), a = Step·ε, moved into the region. F at these two
// inputs is the under-approximated domain.
//
// Signs do not depend on the radius and are taken once per centre. For a neuron of
// the first layer, an affine function, the two values are its exact range over the
// box of radius a around x0 within the region, and no gradient is needed (unless the
// region is no box).
//
// Source: Xue et al. 2023, arXiv:2305.00998, Algorithm 2. Deviations: the pair is
// sorted, since a long step may turn it round. The published
// code for dense networks steps by half of the length that it is given.

import (
	"context"
	"slices"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// Gradient finds under-approximated domains by one gradient step for each neuron.
// The zero value is ready to use.
//
// Cost: two forward passes up to a neuron, for each neuron behind the first layer;
// at a new centre, one backward pass for each. Memory: a byte per neuron and input.
type Gradient struct {
	// Step is the length of the step as a fraction of the radius, in (0, 1].
	// Default 0: 0.45, the paper's.
	Step float64
}

// For implements UnderApproximator.
func (g Gradient) For(m *bounds.Model) Estimator {
	if g.Step <= 0 {
		g.Step = 0.45
	}
	p := newPlan(m)
	d := &descender{plan: p, step: min(g.Step, 1), ancestors: make([][]bool, len(p.nodes))}
	for _, i := range p.target {
		d.ancestors[i] = p.ancestors(i)
	}
	return d
}

// descender is Gradient for one network. Immutable.
type descender struct {
	*plan
	step      float64
	ancestors [][]bool // per target
}

// At implements Estimator.
func (d *descender) At(ctx context.Context, center []float64) (Local, error) {
	l := &steppedAt{descender: d, center: center, signs: make([][]int8, len(d.nodes)), eval: newEvaluator(d.plan)}
	return l, l.takeSigns(ctx, func(i int) bool { return !d.prefix[i] })
}

// steppedAt is Gradient around one centre.
type steppedAt struct {
	*descender
	center []float64
	signs  [][]int8 // per target: of its elements' gradients [size × inputs]; nil for the prefix until wanted
	eval   *evaluator
}

// takeSigns notes the signs of the gradients of some targets at the centre.
func (l *steppedAt) takeSigns(ctx context.Context, wanted func(i int) bool) error {
	if !slices.ContainsFunc(l.target, wanted) {
		return nil
	}
	n := l.size[0]
	in := l.eval.room(0, chunk)
	for s := range chunk {
		narrow(in[s*n:(s+1)*n], l.center)
	}
	l.eval.forward(chunk, func(i int) bool { return l.need[i] })
	for _, i := range l.target {
		if !wanted(i) {
			continue
		}
		l.signs[i] = make([]int8, l.size[i]*n)
		for from := 0; from < l.size[i]; from += chunk {
			if err := ctx.Err(); err != nil {
				return err
			}
			l.signsOf(i, from, min(from+chunk, l.size[i]))
		}
	}
	return nil
}

// signsOf notes those of some elements of node i.
func (l *steppedAt) signsOf(i, from, to int) {
	size, n := l.size[i], l.size[0]
	l.eval.grads[i] = resize(l.eval.grads[i], chunk*size)
	clear(l.eval.grads[i])
	for r := range to - from {
		l.eval.grads[i][r*size+from+r] = 1
	}
	grad := l.eval.gradient(i, chunk, l.ancestors[i])
	for k, v := range grad[:(to-from)*n] {
		switch {
		case v > 0:
			l.signs[i][from*n+k] = 1
		case v < 0:
			l.signs[i][from*n+k] = -1
		}
	}
}

// Under implements Local.
func (l *steppedAt) Under(ctx context.Context, region spec.Region) ([]bounds.Interval, error) {
	x := newExtremes(l.plan)
	lower, upper := l.reach(region)
	_, box := region.(spec.Box)
	if box {
		l.affineRanges(x, lower, upper)
	} else if err := l.takeSigns(ctx, func(i int) bool { return l.signs[i] == nil }); err != nil {
		return nil, err
	}
	below, above := make([]float32, l.size[0]), make([]float32, l.size[0])
	narrow(below, lower)
	narrow(above, upper)
	for _, i := range l.target {
		if box && l.prefix[i] {
			continue
		}
		for from := 0; from < l.size[i]; from += chunk / 2 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			l.steps(x, i, from, min(from+chunk/2, l.size[i]), below, above, region, box)
		}
	}
	return x.under, nil
}

// reach is the box of steps around the centre, within the region.
func (l *steppedAt) reach(region spec.Region) (lower, upper []float64) {
	b := region.Box()
	radius := 0.0
	for i, c := range l.center {
		radius = max(radius, b.Upper[i]-c, c-b.Lower[i])
	}
	a := l.step * radius
	lower, upper = make([]float64, len(l.center)), make([]float64, len(l.center))
	for i, c := range l.center {
		lower[i], upper[i] = max(c-a, b.Lower[i]), min(c+a, b.Upper[i])
	}
	return lower, upper
}

// affineRanges is the ranges over the box of the targets in the prefix: centre and
// radius carried forward.
func (l *steppedAt) affineRanges(x *extremes, lower, upper []float64) {
	centre, radius := make([][]float64, len(l.nodes)), make([][]float64, len(l.nodes))
	centre[0], radius[0] = make([]float64, l.size[0]), make([]float64, l.size[0])
	for k, lo := range lower {
		centre[0][k], radius[0][k] = 0.5*lo+0.5*upper[k], 0.5*(upper[k]-lo)
	}
	for i := 1; i < len(l.nodes); i++ {
		if !l.prefix[i] || !l.need[i] {
			continue
		}
		op := l.nodes[i].Op.(nn.Affine)
		c := nn.Call[float64]{Batch: 1, InShapes: l.shapes[i], OutShape: l.nodes[i].Shape}
		r := c
		for _, j := range l.nodes[i].Inputs {
			c.In, r.In = append(c.In, centre[j]), append(r.In, radius[j])
		}
		centre[i], radius[i] = make([]float64, l.size[i]), make([]float64, l.size[i])
		c.Out, r.Out = centre[i], radius[i]
		op.Forward64(&c)
		op.Magnitude64(&r, false)
	}
	for _, i := range l.target {
		if l.prefix[i] {
			for k, v := range centre[i] {
				x.under[i].Lower[k], x.under[i].Upper[k] = v-radius[i][k], v+radius[i][k]
			}
		}
	}
}

// steps evaluates some elements of node i, each at the two ends of its step.
func (l *steppedAt) steps(x *extremes, i, from, to int, below, above []float32, region spec.Region, box bool) {
	n, size, count := l.size[0], l.size[i], to-from
	in := l.eval.room(0, 2*count)
	for r := range count {
		signs := l.signs[i][(from+r)*n : (from+r+1)*n]
		up, down := in[2*r*n:(2*r+1)*n], in[(2*r+1)*n:(2*r+2)*n]
		for k, s := range signs {
			switch {
			case s > 0:
				up[k], down[k] = above[k], below[k]
			case s < 0:
				up[k], down[k] = below[k], above[k]
			default:
				up[k] = float32(l.center[k])
				down[k] = up[k]
			}
		}
		if !box {
			intoRegion(region, up)
			intoRegion(region, down)
		}
	}
	mark := l.ancestors[i]
	l.eval.forward(2*count, func(k int) bool { return mark[k] })
	values := l.eval.values[i]
	for r := range count {
		a, b := float64(values[2*r*size+from+r]), float64(values[(2*r+1)*size+from+r])
		x.under[i].Lower[from+r], x.under[i].Upper[from+r] = min(a, b), max(a, b)
	}
}

func intoRegion(region spec.Region, x []float32) {
	wide := make([]float64, len(x))
	for k, v := range x {
		wide[k] = float64(v)
	}
	region.Project(wide)
	narrow(x, wide)
}
