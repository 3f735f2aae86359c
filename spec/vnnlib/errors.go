package vnnlib

import (
	"fmt"
	"strconv"
)

// ParseError reports text that is not well-formed VNN-LIB, or not a
// counterexample, or a query that is incomplete.
type ParseError struct {
	File         string
	Line, Column int // from 1; 0 where the file as a whole is meant
	Detail       string
}

// Error is file:line:column: detail.
func (e *ParseError) Error() string {
	return "vnnlib: " + place(e.File, e.Line, e.Column) + e.Detail
}

// UnsupportedError reports a construct that SMT-LIB has and this reader does
// not: a product of variables, a negation, another sort than Real.
type UnsupportedError struct {
	File         string
	Line, Column int
	Construct    string
}

// Error is file:line:column: unsupported: construct.
func (e *UnsupportedError) Error() string {
	return "vnnlib: " + place(e.File, e.Line, e.Column) + "unsupported: " + e.Construct
}

// LimitError reports that reading stopped at a limit of Options, or at one of
// the fixed limits that the package documentation lists.
type LimitError struct {
	File  string
	What  string // what there was too much of
	Limit int64
}

// Error names the limit and its value.
func (e *LimitError) Error() string {
	return fmt.Sprintf("vnnlib: %s%s exceed the limit of %d", place(e.File, 0, 0), e.What, e.Limit)
}

func place(file string, line, column int) string {
	s := file
	if s == "" {
		s = "input"
	}
	if line > 0 {
		s += ":" + strconv.Itoa(line) + ":" + strconv.Itoa(column)
	}
	return s + ": "
}
