package train

// Twins of operators: the same operator with its constants dropped and, for
// interval arithmetic, its coefficients replaced by their absolute values. If
// out = W·in + b, the linear twin is W·in and the magnitude twin |W|·in. Both are
// ordinary operators of package nn, with fast forward and backward passes of
// their own; their parameters are refreshed at each step. An operator without
// coefficients and constants is its own twin.

import (
	"math"

	"github.com/vouchnn/vouch/nn"
)

// twins is the twins of a network's affine nodes.
type twins struct {
	linear, magnitude []nn.Operator // by node; nil for the input and activations
	fresh             bool
}

// twinsFor is the step's twins, with this step's parameters.
func (s *Step) twinsFor() (*twins, error) {
	if s.twins == nil {
		t := &twins{linear: make([]nn.Operator, len(s.m.nodes)), magnitude: make([]nn.Operator, len(s.m.nodes))}
		for i, n := range s.m.nodes {
			if n.Op == nil || monotone(n.Op) {
				continue
			}
			var err error
			if t.linear[i], err = twinOf(n.Op, func(v float64) float64 { return v }); err == nil {
				t.magnitude[i], err = twinOf(magnitudeOf(n.Op), math.Abs)
			}
			if err != nil {
				return nil, &nn.UnsupportedError{Node: n.Name, Op: n.Op.Kind(), Detail: "interval and tangent passes of training: " + err.Error()}
			}
		}
		s.twins = t
	}
	if !s.twins.fresh {
		for i, n := range s.m.nodes {
			refresh(n.Op, s.twins.linear[i], func(v float32) float32 { return v })
			refresh(n.Op, s.twins.magnitude[i], func(v float32) float32 { return max(v, -v) })
		}
		s.twins.fresh = true
	}
	return s.twins, nil
}

// monotone tells the activations, and MaxPool: nodes whose bounds are their
// values at the bounds.
func monotone(op nn.Operator) bool {
	switch op.(type) {
	case nn.ReLU, nn.LeakyReLU, nn.Sigmoid, nn.Tanh, nn.Arctan, *nn.MaxPool:
		return true
	}
	return false
}

// magnitudeOf is op, or Add for Sub, whose radii add.
func magnitudeOf(op nn.Operator) nn.Operator {
	if _, ok := op.(nn.Sub); ok {
		return nn.Add{}
	}
	return op
}

// twinOf makes a twin with coefficients changed by f.
func twinOf(op nn.Operator, f func(float64) float64) (nn.Operator, error) {
	mapped := func(v []float64) []float64 {
		out := make([]float64, len(v))
		for i, c := range v {
			out[i] = f(c)
		}
		return out
	}
	switch op := op.(type) {
	case *nn.Dense:
		s := op.Weight().Shape
		return nn.NewDense(s[0], s[1], mapped(op.Weight().Values()), nil)
	case *nn.Conv:
		in, out := op.Channels()
		return nn.NewConv(op.Config(), out, in, mapped(op.Weight().Values()), nil)
	case *nn.BatchNorm:
		p := op.Params()
		n := len(p[0].Values())
		return nn.NewBatchNorm(op.Axis(), mapped(p[0].Values()), make([]float64, n), make([]float64, n), append([]float64(nil), p[3].Values()...), op.Epsilon())
	case *nn.ConstArith:
		c, shape := op.Constant()
		switch op.Arith() {
		case nn.ArithMul, nn.ArithDiv:
			return nn.NewConstArith(op.Arith(), mapped(c), shape, op.ConstFirst())
		}
		sign := 1.0
		if op.Arith() == nn.ArithSub && op.ConstFirst() {
			sign = f(-1)
		}
		if sign < 0 { // 0 − in
			return nn.NewConstArith(nn.ArithSub, make([]float64, len(c)), shape, true)
		}
		return nn.NewConstArith(nn.ArithAdd, make([]float64, len(c)), shape, false)
	case *nn.Constant:
		shape, err := op.OutShape(nil)
		if err != nil {
			return nil, err
		}
		return nn.NewConstant(make([]float64, len(op.Values())), shape)
	case *nn.MatMulLeft:
		s := op.Weight().Shape
		return nn.NewMatMulLeft(s[0], s[1], mapped(op.Weight().Values()))
	case *nn.Pad:
		before, after := op.Amounts()
		return nn.NewPad(before, after, 0)
	case *nn.AveragePool, nn.GlobalAveragePool, nn.Add, nn.Sub, *nn.Reduce, nn.Concat,
		nn.Identity, nn.Flatten, *nn.Reshape, *nn.Squeeze, *nn.Unsqueeze, *nn.Transpose, *nn.Slice, *nn.Gather:
		return op, nil
	}
	return nil, &nn.UnsupportedError{Op: op.Kind()}
}

// refresh copies op's coefficients, changed by f, to a twin that has its own.
func refresh(op, twin nn.Operator, f func(float32) float32) {
	if twin == nil || twin == op {
		return
	}
	from, to := op.Params(), twin.Params()
	for k, p := range to {
		if _, norm := op.(*nn.BatchNorm); norm && k != 0 && k != 3 {
			continue // bias and mean stay 0
		}
		v := make([]float32, len(p.Values32()))
		for i, c := range from[k].Values32() {
			v[i] = c
			if k == 0 {
				v[i] = f(c)
			}
		}
		p.Set32(v)
	}
}
