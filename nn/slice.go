package nn

// Strided slices: ONNX's Slice.
//
// As in ONNX, starts and ends may count from the end of their axis and are
// clamped to it, and a negative step walks backwards; an end below −size then
// means "through the first element".

import (
	"math"
	"slices"
)

// Slice takes every step-th element from start up to end along some axes.
type Slice struct {
	mover
	starts, ends, axes, steps []int
}

// NewSlice makes a slice. axes may be nil (the first len(starts) axes), steps
// may be nil (1 each); axes may count from the end.
// Errors: *ValueError.
func NewSlice(starts, ends, axes, steps []int) (*Slice, error) {
	n := len(starts)
	if len(ends) != n || (axes != nil && len(axes) != n) || (steps != nil && len(steps) != n) {
		return nil, valueErrorf("Slice", "starts %v, ends %v, axes %v, steps %v differ in length", starts, ends, axes, steps)
	}
	s := &Slice{starts: slices.Clone(starts), ends: slices.Clone(ends), axes: slices.Clone(axes), steps: slices.Clone(steps)}
	for i := range n {
		if axes == nil {
			s.axes = append(s.axes, i)
		}
		if steps == nil {
			s.steps = append(s.steps, 1)
		}
		if s.steps[i] == 0 {
			return nil, valueErrorf("Slice", "step of axis %d is 0", s.axes[i])
		}
	}
	s.kind, s.mover.layout = "Slice", s.arrange
	return s, nil
}

// Ranges is the attributes with defaults filled in. The caller must not change
// them.
func (s *Slice) Ranges() (starts, ends, axes, steps []int) {
	return s.starts, s.ends, s.axes, s.steps
}

func (s *Slice) arrange(in Shape) (layout, error) {
	if _, ok := markAxes(s.axes, len(in)); !ok {
		return layout{}, s.shapeError("axes %v of %v", s.axes, in)
	}
	out, st := in.Clone(), strides(in)
	first, step := make([]int, len(in)), slices.Clone(st)
	for i, a := range s.axes {
		axis, _ := in.Axis(a)
		start, count := sliceRange(s.starts[i], s.ends[i], s.steps[i], in[axis])
		out[axis], first[axis] = count, start*st[axis]
		if count > 1 { // else the step may be huge
			step[axis] = s.steps[i] * st[axis]
		}
	}
	return layout{out: out, dims: out, repeats: 1, source: func(axis, i int) int { return first[axis] + i*step[axis] }}, nil
}

// sliceRange is the first index and the number of indices that ONNX's Slice
// takes from an axis of n elements.
func sliceRange(start, end, step, n int) (first, count int) {
	low, high := 0, n
	if step < 0 {
		low, high = -1, n-1
	}
	start, end = clampIndex(start, n, max(low, 0), high), clampIndex(end, n, low, high)
	if step > 0 && start < end {
		return start, (end-start-1)/step + 1
	}
	if step < 0 && start > end {
		return start, (start-end-1)/-max(step, -math.MaxInt) + 1
	}
	return start, 0
}

func clampIndex(i, n, low, high int) int {
	if i < 0 {
		i += n
	}
	return min(max(i, low), high)
}
