package onnx

// Operators that select and join: Concat, Slice, Split, Gather and Pad.

import (
	"slices"

	"github.com/vouchnn/vouch/nn"
)

func importConcat(c *call) []value {
	axis := c.joinAxis()
	if len(c.in) == 0 || !c.arity(len(c.in), len(c.in)) {
		return nil
	}
	nodes := make([]int, 0, len(c.in))
	for k := range c.in {
		if c.shape(k).Size() == 0 {
			continue // an empty constant adds nothing
		}
		nodes = append(nodes, c.node(k))
	}
	if len(nodes) == 1 {
		return one(value{node: nodes[0], set: true})
	}
	return one(c.add(nn.Concat{Axis: axis}, nil, nodes...))
}

// joinAxis is the axis of Concat, which may be left out before operator set 4.
func (c *call) joinAxis() int {
	if c.attr("axis", attrInt) == nil && c.model.opset[""] >= 4 {
		c.fail(&nn.FormatError{Offset: -1, Detail: `no attribute "axis"`})
	}
	return c.intAttr("axis", 1)
}

// span is the part start, start+step, ... of an axis, count elements.
type span struct{ axis, start, step, count int }

// end is where the span stops, in the terms of Slice: exclusive, and with a
// backward step that runs off the front, one before the first counted from the
// end.
func (s span) end(n int) int {
	e := s.start + s.count*s.step
	if e < 0 {
		return -n - 1
	}
	return e
}

// spans are what Slice takes from a tensor of shape in, one per sliced axis.
func (c *call) spans(in nn.Shape) []span {
	starts, ok1 := c.list("starts", 1)
	ends, ok2 := c.list("ends", 2)
	axes, ok3 := c.list("axes", 3)
	steps, ok4 := c.indices(4, "steps")
	if c.err != nil {
		return nil
	}
	n := len(starts)
	if !ok1 || !ok2 || len(ends) != n || ok3 && len(axes) != n || ok4 && len(steps) != n || n > len(in) {
		c.badShape("starts %v, ends %v, axes %v, steps %v for %v", starts, ends, axes, steps, in)
		return nil
	}
	if !ok3 {
		for i := range n {
			axes = append(axes, int64(i))
		}
	}
	c.axes(axes, len(in))
	var out []span
	for i := range n {
		step := int64(1)
		if ok4 {
			step = steps[i]
		}
		if c.err != nil || step == 0 {
			c.badShape("axes %v, steps %v for %v", axes, steps, in)
			return nil
		}
		axis := int(axes[i])
		if axis < 0 {
			axis += len(in)
		}
		out = append(out, newSpan(axis, in[axis], starts[i], ends[i], step))
	}
	return out
}

// newSpan clamps start and end to an axis of length n as ONNX does.
func newSpan(axis, n int, start, end, step int64) span {
	size := int64(n)
	if start < 0 {
		start += size
	}
	if end < 0 {
		end += size
	}
	count := int64(0)
	if step > 0 {
		start, end = min(max(start, 0), size), min(max(end, 0), size)
		step = min(step, size+1)
		count = (end - start + step - 1) / step
	} else {
		start, end = min(max(start, 0), size-1), min(max(end, -1), size-1)
		step = max(step, -size-1)
		count = (start - end - step - 1) / -step
	}
	return span{axis: axis, start: int(start), step: int(step), count: int(max(count, 0))}
}

// slice adds a Slice of node x.
func (c *call) slice(x int, spans []span) value {
	var starts, ends, axes, steps []int
	in := c.b.Shape(x)
	for _, s := range spans {
		if s.count == 0 {
			c.badShape("nothing is left of axis %d of %v", s.axis, in)
			return value{}
		}
		starts, ends = append(starts, s.start), append(ends, s.end(in[s.axis]))
		axes, steps = append(axes, s.axis), append(steps, s.step)
	}
	op, err := nn.NewSlice(starts, ends, axes, steps)
	return c.add(op, err, x)
}

func importSlice(c *call) []value {
	if !c.arity(1, 5) {
		return nil
	}
	s := c.spans(c.shape(0))
	if c.err != nil {
		return nil
	}
	return one(c.slice(c.node(0), s))
}

// parts is how Split cuts an axis of the input: given sizes, or as many equal
// ones as there are outputs, the last smaller if they do not come out even.
func (c *call) parts() (axis int, sizes []int) {
	axis = c.intAttr("axis", 0)
	number := c.intAttr("num_outputs", len(c.n.outputs))
	if !c.arity(1, 2) {
		return 0, nil
	}
	in := c.shape(0)
	a, ok := in.Axis(axis)
	if !ok || number != len(c.n.outputs) || number < 1 {
		c.badShape("axis %d of %v in %d parts for %d outputs", axis, in, number, len(c.n.outputs))
		return 0, nil
	}
	n := in[a]
	if list, ok := c.list("split", 1); ok {
		sizes = c.ints(list, "split")
	} else {
		part := (n + number - 1) / number
		for range number - 1 {
			sizes = append(sizes, part)
		}
		sizes = append(sizes, n-part*(number-1))
	}
	total := 0
	for _, s := range sizes {
		if s < 0 || s > n {
			c.badShape("parts %v of axis %d of %v", sizes, axis, in)
			return 0, nil
		}
		total += s
	}
	if total != n || len(sizes) != len(c.n.outputs) {
		c.badShape("parts %v of axis %d of %v for %d outputs", sizes, axis, in, len(c.n.outputs))
	}
	return a, sizes
}

func importSplit(c *call) []value {
	axis, sizes := c.parts()
	if c.err != nil {
		return nil
	}
	x := c.node(0)
	out := make([]value, len(sizes))
	at := 0
	for k, n := range sizes {
		if c.uses[c.n.outputs[k]] > 0 {
			out[k] = c.slice(x, []span{{axis: axis, start: at, step: 1, count: n}})
		}
		at += n
	}
	return out
}

// gathered is the axis of Gather and its indices, counted from the start.
func (c *call) gathered() (axis int, at []int, shape nn.Shape) {
	axis = c.intAttr("axis", 0)
	if !c.arity(2, 2) {
		return 0, nil, nil
	}
	t := c.constant(1, "indices")
	if c.err != nil {
		return 0, nil, nil
	}
	in := c.shape(0)
	a, ok := in.Axis(axis)
	if !ok || t.isFloat() {
		c.badShape("axis %d of %v by indices of %s", axis, in, typeName(t.elem))
		return 0, nil, nil
	}
	at = make([]int, len(t.i))
	for k, v := range t.i {
		if v < 0 {
			v += int64(in[a])
		}
		if v < 0 || v >= int64(in[a]) {
			c.badValue("index %d of axis %d of %v", t.i[k], axis, in)
			return 0, nil, nil
		}
		at[k] = int(v)
	}
	return a, at, t.shape
}

func importGather(c *call) []value {
	axis, at, shape := c.gathered()
	if c.err != nil {
		return nil
	}
	if err := c.spend(len(at)); err != nil {
		c.fail(err)
		return nil
	}
	op, err := nn.NewGather(axis, at, shape.Clone())
	return one(c.add(op, err, c.node(0)))
}

// importPad reads constant padding; negative amounts cut elements off. The
// attribute was called "paddings" once.
func importPad(c *call) []value {
	mode, value := c.stringAttr("mode", "constant"), c.floatAttr("value", 0)
	if !c.arity(1, 4) {
		return nil
	}
	if mode != "constant" {
		c.unsupported("mode %q", mode)
	}
	list, ok := c.intsAttr("paddings")
	if !ok {
		list, ok = c.list("pads", 1)
	}
	if t := c.floats(2, "constant_value"); t != nil && t.size() == 1 {
		value = t.f[0]
	}
	in := c.shape(0)
	axes, some := c.indices(3, "axes")
	rank := len(in)
	if !some {
		axes = make([]int64, rank)
		for i := range axes {
			axes[i] = int64(i)
		}
	}
	c.axes(axes, rank)
	if c.err != nil || !ok || len(list) != 2*len(axes) {
		c.badShape("pads %v for axes %v of %v", list, axes, in)
		return nil
	}
	before, after := make([]int, rank), make([]int, rank)
	for k, a := range axes {
		i := (int(a) + rank) % rank
		before[i], after[i] = c.int(list[k], "pads"), c.int(list[k+len(axes)], "pads")
	}
	if c.err != nil {
		return nil
	}
	if !slices.ContainsFunc(before, nonzero) && !slices.ContainsFunc(after, nonzero) {
		return one(c.same())
	}
	op, err := nn.NewPad(before, after, value)
	return one(c.add(op, err, c.node(0)))
}

func nonzero(n int) bool { return n != 0 }
