package onnx

// Messages on the way out: the mirror image of wire.go and model.go.

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// message is a protobuf message under construction.
type message []byte

func (m *message) integer(num protowire.Number, v int64) {
	*m = protowire.AppendTag(*m, num, protowire.VarintType)
	*m = protowire.AppendVarint(*m, uint64(v))
}

func (m *message) str(num protowire.Number, s string) {
	*m = protowire.AppendTag(*m, num, protowire.BytesType)
	*m = protowire.AppendString(*m, s)
}

func (m *message) bytes(num protowire.Number, b []byte) {
	*m = protowire.AppendTag(*m, num, protowire.BytesType)
	*m = protowire.AppendBytes(*m, b)
}

func (m *message) float(num protowire.Number, v float32) {
	*m = protowire.AppendTag(*m, num, protowire.Fixed32Type)
	*m = protowire.AppendFixed32(*m, math.Float32bits(v))
}

// intAttr is an AttributeProto of one integer.
func intAttr(name string, v int) message {
	var m message
	m.str(1, name)
	m.integer(3, int64(v))
	m.integer(20, attrInt)
	return m
}

// intsAttr is an AttributeProto of a list of integers.
func intsAttr(name string, v []int) message {
	var m, packed message
	for _, x := range v {
		packed = protowire.AppendVarint(packed, uint64(int64(x)))
	}
	m.str(1, name)
	m.bytes(8, packed)
	m.integer(20, attrInts)
	return m
}

// floatAttr is an AttributeProto of one number.
func floatAttr(name string, v float32) message {
	var m message
	m.str(1, name)
	m.float(2, v)
	m.integer(20, attrFloat)
	return m
}

// tensorMessage is a TensorProto with raw data.
func tensorMessage(name string, shape []int, elem int64, raw []byte) message {
	var m message
	for _, d := range shape {
		m.integer(1, int64(d))
	}
	m.integer(2, elem)
	m.str(8, name)
	m.bytes(9, raw)
	return m
}

// rawInts is v as little-endian int64.
func rawInts(v []int) []byte {
	b := make([]byte, 0, 8*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint64(b, uint64(int64(x)))
	}
	return b
}

// portMessage is the ValueInfoProto of a tensor. A dimension of -1 is "N".
func portMessage(name string, shape []int, elem int64) message {
	var m, typ, tensor, dims message
	for _, d := range shape {
		var dim message
		if d < 0 {
			dim.str(2, "N")
		} else {
			dim.integer(1, int64(d))
		}
		dims.bytes(1, dim)
	}
	tensor.integer(1, elem)
	tensor.bytes(2, dims)
	typ.bytes(1, tensor)
	m.str(1, name)
	m.bytes(2, typ)
	return m
}
