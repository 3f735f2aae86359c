package onnx

// Constant tensors: how a file stores them, and how the importer holds them.
//
// A tensor is either floating point (float, double, float16, bfloat16; all
// held in float64, which holds each of them exactly) or integral (every integer
// type and bool, held in int64). The numbers are taken from raw_data or from
// the typed field, whichever is there, and must be exactly as many as the
// shape says; memory is allocated for the numbers present, never for the
// number claimed.

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/vouchnn/vouch/nn"
)

// Element types of TensorProto.DataType.
const (
	typeFloat    = 1
	typeUint8    = 2
	typeInt8     = 3
	typeUint16   = 4
	typeInt16    = 5
	typeInt32    = 6
	typeInt64    = 7
	typeString   = 8
	typeBool     = 9
	typeFloat16  = 10
	typeDouble   = 11
	typeUint32   = 12
	typeUint64   = 13
	typeBfloat16 = 16
)

var typeNames = map[int64]string{
	typeFloat: "float", typeUint8: "uint8", typeInt8: "int8", typeUint16: "uint16",
	typeInt16: "int16", typeInt32: "int32", typeInt64: "int64", typeString: "string",
	typeBool: "bool", typeFloat16: "float16", typeDouble: "double",
	typeUint32: "uint32", typeUint64: "uint64", typeBfloat16: "bfloat16",
}

func typeName(t int64) string {
	if s, ok := typeNames[t]; ok {
		return s
	}
	return fmt.Sprintf("element type %d", t)
}

func isFloat(t int64) bool {
	return t == typeFloat || t == typeDouble || t == typeFloat16 || t == typeBfloat16
}

// tensorProto is a TensorProto whose numbers have not been read yet.
type tensorProto struct {
	name     string
	dims     []byte // packed varints
	elem     int64
	external bool

	raw, floats, doubles, int32s, int64s, uint64s []byte
	hasRaw                                        bool
}

// maxRank is the most axes that a tensor may have.
const maxRank = 16

func (d *decoder) tensor(f field, what string) (*tensorProto, error) {
	b, err := d.message(f, what)
	if err != nil {
		return nil, err
	}
	if err := d.record(what); err != nil {
		return nil, err
	}
	t := &tensorProto{}
	err = d.each(b, "TensorProto", func(f field) error {
		var err error
		switch f.num {
		case 1:
			t.dims, err = d.packVarints(f, "dims", t.dims)
		case 2:
			err = d.integer(f, "data_type", &t.elem)
		case 4:
			t.floats, err = d.packFixed(f, "float_data", t.floats)
		case 5:
			t.int32s, err = d.packVarints(f, "int32_data", t.int32s)
		case 7:
			t.int64s, err = d.packVarints(f, "int64_data", t.int64s)
		case 8:
			err = d.str(f, "tensor name", &t.name)
		case 9:
			t.hasRaw = true
			t.raw, err = d.message(f, "raw_data")
		case 10:
			t.doubles, err = d.packFixed(f, "double_data", t.doubles)
		case 11:
			t.uint64s, err = d.packVarints(f, "uint64_data", t.uint64s)
		case 13:
			t.external = true
		case 14:
			var location int64
			err = d.integer(f, "data_location", &location)
			t.external = t.external || location == 1
		}
		return err
	})
	return t, err
}

// tensor is a constant: floats or, if f is nil, integers.
// Nobody changes a tensor once it is made, so several may share numbers.
type tensor struct {
	shape nn.Shape
	elem  int64 // the element type declared
	f     []float64
	i     []int64
}

func (t *tensor) isFloat() bool { return isFloat(t.elem) }
func (t *tensor) size() int     { return t.shape.Size() }

func newFloats(shape nn.Shape, elem int64, f []float64) *tensor {
	return &tensor{shape: shape, elem: elem, f: f}
}

func newInts(shape nn.Shape, elem int64, i []int64) *tensor {
	return &tensor{shape: shape, elem: elem, i: i}
}

// decode reads the numbers of p. what names it in errors.
func (p *tensorProto) decode(file, what string) (*tensor, error) {
	if p.external {
		return nil, &nn.UnsupportedError{File: file, Node: what, Detail: "tensor data in an external file"}
	}
	if _, known := typeNames[p.elem]; !known || p.elem == typeString {
		return nil, &nn.UnsupportedError{File: file, Node: what, Detail: "tensor of " + typeName(p.elem)}
	}
	dims, ok := unpackVarints(p.dims)
	if !ok || len(dims) > maxRank {
		return nil, &nn.FormatError{File: file, Offset: -1, Field: what, Detail: "tensor's dims are cut short or too many"}
	}
	t := &tensor{shape: make(nn.Shape, len(dims)), elem: p.elem}
	for i, v := range dims {
		if v < 0 || v > math.MaxInt32 {
			return nil, &nn.ShapeError{File: file, Node: what, Detail: fmt.Sprintf("axis %d of a tensor has size %d", i, v)}
		}
		t.shape[i] = int(v)
	}
	if !p.fill(t) {
		return nil, &nn.FormatError{File: file, Offset: -1, Field: what, Detail: fmt.Sprintf("data of tensor %v of %s does not fit its shape", t.shape, typeName(p.elem))}
	}
	for i, v := range t.f {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, &nn.ValueError{File: file, Node: what, Detail: fmt.Sprintf("element %d of the tensor is %v", i, v)}
		}
	}
	return t, nil
}

// fill reads the numbers, and reports whether they are as many as the shape of
// t asks for.
func (p *tensorProto) fill(t *tensor) bool {
	want := t.shape.Size()
	if p.hasRaw {
		width := rawWidth(p.elem)
		if len(p.raw)%width != 0 || len(p.raw)/width != want {
			return false
		}
		fillRaw(t, p.raw, width)
		return true
	}
	switch p.elem {
	case typeFloat, typeDouble:
		b, width := p.floats, 4
		if p.elem == typeDouble {
			b, width = p.doubles, 8
		}
		if len(b)%width != 0 || len(b)/width != want {
			return false
		}
		fillRaw(t, b, width)
		return true
	case typeFloat16, typeBfloat16:
		bits, ok := unpackVarints(p.int32s)
		t.f = make([]float64, len(bits))
		for k, v := range bits {
			t.f[k] = fromBits(p.elem, uint64(v))
		}
		return ok && len(bits) == want
	case typeInt64:
		var ok bool
		t.i, ok = unpackVarints(p.int64s)
		return ok && len(t.i) == want
	case typeUint32, typeUint64:
		var ok bool
		t.i, ok = unpackVarints(p.uint64s)
		return ok && len(t.i) == want
	}
	var ok bool
	t.i, ok = unpackVarints(p.int32s)
	return ok && len(t.i) == want
}

// fillRaw reads little-endian numbers of the given width.
func fillRaw(t *tensor, b []byte, width int) {
	n := len(b) / width
	if t.isFloat() {
		t.f = make([]float64, n)
	} else {
		t.i = make([]int64, n)
	}
	for k := range n {
		var v uint64
		switch width {
		case 1:
			v = uint64(b[k])
		case 2:
			v = uint64(binary.LittleEndian.Uint16(b[2*k:]))
		case 4:
			v = uint64(binary.LittleEndian.Uint32(b[4*k:]))
		case 8:
			v = binary.LittleEndian.Uint64(b[8*k:])
		}
		if t.f != nil {
			t.f[k] = fromBits(t.elem, v)
		} else {
			t.i[k] = signed(t.elem, v)
		}
	}
}

func rawWidth(elem int64) int {
	switch elem {
	case typeUint8, typeInt8, typeBool:
		return 1
	case typeUint16, typeInt16, typeFloat16, typeBfloat16:
		return 2
	case typeInt64, typeUint64, typeDouble:
		return 8
	}
	return 4
}

// signed widens the bits of a raw integer.
func signed(elem int64, v uint64) int64 {
	switch elem {
	case typeInt8:
		return int64(int8(v))
	case typeInt16:
		return int64(int16(v))
	case typeInt32:
		return int64(int32(v))
	}
	return int64(v)
}

// fromBits is the number with the given bits in a floating-point type.
func fromBits(elem int64, v uint64) float64 {
	switch elem {
	case typeFloat:
		return float64(math.Float32frombits(uint32(v)))
	case typeBfloat16:
		return float64(math.Float32frombits(uint32(v) << 16))
	case typeFloat16:
		return halfToFloat(uint16(v))
	}
	return math.Float64frombits(v)
}

// halfToFloat is the value of an IEEE 754 half-precision number.
func halfToFloat(h uint16) float64 {
	sign := 1.0
	if h&0x8000 != 0 {
		sign = -1
	}
	exp, frac := int(h>>10&31), float64(h&1023)
	switch exp {
	case 0:
		return sign * math.Ldexp(frac, -24)
	case 31:
		if frac != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+frac, exp-25)
}

// unpackVarints reads packed varints, and reports whether b ends with one.
func unpackVarints(b []byte) ([]int64, bool) {
	n := 0
	for _, c := range b {
		if c < 0x80 {
			n++
		}
	}
	out := make([]int64, 0, n)
	for len(b) > 0 {
		v, k := protowire.ConsumeVarint(b)
		if k < 0 {
			return nil, false
		}
		out = append(out, int64(v))
		b = b[k:]
	}
	return out, true
}

// unpackFloats reads packed float32 numbers.
func unpackFloats(b []byte) ([]float64, bool) {
	if len(b)%4 != 0 {
		return nil, false
	}
	out := make([]float64, len(b)/4)
	for k := range out {
		out[k] = fromBits(typeFloat, uint64(binary.LittleEndian.Uint32(b[4*k:])))
	}
	return out, true
}
