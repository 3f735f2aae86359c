package onnx

// Activations, and arithmetic with a constant or between two nodes.

import (
	"github.com/vouchnn/vouch/nn"
)

func (c *call) activation(op nn.Operator) []value {
	if !c.arity(1, 1) {
		return nil
	}
	c.ignore("consumed_inputs") // before operator set 6: a hint on memory
	return one(c.add(op, nil, c.node(0)))
}

func importRelu(c *call) []value    { return c.activation(nn.ReLU{}) }
func importSigmoid(c *call) []value { return c.activation(nn.Sigmoid{}) }
func importTanh(c *call) []value    { return c.activation(nn.Tanh{}) }
func importAtan(c *call) []value    { return c.activation(nn.Arctan{}) }

func importLeakyRelu(c *call) []value {
	return c.activation(nn.LeakyReLU{Slope: c.floatAttr("alpha", float64(float32(0.01)))})
}

func importNeg(c *call) []value {
	if !c.arity(1, 1) {
		return nil
	}
	return one(c.times(value{node: c.node(0)}, -1))
}

func importAdd(c *call) []value { return c.arith(nn.ArithAdd, nn.Add{}) }
func importSub(c *call) []value { return c.arith(nn.ArithSub, nn.Sub{}) }
func importMul(c *call) []value { return c.arith(nn.ArithMul, nil) }
func importDiv(c *call) []value { return c.arith(nn.ArithDiv, nil) }

// arith reads a binary operator; between is its form for two nodes, or nil.
func (c *call) arith(kind nn.ArithKind, between nn.Operator) []value {
	c.legacyBroadcast()
	if !c.arity(2, 2) {
		return nil
	}
	a, b := c.in[0].c, c.in[1].c
	switch {
	case b != nil:
		if v, ok := c.completes(kind, 0, 1); ok {
			return one(v)
		}
		return one(c.withConstant(kind, b, false))
	case a != nil:
		if v, ok := c.completes(kind, 1, 0); ok {
			return one(v)
		}
		return one(c.withConstant(kind, a, true))
	case between == nil:
		c.unsupported("two operands that depend on the input")
		return nil
	}
	return one(c.addNodes(between, c.in[0], c.in[1]))
}

// legacyBroadcast accepts the attributes of operator sets before 7 when they
// say what later ones always do.
func (c *call) legacyBroadcast() {
	c.ignore("broadcast")
	c.ignore("consumed_inputs")
}

// withConstant is arithmetic of the other input with t.
func (c *call) withConstant(kind nn.ArithKind, t *tensor, first bool) value {
	if !t.isFloat() {
		c.unsupported("operand of %s", typeName(t.elem))
		return value{}
	}
	k := 0
	if first {
		k = 1
	}
	w := c.copied(t.f)
	if c.err != nil {
		return value{}
	}
	op, err := nn.NewConstArith(kind, w, t.shape.Clone(), first)
	return c.add(op, err, c.node(k))
}

// completes turns the addition of constant input t to input x into a dense
// layer with that bias, where x is a MatMul that nothing else uses.
func (c *call) completes(kind nn.ArithKind, x, t int) (value, bool) {
	name := c.n.inputs[x]
	d, ok := c.bare[name]
	if c.err != nil || !ok || kind != nn.ArithAdd || c.uses[name] != 1 || !c.in[t].c.isFloat() {
		return value{}, false
	}
	bias, ok := rowOf(c.in[t].c, d.out)
	if !ok || len(c.in[t].c.shape) > len(c.shape(x)) || c.spend(len(d.weight)) != nil {
		return value{}, false
	}
	return c.dense(d.input, d.out, d.in, d.weight, bias), true
}

// addNodes is op of two nodes.
func (c *call) addNodes(op nn.Operator, a, b value) value {
	return c.add(op, nil, a.node, b.node)
}

// importSum is a sum of any number of inputs.
func importSum(c *call) []value {
	if len(c.in) == 0 || !c.arity(len(c.in), len(c.in)) {
		return nil
	}
	nodes := make([]int, len(c.in))
	for k := range c.in {
		nodes[k] = c.node(k)
	}
	if len(nodes) == 1 {
		return one(value{node: nodes[0], set: true})
	}
	return one(c.add(nn.Add{}, nil, nodes...))
}
