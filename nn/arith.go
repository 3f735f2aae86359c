package nn

// Arithmetic with a constant: ONNX's Add, Sub, Mul and Div where one operand
// is an initialiser.
//
// Both operands broadcast as in numpy, so the output may be larger than the
// input. The constant is not a parameter: it is what a file computes with,
// often a normalisation of the input that training must leave alone. Where it
// is the bias of a layer before it, Simplify makes it one.

import (
	"fmt"
	"math"
)

// ArithKind is one of the four operations.
type ArithKind int

// The operations of ConstArith.
const (
	ArithAdd ArithKind = iota
	ArithSub
	ArithMul
	ArithDiv
)

// String is the operation's name in ONNX.
func (k ArithKind) String() string {
	if k < ArithAdd || k > ArithDiv {
		return fmt.Sprintf("ArithKind(%d)", int(k))
	}
	return [...]string{"Add", "Sub", "Mul", "Div"}[k]
}

// ConstArith is in ∘ constant, or constant ∘ in.
type ConstArith struct {
	kind       ArithKind
	constFirst bool
	shape      Shape
	c64        []float64
	c32        []float32
	abs        []float64 // |c|, or for a merged sum the magnitude of its terms
	folded     int       // roundings in the constant
}

// NewConstArith makes in ∘ constant or, if constFirst, constant ∘ in. It takes
// the slice over.
// Errors: *UnsupportedError for constant / in; *ShapeError; *ValueError for an
// infinite or NaN constant or one beyond float32, and for a division by zero.
func NewConstArith(kind ArithKind, constant []float64, shape Shape, constFirst bool) (*ConstArith, error) {
	op := kind.String()
	if kind < ArithAdd || kind > ArithDiv {
		return nil, &UnsupportedError{Op: op}
	}
	if kind == ArithDiv && constFirst {
		return nil, &UnsupportedError{Op: op, Detail: "division of a constant by a tensor"}
	}
	if err := checkConstant(op, constant, shape); err != nil {
		return nil, err
	}
	a := &ConstArith{
		kind: kind, constFirst: constFirst, shape: shape.Clone(), c64: constant,
		c32: make([]float32, len(constant)), abs: make([]float64, len(constant)),
	}
	for i, v := range constant {
		if kind == ArithDiv && (v == 0 || float32(v) == 0) {
			return nil, valueErrorf(op, "divisor constant[%d] is %v", i, v)
		}
		a.c32[i], a.abs[i] = float32(v), math.Abs(v)
	}
	return a, nil
}

// checkConstant reports a constant that does not fill its shape or holds a
// number that float32 cannot.
func checkConstant(op string, constant []float64, shape Shape) error {
	if len(constant) == 0 || shape.Size() != len(constant) {
		return &ShapeError{Op: op, Detail: fmt.Sprintf("constant of %d numbers for shape %v", len(constant), shape)}
	}
	for i, v := range constant {
		if math.IsNaN(v) || math.IsInf(float64(float32(v)), 0) {
			return valueErrorf(op, "constant[%d] is %v", i, v)
		}
	}
	return nil
}

// Kind implements Operator: "Add", "Sub", "Mul" or "Div".
func (a *ConstArith) Kind() string { return a.kind.String() }

// Arith is the operation.
func (a *ConstArith) Arith() ArithKind { return a.kind }

// ConstFirst reports whether the constant is the left operand.
func (a *ConstArith) ConstFirst() bool { return a.constFirst }

// Constant is the constant and its shape. The caller must not change them.
func (a *ConstArith) Constant() ([]float64, Shape) { return a.c64, a.shape }

// Params implements Operator: the constant is not trained.
func (*ConstArith) Params() []*Param { return nil }

// OutShape implements Operator.
func (a *ConstArith) OutShape(in []Shape) (Shape, error) {
	if len(in) != 1 {
		return nil, shapeErrorf(a, "takes one input besides its constant, got %d", len(in))
	}
	s, ok := Broadcast(in[0], a.shape)
	if !ok {
		return nil, shapeErrorf(a, "%v and a constant of %v do not broadcast", in[0], a.shape)
	}
	return s, nil
}

// Forward64 implements Operator.
func (a *ConstArith) Forward64(c *Call[float64]) { arithForward(a, c, a.c64) }

// Forward32 implements Operator.
func (a *ConstArith) Forward32(c *Call[float32]) { arithForward(a, c, a.c32) }

// VJP64 implements Operator.
func (a *ConstArith) VJP64(c *Call[float64]) { arithVJP(a, c, a.c64) }

// VJP32 implements Operator.
func (a *ConstArith) VJP32(c *Call[float32]) { arithVJP(a, c, a.c32) }

func arithForward[T Float](a *ConstArith, c *Call[T], constant []T) {
	op := [...]combine{assignSum, assignDifference, assignProduct, assignQuotient}[a.kind]
	k, x, y := tensor[T]{constant, a.shape}, tensor[T]{c.In[0], c.InShapes[0]}, tensor[T]{c.Out, c.OutShape}
	for i := range c.Batch {
		if a.constFirst {
			broadcast(op, y.at(i), k, x.at(i))
		} else {
			broadcast(op, y.at(i), x.at(i), k)
		}
	}
}

func arithVJP[T Float](a *ConstArith, c *Call[T], constant []T) {
	if c.GradIn[0] == nil {
		return
	}
	op := [...]combine{reduceAdd, reduceAdd, reduceMul, reduceDiv}[a.kind]
	if a.kind == ArithSub && a.constFirst {
		op = reduceSub
	}
	k, x, y := tensor[T]{constant, a.shape}, tensor[T]{c.GradIn[0], c.InShapes[0]}, tensor[T]{c.GradOut, c.OutShape}
	for i := range c.Batch {
		broadcast(op, y.at(i), x.at(i), k)
	}
}

var noBias = tensor[float64]{data: []float64{0}}

// Magnitude64 implements Affine.
func (a *ConstArith) Magnitude64(c *Call[float64], bias bool) {
	op, k := assignSum, tensor[float64]{a.abs, a.shape}
	switch {
	case a.kind == ArithMul:
		op = assignProduct
	case a.kind == ArithDiv:
		op = assignQuotient
	case !bias:
		k = noBias
	}
	x, y := tensor[float64]{c.In[0], c.InShapes[0]}, tensor[float64]{c.Out, c.OutShape}
	for i := range c.Batch {
		broadcast(op, y.at(i), x.at(i), k)
	}
}

// Rounding implements Affine: one operation forward; backward the sum over the
// outputs that an input was repeated to.
func (a *ConstArith) Rounding(in []Shape) (forward, backward int) {
	out, _ := Broadcast(in[0], a.shape)
	repeats := out.Size() / in[0].Size()
	if a.kind == ArithMul || a.kind == ArithDiv {
		return 2 + a.folded, repeats + 2 + a.folded
	}
	return 2 + a.folded, repeatRounding(repeats)
}

// repeatRounding is the roundings of a sum over n repeats; none if there is
// nothing to add up.
func repeatRounding(n int) int {
	if n == 1 {
		return 0
	}
	return n + 1
}
