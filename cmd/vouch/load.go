package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/nnet"
	"github.com/vouchnn/vouch/nn/onnx"
	"github.com/vouchnn/vouch/spec"
	"github.com/vouchnn/vouch/spec/vnnlib"
)

// Files: the format is the name's extension, and a file that is not there is
// looked for with .gz after its name.

// network is what a file holds.
type network struct {
	graph *nn.Graph
	info  *onnx.Info // nil unless the file is ONNX
}

// loadNetwork reads a network; raw leaves out the normalisation of a .nnet file.
func loadNetwork(path string, raw bool) (network, error) {
	path = resolve(path)
	switch ext := extension(path); ext {
	case ".onnx":
		g, info, err := onnx.ReadFile(path, nil)
		return network{g, info}, err
	case ".nnet":
		g, _, err := nnet.ReadFile(path, &nnet.Options{Raw: raw})
		return network{graph: g}, err
	default:
		return network{}, fmt.Errorf("%s: a network's name ends in .onnx or .nnet, plain or with .gz after it", path)
	}
}

func loadProperty(path string) (*spec.Property, error) {
	path = resolve(path)
	if extension(path) != ".vnnlib" {
		return nil, fmt.Errorf("%s: a property's name ends in .vnnlib, plain or with .gz after it", path)
	}
	return vnnlib.ReadFile(path, nil)
}

// extension is what names the format, in lower case and without .gz.
func extension(path string) string {
	return filepath.Ext(strings.TrimSuffix(strings.ToLower(path), ".gz"))
}

// resolve is path, or path with .gz after it if there is only that.
func resolve(path string) string {
	if _, err := os.Stat(path); err != nil {
		if _, err := os.Stat(path + ".gz"); err == nil {
			return path + ".gz"
		}
	}
	return path
}

// loadProblem reads a network and a property.
func loadProblem(netPath, specPath string, raw bool) (network, *spec.Property, error) {
	net, err := loadNetwork(netPath, raw)
	if err != nil {
		return network{}, nil, err
	}
	prop, err := loadProperty(specPath)
	return net, prop, err
}

// interruptible runs do, which does not know of contexts, and returns early
// with the context's error when ctx ends first; do is then left behind to
// finish on its own.
func interruptible[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		o.value, o.err = contained(do)
		done <- o
	}()
	select {
	case o := <-done:
		return o.value, o.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// panicError is a panic of the library, contained.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("internal error: panic: %v", e.value) }

// contained turns a panic of do into an error. One in a goroutine that do
// started cannot be caught here, unless that goroutine hands it on as
// internal/parallel does.
func contained[T any](do func() (T, error)) (value T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &panicError{value: r, stack: debug.Stack()}
		}
	}()
	return do()
}
