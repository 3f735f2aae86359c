package onnx

// Reading: what the caller sees.

import (
	"errors"
	"fmt"
	"io"

	"github.com/vouchnn/vouch/nn"
)

// DefaultMaxBytes is the largest file that is read unless Options say
// otherwise: 1 GiB after decompression.
const DefaultMaxBytes = 1 << 30

// Options tune reading. The zero value works; a nil *Options is the zero value.
type Options struct {
	// Dims gives sizes to symbolic axes of the inputs by their name
	// ("seq_len": 16). The first axis of an input is the batch axis and needs
	// none: it becomes 1 unless it is named here. Default: none. Range: 1 or more.
	Dims map[string]int
	// MaxBytes is the largest file to read, in bytes after decompression.
	// Default: DefaultMaxBytes. Range: 0 (the default) or more.
	MaxBytes int64
}

// Validate reports an option out of its range.
// Errors: *nn.ValueError.
func (o *Options) Validate() error {
	if o == nil {
		return nil
	}
	for name, v := range o.Dims {
		if v < 1 || v > nn.MaxElements {
			return &nn.ValueError{Detail: fmt.Sprintf("Options.Dims[%q] = %d is not in [1, %d]", name, v, nn.MaxElements)}
		}
	}
	if o.MaxBytes < 0 {
		return &nn.ValueError{Detail: fmt.Sprintf("Options.MaxBytes = %d is negative", o.MaxBytes)}
	}
	return nil
}

// Info is what a file says about itself beside the function it holds.
type Info struct {
	Name     string // of the graph
	Producer string // tool and version
	IR       int64  // version of the file format
	Opset    int64  // version of the operator set
	Inputs   []Port // in order of declaration; together they are the network's input
	Outputs  []Port // likewise
	// Rounded names the nodes that were folded into constants with rounding to
	// float64 (or, where the file casts, to float32). For them alone the
	// function verified differs from the one over the real numbers, by that
	// rounding. It is empty for nearly all files.
	Rounded []string
}

// Port is one input or output of the file.
type Port struct {
	Name  string
	Shape nn.Shape
}

// Read reads an ONNX model, plain or gzip, as a network of one sample. name
// stands for the file in errors.
//
// The graph has one input. A file with several has them flattened and laid end
// to end in order of declaration, and several outputs likewise; Info tells the
// parts.
//
// Guarantee: the graph computes the file's function over the real numbers, with
// float32 (or double, or half) weights taken exactly; see Info.Rounded.
// Cost: linear in the file. Memory stays in proportion to the bytes present.
// Errors: *nn.FormatError, *nn.ShapeError, *nn.ValueError,
// *nn.UnsupportedError. Safe for concurrent use.
func Read(r io.Reader, name string, opts *Options) (*nn.Graph, *Info, error) {
	if err := opts.Validate(); err != nil {
		return nil, nil, err
	}
	limit := int64(DefaultMaxBytes)
	if opts != nil && opts.MaxBytes > 0 {
		limit = opts.MaxBytes
	}
	data, err := slurp(r, name, limit)
	if err != nil {
		return nil, nil, err
	}
	d := &decoder{file: name, data: data}
	m, err := d.model()
	if err != nil {
		return nil, nil, inFile(err, name)
	}
	im := newImporter(name, m, opts, len(data))
	g, info, err := im.run()
	if err != nil {
		return nil, nil, inFile(err, name)
	}
	return g, info, nil
}

// ReadFile is Read of the file at path, or of path with ".gz" added if there is
// only that.
// Errors: those of Read, and *fs.PathError.
func ReadFile(path string, opts *Options) (*nn.Graph, *Info, error) {
	f, err := open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	return Read(f, path, opts)
}

// inFile fills the file's name into an error that lacks it.
func inFile(err error, file string) error { return locate(err, file, "", "") }

// locate fills file, node and operator into an error of package nn as far as
// they are empty.
func locate(err error, file, node, op string) error {
	var s *nn.ShapeError
	var v *nn.ValueError
	var u *nn.UnsupportedError
	var f *nn.FormatError
	fill := func(dst *string, s string) {
		if *dst == "" {
			*dst = s
		}
	}
	switch {
	case errors.As(err, &s):
		fill(&s.File, file)
		fill(&s.Node, node)
		fill(&s.Op, op)
	case errors.As(err, &v):
		fill(&v.File, file)
		fill(&v.Node, node)
		fill(&v.Op, op)
	case errors.As(err, &u):
		fill(&u.File, file)
		fill(&u.Node, node)
		fill(&u.Op, op)
	case errors.As(err, &f):
		fill(&f.File, file)
		fill(&f.Field, node)
	}
	return err
}
