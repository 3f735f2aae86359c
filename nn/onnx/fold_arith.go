package onnx

// Constant folding of arithmetic.
//
// Integers are computed exactly. Floating-point numbers are computed in
// float64, and each operation tells whether it rounded: a sum by Knuth's
// two-sum, a product, quotient or square root by one fused multiply-add, which
// yields the error exactly.

import "math"

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
