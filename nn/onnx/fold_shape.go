package onnx

// Constant folding of operators that make, name, move or select elements.

import (
	"math"
	"slices"

	"github.com/vouchnn/vouch/nn"
)

// foldConstant reads the value attribute in any of its forms.
func foldConstant(c *call) []*tensor {
	if !c.arity(0, 0) {
		return nil
	}
	var out *tensor
	if a := c.attr("value", attrTensor); a != nil && a.t != nil {
		t, err := a.t.decode(c.file, c.name)
		if err != nil {
			c.fail(err)
			return nil
		}
		return c.tensors(t)
	}
	if a := c.attr("value_float", attrFloat); a != nil {
		out = newFloats(nn.Shape{}, typeFloat, []float64{a.f})
	}
	if a := c.attr("value_int", attrInt); a != nil {
		out = newInts(nn.Shape{}, typeInt64, []int64{a.i})
	}
	if a := c.attr("value_floats", attrFloats); a != nil {
		v, ok := unpackFloats(a.floats)
		if !ok {
			c.fail(&nn.FormatError{Offset: -1, Detail: "value_floats is cut short"})
		}
		out = newFloats(nn.Shape{len(v)}, typeFloat, v)
	}
	if v, ok := c.intsAttr("value_ints"); ok {
		out = newInts(nn.Shape{len(v)}, typeInt64, v)
	}
	if out == nil {
		c.unsupported("no value of numbers")
	}
	return c.checked(out)
}

// foldConstantOfShape is a tensor of one repeated number, by default float 0.
func foldConstantOfShape(c *call) []*tensor {
	value := newFloats(nn.Shape{1}, typeFloat, []float64{0})
	if a := c.attr("value", attrTensor); a != nil && a.t != nil {
		t, err := a.t.decode(c.file, c.name)
		if err != nil {
			c.fail(err)
			return nil
		}
		value = t
	}
	if !c.arity(1, 1) {
		return nil
	}
	list, _ := c.indices(0, "shape")
	shape := nn.Shape(c.ints(list, "shape"))
	if c.err != nil || value.size() != 1 || len(shape) > maxRank || slices.ContainsFunc(shape, negative) {
		c.badShape("shape %v of values %v", list, value.shape)
		return nil
	}
	return c.tensors(c.strided(value, shape, 0, make([]int, len(shape))))
}

func negative(n int) bool { return n < 0 }

// importShape knows the shape of a node as well as that of a constant.
func importShape(c *call) []value {
	var out []value
	for _, t := range foldShape(c) {
		out = append(out, constant(t))
	}
	return out
}

func foldShape(c *call) []*tensor {
	start, end := c.intAttr("start", 0), c.intAttr("end", math.MaxInt32)
	if !c.arity(1, 1) {
		return nil
	}
	s := c.shape(0)
	r := newSpan(0, len(s), int64(start), int64(end), 1)
	out := make([]int64, r.count)
	for k := range out {
		out[k] = int64(s[r.start+k])
	}
	return c.tensors(newInts(nn.Shape{len(out)}, typeInt64, out))
}

func importSize(c *call) []value {
	var out []value
	for _, t := range foldSize(c) {
		out = append(out, constant(t))
	}
	return out
}

func foldSize(c *call) []*tensor {
	if !c.arity(1, 1) {
		return nil
	}
	return c.tensors(newInts(nn.Shape{}, typeInt64, []int64{int64(c.shape(0).Size())}))
}

func foldIdentity(c *call) []*tensor { return c.tensors(c.first(1, 1)) }

func foldFlatten(c *call) []*tensor   { s := c.flattenShape(); return c.view(s) }
func foldReshape(c *call) []*tensor   { s := c.reshapeShape(); return c.view(s) }
func foldSqueeze(c *call) []*tensor   { s := c.squeezeShape(); return c.view(s) }
func foldUnsqueeze(c *call) []*tensor { s := c.unsqueezeShape(); return c.view(s) }

// view is input 0 with another shape.
func (c *call) view(s nn.Shape) []*tensor {
	if c.err != nil {
		return nil
	}
	return c.withShape(c.in[0].c, s)
}

func foldTranspose(c *call) []*tensor {
	t := c.first(1, 1)
	if t == nil {
		return nil
	}
	perm := c.perm(len(t.shape))
	if c.err != nil {
		return nil
	}
	own := strides(t.shape)
	shape, st := make(nn.Shape, len(perm)), make([]int, len(perm))
	for i, a := range perm {
		shape[i], st[i] = t.shape[a], own[a]
	}
	return c.tensors(c.strided(t, shape, 0, st))
}

func foldExpand(c *call) []*tensor {
	t := c.first(2, 2)
	list, _ := c.indices(1, "shape")
	target := nn.Shape(c.ints(list, "shape"))
	if c.err != nil {
		return nil
	}
	shape, ok := nn.Broadcast(t.shape, target)
	if !ok || len(shape) > maxRank || slices.ContainsFunc(shape, negative) {
		c.badShape("%v does not expand to %v", t.shape, target)
		return nil
	}
	return c.tensors(c.expanded(t, shape))
}

func foldConcat(c *call) []*tensor {
	axis := c.joinAxis()
	t := c.first(max(len(c.in), 1), len(c.in))
	if t == nil {
		return nil
	}
	a, ok := t.shape.Axis(axis)
	shape := t.shape.Clone()
	for k := 1; ok && k < len(c.in); k++ {
		u := c.in[k].c
		ok = len(u.shape) == len(shape) && u.isFloat() == t.isFloat()
		for i := 0; ok && i < len(shape); i++ {
			ok = i == a || u.shape[i] == shape[i]
		}
		if ok {
			shape[a] += u.shape[a]
		}
	}
	if !ok {
		c.badShape("axis %d of inputs that do not fit, the first of %v", axis, t.shape)
		return nil
	}
	if err := c.spend(shape.Size()); err != nil {
		c.fail(err)
		return nil
	}
	out := &tensor{shape: shape, elem: t.elem}
	var parts []*tensor
	for k := range c.in {
		if c.in[k].c.size() > 0 { // empty ones would cost time and add nothing
			parts = append(parts, c.in[k].c)
		}
	}
	if len(parts) == 0 {
		return c.tensors(c.make(shape, t.elem))
	}
	for o := range shape[:a].Size() {
		for _, u := range parts {
			n := u.shape[a:].Size()
			if t.isFloat() {
				out.f = append(out.f, u.f[o*n:(o+1)*n]...)
			} else {
				out.i = append(out.i, u.i[o*n:(o+1)*n]...)
			}
		}
	}
	return c.tensors(out)
}

// cut is t reduced to spans.
func (c *call) cut(t *tensor, spans []span) *tensor {
	shape, st := t.shape.Clone(), strides(t.shape)
	offset := 0
	for _, s := range spans {
		offset += s.start * st[s.axis]
		st[s.axis] *= s.step
		shape[s.axis] = s.count
	}
	return c.strided(t, shape, offset, st)
}

func foldSlice(c *call) []*tensor {
	t := c.first(1, 5)
	if t == nil {
		return nil
	}
	s := c.spans(t.shape)
	if c.err != nil {
		return nil
	}
	return c.tensors(c.cut(t, s))
}

func foldSplit(c *call) []*tensor {
	axis, sizes := c.parts()
	if c.err != nil {
		return nil
	}
	out := make([]*tensor, len(sizes))
	at := 0
	for k, n := range sizes {
		out[k] = c.cut(c.in[0].c, []span{{axis: axis, start: at, step: 1, count: n}})
		at += n
	}
	return out
}

func foldGather(c *call) []*tensor {
	axis, at, shape := c.gathered()
	if c.err != nil {
		return nil
	}
	t := c.in[0].c
	n := t.shape[axis]
	inner := t.shape[axis+1:].Size()
	full := slices.Concat(t.shape[:axis], shape, t.shape[axis+1:])
	if len(full) > maxRank {
		c.badShape("result %v", full)
		return nil
	}
	out := c.make(full, t.elem)
	if out == nil || out.size() == 0 {
		return c.tensors(out)
	}
	k := 0
	for o := range t.shape[:axis].Size() {
		for _, i := range at {
			from := (o*n + i) * inner
			if t.isFloat() {
				copy(out.f[k:k+inner], t.f[from:])
			} else {
				copy(out.i[k:k+inner], t.i[from:])
			}
			k += inner
		}
	}
	return c.tensors(out)
}

// foldRange counts from start by delta, up to limit.
func foldRange(c *call) []*tensor {
	if !c.arity(3, 3) {
		return nil
	}
	for k := range 3 {
		if c.in[k].c.size() != 1 || c.in[k].c.isFloat() {
			c.unsupported("bounds that are not single integers")
			return nil
		}
	}
	start, limit, delta := c.in[0].c.i[0], c.in[1].c.i[0], c.in[2].c.i[0]
	s, l, d := c.int(start, "start"), c.int(limit, "limit"), c.int(delta, "delta")
	if c.err != nil || d == 0 {
		c.badValue("delta %d", delta)
		return nil
	}
	n := (l - s + d - 1) / d
	if d < 0 {
		n = (s - l - d - 1) / -d
	}
	out := c.make(nn.Shape{max(n, 0)}, c.in[0].c.elem)
	if out == nil {
		return nil
	}
	for k := range out.i {
		out.i[k] = int64(s + k*d)
	}
	return c.tensors(out)
}
