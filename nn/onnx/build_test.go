package onnx

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/vouchnn/vouch/nn"
)

// modelBuilder puts ONNX files together for tests: what other tools write and
// Write never would.
type modelBuilder struct {
	graph message
	opset int64
}

// build starts a model with the given operator set and no inputs.
func build(opset int64) *modelBuilder { return &modelBuilder{opset: opset} }

// input declares an input of floats; -1 is a symbolic axis "N".
func (m *modelBuilder) input(name string, dims ...int) *modelBuilder {
	m.graph.bytes(11, portMessage(name, dims, typeFloat))
	return m
}

// output declares an output without a shape.
func (m *modelBuilder) output(name string) *modelBuilder {
	var v message
	v.str(1, name)
	m.graph.bytes(12, v)
	return m
}

// floats adds an initializer of floats.
func (m *modelBuilder) floats(name string, shape []int, v ...float64) *modelBuilder {
	m.graph.bytes(5, floatTensor(name, shape, v...))
	return m
}

// ints adds an initializer of int64.
func (m *modelBuilder) ints(name string, v ...int) *modelBuilder {
	m.graph.bytes(5, tensorMessage(name, []int{len(v)}, typeInt64, rawInts(v)))
	return m
}

// int adds an initializer of one int64 without axes.
func (m *modelBuilder) int(name string, v int) *modelBuilder {
	m.graph.bytes(5, tensorMessage(name, nil, typeInt64, rawInts([]int{v})))
	return m
}

// tensor adds an initializer of any form.
func (m *modelBuilder) tensor(t message) *modelBuilder {
	m.graph.bytes(5, t)
	return m
}

// node adds a node; io is its inputs and, behind "->", its outputs.
func (m *modelBuilder) node(op string, io []string, attrs ...message) *modelBuilder {
	var n message
	field := protowire.Number(1)
	for _, s := range io {
		if s == "->" {
			field = 2
			continue
		}
		n.str(field, s)
	}
	n.str(3, op+" "+io[slices.Index(io, "->")+1])
	n.str(4, op)
	for _, a := range attrs {
		n.bytes(5, a)
	}
	m.graph.bytes(1, n)
	return m
}

func (m *modelBuilder) bytes() []byte {
	var out, opset message
	out.integer(1, 7)
	out.bytes(7, m.graph)
	opset.integer(2, m.opset)
	out.bytes(8, opset)
	return out
}

func (m *modelBuilder) read(opts *Options) (*nn.Graph, *Info, error) {
	return Read(bytes.NewReader(m.bytes()), "test.onnx", opts)
}

func floatTensor(name string, shape []int, v ...float64) message {
	var raw []byte
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(x)))
	}
	return tensorMessage(name, shape, typeFloat, raw)
}

func stringAttr(name, v string) message {
	var m message
	m.str(1, name)
	m.str(4, v)
	m.integer(20, attrString)
	return m
}

func tensorAttr(name string, t message) message {
	var m message
	m.str(1, name)
	m.bytes(5, t)
	m.integer(20, attrTensor)
	return m
}

func floatsAttr(name string, v ...float32) message {
	var m message
	m.str(1, name)
	for _, x := range v {
		m.float(7, x)
	}
	m.integer(20, attrFloats)
	return m
}

// names splits "a b -> c" at its spaces; "_" is an optional input left out.
func names(s string) []string {
	var out []string
	for _, f := range bytes.Fields([]byte(s)) {
		if string(f) == "_" {
			out = append(out, "")
			continue
		}
		out = append(out, string(f))
	}
	return out
}
