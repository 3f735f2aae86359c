package onnx

// The operators that move, rename and select elements.

import (
	"slices"

	"github.com/vouchnn/vouch/nn"
)

// move writes n if it is one of them.
// Errors: *nn.UnsupportedError if it is not.
func (e *exporter) move(n nn.Node, in []string, out string) error {
	var s nn.Shape
	if len(n.Inputs) > 0 {
		s = e.nodes[n.Inputs[0]].Shape
	}
	switch op := n.Op.(type) {
	case nn.Identity:
		e.add("Identity", out, in)
	case nn.Flatten:
		if e.lead {
			e.reshape(in[0], out, e.led(n.Shape))
			break
		}
		e.add("Flatten", out, in, intAttr("axis", op.Axis))
	case *nn.Reshape:
		e.reshape(in[0], out, e.led(n.Shape))
	case *nn.Squeeze:
		e.squeeze(op, s, in[0], out)
	case *nn.Unsqueeze:
		axes := make([]int, len(op.Axes()))
		for k, a := range op.Axes() {
			axes[k] = e.axis(a, n.Shape)
		}
		e.add("Unsqueeze", out, []string{in[0], e.ints("axes", axes)})
	case *nn.Transpose:
		e.transpose(op, len(s), in[0], out)
	case nn.Concat:
		e.add("Concat", out, in, intAttr("axis", e.axis(op.Axis, s)))
	case *nn.Slice:
		starts, ends, axes, steps := op.Ranges()
		moved := make([]int, len(axes))
		for k, a := range axes {
			moved[k] = e.axis(a, s)
		}
		e.add("Slice", out, []string{in[0], e.ints("starts", starts), e.ints("ends", ends), e.ints("axes", moved), e.ints("steps", steps)})
	case *nn.Gather:
		at, shape := op.Indices()
		e.add("Gather", out, []string{in[0], e.intTensor("indices", at, shape)}, intAttr("axis", e.axis(op.Axis(), s)))
	case *nn.Pad:
		return e.pad(op, in[0], out)
	default:
		return &nn.UnsupportedError{}
	}
	return nil
}

func (e *exporter) squeeze(op *nn.Squeeze, s nn.Shape, in, out string) {
	var axes []int
	for _, a := range op.Axes() {
		axes = append(axes, e.axis(a, s))
	}
	for a, d := range s {
		if len(op.Axes()) == 0 && d == 1 {
			axes = append(axes, a+e.shift())
		}
	}
	if len(axes) == 0 {
		e.add("Identity", out, []string{in})
		return
	}
	e.add("Squeeze", out, []string{in, e.ints("axes", axes)})
}

func (e *exporter) transpose(op *nn.Transpose, rank int, in, out string) {
	perm := slices.Clone(op.Perm())
	if len(perm) == 0 { // all axes reversed
		for a := range rank {
			perm = append(perm, rank-1-a)
		}
	}
	if e.lead {
		for k := range perm {
			perm[k]++
		}
		perm = append([]int{0}, perm...)
	}
	e.add("Transpose", out, []string{in}, intsAttr("perm", perm))
}

func (e *exporter) pad(op *nn.Pad, in, out string) error {
	before, after := op.Amounts()
	if e.lead {
		before, after = append([]int{0}, before...), append([]int{0}, after...)
	}
	value, err := e.floats(e.helper("value"), []float64{op.Value()}, nil)
	e.add("Pad", out, []string{in, e.ints("pads", slices.Concat(before, after)), value})
	return err
}
