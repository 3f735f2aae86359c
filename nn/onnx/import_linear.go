package onnx

// Gemm and MatMul with one constant matrix.
//
// Both become nn.Dense, whose weights are stored output-major: a constant on
// the right is transposed unless the file says transB. A constant on the left
// multiplies columns instead of rows and becomes nn.MatMulLeft.
//
// Gemm's alpha and beta go into the weights and the bias when every product is
// a float32 number, and become a multiplication of their own when not, so that
// no weight is ever rounded on the way in. A MatMul followed by the addition of
// a constant vector is one dense layer with a bias; that rounds nothing.

import (
	"slices"

	"github.com/vouchnn/vouch/nn"
)

// bare is a dense layer that came from MatMul and may still get a bias.
type bare struct {
	input   int
	out, in int
	weight  []float64
}

func importMatMul(c *call) []value {
	if !c.arity(2, 2) {
		return nil
	}
	switch a, b := c.in[0].c, c.in[1].c; {
	case b != nil:
		return one(c.rightMatMul())
	case a != nil:
		return one(c.leftMatMul())
	}
	c.unsupported("product of two tensors that depend on the input")
	return nil
}

// rightMatMul is x·b.
func (c *call) rightMatMul() value {
	b := c.floats(1, "matrix")
	if c.err != nil {
		return value{}
	}
	x, s := c.node(0), c.shape(0)
	if c.err != nil {
		return value{}
	}
	rank := len(b.shape)
	if b.size() == 0 || rank == 0 || len(s) == 0 {
		c.badShape("product of %v and %v", s, b.shape)
		return value{}
	}
	in, out := b.shape[0], 1
	if rank > 1 {
		in, out = b.shape[rank-2], b.shape[rank-1]
	}
	if in*out != b.size() {
		c.unsupported("stack of matrices %v", b.shape)
		return value{}
	}
	w := c.transposed(b.f, in, out)
	v := c.dense(x, out, in, w, nil)
	if c.err != nil {
		return v
	}
	shape := c.b.Shape(v.node)
	switch {
	case rank == 1: // a vector: its axis is gone from the product
		return c.reshaped(v, shape[:len(shape)-1])
	case rank > max(len(s), 2) || len(s) == 1 && rank > 2: // [1 1 k n] lends its axes
		lead := slices.Repeat(nn.Shape{1}, rank-max(len(s), 2))
		return c.reshaped(v, append(lead, shape...))
	}
	c.bare[c.n.outputs[0]] = bare{input: x, out: out, in: in, weight: w}
	return v
}

// leftMatMul is a·x.
func (c *call) leftMatMul() value {
	a := c.floats(0, "matrix")
	if c.err != nil {
		return value{}
	}
	s := c.shape(1)
	rank := len(a.shape)
	if a.size() == 0 || rank == 0 || len(s) == 0 {
		c.badShape("product of %v and %v", a.shape, s)
		return value{}
	}
	in := a.shape[rank-1]
	out := 1
	if rank > 1 {
		out = a.shape[rank-2]
	}
	switch {
	case in*out != a.size() || rank > max(len(s), 2):
		c.unsupported("stack of matrices %v times %v", a.shape, s)
		return value{}
	case len(s) == 1: // matrix times vector: a dense layer as it stands
		v := c.dense(c.node(1), out, in, c.copied(a.f), nil)
		if rank == 1 {
			return c.reshaped(v, nn.Shape{})
		}
		return v
	}
	op, err := nn.NewMatMulLeft(out, in, c.copied(a.f))
	v := c.add(op, err, c.node(1))
	if rank == 1 && c.err == nil { // a row vector: its axis is gone
		shape := c.b.Shape(v.node)
		k := len(shape) - 2
		return c.reshaped(v, slices.Delete(shape.Clone(), k, k+1))
	}
	return v
}

func importGemm(c *call) []value {
	alpha, beta := c.floatAttr("alpha", 1), c.floatAttr("beta", 1)
	transA, transB := c.flag("transA", false), c.flag("transB", false)
	c.ignore("broadcast") // before operator set 7; the shapes tell as much
	if !c.arity(2, 3) {
		return nil
	}
	if len(c.shape(0)) != 2 || len(c.shape(1)) != 2 || c.shape(0).Size() == 0 || c.shape(1).Size() == 0 {
		c.badShape("product of %v and %v", c.shape(0), c.shape(1))
		return nil
	}
	var v value
	switch a, b := c.in[0].c, c.in[1].c; {
	case b != nil:
		var whole bool
		if v, whole = c.gemmRight(transA, transB, alpha, beta); whole {
			return one(v)
		}
	case a != nil:
		v = c.gemmLeft(transA, transB, alpha)
	default:
		c.unsupported("product of two tensors that depend on the input")
	}
	if c.err != nil || !c.has(2) || beta == 0 {
		return one(v)
	}
	return one(c.gemmAdd(v, beta))
}

// gemmRight is alpha·A'·B' with B constant, and whole if beta·C is in it too.
func (c *call) gemmRight(transA, transB bool, alpha, beta float64) (v value, whole bool) {
	b := c.floats(1, "B")
	if c.err != nil {
		return value{}, false
	}
	x := c.node(0)
	if transA {
		x = c.flipped(x)
	}
	out, in, w := b.shape[1], b.shape[0], b.f
	if transB {
		out, in, w = in, out, c.copied(w)
	} else {
		w = c.transposed(w, in, out)
	}
	if scaled, ok := c.scaled(w, alpha); ok {
		bias, ok := c.gemmBias(out, beta)
		return c.dense(x, out, in, scaled, bias), ok
	}
	return c.times(c.dense(x, out, in, w, nil), alpha), false
}

// gemmLeft is alpha·A'·B' with A constant.
func (c *call) gemmLeft(transA, transB bool, alpha float64) value {
	a := c.floats(0, "A")
	if c.err != nil {
		return value{}
	}
	x := c.node(1)
	if transB {
		x = c.flipped(x)
	}
	out, in, w := a.shape[0], a.shape[1], a.f
	if transA {
		w = c.transposed(w, out, in)
		out, in = in, out
	} else {
		w = c.copied(w)
	}
	scaled, ok := c.scaled(w, alpha)
	if !ok {
		scaled = w
	}
	op, err := nn.NewMatMulLeft(out, in, scaled)
	v := c.add(op, err, x)
	if !ok {
		v = c.times(v, alpha)
	}
	return v
}

// gemmBias is beta·C as the bias of a dense layer, if it can be one.
func (c *call) gemmBias(out int, beta float64) ([]float64, bool) {
	if c.err != nil || !c.has(2) || beta == 0 || c.in[2].c == nil {
		return nil, false
	}
	t := c.floats(2, "C")
	if t == nil || len(t.shape) > 2 {
		return nil, false
	}
	bias, ok := rowOf(t, out)
	if !ok {
		return nil, false
	}
	return c.scaled(bias, beta)
}

// gemmAdd is v + beta·C in operators of their own.
func (c *call) gemmAdd(v value, beta float64) value {
	if c.in[2].c == nil {
		x := c.in[2]
		if beta != 1 {
			x = c.times(x, beta)
		}
		return c.addNodes(nn.Add{}, v, x)
	}
	t := c.floats(2, "C")
	if c.err != nil {
		return v
	}
	if s := c.b.Shape(v.node); len(t.shape) > 2 || !fits(t.shape, s) {
		c.badShape("C of %v does not broadcast to %v", t.shape, s)
		return v
	}
	if scaled, ok := c.scaled(t.f, beta); ok {
		op, err := nn.NewConstArith(nn.ArithAdd, c.copied(scaled), t.shape.Clone(), false)
		return c.add(op, err, v.node)
	}
	op, err := c.importer.constant(t)
	return c.addNodes(nn.Add{}, v, c.times(c.add(op, err), beta))
}

// fits tells whether s broadcasts to exactly the shape to.
func fits(s, to nn.Shape) bool {
	out, ok := nn.Broadcast(s, to)
	return ok && out.Equal(to)
}

func (c *call) dense(x, out, in int, w, bias []float64) value {
	if c.err != nil {
		return value{}
	}
	op, err := nn.NewDense(out, in, w, bias)
	return c.add(op, err, x)
}

// rowOf is t as a vector of n numbers to be added to every row, if it is one:
// a scalar or vector, with any number of leading axes of size 1.
func rowOf(t *tensor, n int) ([]float64, bool) {
	switch {
	case t.size() == 1:
		return slices.Repeat(t.f, n), true
	case t.size() == n && len(t.shape) > 0 && t.shape[len(t.shape)-1] == n:
		return slices.Clone(t.f), true
	}
	return nil, false
}

// scaled is w times factor, if every product is a float32 number as the
// weights of a file are. w itself stays as it is.
func (c *call) scaled(w []float64, factor float64) ([]float64, bool) {
	if factor == 1 {
		return w, true
	}
	if err := c.spend(len(w)); err != nil {
		c.fail(err)
		return nil, false
	}
	out := make([]float64, len(w))
	for k, x := range w {
		if out[k] = x * factor; float64(float32(out[k])) != out[k] || out[k] == 0 && x != 0 && factor != 0 {
			return nil, false
		}
	}
	return out, true
}

// times is v multiplied by a number.
func (c *call) times(v value, factor float64) value {
	op, err := nn.NewConstArith(nn.ArithMul, []float64{factor}, nn.Shape{}, false)
	return c.add(op, err, v.node)
}

// flipped is the transpose of a matrix.
func (c *call) flipped(x int) int {
	op, err := nn.NewTranspose([]int{1, 0})
	return c.add(op, err, x).node
}

// reshaped is v with another shape of the same size.
func (c *call) reshaped(v value, shape nn.Shape) value {
	if c.err != nil || c.b.Shape(v.node).Equal(shape) {
		return v
	}
	return c.add(nn.NewReshape(shape), nil, v.node)
}

// copied is a copy of w, charged to the budget: operators own their weights.
func (c *call) copied(w []float64) []float64 {
	if err := c.spend(len(w)); err != nil {
		c.fail(err)
		return nil
	}
	return slices.Clone(w)
}

// transposed is the transpose of w [rows × cols], charged to the budget.
func (c *call) transposed(w []float64, rows, cols int) []float64 {
	if err := c.spend(len(w)); err != nil {
		c.fail(err)
		return nil
	}
	out := make([]float64, len(w))
	for i := range rows {
		for j, v := range w[i*cols : (i+1)*cols] {
			out[j*rows+i] = v
		}
	}
	return out
}
