package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/train"
)

// The story in tiny: every method has its column, every number its range.
func TestTell(t *testing.T) {
	s := quick()
	s.images, s.test, s.epochs, s.steps, s.radii, s.timeout = 1000, 100, 8, 3, []float64{0.005}, 100*time.Millisecond
	s.layers = []train.Layer{train.Conv{Out: 4, Kernel: 4, Stride: 2}, train.Dense{Out: 16}, train.Dense{Out: 10}}
	var out, bars bytes.Buffer
	s.out, s.progress = t.TempDir(), &bars
	columns, err := tell(t.Context(), &out, s)
	require.NoError(t, err)
	require.Len(t, columns, len(methods))
	for i, c := range columns {
		assert.Equal(t, methods[i], c.Method)
		assert.Greater(t, c.Accuracy, 30.0, c.Method)
		require.Len(t, c.Summaries, 1)
		m := c.Summaries[0]
		assert.Equal(t, 10, m.Properties)
		assert.LessOrEqual(t, m.Unsat, m.PGD)
		assert.LessOrEqual(t, m.PGD, m.Correct)
		assert.Contains(t, out.String(), c.Method)
	}
	for _, want := range []string{"UNSAT%", "Stable%", "Time U+T (s)", "PGD-100%", "test accuracy%", "Figure 2"} {
		assert.Contains(t, out.String(), want)
	}
	for _, want := range []string{"ce: training", "trades+nbc: verifying"} {
		assert.Contains(t, bars.String(), want)
	}
	picture := filepath.Join(t.TempDir(), "nbc.svg")
	require.NoError(t, draw(picture, columns))
	text, err := os.ReadFile(picture)
	require.NoError(t, err)
	for _, want := range append([]string{"</svg>", "stable ReLUs (%)", "images proved (%)", "ε = 0.005"}, methods...) {
		assert.Contains(t, string(text), want)
	}
	// From the folder: the same networks, not trained again.
	kept, err := os.ReadFile(filepath.Join(s.out, "nbc.onnx"))
	require.NoError(t, err)
	var again, noBars bytes.Buffer
	s.progress = &noBars
	same, err := tell(t.Context(), &again, s)
	require.NoError(t, err)
	for i, c := range same {
		assert.Equal(t, columns[i].Accuracy, c.Accuracy)
	}
	assert.NotContains(t, noBars.String(), "training")
	after, err := os.ReadFile(filepath.Join(s.out, "nbc.onnx"))
	require.NoError(t, err)
	assert.True(t, bytes.Equal(kept, after))
	s.seed++
	_, err = tell(t.Context(), &again, s)
	require.ErrorContains(t, err, "another run")

	s.out = ""
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = tell(ctx, &out, s)
	require.ErrorIs(t, err, context.Canceled)
	s.data = "cifar-10"
	_, err = tell(t.Context(), &out, s)
	assert.Error(t, err)
}
