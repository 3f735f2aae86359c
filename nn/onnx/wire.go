package onnx

// The protobuf wire format, read by hand.
//
// ONNX needs eleven small messages. They are decoded straight from the wire
// with the official protowire package: no generated code, no reflection, and
// byte strings (weights above all) stay slices of the file until they are
// turned into numbers. A length that claims more bytes than are there is an
// error before anything is allocated for it.

import (
	"errors"
	"io"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/vouchnn/vouch/nn"
)

// decoder reads the messages of one file.
type decoder struct {
	file    string
	data    []byte
	records int
}

// field is one decoded field of a message.
type field struct {
	num    protowire.Number
	typ    protowire.Type
	scalar uint64 // of varint, fixed32 and fixed64 fields
	bytes  []byte // of length-delimited fields; a slice of the file
}

// each calls visit on every field of message b. what names the message in
// errors.
func (d *decoder) each(b []byte, what string, visit func(f field) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return d.malformed(b, what, n)
		}
		f := field{num: num, typ: typ}
		rest := b[n:]
		switch typ {
		case protowire.VarintType:
			f.scalar, n = protowire.ConsumeVarint(rest)
		case protowire.Fixed32Type:
			var v uint32
			v, n = protowire.ConsumeFixed32(rest)
			f.scalar = uint64(v)
		case protowire.Fixed64Type:
			f.scalar, n = protowire.ConsumeFixed64(rest)
		case protowire.BytesType:
			f.bytes, n = protowire.ConsumeBytes(rest)
		default: // groups, which ONNX never had
			n = protowire.ConsumeFieldValue(num, typ, rest)
		}
		if n < 0 {
			return d.malformed(rest, what, n)
		}
		if err := visit(f); err != nil {
			return err
		}
		b = rest[n:]
	}
	return nil
}

// offset is where b starts in the file. Every slice that each hands out still
// has the file's capacity behind it, which tells.
func (d *decoder) offset(b []byte) int64 { return int64(cap(d.data) - cap(b)) }

// malformed is an error at b for one of protowire's negative lengths. Its own
// errors are not passed on: their text varies from build to build.
func (d *decoder) malformed(b []byte, what string, code int) error {
	err := &nn.FormatError{File: d.file, Offset: d.offset(b), Field: what, Detail: "not a protobuf message"}
	if errors.Is(protowire.ParseError(code), io.ErrUnexpectedEOF) {
		err.Detail, err.Err = "", io.ErrUnexpectedEOF
	}
	return err
}

// message is f's bytes if it is length-delimited, and an error if not: a field
// that holds a sub-message or a string cannot come in another form.
func (d *decoder) message(f field, what string) ([]byte, error) {
	if f.typ != protowire.BytesType {
		return nil, &nn.FormatError{File: d.file, Offset: -1, Field: what, Detail: "field has the wrong wire type"}
	}
	return f.bytes, nil
}

// str sets *dst to a string field.
func (d *decoder) str(f field, what string, dst *string) error {
	b, err := d.message(f, what)
	*dst = string(b)
	return err
}

// integer sets *dst to a varint field.
func (d *decoder) integer(f field, what string, dst *int64) error {
	if f.typ != protowire.VarintType {
		return &nn.FormatError{File: d.file, Offset: -1, Field: what, Detail: "field has the wrong wire type"}
	}
	*dst = int64(f.scalar)
	return nil
}

// packVarints appends a repeated varint field to dst in packed form. The first
// packed chunk is not copied.
func (d *decoder) packVarints(f field, what string, dst []byte) ([]byte, error) {
	switch f.typ {
	case protowire.VarintType:
		return protowire.AppendVarint(dst, f.scalar), nil
	case protowire.BytesType:
		return join(dst, f.bytes), nil
	}
	return nil, &nn.FormatError{File: d.file, Offset: -1, Field: what, Detail: "field has the wrong wire type"}
}

// packFixed is packVarints for float (fixed32) and double (fixed64) fields.
func (d *decoder) packFixed(f field, what string, dst []byte) ([]byte, error) {
	switch f.typ {
	case protowire.Fixed32Type:
		return protowire.AppendFixed32(dst, uint32(f.scalar)), nil
	case protowire.Fixed64Type:
		return protowire.AppendFixed64(dst, f.scalar), nil
	case protowire.BytesType:
		return join(dst, f.bytes), nil
	}
	return nil, &nn.FormatError{File: d.file, Offset: -1, Field: what, Detail: "field has the wrong wire type"}
}

// join appends a chunk of the file to dst; the first one is kept as it is, with
// its capacity cut so that a later append copies rather than overwrites.
func join(dst, chunk []byte) []byte {
	if len(dst) == 0 {
		return chunk[:len(chunk):len(chunk)]
	}
	return append(dst, chunk...)
}

// maxRecords bounds how many nodes, attributes, tensors and the like one file
// may declare. An empty one takes two bytes in a file but a hundred in memory.
const maxRecords = 1 << 20

// record counts one of them.
func (d *decoder) record(what string) error {
	if d.records++; d.records > maxRecords {
		return &nn.FormatError{File: d.file, Offset: -1, Field: what, Detail: "more than a million records in one file"}
	}
	return nil
}
