package vnnlib

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/spec"
)

func TestReadCounterexample(t *testing.T) {
	for text, want := range map[string]spec.Counterexample{
		"((X_0  0.5)\n(X_1 -1e-3)\n(Y_0 2))":            {Input: []float64{0.5, -1e-3}, Output: []float64{2}},
		"sat\n((X_0 0.5)\n(Y_0 2))\n":                   {Input: []float64{0.5}, Output: []float64{2}},
		"sat ((X_0 0.5) (Y_0 2) )":                      {Input: []float64{0.5}, Output: []float64{2}},
		"(X_0 1)(X_1 2)(Y_0 3)":                         {Input: []float64{1, 2}, Output: []float64{3}},
		"((X_0 1))((Y_0 3))":                            {Input: []float64{1}, Output: []float64{3}},
		"((X_0 (- 1.5)) (X_1 (/ 1 4)))":                 {Input: []float64{-1.5, 0.25}},
		"; made by hand\r\n((Y_0 1)\r\n(X_1 2)(X_0 1))": {Input: []float64{1, 2}, Output: []float64{1}},
		"((X_2 2)(X_1 1)(X_0 0))":                       {Input: []float64{0, 1, 2}},
	} {
		c, err := ReadCounterexample(strings.NewReader(text), "test")
		require.NoError(t, err, text)
		want.Case, want.Conjunction = -1, -1
		assert.Equal(t, &want, c, text)
	}
}

func TestReadCounterexampleErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "no values of inputs",
		"sat":                       "no values of inputs",
		"unsat":                     `"unsat" where a counterexample`,
		"timeout":                   `"timeout" where`,
		"((Y_0 1))":                 "no values of inputs",
		"((X_0 1)":                  "the file ends",
		"((X_0 1)))":                `")" too many`,
		"((X_0 1)(X_0 2))":          "two values",
		"((X_2 1)(X_2 2))":          "two values",
		"((X_0 1)(X_2 2))":          "X_1 has no value",
		"((X_0 1)(Y_2147483646 2))": "Y_0 has no value",
		"((X_0))":                   "where a number",
		"((X_0 nan))":               "where a number",
		"((X_0 1e999))":             "not a number",
		"((X_0 (* 1e300 1e300)))":   "beyond the range",
		"((X_0 (- X_0)))":           "not declared",
		"((X_0 1 2))":               `"2" where`,
		"((Z_0 1))":                 "no variable",
		"(X_0 1) X_1 2":             `"X_1" where "("`,
		`(X_0 1) "text"`:            "quoted",
	} {
		_, err := ReadCounterexample(strings.NewReader(text), "c.txt")
		var e *ParseError
		require.ErrorAs(t, err, &e, text)
		assert.Contains(t, err.Error(), want, text)
		assert.Contains(t, err.Error(), "c.txt", text)
	}
}

func TestCounterexampleRoundTrip(t *testing.T) {
	c := &spec.Counterexample{Input: []float64{0.1, -5e-324, 1e300}, Output: []float64{1.0 / 3}, Case: -1, Conjunction: -1}
	var w strings.Builder
	require.NoError(t, WriteCounterexample(&w, c))
	assert.Equal(t, "((X_0 0.1)\n(X_1 -5e-324)\n(X_2 1e+300)\n(Y_0 0.3333333333333333))\n", w.String())
	back, err := ReadCounterexample(strings.NewReader(w.String()), "")
	require.NoError(t, err)
	assert.Equal(t, c, back)
}
