package nn

// Fully connected layers: ONNX's Gemm and MatMul with a constant matrix.
//
// The layer acts on the last axis and treats all axes before it as a batch, so
// it serves [n], [1 n] and [k n] alike. Weights are stored output-major, as
// [out × in]: a row is one neuron, which is what backward bound propagation
// reads first.

import (
	"fmt"

	"github.com/vouchnn/vouch/internal/blas"
)

// Dense is out = W·in + b over the last axis.
type Dense struct {
	weight *Param // [out × in]
	bias   *Param // [out] or nil
	folded folded
}

// NewDense makes a dense layer from weights [out × in], row-major, and a bias
// [out] or nil. It takes the slices over.
// Errors: *ShapeError.
func NewDense(out, in int, weight, bias []float64) (*Dense, error) {
	if out <= 0 || in <= 0 || len(weight) != out*in || (bias != nil && len(bias) != out) {
		return nil, &ShapeError{Op: "Dense", Detail: fmt.Sprintf("weights of %d, bias of %d numbers for %d outputs and %d inputs", len(weight), len(bias), out, in)}
	}
	d := &Dense{weight: NewParam("weight", Shape{out, in}, weight)}
	if bias != nil {
		d.bias = NewParam("bias", Shape{out}, bias)
	}
	return d, nil
}

// Kind implements Operator.
func (*Dense) Kind() string { return "Dense" }

// Weight is the matrix [out × in].
func (d *Dense) Weight() *Param { return d.weight }

// Bias is the bias [out], or nil.
func (d *Dense) Bias() *Param { return d.bias }

// Params implements Operator: weight, then bias if there is one.
func (d *Dense) Params() []*Param {
	if d.bias == nil {
		return []*Param{d.weight}
	}
	return []*Param{d.weight, d.bias}
}

func (d *Dense) dims() (out, in int) { return d.weight.Shape[0], d.weight.Shape[1] }

// OutShape implements Operator.
func (d *Dense) OutShape(in []Shape) (Shape, error) {
	if len(in) != 1 || len(in[0]) == 0 {
		return nil, shapeErrorf(d, "takes one input of at least one axis, got %v", in)
	}
	out, n := d.dims()
	last := len(in[0]) - 1
	if in[0][last] != n {
		return nil, shapeErrorf(d, "last axis of %v is not %d", in[0], n)
	}
	s := in[0].Clone()
	s[last] = out
	return s, nil
}

// Forward64 implements Operator.
func (d *Dense) Forward64(c *Call[float64]) {
	denseForward(d, c, d.weight.Values(), paramValues[float64](d.bias))
}

// Forward32 implements Operator.
func (d *Dense) Forward32(c *Call[float32]) {
	denseForward(d, c, d.weight.v32, paramValues[float32](d.bias))
}

// VJP64 implements Operator.
func (d *Dense) VJP64(c *Call[float64]) { denseVJP(d, c) }

// VJP32 implements Operator.
func (d *Dense) VJP32(c *Call[float32]) { denseVJP(d, c) }

func denseForward[T Float](d *Dense, c *Call[T], weight, bias []T) {
	out, in := d.dims()
	rows := len(c.In[0]) / in
	beta := T(0)
	if bias != nil {
		for r := range rows {
			copy(c.Out[r*out:(r+1)*out], bias)
		}
		beta = 1
	}
	blas.Gemm(false, true, rows, out, in, 1, c.In[0], in, weight, in, beta, c.Out, out)
}

func denseVJP[T Float](d *Dense, c *Call[T]) {
	out, in := d.dims()
	rows := len(c.GradOut) / out
	if g := c.GradIn[0]; g != nil {
		beta := T(1)
		if c.Overwrite {
			beta = 0
		}
		blas.Gemm(false, false, rows, in, out, 1, c.GradOut, out, paramValues[T](d.weight), in, beta, g, in)
	}
	if c.GradParams == nil {
		return
	}
	if g := c.GradParams[0]; g != nil {
		blas.Gemm(true, false, out, in, rows, 1, c.GradOut, out, c.In[0], in, 1, g, in)
	}
	if d.bias != nil && c.GradParams[1] != nil {
		g := c.GradParams[1]
		for r := range rows {
			for j, v := range c.GradOut[r*out : (r+1)*out] {
				g[j] += v
			}
		}
	}
}

// Overwrites implements Overwriter.
func (*Dense) Overwrites() {}

// Magnitude64 implements Affine.
func (d *Dense) Magnitude64(c *Call[float64], bias bool) {
	var b []float64
	if bias {
		b = absValues(d.bias)
	}
	denseForward(d, c, d.weight.abs(), b)
}

// Rounding implements Affine: a sum of in products and the bias forward, of
// out products backward.
func (d *Dense) Rounding([]Shape) (forward, backward int) {
	out, in := d.dims()
	return in + 2 + d.folded.extra(), out + 2 + d.folded.weight
}

// Rows64 implements RowSource for inputs without leading axes of size over 1.
func (d *Dense) Rows64(c *Call[float64], rows []int) {
	out, in := d.dims()
	w := d.weight.Values()
	n := c.InShapes[0].Size()
	for r, row := range rows {
		dst := c.GradIn[0][r*n : (r+1)*n]
		if n != in {
			clear(dst)
			dst = dst[row/out*in : (row/out+1)*in]
		}
		copy(dst, w[row%out*in:(row%out+1)*in])
	}
}
