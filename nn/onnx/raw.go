package onnx

import (
	"fmt"
	"io"

	"github.com/vouchnn/vouch/nn"
)

// The graph of a file as it is, for readers of models that Read does not turn into
// a network, such as quantized ones. Nothing is folded, checked against operator
// definitions or reordered; constants are decoded, and the same limits hold as for
// Read.

// RawModel is a file's graph.
type RawModel struct {
	Opset     int64 // of ONNX's own operators
	Nodes     []RawNode
	Constants map[string]*RawTensor // initializers by name
	Inputs    []RawPort             // those that are no initializers
	Outputs   []string
}

// RawNode is one node. Attributes are given by kind; others than these are not
// kept, but named in Other.
type RawNode struct {
	Name, Op, Domain string
	Inputs, Outputs  []string
	Int              map[string]int64
	Float            map[string]float64
	Ints             map[string][]int64
	String           map[string]string
	Tensor           map[string]*RawTensor
	Other            []string
}

// RawTensor is a constant: Floats, or Ints where the element type is integral or
// bool.
type RawTensor struct {
	Shape  nn.Shape
	Type   string // ONNX's name of the element type: float, uint8, ...
	Floats []float64
	Ints   []int64
}

// RawPort is a declared input; a symbolic or missing size is 0.
type RawPort struct {
	Name string
	Dims []int
}

// ReadRaw reads the graph of an ONNX model, plain or gzip. name stands for the
// file in errors. Options.Dims are ignored.
// Errors: *nn.FormatError, *nn.ShapeError, *nn.ValueError, *nn.UnsupportedError.
func ReadRaw(r io.Reader, name string, opts *Options) (*RawModel, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	limit := int64(DefaultMaxBytes)
	if opts != nil && opts.MaxBytes > 0 {
		limit = opts.MaxBytes
	}
	data, err := slurp(r, name, limit)
	if err != nil {
		return nil, err
	}
	m, err := (&decoder{file: name, data: data}).model()
	if err != nil {
		return nil, inFile(err, name)
	}
	out := &RawModel{Opset: m.opset[""], Constants: map[string]*RawTensor{}}
	for _, t := range m.graph.initializers {
		if out.Constants[t.name], err = rawTensor(name, t, t.name); err != nil {
			return nil, inFile(err, name)
		}
	}
	for _, v := range m.graph.inputs {
		if out.Constants[v.name] != nil {
			continue
		}
		p := RawPort{Name: v.name}
		for _, d := range v.dims {
			p.Dims = append(p.Dims, int(max(0, min(d.value, nn.MaxElements))))
		}
		out.Inputs = append(out.Inputs, p)
	}
	for _, v := range m.graph.outputs {
		out.Outputs = append(out.Outputs, v.name)
	}
	for _, n := range m.graph.nodes {
		r, err := rawNode(name, n)
		if err != nil {
			return nil, inFile(err, name)
		}
		out.Nodes = append(out.Nodes, r)
	}
	return out, nil
}

func rawTensor(file string, p *tensorProto, what string) (*RawTensor, error) {
	t, err := p.decode(file, what)
	if err != nil {
		return nil, err
	}
	return &RawTensor{Shape: t.shape, Type: typeName(t.elem), Floats: t.f, Ints: t.i}, nil
}

func rawNode(file string, n *node) (RawNode, error) {
	r := RawNode{
		Name: label(n), Op: n.op, Domain: n.domain, Inputs: n.inputs, Outputs: n.outputs,
		Int: map[string]int64{}, Float: map[string]float64{}, Ints: map[string][]int64{},
		String: map[string]string{}, Tensor: map[string]*RawTensor{},
	}
	for _, a := range n.attrs {
		switch a.typ {
		case attrInt:
			r.Int[a.name] = a.i
		case attrFloat:
			r.Float[a.name] = a.f
		case attrString:
			r.String[a.name] = a.s
		case attrInts:
			v, ok := unpackVarints(a.ints)
			if !ok {
				return r, &nn.FormatError{File: file, Offset: -1, Field: r.Name, Detail: fmt.Sprintf("attribute %s is cut short", a.name)}
			}
			r.Ints[a.name] = v
		case attrTensor:
			if a.t == nil {
				return r, &nn.FormatError{File: file, Offset: -1, Field: r.Name, Detail: fmt.Sprintf("attribute %s has no tensor", a.name)}
			}
			t, err := rawTensor(file, a.t, r.Name)
			if err != nil {
				return r, err
			}
			r.Tensor[a.name] = t
		default:
			r.Other = append(r.Other, a.name)
		}
	}
	return r, nil
}
