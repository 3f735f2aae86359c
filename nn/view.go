package nn

// Views: operators that only give a tensor another shape. ONNX's Flatten,
// Reshape, Squeeze, Unsqueeze and Identity (as which Dropout is read too).
// Elements keep their order, so that all of them are plain copies.

import "slices"

// Identity passes its input on.
type Identity struct{ view }

// Flatten makes two axes of all: those before Axis, and the others.
type Flatten struct {
	view
	Axis int // in [−rank, rank]; negative counts from the end
}

// Reshape gives its input another shape of the same size.
type Reshape struct {
	view
	target Shape
}

// Squeeze drops axes of size 1.
type Squeeze struct {
	view
	axes []int
}

// Unsqueeze inserts axes of size 1.
type Unsqueeze struct {
	view
	axes []int
}

// NewReshape makes a reshape to target, in which one −1 stands for what is
// left over and 0 for the size of the input's axis at that place.
func NewReshape(target Shape) *Reshape { return &Reshape{target: target.Clone()} }

// NewSqueeze makes an operator that drops the given axes, which may count from
// the end, or without axes all of size 1.
func NewSqueeze(axes []int) *Squeeze { return &Squeeze{axes: slices.Clone(axes)} }

// NewUnsqueeze makes an operator that inserts the given axes. They are axes of
// the output and may count from its end.
func NewUnsqueeze(axes []int) *Unsqueeze { return &Unsqueeze{axes: slices.Clone(axes)} }

// Target is the shape as given to NewReshape. The caller must not change it.
func (r *Reshape) Target() Shape { return r.target }

// Axes is the axes as given to NewSqueeze. The caller must not change them.
func (s *Squeeze) Axes() []int { return s.axes }

// Axes is the axes as given to NewUnsqueeze. The caller must not change them.
func (u *Unsqueeze) Axes() []int { return u.axes }

// Kind implements Operator.
func (Identity) Kind() string { return "Identity" }

// Kind implements Operator.
func (Flatten) Kind() string { return "Flatten" }

// Kind implements Operator.
func (*Reshape) Kind() string { return "Reshape" }

// Kind implements Operator.
func (*Squeeze) Kind() string { return "Squeeze" }

// Kind implements Operator.
func (*Unsqueeze) Kind() string { return "Unsqueeze" }

// OutShape implements Operator.
func (i Identity) OutShape(in []Shape) (Shape, error) { return sameShape(i, in) }

// OutShape implements Operator.
func (f Flatten) OutShape(in []Shape) (Shape, error) {
	s, err := sameShape(f, in)
	if err != nil {
		return nil, err
	}
	axis := f.Axis
	if axis < 0 {
		axis += len(s)
	}
	if axis < 0 || axis > len(s) {
		return nil, shapeErrorf(f, "%v has no axis %d", s, f.Axis)
	}
	return Shape{s[:axis].Size(), s[axis:].Size()}, nil
}

// OutShape implements Operator.
func (r *Reshape) OutShape(in []Shape) (Shape, error) {
	s, err := sameShape(r, in)
	if err != nil {
		return nil, err
	}
	out, free := r.target.Clone(), -1
	for i, d := range out {
		switch {
		case d == 0 && i < len(s):
			out[i] = s[i]
		case d == -1 && free < 0:
			free, out[i] = i, 1
		case d <= 0:
			return nil, shapeErrorf(r, "target %v for an input of %v", r.target, s)
		}
	}
	if n := out.Size(); free >= 0 && n > 0 && s.Size()%n == 0 {
		out[free] = s.Size() / n
	}
	if out.Size() != s.Size() {
		return nil, shapeErrorf(r, "target %v for an input of %v", r.target, s)
	}
	return out, nil
}

// OutShape implements Operator.
func (s *Squeeze) OutShape(in []Shape) (Shape, error) {
	shape, err := sameShape(s, in)
	if err != nil {
		return nil, err
	}
	drop, ok := markAxes(s.axes, len(shape))
	if !ok {
		return nil, shapeErrorf(s, "axes %v of %v", s.axes, shape)
	}
	out := Shape{}
	for i, d := range shape {
		switch {
		case drop[i] && d != 1:
			return nil, shapeErrorf(s, "axis %d of %v does not have size 1", i, shape)
		case drop[i], d == 1 && len(s.axes) == 0:
		default:
			out = append(out, d)
		}
	}
	return out, nil
}

// OutShape implements Operator.
func (u *Unsqueeze) OutShape(in []Shape) (Shape, error) {
	s, err := sameShape(u, in)
	if err != nil {
		return nil, err
	}
	added, ok := markAxes(u.axes, len(s)+len(u.axes))
	if !ok {
		return nil, shapeErrorf(u, "axes %v for an input of %v", u.axes, s)
	}
	out := make(Shape, 0, len(added))
	for _, add := range added {
		if add {
			out = append(out, 1)
		} else {
			out, s = append(out, s[0]), s[1:]
		}
	}
	return out, nil
}

// markAxes is which of rank axes are listed, or false if one does not exist or
// is listed twice.
func markAxes(axes []int, rank int) ([]bool, bool) {
	marked := make([]bool, rank)
	for _, a := range axes {
		if a < 0 {
			a += rank
		}
		if a < 0 || a >= rank || marked[a] {
			return nil, false
		}
		marked[a] = true
	}
	return marked, true
}

// view is what all views have in common.
type view struct{}

// Params implements Operator.
func (view) Params() []*Param { return nil }

// Forward64 implements Operator.
func (view) Forward64(c *Call[float64]) { copy(c.Out, c.In[0]) }

// Forward32 implements Operator.
func (view) Forward32(c *Call[float32]) { copy(c.Out, c.In[0]) }

// VJP64 implements Operator.
func (view) VJP64(c *Call[float64]) { addTo(c.GradIn[0], c.GradOut) }

// VJP32 implements Operator.
func (view) VJP32(c *Call[float32]) { addTo(c.GradIn[0], c.GradOut) }

// Magnitude64 implements Affine.
func (view) Magnitude64(c *Call[float64], _ bool) { copy(c.Out, c.In[0]) }

// Rounding implements Affine: elements are only moved.
func (view) Rounding([]Shape) (forward, backward int) { return 0, 0 }

// addTo adds src to dst unless dst is nil.
func addTo[T Float](dst, src []T) {
	if dst == nil {
		return
	}
	src = src[:len(dst)]
	for i := range dst {
		dst[i] += src[i]
	}
}

// isView reports whether op only changes the shape.
func isView(op Operator) bool {
	switch op.(type) {
	case Identity, Flatten, *Reshape, *Squeeze, *Unsqueeze:
		return true
	}
	return false
}
