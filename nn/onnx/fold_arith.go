package onnx

// Constant folding of arithmetic.
//
// Integers are computed exactly. Floating-point numbers are computed in
// float64, and each operation tells whether it rounded: a sum by Knuth's
// two-sum, a product, quotient or square root by one fused multiply-add, which
// yields the error exactly.

import (
	"math"

	"github.com/vouchnn/vouch/nn"
)

// arithmetic is one operation on two numbers, for both kinds of them. exact tells
// whether r is a∘b without rounding.
type arithmetic struct {
	ints   func(a, b int64) (int64, bool)
	floats func(a, b float64) (r float64, exact bool)
}

func foldAdd(c *call) []*tensor { return c.arithmetic(sum) }
func foldSub(c *call) []*tensor { return c.arithmetic(difference) }
func foldMul(c *call) []*tensor { return c.arithmetic(product) }
func foldDiv(c *call) []*tensor { return c.arithmetic(quotient) }
func foldPow(c *call) []*tensor { return c.arithmetic(power) }

var sum = arithmetic{
	ints:   func(a, b int64) (int64, bool) { return a + b, true },
	floats: addExact,
}

var difference = arithmetic{
	ints:   func(a, b int64) (int64, bool) { return a - b, true },
	floats: func(a, b float64) (float64, bool) { return addExact(a, -b) },
}

var product = arithmetic{
	ints: func(a, b int64) (int64, bool) { return a * b, true },
	floats: func(a, b float64) (float64, bool) {
		r := a * b
		return r, math.FMA(a, b, -r) == 0 && (r != 0 || a == 0 || b == 0)
	},
}

var quotient = arithmetic{
	ints: func(a, b int64) (int64, bool) {
		if b == 0 {
			return 0, false
		}
		return a / b, true
	},
	floats: func(a, b float64) (float64, bool) {
		r := a / b
		return r, math.FMA(r, b, -a) == 0
	},
}

var power = arithmetic{
	ints: func(a, b int64) (int64, bool) {
		if b < 0 || b > 64 {
			return 0, false
		}
		r := int64(1)
		for range b {
			r *= a
		}
		return r, true
	},
	floats: func(a, b float64) (float64, bool) {
		if b == 2 {
			return product.floats(a, a)
		}
		return math.Pow(a, b), b == 0 || b == 1
	},
}

// addExact is a + b and whether that is exact (Knuth, TAOCP 4.2.2, theorem B).
func addExact(a, b float64) (float64, bool) {
	s := a + b
	t := s - a
	return s, (a-(s-t))+(b-t) == 0
}

func (c *call) arithmetic(op arithmetic) []*tensor {
	c.legacyBroadcast()
	if !c.arity(2, 2) {
		return nil
	}
	in := c.common(0, 2)
	if in == nil {
		return nil
	}
	a, b := in[0], in[1]
	out := c.make(a.shape, a.elem)
	if out == nil {
		return nil
	}
	if !a.isFloat() {
		for k := range out.i {
			v, ok := op.ints(a.i[k], b.i[k])
			if !ok {
				c.badValue("%d and %d", a.i[k], b.i[k])
				return nil
			}
			out.i[k] = v
		}
		return c.tensors(out)
	}
	for k := range out.f {
		v, exact := op.floats(a.f[k], b.f[k])
		if out.f[k] = v; !exact {
			c.roundedNode()
		}
	}
	return c.checked(out)
}

// unary is c's only input with f applied to each number.
func (c *call) unary(ints func(int64) int64, floats func(float64) (float64, bool)) []*tensor {
	t := c.first(1, 1)
	if t == nil {
		return nil
	}
	if !t.isFloat() && ints == nil {
		c.unsupported("input of %s", typeName(t.elem))
		return nil
	}
	out := c.make(t.shape, t.elem)
	if out == nil {
		return nil
	}
	for k := range out.i {
		out.i[k] = ints(t.i[k])
	}
	for k := range out.f {
		v, exact := floats(t.f[k])
		if out.f[k] = v; !exact {
			c.roundedNode()
		}
	}
	return c.checked(out)
}

func foldNeg(c *call) []*tensor {
	return c.unary(func(v int64) int64 { return -v }, func(v float64) (float64, bool) { return -v, true })
}

func foldRelu(c *call) []*tensor {
	return c.unary(func(v int64) int64 { return max(v, 0) }, func(v float64) (float64, bool) { return max(v, 0), true })
}

func foldFloor(c *call) []*tensor {
	return c.unary(nil, func(v float64) (float64, bool) { return math.Floor(v), true })
}

func foldSqrt(c *call) []*tensor {
	return c.unary(nil, func(v float64) (float64, bool) {
		r := math.Sqrt(v)
		return r, math.FMA(r, r, -v) == 0
	})
}

func foldExp(c *call) []*tensor {
	return c.unary(nil, func(v float64) (float64, bool) { return math.Exp(v), v == 0 })
}

// foldCast converts numbers as the file says. Towards float it rounds to
// float32, which is then the weight that the file defines.
func foldCast(c *call) []*tensor {
	to := c.castType()
	t := c.first(1, 1)
	if t == nil {
		return nil
	}
	if _, known := typeNames[to]; !known || to == typeString || to == typeFloat16 || to == typeBfloat16 {
		c.unsupported("cast to %s", typeName(to))
		return nil
	}
	out := c.make(t.shape, to)
	if out == nil {
		return nil
	}
	for k := range out.size() {
		switch {
		case out.isFloat() && t.isFloat():
			out.f[k] = t.f[k]
		case out.isFloat():
			out.f[k] = float64(t.i[k])
		case t.isFloat():
			out.i[k] = c.truncated(t.f[k], to)
		default:
			out.i[k] = narrowed(t.i[k], to)
		}
		if to == typeFloat {
			v := float64(float32(out.f[k]))
			if v != out.f[k] {
				c.roundedNode()
			}
			out.f[k] = v
		}
	}
	return c.checked(out)
}

// truncated is v towards zero as an integer.
func (c *call) truncated(v float64, to int64) int64 {
	if to == typeBool {
		return truth(v != 0)
	}
	if math.Abs(v) >= 1<<62 {
		c.badValue("cast of %v to %s", v, typeName(to))
		return 0
	}
	return narrowed(int64(v), to)
}

// narrowed wraps v to an integer type, as casts do.
func narrowed(v, to int64) int64 {
	switch to {
	case typeBool:
		return truth(v != 0)
	case typeUint8:
		return int64(uint8(v))
	case typeUint16:
		return int64(uint16(v))
	case typeUint32:
		return int64(uint32(v))
	}
	return signed(to, uint64(v))
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func foldEqual(c *call) []*tensor {
	if !c.arity(2, 2) {
		return nil
	}
	in := c.common(0, 2)
	if in == nil {
		return nil
	}
	out := c.make(in[0].shape, typeBool)
	if out == nil {
		return nil
	}
	for k := range out.i {
		if in[0].isFloat() {
			out.i[k] = truth(in[0].f[k] == in[1].f[k])
		} else {
			out.i[k] = truth(in[0].i[k] == in[1].i[k])
		}
	}
	return c.tensors(out)
}

// foldWhere selects between inputs 1 and 2 by input 0.
func foldWhere(c *call) []*tensor {
	if !c.arity(3, 3) {
		return nil
	}
	in := c.common(1, 3)
	if in == nil {
		return nil
	}
	cond := c.in[0].c
	shape, ok := broadcastShape(cond.shape, in[0].shape)
	if !ok || cond.isFloat() || len(shape) > maxRank {
		c.badShape("condition %v of %s for %v", cond.shape, typeName(cond.elem), in[0].shape)
		return nil
	}
	cond, a, b := c.expanded(cond, shape), c.expanded(in[0], shape), c.expanded(in[1], shape)
	out := c.make(shape, in[0].elem)
	if c.err != nil {
		return nil
	}
	for k := range out.size() {
		from := b
		if cond.i[k] != 0 {
			from = a
		}
		if out.isFloat() {
			out.f[k] = from.f[k]
		} else {
			out.i[k] = from.i[k]
		}
	}
	return c.tensors(out)
}

func foldReduceSum(c *call) []*tensor  { return c.foldReduce(sum, 0) }
func foldReduceProd(c *call) []*tensor { return c.foldReduce(product, 1) }

// foldReduce combines the elements along some axes, starting from start.
func (c *call) foldReduce(op arithmetic, start int64) []*tensor {
	axes, keep := c.reduction()
	if c.err != nil {
		return nil
	}
	t := c.in[0].c
	kept := t.shape.Clone()
	for _, a := range axes {
		kept[a] = 1
	}
	out := c.make(kept, t.elem)
	if err := c.spend(t.size()); err != nil || out == nil {
		c.fail(err)
		return nil
	}
	for k := range out.size() {
		if t.isFloat() {
			out.f[k] = float64(start)
		} else {
			out.i[k] = start
		}
	}
	own, to := strides(t.shape), strides(kept)
	for k := range t.size() {
		at := 0
		for a, st := range own {
			if kept[a] > 1 {
				at += k / st % t.shape[a] * to[a]
			}
		}
		if !t.isFloat() {
			out.i[at], _ = op.ints(out.i[at], t.i[k])
			continue
		}
		v, exact := op.floats(out.f[at], t.f[k])
		if out.f[at] = v; !exact {
			c.roundedNode()
		}
	}
	if !keep {
		var s nn.Shape
		drop := c.marked(axes, len(kept))
		for i, d := range kept {
			if !drop[i] {
				s = append(s, d)
			}
		}
		out.shape = s
	}
	return c.checked(out)
}

func (c *call) marked(axes []int, rank int) []bool {
	m := make([]bool, rank)
	for _, a := range axes {
		m[a] = true
	}
	return m
}
