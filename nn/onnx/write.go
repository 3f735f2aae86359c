package onnx

// Writing: what the caller sees.
//
// Files are written in IR version 7 with operator set 13, which every current
// tool reads. Weights are float32, as everywhere in this field; a weight that
// float32 cannot hold would silently change the network, so it is an error
// unless the caller allows the rounding or asks for double.
//
// ONNX wants a batch axis in front, which the shapes of package nn do not have.
// A network that was read from ONNX still carries its file's leading axis of
// size 1 and is written as it is. Any other gets a leading axis "N", and every
// axis number moves up by one. Which of the two a network is, is decided by
// BatchAxis.

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/vouchnn/vouch/nn"
)

// BatchAxis says how the shapes of a network become those of a file.
type BatchAxis int

const (
	// BatchAuto keeps the shapes if the input has at least two axes, the first
	// of size 1, and no convolution, pooling or normalisation takes that axis
	// for its channels. Otherwise it adds a batch axis.
	BatchAuto BatchAxis = iota
	// BatchKeep writes shapes as they are.
	BatchKeep
	// BatchAdd puts a symbolic axis "N" in front of every shape (of size 1
	// where the network holds a constant tensor, which has no batch).
	BatchAdd
)

// WriteOptions tune writing. The zero value works; a nil *WriteOptions is the
// zero value.
type WriteOptions struct {
	// Batch says how shapes are written. Default: BatchAuto.
	Batch BatchAxis
	// AllowRounding rounds numbers that float32 cannot hold. Default: false,
	// such a number is a *nn.ValueError.
	AllowRounding bool
	// Double writes tensors of type double, which hold every weight exactly;
	// few tools evaluate them. Attributes (the slope of LeakyReLU, the epsilon
	// of BatchNorm) are float32 all the same. Default: false.
	Double bool
	// Name is the name of the graph. Default: "network".
	Name string
}

// Validate reports an option out of its range.
// Errors: *nn.ValueError.
func (o *WriteOptions) Validate() error {
	if o != nil && (o.Batch < BatchAuto || o.Batch > BatchAdd) {
		return &nn.ValueError{Detail: fmt.Sprintf("WriteOptions.Batch = %d is not in [%d, %d]", o.Batch, BatchAuto, BatchAdd)}
	}
	return nil
}

// Write writes net as an ONNX model. Nothing is written after an error.
//
// Guarantee: Read of what was written computes the same function, bit for bit
// in float64 unless AllowRounding changed a number.
// Errors: *nn.UnsupportedError for an operator that is not of package nn,
// *nn.ValueError for a number that float32 cannot hold, and those of w.
func Write(w io.Writer, net nn.Network, opts *WriteOptions) error {
	data, err := encode(net, opts)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	return err
}

// WriteFile is Write to the file at path, which is replaced in one step: a
// reader sees the old file or the new one, never a part.
// Errors: those of Write, and *fs.PathError.
func WriteFile(path string, net nn.Network, opts *WriteOptions) (err error) {
	data, err := encode(net, opts)
	if err != nil {
		return inFile(err, path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
