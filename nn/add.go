package nn

// Sums and differences of tensors, as in residual connections: ONNX's Add, Sub
// and Sum with no constant operand. Operands broadcast as in numpy.

// Add is the sum of two or more inputs.
type Add struct{}

// Sub is the first input minus the second.
type Sub struct{}

// Kind implements Operator.
func (Add) Kind() string { return "Add" }

// Kind implements Operator.
func (Sub) Kind() string { return "Sub" }

// Params implements Operator.
func (Add) Params() []*Param { return nil }

// Params implements Operator.
func (Sub) Params() []*Param { return nil }

// OutShape implements Operator.
func (a Add) OutShape(in []Shape) (Shape, error) {
	if len(in) < 2 {
		return nil, shapeErrorf(a, "takes at least two inputs, got %d", len(in))
	}
	return broadcastShapes(a, in)
}

// OutShape implements Operator.
func (a Sub) OutShape(in []Shape) (Shape, error) {
	if len(in) != 2 {
		return nil, shapeErrorf(a, "takes two inputs, got %d", len(in))
	}
	return broadcastShapes(a, in)
}

func broadcastShapes(op Operator, in []Shape) (Shape, error) {
	s := in[0]
	for _, t := range in[1:] {
		var ok bool
		if s, ok = Broadcast(s, t); !ok {
			return nil, shapeErrorf(op, "%v do not broadcast", in)
		}
	}
	return s, nil
}

// Forward64 implements Operator.
func (Add) Forward64(c *Call[float64]) { addForward(assignSum, c) }

// Forward32 implements Operator.
func (Add) Forward32(c *Call[float32]) { addForward(assignSum, c) }

// Forward64 implements Operator.
func (Sub) Forward64(c *Call[float64]) { addForward(assignDifference, c) }

// Forward32 implements Operator.
func (Sub) Forward32(c *Call[float32]) { addForward(assignDifference, c) }

// VJP64 implements Operator.
func (Add) VJP64(c *Call[float64]) { addVJP(reduceAdd, c) }

// VJP32 implements Operator.
func (Add) VJP32(c *Call[float32]) { addVJP(reduceAdd, c) }

// VJP64 implements Operator.
func (Sub) VJP64(c *Call[float64]) { addVJP(reduceSub, c) }

// VJP32 implements Operator.
func (Sub) VJP32(c *Call[float32]) { addVJP(reduceSub, c) }

// Magnitude64 implements Affine.
func (Add) Magnitude64(c *Call[float64], _ bool) { addForward(assignSum, c) }

// Magnitude64 implements Affine.
func (Sub) Magnitude64(c *Call[float64], _ bool) { addForward(assignSum, c) }

// Rounding implements Affine.
func (Add) Rounding(in []Shape) (forward, backward int) { return addRounding(in) }

// Rounding implements Affine.
func (Sub) Rounding(in []Shape) (forward, backward int) { return addRounding(in) }

func addRounding(in []Shape) (forward, backward int) {
	out, _ := broadcastShapes(Add{}, in)
	repeats := 1
	for _, s := range in {
		repeats = max(repeats, out.Size()/s.Size())
	}
	return len(in), repeatRounding(repeats)
}

// addForward combines the first two inputs by op and adds the others.
func addForward[T Float](op combine, c *Call[T]) {
	y := tensor[T]{c.Out, c.OutShape}
	for i := range c.Batch {
		for k := 1; k < len(c.In); k++ {
			left := y.at(i)
			if k == 1 {
				left = tensor[T]{c.In[0], c.InShapes[0]}.at(i)
			}
			broadcast(op, y.at(i), left, tensor[T]{c.In[k], c.InShapes[k]}.at(i))
		}
	}
}

// addVJP adds GradOut to the first input's gradient and reduces it into the
// others' by op.
func addVJP[T Float](op combine, c *Call[T]) {
	y := tensor[T]{c.GradOut, c.OutShape}
	for k, g := range c.GradIn {
		if g == nil {
			continue
		}
		x, how := tensor[T]{g, c.InShapes[k]}, op
		if k == 0 {
			how = reduceAdd
		}
		for i := range c.Batch {
			broadcast(how, y.at(i), x.at(i), x.at(i))
		}
	}
}
