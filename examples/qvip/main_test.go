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
)

func TestRunWithoutData(t *testing.T) {
	var b bytes.Buffer
	subjects, err := run(context.Background(), &b, "", 3, 2*time.Second)
	require.NoError(t, err)
	for _, want := range []string{"Accuracy (Table 1)", "digits, 6 bits", "Maximum robust radii (Figure 7)"} {
		assert.Contains(t, b.String(), want)
	}
	for _, s := range subjects {
		assert.Len(t, s.proved, 3)
	}
	file := filepath.Join(t.TempDir(), "radii.svg")
	require.NoError(t, draw(file, subjects))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, want := range []string{"</svg>", "digits, 8 bits", "images proved robust (%)"} {
		assert.Contains(t, string(text), want)
	}
	_, err = run(context.Background(), &b, t.TempDir(), 3, time.Second)
	require.Error(t, err)
}
