package dataset

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
)

// file is an open file, decompressed if need be.
type file struct {
	name string
	r    *bufio.Reader
	f    *os.File
}

// open opens the file at path or, if there is none, the one at path+".gz".
// Compression is recognised by content.
func open(path string) (*file, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		if gz, gzErr := os.Open(path + ".gz"); gzErr == nil {
			f, err, path = gz, nil, path+".gz"
		}
	}
	if err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(f, 1<<16)
	if magic, _ := r.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(r)
		if err != nil {
			f.Close()
			return nil, &FormatError{File: path, Detail: "not gzip", Err: err}
		}
		r = bufio.NewReaderSize(z, 1<<16)
	}
	return &file{name: path, r: r, f: f}, nil
}

func (f *file) close() { f.f.Close() }

// header reads exactly len(buf) bytes.
func (f *file) header(buf []byte) error {
	if _, err := io.ReadFull(f.r, buf); err != nil {
		return f.short("header", err)
	}
	return nil
}

// rest reads what is left, which must be n bytes. Memory grows with what is
// there, not with what n claims.
func (f *file) rest(n int64) ([]byte, error) {
	var buf bytes.Buffer
	if n <= 1<<26 {
		buf.Grow(int(n) + bytes.MinRead)
	}
	got, err := io.Copy(&buf, io.LimitReader(f.r, n+1))
	switch {
	case err != nil:
		return nil, f.short("data", err)
	case got < n:
		return nil, f.errorf("has %d bytes of data, its header says %d", got, n)
	case got > n:
		return nil, f.errorf("has more than the %d bytes of data that its header says", n)
	}
	return buf.Bytes(), nil
}

func (f *file) short(what string, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &FormatError{File: f.name, Detail: "ends within its " + what, Err: io.ErrUnexpectedEOF}
	}
	return &FormatError{File: f.name, Detail: "unreadable " + what, Err: err}
}
