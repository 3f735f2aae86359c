package onnx

// The messages of an ONNX file, as far as a network needs them: ModelProto,
// GraphProto, NodeProto, AttributeProto, ValueInfoProto with its TypeProto, and
// OperatorSetIdProto. Field numbers are those of onnx.proto. Unknown fields are
// skipped, as protobuf asks; sub-graphs of control flow are not entered, since
// no operator that has them is supported.

import (
	"errors"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/vouchnn/vouch/nn"
)

type model struct {
	irVersion int64
	producer  string
	version   string
	opset     map[string]int64 // by domain, "" for ONNX's own
	graph     *graph
}

type graph struct {
	name         string
	nodes        []*node
	initializers []*tensorProto
	inputs       []valueInfo
	outputs      []valueInfo
}

type node struct {
	name    string
	op      string
	domain  string
	inputs  []string
	outputs []string
	attrs   []*attribute
}

// attribute types, as in AttributeProto.AttributeType.
const (
	attrFloat   = 1
	attrInt     = 2
	attrString  = 3
	attrTensor  = 4
	attrFloats  = 6
	attrInts    = 7
	attrStrings = 8
)

type attribute struct {
	name   string
	typ    int64
	f      float64
	i      int64
	s      string
	t      *tensorProto
	floats []byte // packed
	ints   []byte // packed
}

// valueInfo is the declaration of a graph's input or output.
type valueInfo struct {
	name     string
	tensor   bool // it is a tensor, not a sequence or map
	elem     int64
	hasShape bool
	dims     []dim
}

// dim is one declared axis: a number, a symbol, or neither.
type dim struct {
	value int64
	set   bool
	param string
}

var errNoGraph = errors.New("no graph: not an ONNX model, or an empty one")

// model decodes a ModelProto.
func (d *decoder) model() (*model, error) {
	m := &model{opset: map[string]int64{}}
	err := d.each(d.data, "ModelProto", func(f field) error {
		var err error
		switch f.num {
		case 1:
			err = d.integer(f, "ir_version", &m.irVersion)
		case 2:
			err = d.str(f, "producer_name", &m.producer)
		case 3:
			err = d.str(f, "producer_version", &m.version)
		case 7:
			err = d.graph(f, m)
		case 8:
			err = d.opset(f, m)
		}
		return err
	})
	if err == nil && m.graph == nil {
		err = &nn.FormatError{File: d.file, Offset: -1, Field: "ModelProto", Err: errNoGraph}
	}
	return m, err
}

func (d *decoder) opset(f field, m *model) error {
	b, err := d.message(f, "opset_import")
	if err != nil {
		return err
	}
	var domain string
	var version int64
	err = d.each(b, "OperatorSetIdProto", func(f field) error {
		switch f.num {
		case 1:
			return d.str(f, "domain", &domain)
		case 2:
			return d.integer(f, "version", &version)
		}
		return nil
	})
	if domain == "ai.onnx" {
		domain = ""
	}
	m.opset[domain] = max(m.opset[domain], version)
	return err
}

func (d *decoder) graph(f field, m *model) error {
	b, err := d.message(f, "graph")
	if err != nil {
		return err
	}
	if m.graph == nil {
		m.graph = &graph{}
	}
	g := m.graph
	return d.each(b, "GraphProto", func(f field) error {
		switch f.num {
		case 1:
			return d.node(f, g)
		case 2:
			return d.str(f, "graph name", &g.name)
		case 5:
			t, err := d.tensor(f, "initializer")
			g.initializers = append(g.initializers, t)
			return err
		case 11:
			return d.valueInfo(f, "input", &g.inputs)
		case 12:
			return d.valueInfo(f, "output", &g.outputs)
		case 15:
			return &nn.UnsupportedError{File: d.file, Detail: "sparse initializers"}
		}
		return nil
	})
}

func (d *decoder) node(f field, g *graph) error {
	b, err := d.message(f, "node")
	if err != nil {
		return err
	}
	if err := d.record("node"); err != nil {
		return err
	}
	n := &node{}
	g.nodes = append(g.nodes, n)
	return d.each(b, "NodeProto", func(f field) error {
		var s string
		switch f.num {
		case 1:
			err := d.str(f, "node input", &s)
			n.inputs = append(n.inputs, s)
			return err
		case 2:
			err := d.str(f, "node output", &s)
			n.outputs = append(n.outputs, s)
			return err
		case 3:
			return d.str(f, "node name", &n.name)
		case 4:
			return d.str(f, "op_type", &n.op)
		case 5:
			return d.attribute(f, n)
		case 7:
			return d.str(f, "node domain", &n.domain)
		}
		return nil
	})
}

func (d *decoder) attribute(f field, n *node) error {
	b, err := d.message(f, "attribute")
	if err != nil {
		return err
	}
	if err := d.record("attribute"); err != nil {
		return err
	}
	a := &attribute{}
	n.attrs = append(n.attrs, a)
	seen := int64(0) // the type by the field present, for files without field 20
	err = d.each(b, "AttributeProto", func(f field) error {
		var err error
		switch f.num {
		case 1:
			err = d.str(f, "attribute name", &a.name)
		case 2:
			if f.typ != protowire.Fixed32Type {
				return &nn.FormatError{File: d.file, Offset: -1, Field: "attribute f", Detail: "field has the wrong wire type"}
			}
			a.f, seen = float64(math.Float32frombits(uint32(f.scalar))), attrFloat
		case 3:
			seen, err = attrInt, d.integer(f, "attribute i", &a.i)
		case 4:
			seen, err = attrString, d.str(f, "attribute s", &a.s)
		case 5:
			seen = attrTensor
			a.t, err = d.tensor(f, "attribute t")
		case 7:
			seen = attrFloats
			a.floats, err = d.packFixed(f, "attribute floats", a.floats)
		case 8:
			seen = attrInts
			a.ints, err = d.packVarints(f, "attribute ints", a.ints)
		case 9:
			seen = attrStrings
		case 20:
			err = d.integer(f, "attribute type", &a.typ)
		}
		return err
	})
	if a.typ == 0 {
		a.typ = seen
	}
	return err
}

// valueInfo decodes a ValueInfoProto and its type, and appends it to dst.
func (d *decoder) valueInfo(f field, what string, dst *[]valueInfo) error {
	b, err := d.message(f, what)
	if err != nil {
		return err
	}
	if err := d.record(what); err != nil {
		return err
	}
	v := valueInfo{}
	err = d.each(b, "ValueInfoProto", func(f field) error {
		switch f.num {
		case 1:
			return d.str(f, what+" name", &v.name)
		case 2:
			return d.nested(f, "TypeProto", 1, func(tensor field) error {
				v.tensor = true
				return d.tensorType(tensor, &v)
			})
		}
		return nil
	})
	*dst = append(*dst, v)
	return err
}

func (d *decoder) tensorType(f field, v *valueInfo) error {
	b, err := d.message(f, "tensor_type")
	if err != nil {
		return err
	}
	return d.each(b, "TypeProto.Tensor", func(f field) error {
		switch f.num {
		case 1:
			return d.integer(f, "elem_type", &v.elem)
		case 2:
			v.hasShape = true
			return d.nested(f, "TensorShapeProto", 1, func(f field) error {
				return d.dimension(f, v)
			})
		}
		return nil
	})
}

func (d *decoder) dimension(f field, v *valueInfo) error {
	b, err := d.message(f, "dim")
	if err != nil {
		return err
	}
	if err := d.record("dim"); err != nil {
		return err
	}
	x := dim{}
	err = d.each(b, "TensorShapeProto.Dimension", func(f field) error {
		switch f.num {
		case 1:
			x.set = true
			return d.integer(f, "dim_value", &x.value)
		case 2:
			return d.str(f, "dim_param", &x.param)
		}
		return nil
	})
	v.dims = append(v.dims, x)
	return err
}

// nested opens the message in f and visits its fields of number num.
func (d *decoder) nested(f field, what string, num protowire.Number, visit func(field) error) error {
	b, err := d.message(f, what)
	if err != nil {
		return err
	}
	return d.each(b, what, func(f field) error {
		if f.num != num {
			return nil
		}
		return visit(f)
	})
}
