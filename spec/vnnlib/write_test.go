package vnnlib

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/spec"
)

func TestWriteKnown(t *testing.T) {
	p := spec.Robustness(box(-0.5, 0.1), 1, 3)
	var w strings.Builder
	require.NoError(t, Write(&w, &p))
	assert.Equal(t, `(declare-const X_0 Real)
(declare-const Y_0 Real)
(declare-const Y_1 Real)
(declare-const Y_2 Real)
(assert (>= X_0 -0.5))
(assert (<= X_0 0.1))
(assert (or
  (and (<= Y_1 Y_0))
  (and (<= Y_1 Y_2))
))
`, w.String())
	assert.Equal(t, &p, parse(t, w.String()))
}

func TestWriteRoundTrip(t *testing.T) {
	b := box(0, 1, 1e-310, 0.1+0.2)
	for name, p := range map[string]spec.Property{
		"targeted":   spec.Targeted(b, 0, 1, 2),
		"output box": spec.OutputBox(b, []float64{-1, -2}, []float64{1, 2}),
		"safe":       {Inputs: 2, Outputs: 1, Cases: []spec.Case{{Region: b}}},
		"unsafe":     {Inputs: 2, Outputs: 1, Cases: []spec.Case{{Region: b, Unsafe: []spec.Conjunction{{}}}}},
		"general": {Inputs: 2, Outputs: 2, Cases: []spec.Case{{Region: b, Unsafe: []spec.Conjunction{{
			{Input: terms(0, 0.1, 1, -1e-30), Output: terms(1, 3), Bound: -1e300},
			outputs(0.5, 0, 1, 1, -1), outputs(0, 0, 2, 1, -2), outputs(7, 1, 3),
		}}}}},
		"cases": {Inputs: 2, Outputs: 1, Cases: []spec.Case{
			{Region: b, Unsafe: []spec.Conjunction{{outputs(1, 0, 1)}}},
			{Region: box(2, 3, 4, 5), Unsafe: []spec.Conjunction{{outputs(1, 0, 1), outputs(0, 0, -1)}, {outputs(2, 0, 1)}}},
			{Region: box(2, 3, 4, 6), Unsafe: []spec.Conjunction{{}}},
		}},
	} {
		var w strings.Builder
		require.NoError(t, Write(&w, &p), name)
		assert.Equal(t, &p, parse(t, w.String()), name)
	}
}

func TestWriteSameMeaning(t *testing.T) {
	b := box(0, 1, 0, 1)
	p := spec.Property{Inputs: 2, Outputs: 1, Cases: []spec.Case{
		{Region: b},
		{Region: &b, Unsafe: []spec.Conjunction{{{}, {Bound: 1}, inputs(0.5, 0, 1)}, {{Bound: -1}}}},
		{Region: b, Unsafe: []spec.Conjunction{{{Output: terms(0, 0), Bound: 3}, inputs(0.5, 1, 1)}}},
	}}
	var w strings.Builder
	require.NoError(t, Write(&w, &p))
	q := parse(t, w.String())
	for _, x := range [][]float64{{0.5, 1}, {1, 0.5}, {1, 1}, {0, 0}} {
		_, _, want := p.Check(x, []float64{0})
		_, _, got := q.Check(x, []float64{0})
		assert.Equal(t, want, got, x)
	}
}

// full fails to write.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errBroken }

func TestWriteErrors(t *testing.T) {
	p := spec.Robustness(box(0, 1), 0, 2)
	assert.ErrorIs(t, Write(full{}, &p), errBroken)
	assert.ErrorIs(t, WriteCounterexample(full{}, &spec.Counterexample{Input: []float64{1}}), errBroken)
	var e *spec.Error
	assert.ErrorAs(t, Write(full{}, &spec.Property{}), &e)
	ball, err := spec.NewBall(spec.L2, []float64{0}, 1, nil)
	require.NoError(t, err)
	p = spec.Robustness(ball, 0, 2)
	var u *UnsupportedError
	assert.ErrorAs(t, Write(full{}, &p), &u)
}
