package onnx

// One node on its way into the graph: its inputs and attributes, with errors
// that stick, so that the rules of the single operators read as definitions.
//
// Every attribute that a rule looks at is marked; one that is left over at the
// end is an attribute that this package does not know, and the node is refused
// rather than read without it.

import (
	"fmt"
	"math"

	"github.com/vouchnn/vouch/nn"
)

type call struct {
	*importer
	n    *node
	name string
	in   []value
	used []bool // per attribute
	aux  int
	err  error
}

// operator is how one kind of node is read. build adds to the graph and serves
// any inputs; fold computes a node whose inputs are all constant. Either may be
// nil. Both report errors in call.err, and may then return anything.
type operator struct {
	build func(*call) []value
	fold  func(*call) []*tensor
}

func (c *call) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

func (c *call) unsupported(format string, args ...any) {
	c.fail(&nn.UnsupportedError{Detail: fmt.Sprintf(format, args...)})
}

func (c *call) badShape(format string, args ...any) {
	c.fail(&nn.ShapeError{Detail: fmt.Sprintf(format, args...)})
}

func (c *call) badValue(format string, args ...any) {
	c.fail(&nn.ValueError{Detail: fmt.Sprintf(format, args...)})
}

// leftover reports an attribute that no rule looked at.
func (c *call) leftover() error {
	for k, a := range c.n.attrs {
		if !c.used[k] {
			return &nn.UnsupportedError{Detail: fmt.Sprintf("attribute %q", a.name)}
		}
	}
	return nil
}

// attr is the attribute of that name, which must have type typ, or nil.
func (c *call) attr(name string, typ int64) *attribute {
	for k, a := range c.n.attrs {
		if a.name != name {
			continue
		}
		c.used[k] = true
		if a.typ != typ {
			c.fail(&nn.FormatError{Offset: -1, Detail: fmt.Sprintf("attribute %q has type %d, not %d", name, a.typ, typ)})
			return nil
		}
		return a
	}
	return nil
}

// ignore marks an attribute that has no bearing on the function.
func (c *call) ignore(name string) {
	for k, a := range c.n.attrs {
		c.used[k] = c.used[k] || a.name == name
	}
}

func (c *call) intAttr(name string, def int) int {
	a := c.attr(name, attrInt)
	if a == nil {
		return def
	}
	return c.int(a.i, name)
}

// flag is an attribute that must be 0 or 1.
func (c *call) flag(name string, def bool) bool {
	a := c.attr(name, attrInt)
	if a == nil {
		return def
	}
	if a.i != 0 && a.i != 1 {
		c.badValue("attribute %q is %d, neither 0 nor 1", name, a.i)
	}
	return a.i == 1
}

func (c *call) floatAttr(name string, def float64) float64 {
	a := c.attr(name, attrFloat)
	if a == nil {
		return def
	}
	if math.IsNaN(a.f) || math.IsInf(a.f, 0) {
		c.badValue("attribute %q is %v", name, a.f)
		return def
	}
	return a.f
}

func (c *call) stringAttr(name, def string) string {
	a := c.attr(name, attrString)
	if a == nil {
		return def
	}
	return a.s
}

// intsAttr is a list of integers and whether it is there.
func (c *call) intsAttr(name string) ([]int64, bool) {
	a := c.attr(name, attrInts)
	if a == nil {
		return nil, false
	}
	v, ok := unpackVarints(a.ints)
	if !ok {
		c.fail(&nn.FormatError{Offset: -1, Detail: fmt.Sprintf("attribute %q is cut short", name)})
	}
	return v, true
}

// int narrows v, which must be small enough for any size or axis.
func (c *call) int(v int64, what string) int {
	if v < -math.MaxInt32 || v > math.MaxInt32 {
		c.badValue("%s = %d", what, v)
		return 0
	}
	return int(v)
}

func (c *call) ints(v []int64, what string) []int {
	out := make([]int, len(v))
	for k, x := range v {
		out[k] = c.int(x, what)
	}
	return out
}

// has tells whether input k is there.
func (c *call) has(k int) bool { return k < len(c.in) && c.in[k].set }

// arity checks that there are between lo and hi inputs, the first lo of them
// not left out.
func (c *call) arity(lo, hi int) bool {
	ok := len(c.in) >= lo && len(c.in) <= hi
	for k := 0; ok && k < lo; k++ {
		ok = c.in[k].set
	}
	if !ok {
		c.fail(&nn.FormatError{Offset: -1, Detail: fmt.Sprintf("%s with %d inputs, or with one left out", c.n.op, len(c.in))})
	}
	return ok && c.err == nil
}

// constant is input k, which must be a constant; nil if it is left out.
func (c *call) constant(k int, what string) *tensor {
	if !c.has(k) {
		return nil
	}
	if c.in[k].c == nil {
		c.unsupported("%s that is not constant", what)
	}
	return c.in[k].c
}

// floats is constant for a tensor of floating-point numbers.
func (c *call) floats(k int, what string) *tensor {
	t := c.constant(k, what)
	if t != nil && !t.isFloat() {
		c.unsupported("%s of %s", what, typeName(t.elem))
		return nil
	}
	return t
}

// indices is constant for a list of integers, and whether it is there.
func (c *call) indices(k int, what string) ([]int64, bool) {
	t := c.constant(k, what)
	if t == nil {
		return nil, false
	}
	if t.isFloat() || len(t.shape) > 1 {
		c.badShape("%s is a tensor %v of %s", what, t.shape, typeName(t.elem))
		return nil, false
	}
	return t.i, true
}

// list is indices given as an attribute or, in later operator sets, as input k.
func (c *call) list(attr string, k int) ([]int64, bool) {
	if v, ok := c.intsAttr(attr); ok {
		if c.has(k) {
			c.fail(&nn.FormatError{Offset: -1, Detail: attr + " as an attribute and as an input"})
		}
		return v, true
	}
	return c.indices(k, attr)
}

// node is the graph's node for input k; a constant becomes a node.
func (c *call) node(k int) int {
	if c.err != nil || !c.has(k) {
		return 0
	}
	v := c.in[k]
	if v.c == nil {
		return v.node
	}
	if !v.c.isFloat() {
		c.unsupported("input %d of %s", k, typeName(v.c.elem))
		return 0
	}
	op, err := c.importer.constant(v.c)
	return c.add(op, err).node
}

// shape is the shape of input k, which must be there.
func (c *call) shape(k int) nn.Shape {
	if v := c.in[k]; v.c != nil {
		return v.c.shape
	}
	return c.b.Shape(c.in[k].node)
}

// add appends op to the graph. err is that of making op, so that calls nest.
func (c *call) add(op nn.Operator, err error, inputs ...int) value {
	if err != nil {
		c.fail(err)
	}
	if c.err != nil {
		return value{set: true}
	}
	name := c.name
	if c.aux++; c.aux > 1 {
		name = fmt.Sprintf("%s/%d", c.name, c.aux)
	}
	i := c.b.Add(name, op, inputs...)
	if err := c.b.Err(); err != nil {
		c.fail(err)
	}
	return value{node: i, set: true}
}

// one is a list of one value.
func one(v value) []value { return []value{v} }
