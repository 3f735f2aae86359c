package onnx

// The operators that compute: dense layers, convolution, normalisation,
// pooling, activations, arithmetic and reductions.

import (
	"slices"

	"github.com/vouchnn/vouch/nn"
)

// node writes one node of the graph.
func (e *exporter) node(n nn.Node) error {
	in := make([]string, len(n.Inputs))
	for k, j := range n.Inputs {
		in[k] = e.names[j]
	}
	out := e.names[e.at]
	switch op := n.Op.(type) {
	case *nn.Dense:
		return e.dense(op, n.Inputs[0], in[0], out)
	case *nn.MatMulLeft:
		w := op.Weight()
		name, err := e.floats(e.helper("weight"), w.Values(), w.Shape)
		e.add("MatMul", out, []string{name, in[0]})
		return err
	case *nn.Conv:
		return e.conv(op, n, in[0], out)
	case *nn.BatchNorm:
		return e.batchNorm(op, n, in[0], out)
	case *nn.AveragePool:
		return e.pool("AveragePool", op.Config(), n, in[0], out)
	case *nn.MaxPool:
		return e.pool("MaxPool", op.Config(), n, in[0], out)
	case nn.GlobalAveragePool:
		e.globalAveragePool(op, n, in[0], out)
	case *nn.ConstArith:
		return e.constArith(op, n, in[0], out)
	case *nn.Constant:
		_, err := e.floats(out, op.Values(), e.led(n.Shape))
		return err
	case nn.Add:
		kind := "Add"
		if len(in) > 2 {
			kind = "Sum"
		}
		e.add(kind, out, e.aligned(n))
	case nn.Sub:
		e.add("Sub", out, e.aligned(n))
	case nn.LeakyReLU:
		slope, err := e.float32(op.Slope)
		e.add("LeakyRelu", out, in, floatAttr("alpha", slope))
		return err
	case nn.ReLU, nn.Sigmoid, nn.Tanh, nn.Arctan:
		e.add(n.Op.Kind(), out, in)
	case *nn.Reduce:
		e.reduce(op, n, in[0], out)
	default:
		return e.move(n, in, out)
	}
	return nil
}

// dense writes Gemm for matrices, and MatMul with Add for anything else.
func (e *exporter) dense(op *nn.Dense, input int, in, out string) error {
	w, rank := op.Weight(), len(e.shape(input))
	rows, cols := w.Shape[0], w.Shape[1]
	if rank == 2 {
		name, err := e.floats(e.helper("weight"), w.Values(), w.Shape)
		inputs := []string{in, name}
		if b := op.Bias(); b != nil && err == nil {
			name, err = e.floats(e.helper("bias"), b.Values(), b.Shape)
			inputs = append(inputs, name)
		}
		e.add("Gemm", out, inputs, intAttr("transB", 1))
		return err
	}
	t := make([]float64, rows*cols)
	for i := range rows {
		for j, v := range w.Values()[i*cols : (i+1)*cols] {
			t[j*rows+i] = v
		}
	}
	name, err := e.floats(e.helper("weight"), t, []int{cols, rows})
	if err != nil {
		return err
	}
	product := e.add("MatMul", e.helper("product"), []string{in, name})
	b := op.Bias()
	if b == nil { // keeps Read from taking an addition that follows for the bias
		e.add("Identity", out, []string{product})
		return nil
	}
	name, err = e.floats(e.helper("bias"), b.Values(), b.Shape)
	e.add("Add", out, []string{product, name})
	return err
}

// regroup writes op between two Reshapes if the input does not have exactly
// the batch axis and then the last tail axes: all axes before those become one.
func (e *exporter) regroup(n nn.Node, in, out string, tail int, write func(in, out string)) {
	e.through(n, in, out, len(e.shape(n.Inputs[0])) == tail+1, e.grouped(e.nodes[n.Inputs[0]].Shape, tail), write)
}

// grouped is the target [-1, last tail axes of s], with axes of size 1 for
// those that s lacks.
func (e *exporter) grouped(s nn.Shape, tail int) []int {
	target := []int{-1}
	for range tail - len(s) {
		target = append(target, 1)
	}
	return append(target, s[max(len(s)-tail, 0):]...)
}

// through writes op directly, or on the input reshaped to target with the
// result reshaped to n's own shape.
func (e *exporter) through(n nn.Node, in, out string, direct bool, target []int, write func(in, out string)) {
	if direct {
		write(in, out)
		return
	}
	grouped := e.reshape(in, e.helper("grouped"), target)
	result := e.helper("result")
	write(grouped, result)
	e.reshape(result, out, e.led(n.Shape))
}

func (e *exporter) conv(op *nn.Conv, n nn.Node, in, out string) error {
	c, w := op.Config(), op.Weight()
	name, err := e.floats(e.helper("weight"), w.Values(), w.Shape)
	if err != nil {
		return err
	}
	inputs := []string{name}
	if b := op.Bias(); b != nil {
		if name, err = e.floats(e.helper("bias"), b.Values(), b.Shape); err != nil {
			return err
		}
		inputs = append(inputs, name)
	}
	e.regroup(n, in, out, len(c.Kernel)+1, func(in, out string) {
		e.add("Conv", out, append([]string{in}, inputs...),
			intsAttr("kernel_shape", c.Kernel), intsAttr("strides", c.Stride), intsAttr("dilations", c.Dilation),
			intsAttr("pads", c.Pad), intAttr("group", max(c.Groups, 1)))
	})
	return nil
}

func (e *exporter) pool(kind string, c nn.PoolConfig, n nn.Node, in, out string) error {
	attrs := []message{intsAttr("kernel_shape", c.Kernel), intsAttr("strides", c.Stride), intsAttr("pads", c.Pad)}
	if c.CeilMode {
		attrs = append(attrs, intAttr("ceil_mode", 1))
	}
	if kind == "MaxPool" {
		attrs = append(attrs, intsAttr("dilations", c.Dilation))
	} else {
		if slices.Max(c.Dilation) > 1 {
			return &nn.UnsupportedError{Detail: "dilation, which operator set 13 does not have"}
		}
		if c.CountIncludePad {
			attrs = append(attrs, intAttr("count_include_pad", 1))
		}
	}
	e.regroup(n, in, out, len(c.Kernel)+1, func(in, out string) {
		e.add(kind, out, []string{in}, attrs...)
	})
	return nil
}

// globalAveragePool averages what follows the second axis; other axes are
// gathered there.
func (e *exporter) globalAveragePool(op nn.GlobalAveragePool, n nn.Node, in, out string) {
	s := e.nodes[n.Inputs[0]].Shape
	a, _ := s.Axis(op.Axis)
	direct := a+e.shift() == 2 && len(s) > a
	target := []int{-1, 1, s[a:].Size()}
	if a > 0 {
		target[1] = s[a-1]
	}
	e.through(n, in, out, direct, target, func(in, out string) {
		e.add("GlobalAveragePool", out, []string{in})
	})
}

func (e *exporter) batchNorm(op *nn.BatchNorm, n nn.Node, in, out string) error {
	eps, err := e.float32(op.Epsilon())
	if err != nil {
		return err
	}
	var stats []string
	for _, p := range op.Params() {
		name, err := e.floats(e.helper(p.Name), p.Values(), p.Shape)
		if err != nil {
			return err
		}
		stats = append(stats, name)
	}
	a, _ := n.Shape.Axis(op.Axis())
	target := []int{-1, n.Shape[a], n.Shape[a+1:].Size()}
	e.through(n, in, out, a+e.shift() == 1, target, func(in, out string) {
		e.add("BatchNormalization", out, append([]string{in}, stats...), floatAttr("epsilon", eps))
	})
	return nil
}

// constArith writes the constant as it is: both sides align at the last axis.
// Only a constant of more axes than the input would run into the batch axis.
func (e *exporter) constArith(op *nn.ConstArith, n nn.Node, in, out string) error {
	v, shape := op.Constant()
	name, err := e.floats(e.helper("constant"), v, shape)
	if err != nil {
		return err
	}
	in = e.raised(in, e.nodes[n.Inputs[0]].Shape, len(shape))
	inputs := []string{in, name}
	if op.ConstFirst() {
		slices.Reverse(inputs)
	}
	e.add(op.Arith().String(), out, inputs)
	return nil
}

// aligned is the inputs of n with as many axes each as the result has.
func (e *exporter) aligned(n nn.Node) []string {
	in := make([]string, len(n.Inputs))
	for k, j := range n.Inputs {
		in[k] = e.raised(e.names[j], e.nodes[j].Shape, len(n.Shape))
	}
	return in
}

// raised is tensor x of shape s with axes of size 1 between the batch axis and
// its own, so that it has rank of its own.
func (e *exporter) raised(x string, s nn.Shape, rank int) string {
	if !e.lead || len(s) >= rank {
		return x
	}
	ones := slices.Repeat([]int{1}, rank-len(s))
	return e.reshape(x, e.helper("raised"), e.led(append(ones, s...)))
}

func (e *exporter) reduce(op *nn.Reduce, n nn.Node, in, out string) {
	s := e.nodes[n.Inputs[0]].Shape
	axes := []int{}
	for _, a := range op.Axes() {
		axes = append(axes, e.axis(a, s))
	}
	for a := range s {
		if len(op.Axes()) == 0 {
			axes = append(axes, a+e.shift())
		}
	}
	keep := intAttr("keepdims", 0)
	if op.KeepDims() {
		keep = intAttr("keepdims", 1)
	}
	switch {
	case len(axes) == 0: // a single number
		e.add("Identity", out, []string{in})
	case op.Reduction() == nn.ReduceSum:
		e.add("ReduceSum", out, []string{in, e.ints("axes", axes)}, keep)
	default:
		e.add("ReduceMean", out, []string{in}, intsAttr("axes", axes), keep)
	}
}
