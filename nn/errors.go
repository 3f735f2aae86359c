package nn

import (
	"fmt"
)

// UnsupportedError reports an operator, attribute or format that this module
// does not implement. Nothing was read or bounded in its stead.
type UnsupportedError struct {
	File   string // the file, if there is one
	Node   string // the node's name
	Op     string // the operator's name
	Detail string // which attribute or use of it, empty for the operator as such
}

// Error names the node, the operator and what about it is unsupported.
func (e *UnsupportedError) Error() string {
	return located(e.File, e.Node, e.Op, "unsupported", e.Detail)
}

// ShapeError reports tensors whose shapes do not fit an operator or a network.
type ShapeError struct {
	File   string
	Node   string
	Op     string
	Detail string
}

// Error names the node, the operator and the shapes.
func (e *ShapeError) Error() string { return located(e.File, e.Node, e.Op, "shape", e.Detail) }

// ValueError reports a parameter or attribute out of its range, such as a NaN
// or infinite weight.
type ValueError struct {
	File   string
	Node   string
	Op     string
	Detail string
}

// Error names the node, the operator and the value.
func (e *ValueError) Error() string { return located(e.File, e.Node, e.Op, "value", e.Detail) }

// FormatError reports a file that is not well-formed.
type FormatError struct {
	File   string
	Offset int64  // byte offset, or -1
	Line   int    // line number from 1, or 0
	Field  string // the field, message or node that was being read
	Detail string
	Err    error
}

// Error names the file, the place in it and what is wrong.
func (e *FormatError) Error() string {
	s := "malformed"
	if e.File != "" {
		s = e.File + ": malformed"
	}
	if e.Line > 0 {
		s += fmt.Sprintf(" at line %d", e.Line)
	} else if e.Offset > 0 {
		s += fmt.Sprintf(" near byte %d", e.Offset)
	}
	if e.Field != "" {
		s += " (" + e.Field + ")"
	}
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap is the underlying error, if any.
func (e *FormatError) Unwrap() error { return e.Err }

func located(file, node, op, kind, detail string) string {
	s := ""
	if file != "" {
		s = file + ": "
	}
	if node != "" {
		s += fmt.Sprintf("node %q: ", node)
	}
	if op != "" {
		s += op + ": "
	}
	s += kind
	if detail != "" {
		s += ": " + detail
	}
	return s
}

func shapeErrorf(op Operator, format string, args ...any) error {
	return &ShapeError{Op: op.Kind(), Detail: fmt.Sprintf(format, args...)}
}

func valueErrorf(op, format string, args ...any) error {
	return &ValueError{Op: op, Detail: fmt.Sprintf(format, args...)}
}
