package vnnlib

import (
	"bufio"
	"fmt"
	"io"

	"github.com/vouchnn/vouch/spec"
)

// Counterexamples in the form in which the competition exchanges them:
//
//	sat
//	((X_0 0.5)
//	(X_1 -0.25)
//	(Y_0 1.75))
//
// The word sat stands in result files and is absent from files that hold a
// counterexample alone. Tools differ in spaces, in where the outer parentheses
// close and in whether outputs follow; all of that is accepted.

// ReadCounterexample reads inputs and outputs. Output is nil if the file holds
// none. Case and Conjunction are −1; spec.Property.Check finds them.
// name stands for the file in errors.
// Errors: *ParseError, also for a file that answers unsat, unknown or timeout;
// *LimitError for more than 4 GiB of text; and those of r.
func ReadCounterexample(r io.Reader, name string) (*spec.Counterexample, error) {
	s := &assignments{scanner: newScanner(r, name, defaultBytes)}
	t := s.next()
	if t == tokWord {
		if string(s.text) != "sat" {
			return nil, s.errorf("%s where a counterexample should be", quote(s.text))
		}
		t = s.next()
	}
	for open := 0; ; t = s.next() {
		switch t {
		case tokOpen:
			open++
		case tokClose:
			if open--; open < 0 {
				return nil, s.errorf(`a ")" too many`)
			}
		case tokWord:
			if open == 0 {
				return nil, s.unexpected(t, `"("`)
			}
			if err := s.assignment(); err != nil {
				return nil, err
			}
			open-- // assignment reads its ")"
		case tokEnd:
			if open > 0 {
				return nil, s.unexpected(t, `")"`)
			}
			return s.finish()
		default:
			return nil, s.unexpected(t, `"(" or a variable`)
		}
	}
}

// ReadCounterexampleFile reads a file that may be compressed, as ReadFile does.
func ReadCounterexampleFile(path string) (*spec.Counterexample, error) {
	var c *spec.Counterexample
	err := withFile(path, func(r io.Reader, name string) (err error) {
		c, err = ReadCounterexample(r, name)
		return err
	})
	return c, err
}

// assignments collects values by variable. Values wait in a map where their
// index leaves a gap, so that a file takes memory by its size, not by its
// largest index.
type assignments struct {
	*scanner
	values [2][]float64
	apart  [2]map[int]float64
}

// assignment reads "X_0 v)", whose name is the current token.
func (s *assignments) assignment() error {
	v, ok := variableOf(s.text)
	if !ok {
		return s.errorf("%s is no variable X_i or Y_i", quote(s.text))
	}
	kind, i := 0, v.index()
	if !v.input() {
		kind = 1
	}
	_, again := s.apart[kind][i]
	if again || i < len(s.values[kind]) {
		return s.errorf("%s has two values", quote(s.text))
	}
	f, err := s.value()
	if err != nil {
		return err
	}
	if i != len(s.values[kind]) {
		if s.apart[kind] == nil {
			s.apart[kind] = make(map[int]float64)
		}
		s.apart[kind][i] = f
	} else {
		s.values[kind] = append(s.values[kind], f)
		for len(s.apart[kind]) > 0 {
			n := len(s.values[kind])
			g, ok := s.apart[kind][n]
			if !ok {
				break
			}
			s.values[kind] = append(s.values[kind], g)
			delete(s.apart[kind], n)
		}
	}
	return s.expect(tokClose, `")"`)
}

// value reads a number, (- number) or (/ number number).
func (s *assignments) value() (float64, error) {
	t := s.next()
	if t == tokWord && looksNumeric(s.text) {
		n, ok := parseNumber(s.text)
		if !ok {
			return 0, s.errorf("%s is not a number in the range of float64", quote(s.text))
		}
		return n.f, nil
	}
	if t != tokOpen {
		return 0, s.unexpected(t, "a number")
	}
	p := &parser{scanner: s.scanner}
	sum := linear{constant: plainNumber(0)}
	if err := p.application(&sum, plainNumber(1), 1); err != nil {
		return 0, err
	}
	if !finite(sum.constant.f) {
		return 0, s.errorf("a value beyond the range of float64")
	}
	return sum.constant.f, nil
}

func (s *assignments) finish() (*spec.Counterexample, error) {
	for kind, name := range []string{"X", "Y"} {
		if len(s.apart[kind]) > 0 {
			return nil, &ParseError{File: s.file, Detail: fmt.Sprintf("%s_%d has no value", name, len(s.values[kind]))}
		}
	}
	if len(s.values[0]) == 0 {
		return nil, &ParseError{File: s.file, Detail: "no values of inputs"}
	}
	return &spec.Counterexample{Input: s.values[0], Output: s.values[1], Case: -1, Conjunction: -1}, nil
}

// WriteCounterexample writes the parenthesised part, with as many digits as
// bring back every float64. A result file of the competition has a line "sat"
// before it.
// Errors: those of w.
func WriteCounterexample(w io.Writer, c *spec.Counterexample) error {
	o := &writer{Writer: bufio.NewWriter(w)}
	o.text("(")
	first := true
	for kind, values := range [][]float64{c.Input, c.Output} {
		for i, v := range values {
			if !first {
				o.text("\n")
			}
			first = false
			o.text([]string{"(X_", "(Y_"}[kind]).integer(i).text(" ").number(v).text(")")
		}
	}
	o.text(")\n")
	if err := o.Flush(); err != nil {
		return fmt.Errorf("vnnlib: %w", err)
	}
	return nil
}
