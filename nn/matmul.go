package nn

// Multiplication by a constant matrix from the left: ONNX's MatMul whose first
// operand is an initialiser. (With the constant on the right it is a Dense.)

import (
	"fmt"

	"github.com/vouchnn/vouch/internal/blas"
)

// MatMulLeft is W·X for the last two axes [k × n] of its input; the axes before
// them are a batch.
type MatMulLeft struct {
	weight *Param // [m × k]
}

// NewMatMulLeft makes a multiplication by weight [m × k], row-major, from the
// left. It takes the slice over.
// Errors: *ShapeError.
func NewMatMulLeft(m, k int, weight []float64) (*MatMulLeft, error) {
	if m <= 0 || k <= 0 || len(weight)/m != k || len(weight)%m != 0 {
		return nil, &ShapeError{Op: "MatMul", Detail: fmt.Sprintf("%d numbers for a matrix of %d × %d", len(weight), m, k)}
	}
	return &MatMulLeft{NewParam("weight", Shape{m, k}, weight)}, nil
}

// Kind implements Operator.
func (*MatMulLeft) Kind() string { return "MatMul" }

// Weight is the matrix [m × k].
func (w *MatMulLeft) Weight() *Param { return w.weight }

// Params implements Operator.
func (w *MatMulLeft) Params() []*Param { return []*Param{w.weight} }

// OutShape implements Operator.
func (w *MatMulLeft) OutShape(in []Shape) (Shape, error) {
	if len(in) != 1 || len(in[0]) < 2 {
		return nil, shapeErrorf(w, "takes one input of at least two axes, got %v", in)
	}
	s := in[0].Clone()
	at := len(s) - 2
	if s[at] != w.weight.Shape[1] {
		return nil, shapeErrorf(w, "%v times %v", w.weight.Shape, in[0])
	}
	s[at] = w.weight.Shape[0]
	return s, nil
}

// Forward64 implements Operator.
func (w *MatMulLeft) Forward64(c *Call[float64]) { matMulForward(c, w.weight.Shape, w.weight.Values()) }

// Forward32 implements Operator.
func (w *MatMulLeft) Forward32(c *Call[float32]) { matMulForward(c, w.weight.Shape, w.weight.v32) }

// VJP64 implements Operator.
func (w *MatMulLeft) VJP64(c *Call[float64]) { matMulVJP(c, w.weight.Shape, w.weight.Values()) }

// VJP32 implements Operator.
func (w *MatMulLeft) VJP32(c *Call[float32]) { matMulVJP(c, w.weight.Shape, w.weight.v32) }

// Magnitude64 implements Affine.
func (w *MatMulLeft) Magnitude64(c *Call[float64], _ bool) {
	matMulForward(c, w.weight.Shape, w.weight.abs())
}

// Rounding implements Affine.
func (w *MatMulLeft) Rounding([]Shape) (forward, backward int) {
	return w.weight.Shape[1] + 2, w.weight.Shape[0] + 2
}

func matMulForward[T Float](c *Call[T], dims Shape, w []T) {
	m, k, n := dims[0], dims[1], c.OutShape[len(c.OutShape)-1]
	for i := range len(c.Out) / (m * n) {
		blas.Gemm(false, false, m, n, k, 1, w, k, c.In[0][i*k*n:(i+1)*k*n], n, 0, c.Out[i*m*n:(i+1)*m*n], n)
	}
}

func matMulVJP[T Float](c *Call[T], dims Shape, w []T) {
	m, k, n := dims[0], dims[1], c.OutShape[len(c.OutShape)-1]
	for i := range len(c.GradOut) / (m * n) {
		g := c.GradOut[i*m*n : (i+1)*m*n]
		if dst := c.GradIn[0]; dst != nil {
			blas.Gemm(true, false, k, n, m, 1, w, k, g, n, 1, dst[i*k*n:(i+1)*k*n], n)
		}
		if c.GradParams != nil && c.GradParams[0] != nil {
			blas.Gemm(false, true, m, k, n, 1, g, n, c.In[0][i*k*n:(i+1)*k*n], n, 1, c.GradParams[0], k)
		}
	}
}
