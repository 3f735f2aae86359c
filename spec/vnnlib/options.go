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

// Validate checks the ranges. Nil is valid.
func (o *Options) Validate() error {
	if o == nil {
		return nil
	}
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

// withDefaults is a copy of o, of the zero Options for nil, with the defaults in place
// of zeros.
func (o *Options) withDefaults() Options {
	var d Options
	if o != nil {
		d = *o
	}
	if d.MaxBytes == 0 {
		d.MaxBytes = defaultBytes
	}
	if d.MaxConjunctions == 0 {
		d.MaxConjunctions = defaultConjunctions
	}
	if d.MaxMemory == 0 {
		d.MaxMemory = defaultMemory
	}
	return d
}

// ReadFile is Read of the file at path, which may be compressed with gzip,
// whatever its name, or of path with ".gz" added if there is only that.
// Errors: those of Read, and those of the file system.
func ReadFile(path string, opts *Options) (*spec.Property, error) {
	var p *spec.Property
	err := withFile(path, func(r io.Reader, name string) (err error) {
		p, err = Read(r, name, opts)
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
