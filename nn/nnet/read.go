package nnet

// Reading.
//
// The file is taken line by line. Every line must hold as many numbers as its
// place asks for, so that a line too many or too few is found where it is and
// not thousands of numbers later. Memory grows with the numbers read, never
// with the sizes that the header claims.

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/vouchnn/vouch/nn"
)

// DefaultMaxBytes is the largest file that is read unless Options say
// otherwise: 256 MiB after decompression.
const DefaultMaxBytes = 1 << 28

// Options tune reading. The zero value works; a nil *Options is the zero value.
type Options struct {
	// Raw leaves the normalisation out: the graph is the weights alone.
	// Default: false.
	Raw bool
	// MaxBytes is the largest file to read, in bytes after decompression.
	// Default: DefaultMaxBytes. Range: 0 (the default) or more.
	MaxBytes int64
}

// Validate reports an option out of its range.
// Errors: *nn.ValueError.
func (o *Options) Validate() error {
	if o != nil && o.MaxBytes < 0 {
		return &nn.ValueError{Detail: "Options.MaxBytes is negative"}
	}
	return nil
}

// Info is what a file says beside the weights. Inputs and outputs are in the
// units of the quantities that they stand for.
type Info struct {
	Comments []string // without the leading slashes
	Sizes    []int    // inputs, then the neurons of each layer
	Flag     int      // of the third line; no longer used

	Min, Max    []float64 // of each input; not part of the function
	Mean, Range []float64 // of each input
	OutputMean  float64   // of all outputs
	OutputRange float64
}

// plain tells whether normalisation would change nothing.
func (i *Info) plain() bool {
	for k := range i.Mean {
		if i.Mean[k] != 0 || i.Range[k] != 1 {
			return false
		}
	}
	return i.OutputMean == 0 && i.OutputRange == 1
}

// Read reads a network, plain or gzip. name stands for the file in errors.
//
// Shapes: the input is [inputs], the output [outputs].
// Units: those of the file's quantities, or with Options.Raw normalised ones.
// Guarantee: weights are the float64 numbers nearest to the decimals of the
// file.
// Cost: linear in the file.
// Errors: *nn.FormatError with the line, *nn.ValueError, *nn.ShapeError,
// *nn.UnsupportedError for a file beyond Options.MaxBytes. Safe for concurrent
// use.
func Read(r io.Reader, name string, opts *Options) (*nn.Graph, *Info, error) {
	if err := opts.Validate(); err != nil {
		return nil, nil, err
	}
	if opts == nil {
		opts = &Options{}
	}
	limit := opts.MaxBytes
	if limit == 0 {
		limit = DefaultMaxBytes
	}
	data, err := slurp(r, name, limit)
	if err != nil {
		return nil, nil, err
	}
	p := &parser{file: name, rest: data}
	info, layers, err := p.network()
	if err != nil {
		return nil, nil, err
	}
	g, err := graph(info, layers, opts.Raw)
	if err != nil {
		return nil, nil, inFile(err, name)
	}
	return g, info, nil
}

// ReadFile is Read of the file at path, or of path with ".gz" added if there is
// only that.
// Errors: those of Read, and *fs.PathError.
func ReadFile(path string, opts *Options) (*nn.Graph, *Info, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		if z, zerr := os.Open(path + ".gz"); zerr == nil {
			f, err = z, nil
		}
	}
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	return Read(f, path, opts)
}

// slurp reads all of r, decompressed, up to limit bytes.
func slurp(r io.Reader, file string, limit int64) ([]byte, error) {
	b := bufio.NewReader(r)
	var src io.Reader = b
	if magic, _ := b.Peek(2); len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, &nn.FormatError{File: file, Offset: -1, Field: "gzip", Err: err}
		}
		src = z
	}
	var buf bytes.Buffer
	n, err := io.Copy(&buf, io.LimitReader(src, min(limit, 1<<62)+1))
	if err != nil {
		return nil, &nn.FormatError{File: file, Offset: n, Detail: "cannot read", Err: err}
	}
	if n > limit {
		return nil, &nn.UnsupportedError{File: file, Detail: "file larger than Options.MaxBytes"}
	}
	return buf.Bytes(), nil
}

// layer is the weights [out × in] and biases of one layer.
type layer struct{ weight, bias []float64 }

// graph builds the network: Sub, Div, then Dense and ReLU in turn, ending with
// Dense, then Mul, Add.
func graph(info *Info, layers []layer, raw bool) (*nn.Graph, error) {
	n := info.Sizes[0]
	b := nn.NewBuilder(nn.Shape{n})
	at := b.Input()
	add := func(name string, op nn.Operator, err error) error {
		if err == nil {
			at = b.Add(name, op, at)
			err = b.Err()
		}
		return err
	}
	arith := func(name string, kind nn.ArithKind, v []float64, shape nn.Shape) error {
		op, err := nn.NewConstArith(kind, append([]float64(nil), v...), shape, false)
		return add(name, op, err)
	}
	raw = raw || info.plain()
	if !raw {
		if err := errors.Join(
			arith("input mean", nn.ArithSub, info.Mean, nn.Shape{n}),
			arith("input range", nn.ArithDiv, info.Range, nn.Shape{n})); err != nil {
			return nil, err
		}
	}
	for k, l := range layers {
		d, err := nn.NewDense(info.Sizes[k+1], info.Sizes[k], l.weight, l.bias)
		if err = add(layerName("layer", k), d, err); err != nil {
			return nil, err
		}
		if k+1 < len(layers) {
			if err := add(layerName("relu", k), nn.ReLU{}, nil); err != nil {
				return nil, err
			}
		}
	}
	if !raw {
		if err := errors.Join(
			arith("output range", nn.ArithMul, []float64{info.OutputRange}, nn.Shape{}),
			arith("output mean", nn.ArithAdd, []float64{info.OutputMean}, nn.Shape{})); err != nil {
			return nil, err
		}
	}
	return b.Build(at)
}
