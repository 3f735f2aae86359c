package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"slices"
)

// rowFile is a file of results, CSV with a header, that grows by whole rows: each
// is written by one call and on its way to the disk before the next is begun. A
// run that was killed finds in rows what it did, and goes on.
type rowFile struct {
	rows [][]string // without the header; those found, then those added
	f    *os.File   // nil: none is kept
}

// openTable opens the file at path for appending, or begins it. A last row
// without an end of line was being written when its process died: it is cut off.
// Another header, or rows of another length, are somebody else's file: an error,
// and the file stays as it is. Without a path rows are only collected.
func openTable(path string, header []string) (*rowFile, error) {
	t := &rowFile{}
	if path == "" {
		return t, nil
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return nil, err
	}
	t.f = f
	if err := t.resume(header); err != nil {
		f.Close()
		return nil, err
	}
	return t, nil
}

func (t *rowFile) resume(header []string) error {
	data, err := os.ReadFile(t.f.Name())
	if err != nil {
		return err
	}
	begun := data
	data = data[:bytes.LastIndexByte(data, '\n')+1]
	head := line(header)
	if len(data) == 0 {
		if !bytes.HasPrefix(head, begun) {
			return fmt.Errorf("%s: not a table of this command", t.f.Name())
		}
		if err := t.truncate(0); err != nil {
			return err
		}
		return t.write(head)
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", t.f.Name(), err)
	}
	if !slices.Equal(rows[0], header) {
		return fmt.Errorf("%s: columns are %q, want %q", t.f.Name(), rows[0], header)
	}
	t.rows = rows[1:]
	return t.truncate(int64(len(data)))
}

// truncate cuts the file off at n bytes and goes on writing there.
func (t *rowFile) truncate(n int64) error {
	if err := t.f.Truncate(n); err != nil {
		return err
	}
	_, err := t.f.Seek(n, 0)
	return err
}

// add appends a row.
func (t *rowFile) add(row []string) error {
	t.rows = append(t.rows, row)
	if t.f == nil {
		return nil
	}
	return t.write(line(row))
}

func (t *rowFile) write(data []byte) error {
	if _, err := t.f.Write(data); err != nil {
		return err
	}
	return t.f.Sync()
}

func (t *rowFile) close() error {
	if t.f == nil {
		return nil
	}
	return t.f.Close()
}

// line is a row as CSV. Fields hold no line breaks, so that a row is a line.
func line(row []string) []byte {
	var buf bytes.Buffer
	w := csv.NewWriter(&buf)
	w.Write(row)
	w.Flush()
	return buf.Bytes()
}
