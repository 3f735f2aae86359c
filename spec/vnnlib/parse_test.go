package vnnlib

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/spec"
)

const twoByTwo = `(declare-const X_0 Real)(declare-const X_1 Real)
(declare-const Y_0 Real)(declare-const Y_1 Real)
`

// unit bounds both inputs by 0 and 1.
const unit = twoByTwo + "(assert (and (>= X_0 0) (<= X_0 1) (>= X_1 0) (<= X_1 1)))\n"

func parse(t *testing.T, text string) *spec.Property {
	t.Helper()
	p, err := Read(strings.NewReader(text), "test", nil)
	require.NoError(t, err, text)
	require.NoError(t, p.Validate(), text)
	return p
}

func box(bounds ...float64) spec.Box {
	var b spec.Box
	for i := 0; i < len(bounds); i += 2 {
		b.Lower = append(b.Lower, bounds[i])
		b.Upper = append(b.Upper, bounds[i+1])
	}
	return b
}

func terms(pairs ...float64) []spec.Term {
	var t []spec.Term
	for i := 0; i < len(pairs); i += 2 {
		t = append(t, spec.Term{Index: int(pairs[i]), Coef: pairs[i+1]})
	}
	return t
}

func outputs(bound float64, pairs ...float64) spec.Inequality {
	return spec.Inequality{Output: terms(pairs...), Bound: bound}
}

func inputs(bound float64, pairs ...float64) spec.Inequality {
	return spec.Inequality{Input: terms(pairs...), Bound: bound}
}

// TestOutputs: one box, and what is unsafe in it.
func TestOutputs(t *testing.T) {
	type dnf = []spec.Conjunction
	for text, want := range map[string]dnf{
		``:                                                         {{}},
		`(assert true)`:                                            {{}},
		`(assert (and))`:                                           {{}},
		`(assert (<= Y_0 1))`:                                      {{outputs(1, 0, 1)}},
		`(assert (>= Y_0 1))`:                                      {{outputs(-1, 0, -1)}},
		`(assert (< Y_0 1))`:                                       {{outputs(1, 0, 1)}},
		`(assert (> 1 Y_0))`:                                       {{outputs(1, 0, 1)}},
		`(assert (= Y_0 1))`:                                       {{outputs(1, 0, 1), outputs(-1, 0, -1)}},
		`(assert (<= 0 Y_1 2))`:                                    {{outputs(0, 1, -1), outputs(2, 1, 1)}},
		`(assert (<= Y_0 Y_1))`:                                    {{outputs(0, 0, 1, 1, -1)}},
		`(assert (>= Y_0 Y_1))`:                                    {{outputs(0, 0, -1, 1, 1)}},
		`(assert (<= (- Y_0 Y_1) 0))`:                              {{outputs(0, 0, 1, 1, -1)}},
		`(assert (>= 0 (- Y_1 Y_0)))`:                              {{outputs(0, 0, -1, 1, 1)}},
		`(assert (<= (- Y_0) 1))`:                                  {{outputs(1, 0, -1)}},
		`(assert (<= (- (- Y_0)) 1))`:                              {{outputs(1, 0, 1)}},
		`(assert (<= (- 1 Y_0 Y_1) 3))`:                            {{outputs(2, 0, -1, 1, -1)}},
		`(assert (<= (+ Y_0) 1))`:                                  {{outputs(1, 0, 1)}},
		`(assert (<= (+ Y_0 0.1) 0.3))`:                            {{outputs(0.2, 0, 1)}}, // exact decimals, rounded once
		`(assert (<= (* 0.1 (* 3 Y_0)) 1))`:                        {{outputs(1, 0, 0.3)}},
		`(assert (<= (* Y_0 2 -1.5) 1))`:                           {{outputs(1, 0, -3)}},
		`(assert (<= (* 2 (+ Y_0 Y_1 1)) 4))`:                      {{outputs(2, 0, 2, 1, 2)}},
		`(assert (<= (/ Y_0 4 2) 1))`:                              {{outputs(1, 0, 0.125)}},
		`(assert (<= (+ Y_1 Y_0 Y_1) 1))`:                          {{outputs(1, 0, 1, 1, 2)}},
		`(assert (<= (- Y_0 Y_0) 0))`:                              {{}},
		`(assert (<= Y_0 Y_0))`:                                    {{}},
		`(assert (<= (* 0 Y_0) 0))`:                                {{}},
		`(assert (<= (* 0 Y_0) -1))`:                               nil,
		`(assert (<= 1 2))`:                                        {{}},
		`(assert (<= 2 1))`:                                        nil,
		`(assert false)`:                                           nil,
		`(assert (or))`:                                            nil,
		`(assert (<= (+ X_0 Y_0) 1))`:                              {{{Input: terms(0, 1), Output: terms(0, 1), Bound: 1}}},
		`(assert (<= X_0 X_1))`:                                    {{inputs(0, 0, 1, 1, -1)}},
		`(assert (or (<= Y_0 1) (>= Y_1 2)))`:                      {{outputs(1, 0, 1)}, {outputs(-2, 1, -1)}},
		`(assert (or (and (<= Y_0 1))))`:                           {{outputs(1, 0, 1)}},
		`(assert (or (<= Y_0 1) true))`:                            {{}},
		`(assert (or (<= Y_0 1) false))`:                           {{outputs(1, 0, 1)}},
		`(assert (or (or (<= Y_0 1) (or (<= Y_0 2))) (<= Y_0 3)))`: {{outputs(1, 0, 1)}, {outputs(2, 0, 1)}, {outputs(3, 0, 1)}},
		`(assert (and (<= Y_0 1) (or (<= Y_0 2) (and (<= Y_0 3) (and (<= Y_0 4))))))`:      {{outputs(1, 0, 1), outputs(2, 0, 1)}, {outputs(1, 0, 1), outputs(3, 0, 1), outputs(4, 0, 1)}},
		`(assert (or (<= Y_0 1) (<= Y_0 2))) (assert (or (<= Y_1 3) (<= Y_1 4)))`:          {{outputs(1, 0, 1), outputs(3, 1, 1)}, {outputs(1, 0, 1), outputs(4, 1, 1)}, {outputs(2, 0, 1), outputs(3, 1, 1)}, {outputs(2, 0, 1), outputs(4, 1, 1)}},
		`(assert (or (and (<= X_0 -1) (<= Y_0 1)) (<= Y_0 2)))`:                            {{outputs(2, 0, 1)}}, // crossed: dropped
		`(assert (or (<= X_0 -1) (and (>= X_0 0.5) (<= X_0 0.25)) (<= X_1 -1)))`:           nil,
		"(set-logic QF_LRA)(set-info :x \"a ) b\")(set-info :y |c ( \n|)(check-sat)(exit)": {{}},
		"; comment ( with parentheses\n(assert(<= Y_0 1));no newline at the end":           {{outputs(1, 0, 1)}},
	} {
		p := parse(t, unit+text)
		require.Len(t, p.Cases, 1, text)
		assert.Equal(t, box(0, 1, 0, 1), p.Cases[0].Region, text)
		assert.Equal(t, want, p.Cases[0].Unsafe, text)
	}
}

func TestNumbers(t *testing.T) {
	for text, want := range map[string]float64{
		"1": 1, "-1": -1, "+1": 1, "-1.5": -1.5, ".5": 0.5, "5.": 5, "-.5": -0.5, "1e-3": 1e-3, "1E+5": 1e5, "1.e2": 100,
		"0": 0, "-0": 0, "0.0": 0, "00012": 12, "1e-400": 0, "1e-100000000000": 0, "0e999999": 0,
		"0.1": 0.1, "0.29999999999999999": 0.3, "9007199254740993": 9007199254740992, "123456789012345678901234567890": 1.2345678901234568e29,
		"4.9e-324": 5e-324, "1.7976931348623157e308": math.MaxFloat64, "0.000000000000000000000000000001": 1e-30,
		"1/3": 1.0 / 3, "-1/4": -0.25, "#x1F": 31, "#b101": 5,
		"(- 1.5)": -1.5, "(/ 1 3)": 1.0 / 3, "(/ 1 3 2)": 1.0 / 6, "(- (/ 1 3))": -1.0 / 3, "(+ 1 2 3)": 6, "(* 0.1 3)": 0.3, "(- 5 1 1)": 3,
		"(/ (- 1) 4)": -0.25, "(+ 0.1 0.2)": 0.3,
	} {
		p := parse(t, unit+"(assert (<= Y_0 "+text+"))")
		require.Len(t, p.Cases[0].Unsafe, 1, text)
		got := p.Cases[0].Unsafe[0][0].Bound
		assert.Equal(t, want, got, text)
		assert.False(t, got == 0 && math.Signbit(got), text)
	}
}

// TestInputBounds: constraints of one input become bounds of the box.
func TestInputBounds(t *testing.T) {
	third := math.Nextafter(1.0/3, 1) // 1.0/3 is below one third
	for text, want := range map[string]struct {
		b    spec.Box
		keep spec.Conjunction
	}{
		`(assert (<= X_0 0.5))`:              {box(0, 0.5, 0, 1), nil},
		`(assert (<= X_0 2))`:                {box(0, 1, 0, 1), nil},
		`(assert (= X_0 0.5))`:               {box(0.5, 0.5, 0, 1), nil},
		`(assert (>= (* X_0 2) 1))`:          {box(0.5, 1, 0, 1), nil},
		`(assert (>= (* (- 2) X_0) (- 1)))`:  {box(0, 0.5, 0, 1), nil},
		`(assert (<= (+ X_0 X_0 1) 2))`:      {box(0, 0.5, 0, 1), nil},
		`(assert (<= 0.25 X_1 0.75))`:        {box(0, 1, 0.25, 0.75), nil},
		`(assert (<= (* 3 X_0) 1))`:          {box(0, third, 0, 1), spec.Conjunction{inputs(1, 0, 3)}},
		`(assert (>= (* 3 X_0) 1))`:          {box(1.0/3, 1, 0, 1), spec.Conjunction{inputs(-1, 0, -3)}},
		`(assert (<= (* 1e-300 X_0) 1e300))`: {box(0, 1, 0, 1), spec.Conjunction{inputs(1e300, 0, 1e-300)}},
		`(assert (<= (* X_0 1000) 1e-322))`:  {box(0, 5e-324, 0, 1), spec.Conjunction{inputs(1e-322, 0, 1000)}},
	} {
		p := parse(t, unit+text)
		require.Len(t, p.Cases, 1, text)
		assert.Equal(t, want.b, p.Cases[0].Region, text)
		require.Len(t, p.Cases[0].Unsafe, 1, text)
		assert.ElementsMatch(t, want.keep, p.Cases[0].Unsafe[0], text)
	}
}

func TestBoxes(t *testing.T) {
	// The complement of a smaller box, as in the Lyapunov benchmarks, times two
	// ways to be unsafe.
	p := parse(t, unit+`(assert (or (<= X_0 0.25) (>= X_0 0.75) (<= X_1 0.25) (>= X_1 0.75) (>= X_1 3)))
		(assert (or (<= Y_0 0) (>= Y_1 1)))`)
	want := []spec.Box{box(0, 0.25, 0, 1), box(0.75, 1, 0, 1), box(0, 1, 0, 0.25), box(0, 1, 0.75, 1)}
	require.Len(t, p.Cases, 4)
	for i, c := range p.Cases {
		assert.Equal(t, want[i], c.Region)
		assert.Equal(t, []spec.Conjunction{{outputs(0, 0, 1)}, {outputs(-1, 1, -1)}}, c.Unsafe)
	}
	lower := func(i int) *float64 { return &p.Cases[i].Region.(spec.Box).Lower[0] }
	assert.Same(t, lower(0), lower(2), "equal bound vectors are shared")

	// Boxes written twice share a case, wherever they stand.
	p = parse(t, twoByTwo+`(assert (or
		(and (<= 0 X_0 1) (<= 0 X_1 1) (<= Y_0 0))
		(and (<= 0 X_0 2) (<= 0 X_1 1) (<= Y_0 1))
		(and (<= 0 X_1 1) (<= 0 X_0 1) (<= Y_0 2))))`)
	require.Len(t, p.Cases, 2)
	assert.Equal(t, []spec.Conjunction{{outputs(0, 0, 1)}, {outputs(2, 0, 1)}}, p.Cases[0].Unsafe)

	// An empty conjunction swallows the others of its case.
	p = parse(t, unit+`(assert (or (<= Y_0 0) (<= X_0 5) (<= Y_0 1)))`)
	require.Len(t, p.Cases, 1)
	assert.Equal(t, []spec.Conjunction{{}}, p.Cases[0].Unsafe)

	// Nothing is left: the box of the undisputed asserts, 0 where there is none.
	p = parse(t, twoByTwo+`(assert (<= 1 X_0 2)) (assert (<= Y_0 0)) (assert false)`)
	assert.Equal(t, []spec.Case{{Region: box(1, 2, 0, 0)}}, p.Cases)
}

func TestParseErrors(t *testing.T) {
	type place struct{ line, column int }
	for _, c := range []struct {
		text, want string
		at         place
	}{
		{"(", "the file ends where a command", place{1, 2}},
		{")", `")" where a command`, place{1, 1}},
		{"x", `"x" where a command`, place{1, 1}},
		{"()", `")" where a command`, place{1, 2}},
		{`"open`, "without its end", place{1, 1}},
		{"(set-info |open", "without its end", place{1, 11}},
		{"(set-info", "the file ends", place{1, 10}},
		{"", "no inputs", place{}},
		{"(declare-const X_0 Real)", "no outputs", place{}},
		{"(declare-const X_0 Real)\n (declare-const X_0 Real)", "twice", place{2, 17}},
		{"(declare-const X_1 Real)(declare-const Y_0 Real)", "X_1 is declared, X_0 is not", place{1, 1}},
		{"(declare-const X_2147483646 Real)(declare-const Y_0 Real)", "X_0 is not", place{1, 1}},
		{"(declare-const X_0 Real", "the file ends", place{1, 24}},
		{"(declare-const X_0 Real Real)", `"Real" where`, place{1, 25}},
		{"(declare-const", "name of a variable", place{1, 15}},
		{"(assert (<= X_0 1))", "not declared", place{1, 13}},
		{"(assert (<= foo 1))", "neither a number nor a variable", place{1, 13}},
		{unit + "(assert (<= X_2 1))", `"X_2" is not declared`, place{4, 13}},
		{unit + "(assert (<= X_00 1))", "neither", place{4, 13}},
		{unit + "(assert (<= X_99999999999 1))", "neither", place{4, 13}},
		{unit + "(assert (<= X_0))", "one operand", place{4, 16}},
		{unit + "(assert (<=))", `")" where a variable`, place{4, 12}},
		{unit + "(assert (<= X_0 1)", "the file ends", place{4, 19}},
		{unit + "(assert (<= X_0 1) (<= X_1 1))", `"(" where the ")" of the assert`, place{4, 20}},
		{unit + "(assert)", `")" where a formula`, place{4, 8}},
		{unit + "(assert X_0)", `"X_0" where a formula`, place{4, 9}},
		{unit + "(assert (<= X_0 1..2))", "not a number", place{4, 17}},
		{unit + "(assert (<= X_0 1e))", "not a number", place{4, 17}},
		{unit + "(assert (<= X_0 1e999))", "not a number in the range", place{4, 17}},
		{unit + "(assert (<= X_0 0x10))", "not a number", place{4, 17}},
		{unit + "(assert (<= X_0 1/0))", "not a number", place{4, 17}},
		{unit + "(assert (<= X_0 1/2/3))", "not a number", place{4, 17}},
		{unit + "(assert (<= X_0 #xQ))", "not a number", place{4, 17}},
		{unit + "(assert (<= X_0 inf))", "neither", place{4, 17}},
		{unit + "(assert (<= X_0 nan))", "neither", place{4, 17}},
		{unit + "(assert (<= X_0 (/ 1 0)))", "division by zero", place{4, 22}},
		{unit + "(assert (<= X_0 (+)))", "without operands", place{4, 19}},
		{unit + "(assert (<= X_0 (*)))", "without operands", place{4, 19}},
		{unit + "(assert (<= Y_0 (* 1e200 1e200)))", "beyond the range", place{4, 31}},
		{unit + "(assert (<= (* 1e200 1e200 Y_0) Y_1))", "beyond the range", place{4, 33}},
		{twoByTwo + "(assert (<= 0 X_0 1))", "X_1 has no lower bound", place{}},
		{twoByTwo + "(assert (<= 0 X_0 1))(assert (<= 0 X_1))", "X_1 has no upper bound", place{}},
		{twoByTwo + "(assert (<= 0 X_0 1))(assert (or (<= 0 X_1 1) (<= Y_0 1)))", "X_1 has no lower bound in one of the disjuncts", place{}},
	} {
		_, err := Read(strings.NewReader(c.text), "bad.vnnlib", nil)
		var e *ParseError
		require.ErrorAs(t, err, &e, c.text)
		assert.Contains(t, e.Error(), c.want, c.text)
		assert.Equal(t, "bad.vnnlib", e.File)
		at := place{e.Line, e.Column}
		assert.Equal(t, c.at, at, "%s: %v", c.text, err)
	}
}

func TestUnsupported(t *testing.T) {
	for text, want := range map[string]string{
		"(assert (not (<= X_0 1)))":                                  `operator "not"`,
		"(assert (xor (<= X_0 1) true))":                             `operator "xor"`,
		"(assert (foo X_0 1))":                                       `"foo"`,
		"(assert (<= (* X_0 X_1) 1))":                                "product of variables",
		"(assert (<= (* X_0 2 (+ X_0)) 1))":                          "product of variables",
		"(assert (<= (/ 1 X_0) 1))":                                  "division by a variable",
		"(assert (<= (abs X_0) 1))":                                  `arithmetic operator "abs"`,
		"(declare-const Z_0 Real)":                                   `variable "Z_0"`,
		"(declare-const X_2 Int)":                                    `sort "Int"`,
		"(declare-fun X_2 (Real) Real)":                              "function with arguments",
		"(declare-sore X_1 2)":                                       `command "declare-sore"`,
		"(push 1)":                                                   `command "push"`,
		"(assert (<= Y_0 (* " + strings.Repeat("0.1 ", 6000) + ")))": "16384 bits",
	} {
		_, err := Read(strings.NewReader(unit+text), "test", nil)
		var e *UnsupportedError
		require.ErrorAs(t, err, &e, text)
		assert.Contains(t, e.Construct, want, text)
		assert.Equal(t, 4, e.Line, text)
		assert.Contains(t, e.Error(), "test:4:")
	}
	assert.NotNil(t, parse(t, strings.ReplaceAll(unit, "declare-const X_0", "declare-fun X_0 ()")))
}

func TestDeclarationsInAnyOrder(t *testing.T) {
	var b strings.Builder
	for _, i := range []int{3, 1, 0, 4, 2} {
		fmt.Fprintf(&b, "(declare-const X_%d Real)(declare-const Y_%d Real)(assert (<= %d X_%d %d))\n", i, i, i, i, i+1)
	}
	p := parse(t, b.String())
	assert.Equal(t, 5, p.Inputs)
	assert.Equal(t, box(0, 1, 1, 2, 2, 3, 3, 4, 4, 5), p.Cases[0].Region)
}

func TestNesting(t *testing.T) {
	deep := func(n int, open, middle string) string {
		return strings.Repeat(open, n) + middle + strings.Repeat(")", n)
	}
	parse(t, unit+"(assert "+deep(900, "(and ", "(<= Y_0 1)")+")")
	parse(t, unit+"(assert (<= Y_0 "+deep(900, "(- ", "1")+"))")
	for _, text := range []string{
		"(assert " + deep(100000, "(and ", "true") + ")",
		"(assert " + deep(100000, "(or ", "true") + ")",
		"(assert (<= Y_0 " + deep(100000, "(- ", "1") + "))",
		"(assert (<= Y_0 " + deep(100000, "(* 1 ", "1") + "))",
	} {
		_, err := Read(strings.NewReader(unit+text), "test", nil)
		var e *LimitError
		require.ErrorAs(t, err, &e)
		assert.Equal(t, "nested parentheses", e.What)
	}
}

// broken fails after some bytes.
type broken struct{ text string }

var errBroken = errors.New("the disk is on fire")

func (b *broken) Read(p []byte) (int, error) {
	if b.text == "" {
		return 0, errBroken
	}
	n := copy(p, b.text)
	b.text = b.text[n:]
	return n, nil
}

func TestReadError(t *testing.T) {
	for _, text := range []string{"", "(declare-const", "(declare-const X", unit, `(set-info "`} {
		_, err := Read(&broken{text}, "test", nil)
		assert.ErrorIs(t, err, errBroken, text)
	}
	_, err := ReadCounterexample(&broken{"((X_0 1)"}, "test")
	assert.ErrorIs(t, err, errBroken)
}
