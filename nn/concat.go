package nn

// Concatenation along one axis: ONNX's Concat.

// Concat joins its inputs along Axis.
type Concat struct {
	Axis int // may count from the end
}

// Kind implements Operator.
func (Concat) Kind() string { return "Concat" }

// Params implements Operator.
func (Concat) Params() []*Param { return nil }

// OutShape implements Operator.
func (a Concat) OutShape(in []Shape) (Shape, error) {
	if len(in) == 0 {
		return nil, shapeErrorf(a, "takes at least one input")
	}
	axis, ok := in[0].Axis(a.Axis)
	if !ok {
		return nil, shapeErrorf(a, "%v has no axis %d", in[0], a.Axis)
	}
	out := in[0].Clone()
	for _, s := range in[1:] {
		if len(s) != len(out) || !s[:axis].Equal(out[:axis]) || !s[axis+1:].Equal(out[axis+1:]) {
			return nil, shapeErrorf(a, "%v do not fit along axis %d", in, a.Axis)
		}
		out[axis] += s[axis]
	}
	return out, nil
}

// Forward64 implements Operator.
func (a Concat) Forward64(c *Call[float64]) { concatForward(a, c) }

// Forward32 implements Operator.
func (a Concat) Forward32(c *Call[float32]) { concatForward(a, c) }

// VJP64 implements Operator.
func (a Concat) VJP64(c *Call[float64]) { concatVJP(a, c) }

// VJP32 implements Operator.
func (a Concat) VJP32(c *Call[float32]) { concatVJP(a, c) }

// Magnitude64 implements Affine.
func (a Concat) Magnitude64(c *Call[float64], _ bool) { concatForward(a, c) }

// Rounding implements Affine: elements are only moved.
func (Concat) Rounding([]Shape) (forward, backward int) { return 0, 0 }

func concatForward[T Float](a Concat, c *Call[T]) {
	axis, _ := c.OutShape.Axis(a.Axis)
	width, at := c.OutShape[axis:].Size(), 0
	for k, s := range c.InShapes {
		n := s[axis:].Size()
		for i := range len(c.In[k]) / n {
			copy(c.Out[i*width+at:], c.In[k][i*n:(i+1)*n])
		}
		at += n
	}
}

func concatVJP[T Float](a Concat, c *Call[T]) {
	axis, _ := c.OutShape.Axis(a.Axis)
	width, at := c.OutShape[axis:].Size(), 0
	for k, s := range c.InShapes {
		n := s[axis:].Size()
		if g := c.GradIn[k]; g != nil {
			for i := range len(g) / n {
				addTo(g[i*n:(i+1)*n], c.GradOut[i*width+at:])
			}
		}
		at += n
	}
}
