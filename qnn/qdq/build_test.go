package qdq

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// A model as bytes. Field numbers are those of onnx.proto.

type builder struct{ graph []byte }

func field(b []byte, num protowire.Number, v []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, num, protowire.BytesType), v)
}

func number(b []byte, num protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), uint64(v))
}

func (m *builder) tensor(name string, kind int64, raw []byte, shape ...int) {
	var t []byte
	for _, d := range shape {
		t = number(t, 1, int64(d))
	}
	t = number(t, 2, kind)
	t = field(t, 8, []byte(name))
	m.graph = field(m.graph, 5, field(t, 9, raw))
}

func (m *builder) floats(name string, v []float32, shape ...int) {
	var raw []byte
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	m.tensor(name, 1, raw, shape...)
}

func (m *builder) int8s(name string, v []int8, shape ...int) {
	raw := make([]byte, len(v))
	for i, x := range v {
		raw[i] = byte(x)
	}
	m.tensor(name, 3, raw, shape...)
}

func (m *builder) uint8(name string, v uint8) { m.tensor(name, 2, []byte{v}) }

func (m *builder) int32s(name string, v []int32, shape ...int) {
	var raw []byte
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, uint32(x))
	}
	m.tensor(name, 6, raw, shape...)
}

// attribute is an INT or INTS attribute.
func attribute(name string, v ...int64) []byte {
	a := field(nil, 1, []byte(name))
	if len(v) == 1 {
		return number(number(a, 3, v[0]), 20, 2)
	}
	for _, x := range v {
		a = number(a, 8, x)
	}
	return number(a, 20, 7)
}

func (m *builder) node(op, output string, inputs []string, attributes ...[]byte) {
	var n []byte
	for _, in := range inputs {
		n = field(n, 1, []byte(in))
	}
	n = field(n, 2, []byte(output))
	n = field(n, 4, []byte(op))
	for _, a := range attributes {
		n = field(n, 5, a)
	}
	m.graph = field(m.graph, 1, n)
}

// port declares an input (11) or output (12) of floats.
func (m *builder) port(num protowire.Number, name string, shape ...int) {
	var dims []byte
	for _, d := range shape {
		dims = field(dims, 1, number(nil, 1, int64(d)))
	}
	tensor := field(number(nil, 1, 1), 2, dims)
	m.graph = field(m.graph, num, field(field(nil, 1, []byte(name)), 2, field(nil, 1, tensor)))
}

func (m *builder) bytes() []byte {
	b := number(nil, 1, 8)
	b = field(b, 8, number(nil, 2, 13))
	return field(b, 7, m.graph)
}
