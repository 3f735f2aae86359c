package nn

// Constants: an operator without inputs, for outputs that do not depend on the
// network's input and for sums with computed constants.

import "slices"

// Constant is a fixed tensor. Like the constant of ConstArith it is not a
// parameter.
type Constant struct {
	shape Shape
	v64   []float64
	v32   []float32
}

// NewConstant makes a constant. It takes the slice over.
// Errors: *ShapeError, *ValueError for an infinite or NaN number or one beyond
// float32.
func NewConstant(value []float64, shape Shape) (*Constant, error) {
	if err := checkConstant("Constant", value, shape); err != nil {
		return nil, err
	}
	k := &Constant{shape: shape.Clone(), v64: value, v32: make([]float32, len(value))}
	for i, v := range value {
		k.v32[i] = float32(v)
	}
	return k, nil
}

// Kind implements Operator.
func (*Constant) Kind() string { return "Constant" }

// Values is the constant. The caller must not change it.
func (k *Constant) Values() []float64 { return k.v64 }

// Params implements Operator.
func (*Constant) Params() []*Param { return nil }

// OutShape implements Operator.
func (k *Constant) OutShape(in []Shape) (Shape, error) {
	if len(in) != 0 {
		return nil, shapeErrorf(k, "takes no input, got %d", len(in))
	}
	return slices.Clone(k.shape), nil
}

// Forward64 implements Operator.
func (k *Constant) Forward64(c *Call[float64]) { repeat(c.Out, k.v64) }

// Forward32 implements Operator.
func (k *Constant) Forward32(c *Call[float32]) { repeat(c.Out, k.v32) }

// VJP64 implements Operator: there is nothing to propagate to.
func (*Constant) VJP64(*Call[float64]) {}

// VJP32 implements Operator.
func (*Constant) VJP32(*Call[float32]) {}

// Magnitude64 implements Affine.
func (k *Constant) Magnitude64(c *Call[float64], bias bool) {
	if !bias {
		clear(c.Out)
		return
	}
	repeat(c.Out, k.v64)
	for i, v := range c.Out {
		c.Out[i] = max(v, -v)
	}
}

// Rounding implements Affine.
func (*Constant) Rounding([]Shape) (forward, backward int) { return 0, 0 }

func repeat[T Float](dst, src []T) {
	for i := 0; i < len(dst); i += len(src) {
		copy(dst[i:], src)
	}
}
