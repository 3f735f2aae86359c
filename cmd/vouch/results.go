package main

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Rows of results, as vouch bench writes them and vouch report reads them:
// category, onnx, vnnlib, prepare, result, runtime, without a header. The file
// may come from another program, so nothing in it is taken on trust.

// Limits of a results file. The largest list of the competition has a few
// thousand rows of some 200 bytes.
const (
	maxResultsSize = 256 << 20
	maxResultField = 4096
	maxSeconds     = 1e9
)

// resultColumns are the names that errors use.
var resultColumns = []string{"category", "onnx", "vnnlib", "prepare", "result", "runtime"}

// inputError is a file of results that is not what it should be.
type inputError struct {
	File   string
	Line   int // from 1; 0 if no line is to blame
	Detail string
}

func (e *inputError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Detail
	}
	return fmt.Sprintf("%s: line %d: %s", e.File, e.Line, e.Detail)
}

// row is the outcome as bench writes it.
func (o *outcome) row() []string {
	return []string{o.Category, o.Onnx, o.Vnnlib, fmt.Sprintf("%.6f", o.Prepare), o.Result, fmt.Sprintf("%.6f", o.Runtime)}
}

// readResults reads a file of rows.
// Errors: *inputError, and those of the file system.
func readResults(path string) ([]outcome, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.Size() > maxResultsSize {
		return nil, &inputError{File: path, Detail: fmt.Sprintf("%d bytes are too many for results", st.Size())}
	}
	return parseResults(path, io.LimitReader(f, maxResultsSize))
}

func parseResults(name string, r io.Reader) ([]outcome, error) {
	rows := csv.NewReader(r)
	rows.FieldsPerRecord = -1
	rows.ReuseRecord = true
	var out []outcome
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		var broken *csv.ParseError
		if errors.As(err, &broken) {
			return nil, &inputError{name, broken.Line, broken.Err.Error()}
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		o, err := newOutcome(row)
		if err != nil {
			line, _ := rows.FieldPos(0)
			return nil, &inputError{name, line, err.Error()}
		}
		out = append(out, o)
	}
	if len(out) == 0 {
		return nil, &inputError{File: name, Detail: "no results"}
	}
	return out, nil
}

// newOutcome is a row as an outcome.
func newOutcome(row []string) (outcome, error) {
	if len(row) != len(resultColumns) {
		return outcome{}, fmt.Errorf("%d columns, want %d: %s", len(row), len(resultColumns), strings.Join(resultColumns, ","))
	}
	for i, s := range row {
		switch {
		case len(s) > maxResultField:
			return outcome{}, fmt.Errorf("%s: %d bytes are more than %d", resultColumns[i], len(s), maxResultField)
		case !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl):
			return outcome{}, fmt.Errorf("%s: %q is not plain text", resultColumns[i], s)
		}
	}
	o := outcome{Category: row[0], Onnx: row[1], Vnnlib: row[2], Result: row[4], LowerBound: number(negInf)}
	if o.Category == "" || o.Onnx == "" || o.Vnnlib == "" {
		return outcome{}, errors.New("category, network or property is empty")
	}
	switch o.Result {
	case wordSat, wordUnsat, wordUnknown, wordTimeout, wordError:
	default:
		return outcome{}, fmt.Errorf("result: %q is none of unsat, sat, unknown, timeout, error", o.Result)
	}
	for i, to := range map[int]*float64{3: &o.Prepare, 5: &o.Runtime} {
		v, err := strconv.ParseFloat(row[i], 64)
		if err != nil || !(v >= 0 && v <= maxSeconds) {
			return outcome{}, fmt.Errorf("%s: %q is not a number of seconds", resultColumns[i], row[i])
		}
		*to = v
	}
	return o, nil
}

// contradicts reports whether one word claims what the other denies.
func contradicts(a, b string) bool {
	return a == wordSat && b == wordUnsat || a == wordUnsat && b == wordSat
}
