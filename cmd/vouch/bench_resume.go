package main

// The file of rows that vouch bench writes, and going on with one (-resume).
//
// A row is written whole or, by a kill in the middle, without its end: a last line that
// does not end is taken away and its instance run again.

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
)

// nowhere takes rows that nobody asked for.
type nowhere struct{ io.Writer }

// Close implements io.Closer.
func (nowhere) Close() error { return nil }

// rows opens the file of -csv, if any, and reads the outcomes that it has: none unless
// with -resume.
func (c *benchCommand) rows() (w io.WriteCloser, found []outcome, err error) {
	if c.csv == "" {
		return nowhere{io.Discard}, nil, nil
	}
	if !c.resume {
		f, err := os.Create(c.csv)
		return f, nil, err
	}
	data, err := os.ReadFile(c.csv)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	data = data[:bytes.LastIndexByte(data, '\n')+1]
	if len(data) > 0 {
		if found, err = parseResults(c.csv, bytes.NewReader(data)); err != nil {
			return nil, nil, err
		}
	}
	f, err := os.OpenFile(c.csv, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, nil, err
	}
	if err = f.Truncate(int64(len(data))); err == nil {
		_, err = f.Seek(0, io.SeekEnd)
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, found, nil
}

// divide sorts the list into the outcomes that are among all, in the list's order, and
// what is left to run. An instance that is listed twice takes two rows.
func divide(list []instance, all []outcome) (kept []outcome, left []instance) {
	rows := map[string][]outcome{}
	for _, o := range all {
		key := instance{category: o.Category, onnx: o.Onnx, vnnlib: o.Vnnlib}.key()
		rows[key] = append(rows[key], o)
	}
	for _, in := range list {
		of := rows[in.key()]
		if len(of) == 0 {
			left = append(left, in)
			continue
		}
		rows[in.key()] = of[1:]
		o := of[0]
		o.Listed, o.Wrong = in.listed, contradicts(o.Result, in.listed)
		kept = append(kept, o)
	}
	return kept, left
}
