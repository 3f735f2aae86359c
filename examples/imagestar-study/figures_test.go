package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A figure is drawn from the table of the full run; a table without what it needs is an error.
func TestRedraw(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "imagestar-study", "mnist.csv"))
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "mnist.csv")
	require.NoError(t, os.WriteFile(file, text, 0o600))
	require.NoError(t, redraw(file, "svg"))
	drawn, err := os.ReadFile(strings.TrimSuffix(file, "csv") + "svg")
	require.NoError(t, err)
	for _, want := range []string{"mnist, by combination", "seed 4", "verified (%)", "processor time (ms)"} {
		assert.Contains(t, string(drawn), want)
	}
	assert.NotContains(t, string(drawn), "seed 5")

	require.NoError(t, os.WriteFile(file, []byte(strings.ReplaceAll(string(text), "cpu_seconds", "time")), 0o600))
	require.ErrorContains(t, redraw(file, "svg"), "row")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	require.ErrorContains(t, redraw(file, "svg"), "empty")
	require.ErrorIs(t, redraw(file+"x", "svg"), os.ErrNotExist)
}
