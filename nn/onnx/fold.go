package onnx

// Constant folding: what it is built from.
//
// Files written by training frameworks are full of small computations on
// shapes: the size of an axis is taken, multiplied, put into a list, and given
// to Reshape. All of these are computed here, on integers exactly. Floating
// point constants are folded too; where that rounds, the node's name goes into
// Info.Rounded, because the weights that come out are then not the file's own.
//
// Operators that move elements share one function, strided: the element at
// index (i0, i1, ...) of the result is element offset + Σ ik·stride[k] of the
// source. A transposition permutes the strides, a slice scales them, and a
// broadcast sets them to zero.

import (
	"math"
	"slices"

	"github.com/vouchnn/vouch/nn"
)

// tensors is a list of one tensor, or of none after an error.
func (c *call) tensors(t *tensor) []*tensor {
	if c.err != nil || t == nil {
		return nil
	}
	return []*tensor{t}
}

// first is input 0, or nil after an error.
func (c *call) first(least, most int) *tensor {
	if !c.arity(least, most) {
		return nil
	}
	return c.in[0].c
}

// make is a new tensor of t's kind, not yet filled.
func (c *call) make(shape nn.Shape, elem int64) *tensor {
	n := shape.Size()
	if err := c.spend(n); err != nil {
		c.fail(err)
		return nil
	}
	if isFloat(elem) {
		return newFloats(shape, elem, make([]float64, n))
	}
	return newInts(shape, elem, make([]int64, n))
}

// withShape is t seen with another shape of the same size.
func (c *call) withShape(t *tensor, shape nn.Shape) []*tensor {
	if c.err != nil {
		return nil
	}
	return []*tensor{{shape: shape, elem: t.elem, f: t.f, i: t.i}}
}

// strides is the offset between neighbours along each axis of s.
func strides(s nn.Shape) []int {
	st := make([]int, len(s))
	n := 1
	for i := len(s) - 1; i >= 0; i-- {
		st[i] = n
		n *= s[i]
	}
	return st
}

// strided is the tensor of the given shape whose elements lie in t at offset
// plus their index times the strides.
func (c *call) strided(t *tensor, shape nn.Shape, offset int, stride []int) *tensor {
	out := c.make(shape, t.elem)
	if out == nil {
		return nil
	}
	index := make([]int, len(shape))
	at := offset
	for k := range out.size() {
		if t.isFloat() {
			out.f[k] = t.f[at]
		} else {
			out.i[k] = t.i[at]
		}
		for a := len(shape) - 1; a >= 0; a-- {
			index[a]++
			at += stride[a]
			if index[a] < shape[a] {
				break
			}
			at -= shape[a] * stride[a]
			index[a] = 0
		}
	}
	return out
}

// expanded is t broadcast to shape, which must be possible.
func (c *call) expanded(t *tensor, shape nn.Shape) *tensor {
	if slices.Equal(t.shape, shape) {
		return t
	}
	own := strides(t.shape)
	st := make([]int, len(shape))
	skip := len(shape) - len(t.shape)
	for i, d := range t.shape {
		if d > 1 {
			st[skip+i] = own[i]
		}
	}
	return c.strided(t, shape, 0, st)
}

// common is inputs from..to of one element kind, broadcast to one shape.
func (c *call) common(from, to int) []*tensor {
	out := make([]*tensor, 0, to-from)
	var shape nn.Shape
	for k := from; k < to; k++ {
		t := c.in[k].c
		s, ok := nn.Broadcast(shape, t.shape)
		if !ok || len(s) > maxRank {
			c.badShape("%v and %v do not broadcast", shape, t.shape)
			return nil
		}
		if t.isFloat() != c.in[from].c.isFloat() {
			c.unsupported("operands of %s and %s", typeName(c.in[from].c.elem), typeName(t.elem))
			return nil
		}
		shape = s
	}
	for k := from; k < to; k++ {
		t := c.expanded(c.in[k].c, shape)
		if t == nil {
			return nil
		}
		out = append(out, t)
	}
	return out
}

// checked is t if all its numbers are finite.
func (c *call) checked(t *tensor) []*tensor {
	if t == nil {
		return nil
	}
	for k, v := range t.f {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			c.badValue("element %d of the constant result is %v", k, v)
			return nil
		}
	}
	return c.tensors(t)
}

// roundedNode notes that this node's constant result was rounded.
func (c *call) roundedNode() {
	if !slices.Contains(c.rounded, c.name) {
		c.rounded = append(c.rounded, c.name)
	}
}
