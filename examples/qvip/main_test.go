package main

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestRunWithoutData(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, run(context.Background(), &b, "", 3, 2*time.Second))
	for _, want := range []string{"Accuracy (Table 1)", "digits, 6 bits", "Maximum robust radii (Figure 7)"} {
		assert.Contains(t, b.String(), want)
	}
	require.Error(t, run(context.Background(), &b, t.TempDir(), 3, time.Second))
}
