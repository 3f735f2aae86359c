package onnx

// Getting at the bytes of a file: plain or gzip, told apart by the first two
// bytes, read up to a limit so that a small compressed file cannot fill the
// memory.

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

// slurp reads all of r, decompressed, up to limit bytes.
func slurp(r io.Reader, file string, limit int64) ([]byte, error) {
	b := bufio.NewReader(r)
	magic, err := b.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, &nn.FormatError{File: file, Offset: -1, Detail: "cannot read", Err: err}
	}
	var src io.Reader = b
	if len(magic) == 2 && magic[0] == 0x1f && magic[1] == 0x8b {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, &nn.FormatError{File: file, Offset: -1, Field: "gzip", Err: err}
		}
		src = z
	}
	var buf bytes.Buffer
	n, err := io.Copy(&buf, io.LimitReader(src, limit+1))
	if err != nil {
		return nil, &nn.FormatError{File: file, Offset: n, Detail: "cannot read", Err: err}
	}
	if n > limit {
		return nil, &nn.UnsupportedError{File: file, Detail: "file larger than Options.MaxBytes"}
	}
	return buf.Bytes(), nil
}

// open opens path, or path with ".gz" added if there is no such file.
func open(path string) (*os.File, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		if z, zerr := os.Open(path + ".gz"); zerr == nil {
			return z, nil
		}
	}
	return f, err
}
