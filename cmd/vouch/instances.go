package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Lists of instances. Two forms are read, told apart by the first row:
//
//   - the competition's instances.csv, three columns without a header: network,
//     property, timeout in seconds; files are relative to the root, whose name
//     is the category;
//   - a headed form, whose columns are found by name: onnx, vnnlib, and
//     optionally timeout, benchmark, year and verdict; files are at
//     root/year/benchmark/file, and year/benchmark is the category.

// instance is one row of a list.
type instance struct {
	category      string
	onnx, vnnlib  string // as listed
	net, property string // where the files are
	timeout       time.Duration
	listed        string // verdict in the competition's words, empty if none
}

// key is what -filter is matched against.
func (i instance) key() string { return i.category + " " + i.onnx + " " + i.vnnlib }

// readInstances reads a list whose files are below root.
func readInstances(r io.Reader, root string) ([]instance, error) {
	rows := csv.NewReader(r)
	rows.FieldsPerRecord = -1
	rows.TrimLeadingSpace = true
	var out []instance
	var columns map[string]int // nil: the form without a header
	for first := true; ; first = false {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if first && slices.Contains(row, "onnx") && slices.Contains(row, "vnnlib") {
			columns = map[string]int{}
			for i, name := range row {
				columns[name] = i
			}
			continue
		}
		in, err := newInstance(row, columns, root)
		if err != nil {
			line, _ := rows.FieldPos(0)
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		out = append(out, in)
	}
}

func newInstance(row []string, columns map[string]int, root string) (instance, error) {
	want := 3
	if columns != nil {
		want = len(columns)
	}
	if len(row) != want {
		return instance{}, fmt.Errorf("%d columns, want %d", len(row), want)
	}
	if columns == nil {
		columns = map[string]int{"onnx": 0, "vnnlib": 1, "timeout": 2}
	}
	field := func(name string) string {
		if i, ok := columns[name]; ok {
			return strings.TrimSpace(row[i])
		}
		return ""
	}
	in := instance{onnx: field("onnx"), vnnlib: field("vnnlib"), listed: field("verdict")}
	if in.onnx == "" || in.vnnlib == "" {
		return instance{}, errors.New("network or property is empty")
	}
	if s := field("timeout"); s != "" {
		var err error
		if in.timeout, err = parseSeconds(s); err != nil {
			return instance{}, fmt.Errorf("timeout %q: want a number of seconds", s)
		}
	}
	below := filepath.Join(field("year"), field("benchmark"))
	in.net = filepath.Join(root, below, filepath.FromSlash(in.onnx))
	in.property = filepath.Join(root, below, filepath.FromSlash(in.vnnlib))
	if in.category = filepath.ToSlash(below); below == "" {
		abs, err := filepath.Abs(root)
		if err != nil {
			return instance{}, err
		}
		in.category = filepath.Base(abs)
	}
	return in, nil
}
