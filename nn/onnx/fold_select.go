package onnx

// Constant folding of conversions, comparisons and choices: Cast, Equal, Where.

import (
	"math"

	"github.com/vouchnn/vouch/nn"
)

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
	shape, ok := nn.Broadcast(cond.shape, in[0].shape)
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
