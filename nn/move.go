package nn

// Moving elements about, shared by Slice, Transpose, Gather and Pad.
//
// All of these fill an output whose element at (i₀, i₁, ...) comes from the
// input offset f₀(i₀) + f₁(i₁) + ..., where some fₖ(i) may say "from nowhere"
// (padding). For an input shape this becomes a list of runs: n elements from
// src on, step apart, to consecutive elements from dst on. Runs are as long as
// the pattern allows, so that a slice of outer axes is a few big copies. The
// list of the last shape seen is kept.

import (
	"fmt"
	"sync/atomic"
)

// nowhere is the source of an element that no input element goes to.
const nowhere = -1

// layout is an output shape and where its elements come from: source(axis, i)
// is the part of the input offset that index i of that axis of dims adds.
type layout struct {
	out     Shape
	dims    Shape // out, or another shape of the same elements
	source  func(axis, i int) int
	repeats int // the most outputs that one input goes to
}

// mover is the common part of the operators that move elements.
type mover struct {
	kind   string
	layout func(in Shape) (layout, error)
	value  float64 // of elements from nowhere
	plan   atomic.Pointer[movePlan]
}

type run struct{ dst, src, n, step int32 }

type movePlan struct {
	in      Shape
	runs    []run
	holes   bool // some elements come from nowhere
	repeats int  // the most outputs that one input goes to
}

// Kind implements Operator.
func (m *mover) Kind() string { return m.kind }

// Params implements Operator.
func (m *mover) Params() []*Param { return nil }

// OutShape implements Operator.
func (m *mover) OutShape(in []Shape) (Shape, error) {
	if len(in) != 1 {
		return nil, m.shapeError("takes one input, got %d", len(in))
	}
	l, err := m.layout(in[0])
	if err != nil {
		return nil, err
	}
	for _, d := range l.out {
		if d <= 0 {
			return nil, m.shapeError("nothing is left of %v", in[0])
		}
	}
	return l.out, nil
}

func (m *mover) shapeError(format string, args ...any) error {
	return &ShapeError{Op: m.kind, Detail: fmt.Sprintf(format, args...)}
}

// planFor is the plan for inputs of the given shape.
// Precondition: OutShape accepts it.
func (m *mover) planFor(in Shape) *movePlan {
	if p := m.plan.Load(); p != nil && p.in.Equal(in) {
		return p
	}
	l, err := m.layout(in)
	if err != nil {
		panic("nn: " + err.Error())
	}
	p := &movePlan{in: in.Clone(), repeats: l.repeats}
	p.add(l, 0, 0, 0)
	covered := 0
	for _, r := range p.runs {
		covered += int(r.n)
	}
	p.holes = covered < l.out.Size()
	m.plan.Store(p)
	return p
}

// add appends the runs of the block of axes from axis on that starts at
// dst and whose outer axes put it at src.
func (p *movePlan) add(l layout, axis, dst, src int) {
	if axis == len(l.dims) {
		p.append(int32(dst), int32(src))
		return
	}
	inner := l.dims[axis+1:].Size()
	for i := range l.dims[axis] {
		if off := l.source(axis, i); off != nowhere {
			p.add(l, axis+1, dst+i*inner, src+off)
		}
	}
}

// append adds the move of one element, to the last run if it continues it.
func (p *movePlan) append(dst, src int32) {
	if k := len(p.runs) - 1; k >= 0 && p.runs[k].dst+p.runs[k].n == dst {
		r := &p.runs[k]
		if r.n == 1 {
			r.step = src - r.src
		}
		if r.src+r.n*r.step == src {
			r.n++
			return
		}
	}
	p.runs = append(p.runs, run{dst, src, 1, 1})
}

// strides is the offset between neighbours along each axis of s.
func strides(s Shape) []int {
	st, n := make([]int, len(s)), 1
	for i := len(s) - 1; i >= 0; i-- {
		st[i] = n
		n *= s[i]
	}
	return st
}

// Forward64 implements Operator.
func (m *mover) Forward64(c *Call[float64]) { moveForward(m, c, m.value) }

// Forward32 implements Operator.
func (m *mover) Forward32(c *Call[float32]) { moveForward(m, c, float32(m.value)) }

// VJP64 implements Operator.
func (m *mover) VJP64(c *Call[float64]) { moveVJP(m, c) }

// VJP32 implements Operator.
func (m *mover) VJP32(c *Call[float32]) { moveVJP(m, c) }

// Magnitude64 implements Affine.
func (m *mover) Magnitude64(c *Call[float64], bias bool) {
	v := 0.0
	if bias {
		v = max(m.value, -m.value)
	}
	moveForward(m, c, v)
}

// Rounding implements Affine: none, unless an element goes to several outputs
// and their gradients are added up.
func (m *mover) Rounding(in []Shape) (forward, backward int) {
	return 0, repeatRounding(m.planFor(in[0]).repeats)
}

func moveForward[T Float](m *mover, c *Call[T], value T) {
	p := m.planFor(c.InShapes[0])
	if p.holes {
		for i := range c.Out {
			c.Out[i] = value
		}
	}
	nIn, nOut := p.in.Size(), c.OutShape.Size()
	for b := range c.Batch {
		in, out := c.In[0][b*nIn:(b+1)*nIn], c.Out[b*nOut:(b+1)*nOut]
		for _, r := range p.runs {
			dst := out[r.dst : r.dst+r.n]
			if r.step == 1 {
				copy(dst, in[r.src:r.src+r.n])
				continue
			}
			at := r.src
			for i := range dst {
				dst[i] = in[at]
				at += r.step
			}
		}
	}
}

func moveVJP[T Float](m *mover, c *Call[T]) {
	if c.GradIn[0] == nil {
		return
	}
	p := m.planFor(c.InShapes[0])
	nIn, nOut := p.in.Size(), c.OutShape.Size()
	for b := range c.Batch {
		dst, g := c.GradIn[0][b*nIn:(b+1)*nIn], c.GradOut[b*nOut:(b+1)*nOut]
		for _, r := range p.runs {
			src := g[r.dst : r.dst+r.n]
			if r.step == 1 {
				addTo(dst[r.src:r.src+r.n], src)
				continue
			}
			at := r.src
			for _, v := range src {
				dst[at] += v
				at += r.step
			}
		}
	}
}
