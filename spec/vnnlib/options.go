package vnnlib

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/vouchnn/vouch/spec"
)

// Options limits and checks what is read. The zero value works.
type Options struct {
	// Inputs and Outputs are the network's dimensions, which the file must
	// declare exactly. Default 0: whatever it declares. Range ≥ 0.
	Inputs, Outputs int
	// MaxBytes limits the text, after decompression. Default 0: 4 GiB. Range ≥ 0.
	MaxBytes int64
	// MaxConjunctions limits the disjunctive normal form, over all cases.
	// Default 0: one million. Range ≥ 0.
	MaxConjunctions int
	// MaxMemory limits the bytes of the property that is built, as opposed to
	// the text that it is built from. Default 0: 2 GiB. Range ≥ 0.
	MaxMemory int64
}

const (
	defaultBytes        = 4 << 30
	defaultConjunctions = 1_000_000
	defaultMemory       = 2 << 30
)

// Validate checks the ranges.
func (o Options) Validate() error {
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"Inputs", int64(o.Inputs)},
		{"Outputs", int64(o.Outputs)},
		{"MaxBytes", o.MaxBytes},
		{"MaxConjunctions", int64(o.MaxConjunctions)},
		{"MaxMemory", o.MaxMemory},
	} {
		if f.value < 0 {
			return fmt.Errorf("vnnlib: Options.%s is %d, want ≥ 0", f.name, f.value)
		}
	}
	return nil
}

// withDefaults replaces zeros by the defaults.
func (o Options) withDefaults() Options {
	if o.MaxBytes == 0 {
		o.MaxBytes = defaultBytes
	}
	if o.MaxConjunctions == 0 {
		o.MaxConjunctions = defaultConjunctions
	}
	if o.MaxMemory == 0 {
		o.MaxMemory = defaultMemory
	}
	return o
}

// Parse reads a property with the default options. name stands for the file in
// errors.
// Errors: *ParseError, *UnsupportedError, *LimitError, and those of r.
func Parse(r io.Reader, name string) (*spec.Property, error) { return Options{}.Parse(r, name) }

// ReadFile reads a property from a file with the default options. The file may
// be compressed with gzip, whatever its name; if there is no file at path, the
// one at path+".gz" is read.
// Errors: as Parse, and those of the file system.
func ReadFile(path string) (*spec.Property, error) { return Options{}.ReadFile(path) }

// ReadFile is the function ReadFile with these options.
func (o Options) ReadFile(path string) (*spec.Property, error) {
	var p *spec.Property
	err := withFile(path, func(r io.Reader, name string) (err error) {
		p, err = o.Parse(r, name)
		return err
	})
	return p, err
}

// withFile calls read with the file's text, decompressed.
func withFile(path string, read func(io.Reader, string) error) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		if g, gzErr := os.Open(path + ".gz"); gzErr == nil {
			f, err, path = g, nil, path+".gz"
		}
	}
	if err != nil {
		return fmt.Errorf("vnnlib: %w", err)
	}
	defer f.Close()
	buffered := bufio.NewReader(f)
	if magic, _ := buffered.Peek(2); len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(buffered)
		if err != nil {
			return fmt.Errorf("vnnlib: %s: %w", path, err)
		}
		defer z.Close()
		return read(z, path)
	}
	return read(buffered, path)
}
