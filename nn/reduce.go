package nn

// Sums and means over axes: ONNX's ReduceSum and ReduceMean. A reduction is the
// transpose of a broadcast, and is computed by the same loops.

import (
	"fmt"
	"slices"
	"sync/atomic"
)

// ReduceKind is what a Reduce computes.
type ReduceKind int

// The reductions.
const (
	ReduceSum ReduceKind = iota
	ReduceMean
)

// String is the reduction's name in ONNX.
func (k ReduceKind) String() string {
	switch k {
	case ReduceSum:
		return "ReduceSum"
	case ReduceMean:
		return "ReduceMean"
	}
	return fmt.Sprintf("ReduceKind(%d)", int(k))
}

// Reduce is the sum or mean over some axes.
type Reduce struct {
	kind     ReduceKind
	axes     []int
	keepDims bool
	plan     atomic.Pointer[reducePlan]
}

// reducePlan is the output's shape with the reduced axes kept at size 1.
type reducePlan struct{ in, kept Shape }

// NewReduce makes a reduction over axes, which may count from the end; none
// stands for all. With keepDims reduced axes stay, with size 1.
// Errors: *UnsupportedError.
func NewReduce(kind ReduceKind, axes []int, keepDims bool) (*Reduce, error) {
	if kind != ReduceSum && kind != ReduceMean {
		return nil, &UnsupportedError{Op: kind.String()}
	}
	return &Reduce{kind: kind, axes: slices.Clone(axes), keepDims: keepDims}, nil
}

// Kind implements Operator: "ReduceSum" or "ReduceMean".
func (r *Reduce) Kind() string { return r.kind.String() }

// Reduction is what is computed.
func (r *Reduce) Reduction() ReduceKind { return r.kind }

// Axes is the axes as given. The caller must not change them.
func (r *Reduce) Axes() []int { return r.axes }

// KeepDims reports whether reduced axes stay.
func (r *Reduce) KeepDims() bool { return r.keepDims }

// Params implements Operator.
func (*Reduce) Params() []*Param { return nil }

// OutShape implements Operator.
func (r *Reduce) OutShape(in []Shape) (Shape, error) {
	if len(in) != 1 {
		return nil, shapeErrorf(r, "takes one input, got %d", len(in))
	}
	gone, ok := markAxes(r.axes, len(in[0]))
	if !ok {
		return nil, shapeErrorf(r, "axes %v of %v", r.axes, in[0])
	}
	out := Shape{}
	for i, d := range in[0] {
		switch {
		case !gone[i] && len(r.axes) > 0:
			out = append(out, d)
		case r.keepDims:
			out = append(out, 1)
		}
	}
	return out, nil
}

// keptShape is the output's shape as if axes were kept.
func (r *Reduce) keptShape(in Shape) Shape {
	if p := r.plan.Load(); p != nil && p.in.Equal(in) {
		return p.kept
	}
	p := &reducePlan{in.Clone(), in.Clone()}
	gone, _ := markAxes(r.axes, len(in))
	for i := range in {
		if gone[i] || len(r.axes) == 0 {
			p.kept[i] = 1
		}
	}
	r.plan.Store(p)
	return p.kept
}

// Forward64 implements Operator.
func (r *Reduce) Forward64(c *Call[float64]) { reduceForward(r, c) }

// Forward32 implements Operator.
func (r *Reduce) Forward32(c *Call[float32]) { reduceForward(r, c) }

// VJP64 implements Operator.
func (r *Reduce) VJP64(c *Call[float64]) { reduceVJP(r, c) }

// VJP32 implements Operator.
func (r *Reduce) VJP32(c *Call[float32]) { reduceVJP(r, c) }

// Magnitude64 implements Affine.
func (r *Reduce) Magnitude64(c *Call[float64], _ bool) { reduceForward(r, c) }

// Rounding implements Affine.
func (r *Reduce) Rounding(in []Shape) (forward, backward int) {
	n := in[0].Size() / r.keptShape(in[0]).Size()
	if r.kind == ReduceSum {
		return repeatRounding(n), 0
	}
	return n + 2, 2
}

func reduceForward[T Float](r *Reduce, c *Call[T]) {
	kept := r.keptShape(c.InShapes[0])
	x, y := tensor[T]{c.In[0], c.InShapes[0]}, tensor[T]{c.Out, kept}
	clear(c.Out)
	for i := range c.Batch {
		broadcast(reduceAdd, x.at(i), y.at(i), y.at(i))
	}
	if r.kind == ReduceMean {
		n := T(c.InShapes[0].Size() / kept.Size())
		for i := range c.Out {
			c.Out[i] /= n
		}
	}
}

func reduceVJP[T Float](r *Reduce, c *Call[T]) {
	if c.GradIn[0] == nil {
		return
	}
	kept := r.keptShape(c.InShapes[0])
	x, g := tensor[T]{c.GradIn[0], c.InShapes[0]}, tensor[T]{c.GradOut, kept}
	n := T(1)
	if r.kind == ReduceMean {
		n = T(c.InShapes[0].Size() / kept.Size())
	}
	divisor := tensor[T]{data: []T{n}}
	for i := range c.Batch {
		broadcast(addQuotient, x.at(i), g.at(i), divisor)
	}
}
