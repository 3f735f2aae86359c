package onnx

// From a graph to a file: names, shapes, tensors, and the order of things.
//
// Every node of the graph becomes one node of the file, with helpers where
// ONNX ties an operator to certain axes: a convolution whose input does not
// have exactly one axis before its channels is put between two Reshapes.

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/vouchnn/vouch/nn"
)

const (
	writtenIR    = 7
	writtenOpset = 13
)

type exporter struct {
	nodes  []nn.Node
	output int
	round  bool  // float32 rounding is allowed
	elem   int64 // typeFloat or typeDouble
	lead   bool  // a batch axis is put in front
	batch  int   // its size; -1 is "N"

	names []string // of the nodes' tensors
	taken map[string]bool
	body  message // repeated node
	inits message // repeated initializer
	at    int     // the node being written
}

func encode(net nn.Network, opts *WriteOptions) ([]byte, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	if opts == nil {
		opts = &WriteOptions{}
	}
	e := &exporter{
		nodes: net.Nodes(), output: net.Output(), round: opts.AllowRounding, elem: typeFloat,
		batch: -1, taken: map[string]bool{"": true},
	}
	if opts.Double {
		e.elem = typeDouble
	}
	e.lead = opts.Batch == BatchAdd || opts.Batch == BatchAuto && !e.hasBatch()
	for i, n := range e.nodes {
		name := n.Name
		if name == "" {
			name = fmt.Sprintf("node%d", i)
		}
		e.names = append(e.names, e.unique(name))
		if _, ok := n.Op.(*nn.Constant); ok {
			e.batch = 1
		}
	}
	for i := range e.nodes {
		e.at = i
		if i == 0 {
			continue
		}
		if err := e.node(e.nodes[i]); err != nil {
			return nil, locate(err, "", e.nodes[i].Name, e.nodes[i].Op.Kind())
		}
	}
	return e.finish(opts), nil
}

// hasBatch tells whether the first axis of the shapes is a batch of one.
func (e *exporter) hasBatch() bool {
	in := e.nodes[0].Shape
	if len(in) < 2 || in[0] != 1 {
		return false
	}
	for _, n := range e.nodes[1:] {
		if len(n.Inputs) == 0 {
			continue
		}
		rank := len(e.nodes[n.Inputs[0]].Shape)
		need := 0
		switch op := n.Op.(type) {
		case *nn.Conv:
			need = len(op.Config().Kernel) + 2
		case *nn.MaxPool:
			need = len(op.Config().Kernel) + 2
		case *nn.AveragePool:
			need = len(op.Config().Kernel) + 2
		case *nn.BatchNorm:
			if axis := op.Axis(); axis == 0 || axis == -rank {
				return false
			}
		}
		if rank < need {
			return false
		}
	}
	return true
}

// finish assembles the ModelProto.
func (e *exporter) finish(opts *WriteOptions) []byte {
	out := e.names[e.output]
	_, isConstant := e.nodes[e.output].Op.(*nn.Constant)
	if e.output == 0 || isConstant { // a graph's output must come from a node
		out = e.add("Identity", e.unique(out+"/output"), []string{out})
	}
	var g message
	g = append(g, e.body...)
	name := opts.Name
	if name == "" {
		name = "network"
	}
	g.str(2, name)
	g = append(g, e.inits...)
	g.bytes(11, portMessage(e.names[0], e.shape(0), e.elem))
	g.bytes(12, portMessage(out, e.shape(e.output), e.elem))
	var m, opset message
	m.integer(1, writtenIR)
	m.str(2, "vouch")
	m.bytes(7, g)
	opset.str(1, "")
	opset.integer(2, writtenOpset)
	m.bytes(8, opset)
	return m
}

// unique is base, or base with a number, so that no other tensor has it.
func (e *exporter) unique(base string) string {
	name := base
	for k := 2; e.taken[name]; k++ {
		name = fmt.Sprintf("%s_%d", base, k)
	}
	e.taken[name] = true
	return name
}

// shape is the shape of node i in the file, with -1 for "N".
func (e *exporter) shape(i int) []int { return e.led(e.nodes[i].Shape) }

// led is s with the batch axis in front, if there is one.
func (e *exporter) led(s []int) []int {
	if e.lead {
		return append([]int{e.batch}, s...)
	}
	return slices.Clone(s)
}

// shift is how far axis numbers move.
func (e *exporter) shift() int {
	if e.lead {
		return 1
	}
	return 0
}

// axis is the number in the file of an axis of shape s, which may count from
// the end.
func (e *exporter) axis(axis int, s nn.Shape) int {
	a, _ := s.Axis(axis)
	return a + e.shift()
}

// add writes a node that makes the tensor out.
func (e *exporter) add(op, out string, inputs []string, attrs ...message) string {
	var n message
	for _, in := range inputs {
		n.str(1, in)
	}
	n.str(2, out)
	n.str(3, out)
	n.str(4, op)
	for _, a := range attrs {
		n.bytes(5, a)
	}
	e.body.bytes(1, n)
	return out
}

// helper is a tensor name beside that of the node being written.
func (e *exporter) helper(what string) string { return e.unique(e.names[e.at] + "/" + what) }

// ints writes a list of integers and returns its name.
func (e *exporter) ints(what string, v []int) string {
	return e.intTensor(what, v, []int{len(v)})
}

func (e *exporter) intTensor(what string, v, shape []int) string {
	name := e.helper(what)
	e.inits.bytes(5, tensorMessage(name, shape, typeInt64, rawInts(v)))
	return name
}

// floats writes a tensor of numbers and returns its name.
// Errors: *nn.ValueError.
func (e *exporter) floats(name string, v []float64, shape []int) (string, error) {
	raw := make([]byte, 0, 8*len(v))
	for k, x := range v {
		if e.elem == typeDouble {
			raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(x))
			continue
		}
		f, err := e.float32(x)
		if err != nil {
			return "", &nn.ValueError{Detail: fmt.Sprintf("%s[%d] = %v is not a float32 number", name, k, x)}
		}
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(f))
	}
	e.inits.bytes(5, tensorMessage(name, shape, e.elem, raw))
	return name, nil
}

// float32 is v, or v rounded if that is allowed.
// Errors: *nn.ValueError.
func (e *exporter) float32(v float64) (float32, error) {
	f := float32(v)
	if float64(f) != v && !e.round || math.IsInf(float64(f), 0) {
		return 0, &nn.ValueError{Detail: fmt.Sprintf("%v is not a float32 number", v)}
	}
	return f, nil
}

// reshape writes a Reshape of tensor x. One number of the target may be -1.
func (e *exporter) reshape(x, out string, target []int) string {
	return e.add("Reshape", out, []string{x, e.ints("shape", target)})
}
