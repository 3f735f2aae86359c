package qnn

import (
	"math"

	"github.com/vouchnn/vouch/spec"
)

// Regions of integer inputs.
//
// A query's region is a spec.Region; what counts are its integer points within
// the input range. Bounds are taken over a real superset: the region itself
// intersected with a box of integers, which branch and bound shrinks at its
// leaves. All that bounds need of it is the greatest value of a linear function
// (its support): for an L∞ ball a choice of an end for each input, for the
// others the methods of spec.Ball (dual norm, knapsack, the r largest effects),
// which round outward.

// region is a set of inputs within a box.
type region struct {
	low, high []float64   // integers
	ends      []float64   // high[0], low[0], high[1], low[1], ...
	ball      spec.Region // nil: the box alone
	center    []float64   // of the ball
}

// newRegion intersects r with the network's input range. ok is false if no
// integer is left in some dimension.
func newRegion(r spec.Region, input Config) (out *region, ok bool) {
	box := r.Box()
	out = &region{low: make([]float64, r.Dim()), high: make([]float64, r.Dim())}
	for i := range out.low {
		out.low[i] = max(math.Ceil(box.Lower[i]), float64(input.Min()))
		out.high[i] = min(math.Floor(box.Upper[i]), float64(input.Max()))
		if out.low[i] > out.high[i] {
			return nil, false
		}
	}
	switch b := r.(type) {
	case spec.Box:
	case *spec.Ball:
		out.center = b.Center
		if b.Norm != spec.LInf {
			out.ball = r
		}
	default:
		out.ball = r
	}
	out.pair()
	return out, true
}

func (r *region) pair() {
	r.ends = make([]float64, 2*len(r.low))
	for i := range r.low {
		r.ends[2*i], r.ends[2*i+1] = r.high[i], r.low[i]
	}
}

// within is r with narrower bounds of one input. ok is false if r has no point
// left there.
func (r *region) within(i int, low, high float64) (out *region, ok bool) {
	out = &region{ball: r.ball, center: r.center}
	out.low, out.high = append([]float64(nil), r.low...), append([]float64(nil), r.high...)
	out.low[i], out.high[i] = low, high
	out.pair()
	ball, isBall := r.ball.(*spec.Ball)
	if !isBall {
		return out, true
	}
	clipped, err := spec.NewBall(ball.Norm, ball.Center, ball.Radius, &spec.Box{Lower: out.low, Upper: out.high})
	if err != nil {
		return nil, false // no point of the box lies in the ball
	}
	out.ball = clipped
	box := clipped.Box()
	for k := range out.low {
		out.low[k] = max(out.low[k], math.Ceil(box.Lower[k]))
		out.high[k] = min(out.high[k], math.Floor(box.Upper[k]))
		if out.low[k] > out.high[k] {
			return nil, false
		}
	}
	out.pair()
	return out, true
}

// support returns the greatest value of c·x, up to the rounding of a sum, and
// overwrites x with a point that attains it, or nearly. neg has x's length.
func (r *region) support(c, x, neg []float64) float64 {
	if r.ball != nil {
		return r.ballSupport(c, x, neg)
	}
	sum0, sum1 := 0.0, 0.0
	ends := r.ends
	n := len(c)
	x, ends = x[:n], ends[:2*n]
	i := 0
	for ; i+1 < n; i += 2 {
		c0, c1 := c[i], c[i+1]
		e0 := ends[2*i+int(math.Float64bits(c0)>>63)]
		e1 := ends[2*i+2+int(math.Float64bits(c1)>>63)]
		x[i], x[i+1] = e0, e1
		sum0 += c0 * e0
		sum1 += c1 * e1
	}
	if i < n {
		e := ends[2*i+int(math.Float64bits(c[i])>>63)]
		x[i] = e
		sum0 += c[i] * e
	}
	return sum0 + sum1
}

func (r *region) ballSupport(c, x, neg []float64) float64 {
	box := 0.0
	for i, v := range c {
		neg[i] = -v
		box += max(v*r.low[i], v*r.high[i])
	}
	r.ball.Minimizer(neg, x)
	for i := range x {
		x[i] = min(max(r.towardCenter(i, x[i]), r.low[i]), r.high[i])
	}
	return min(-r.ball.MinLinear(neg), box)
}

// towardCenter rounds a coordinate to the integer that is nearer to the centre.
func (r *region) towardCenter(i int, v float64) float64 {
	if v == math.Trunc(v) {
		return v
	}
	if r.center != nil && r.center[i] > v {
		return math.Ceil(v)
	}
	return math.Floor(v)
}

// point reports whether a single point is left.
func (r *region) point() bool {
	for i := range r.low {
		if r.low[i] != r.high[i] {
			return false
		}
	}
	return true
}

// widest is the input with the widest range, weighted.
func (r *region) widest(weight []float64) int {
	best, score := -1, -1.0
	for i := range r.low {
		if w := r.high[i] - r.low[i]; w > 0 && w*(1+weight[i]) > score {
			best, score = i, w*(1+weight[i])
		}
	}
	return best
}

// contains reports whether a point of integers within the box lies in the
// region.
func (r *region) contains(x []float64) bool { return r.ball == nil || r.ball.Contains(x) }
