package onnx

// Operators that only rename or move elements: Identity, Dropout, Cast,
// Flatten, Reshape, Squeeze, Unsqueeze, Transpose and Expand.
//
// Those that change the shape alone share one function for the new shape, used
// for constants (fold_shape.go) and nodes alike.

import (
	"slices"

	"github.com/vouchnn/vouch/nn"
)

// same is input 0 as it is: an operator that does nothing leaves no node.
func (c *call) same() value { return value{node: c.node(0), set: true} }

func importIdentity(c *call) []value {
	if !c.arity(1, 1) {
		return nil
	}
	return one(c.same())
}

// importDropout is the identity: a network is read for inference. The mask,
// a second output, does not exist.
func importDropout(c *call) []value {
	ratio := c.floatAttr("ratio", 0.5)
	c.ignore("seed")
	c.inference()
	if !c.arity(1, 3) {
		return nil
	}
	if t := c.floats(1, "ratio"); t != nil && t.size() == 1 {
		ratio = t.f[0]
	}
	t := c.constant(2, "training_mode")
	switch {
	case t == nil:
	case t.isFloat() || t.size() != 1:
		c.badShape("training_mode %v of %s", t.shape, typeName(t.elem))
	case t.i[0] != 0 && ratio != 0:
		c.unsupported("training_mode with a ratio of %v", ratio)
	}
	return one(c.same())
}

// inference checks that a node of operator sets before 7, whose default was
// training, says that it is not.
func (c *call) inference() {
	if !c.flag("is_test", false) && c.model.opset[""] < 7 {
		c.unsupported("is_test = 0")
	}
}

// importCast takes a cast between float and double for the identity, as it is
// over the real numbers.
func importCast(c *call) []value {
	to := c.castType()
	if !c.arity(1, 1) {
		return nil
	}
	if to != typeFloat && to != typeDouble {
		c.unsupported("cast of a tensor that depends on the input to %s", typeName(to))
	}
	return one(c.same())
}

func (c *call) castType() int64 {
	c.ignore("saturate")   // of 8-bit floats, which are refused
	c.ignore("round_mode") // likewise
	a := c.attr("to", attrInt)
	if a == nil {
		c.fail(&nn.FormatError{Offset: -1, Detail: `no attribute "to"`})
		return typeFloat
	}
	return a.i
}

func (c *call) reshape(shape nn.Shape) []value {
	if c.err != nil {
		return nil
	}
	return one(c.reshaped(c.same(), shape))
}

func importFlatten(c *call) []value   { return c.reshape(c.flattenShape()) }
func importReshape(c *call) []value   { return c.reshape(c.reshapeShape()) }
func importSqueeze(c *call) []value   { return c.reshape(c.squeezeShape()) }
func importUnsqueeze(c *call) []value { return c.reshape(c.unsqueezeShape()) }

// flattenShape is [product of the axes before axis, product of the others].
func (c *call) flattenShape() nn.Shape {
	axis := c.intAttr("axis", 1)
	if !c.arity(1, 1) {
		return nil
	}
	s := c.shape(0)
	if axis < 0 {
		axis += len(s)
	}
	if axis < 0 || axis > len(s) {
		c.badShape("axis %d of %v", axis, s)
		return nil
	}
	return nn.Shape{s[:axis].Size(), s[axis:].Size()}
}

// reshapeShape resolves a target in which 0 stands for the input's axis (unless
// allowzero) and one -1 for whatever is left.
func (c *call) reshapeShape() nn.Shape {
	allowZero := c.flag("allowzero", false)
	c.ignore("consumed_inputs")
	if !c.arity(1, 2) {
		return nil
	}
	target, ok := c.list("shape", 1)
	if c.err != nil || !ok || len(target) > maxRank {
		c.badShape("target of %d axes, or none", len(target))
		return nil
	}
	in := c.shape(0)
	s := nn.Shape(c.ints(target, "shape"))
	open := -1
	rest := 1
	for i, d := range s {
		switch {
		case d == 0 && !allowZero:
			if i >= len(in) {
				c.badShape("target %v copies axis %d of %v", target, i, in)
				return nil
			}
			s[i] = in[i]
		case d == -1 && open < 0:
			open = i
			continue
		case d < 0:
			c.badShape("target %v", target)
			return nil
		}
		rest *= s[i]
		if rest > nn.MaxElements {
			c.badShape("target %v", target)
			return nil
		}
	}
	if open >= 0 {
		if rest == 0 || in.Size()%rest != 0 {
			c.badShape("%v does not fit the target %v", in, target)
			return nil
		}
		s[open] = in.Size() / rest
	}
	if s.Size() != in.Size() {
		c.badShape("%v does not fit the target %v", in, target)
	}
	return s
}

// squeezeShape is without the given axes of size 1, or without all such.
func (c *call) squeezeShape() nn.Shape {
	if !c.arity(1, 2) {
		return nil
	}
	in := c.shape(0)
	axes, given := c.list("axes", 1)
	if given && len(axes) == 0 {
		c.unsupported("an empty list of axes, which tools read as all or as none")
	}
	drop := c.axes(axes, len(in))
	if c.err != nil {
		return nil
	}
	s := nn.Shape{}
	for i, d := range in {
		if given && !drop[i] || !given && d != 1 {
			s = append(s, d)
		} else if d != 1 {
			c.badShape("axis %d of %v does not have size 1", i, in)
		}
	}
	return s
}

// unsqueezeShape has new axes of size 1 at the given places of the result.
func (c *call) unsqueezeShape() nn.Shape {
	if !c.arity(1, 2) {
		return nil
	}
	axes, _ := c.list("axes", 1)
	in := c.shape(0)
	if len(in)+len(axes) > maxRank {
		c.badShape("%d new axes for %v", len(axes), in)
		return nil
	}
	isNew := c.axes(axes, len(in)+len(axes))
	if c.err != nil {
		return nil
	}
	s := nn.Shape{}
	k := 0
	for _, n := range isNew {
		if n {
			s = append(s, 1)
			continue
		}
		s = append(s, in[k])
		k++
	}
	return s
}

// axes marks the listed ones of rank axes. They may count from the end; none
// may be listed twice.
func (c *call) axes(list []int64, rank int) []bool {
	marked := make([]bool, rank)
	for _, a := range list {
		i := a
		if i < 0 {
			i += int64(rank)
		}
		if i < 0 || i >= int64(rank) || marked[i] {
			c.badShape("axes %v for %d axes", list, rank)
			return marked
		}
		marked[i] = true
	}
	return marked
}

// perm is a permutation of rank axes, by default their reversal.
func (c *call) perm(rank int) []int {
	list, ok := c.intsAttr("perm")
	if !ok {
		p := make([]int, rank)
		for i := range p {
			p[i] = rank - 1 - i
		}
		return p
	}
	p := c.ints(list, "perm")
	seen := make([]bool, rank)
	bad := len(p) != rank
	for _, a := range p {
		if bad = bad || a < 0 || a >= rank || seen[a]; bad {
			c.badShape("perm %v of %d axes", p, rank)
			break
		}
		seen[a] = true
	}
	if bad && c.err == nil {
		c.badShape("perm %v of %d axes", p, rank)
	}
	return p
}

func importTranspose(c *call) []value {
	if !c.arity(1, 1) {
		return nil
	}
	p := c.perm(len(c.shape(0)))
	if c.err != nil {
		return nil
	}
	op, err := nn.NewTranspose(p)
	return one(c.add(op, err, c.node(0)))
}

// importExpand repeats axes, which is the addition of zeros of that shape.
func importExpand(c *call) []value {
	if !c.arity(2, 2) {
		return nil
	}
	target, _ := c.indices(1, "shape")
	s := nn.Shape(c.ints(target, "shape"))
	if c.err != nil {
		return nil
	}
	if out, ok := nn.Broadcast(c.shape(0), s); ok && slices.Equal(out, c.shape(0)) {
		return one(c.same())
	}
	if n := s.Size(); n < 1 || c.spend(n) != nil {
		c.badShape("target %v", s)
		return nil
	}
	op, err := nn.NewConstArith(nn.ArithAdd, make([]float64, s.Size()), s, false)
	return one(c.add(op, err, c.node(0)))
}
