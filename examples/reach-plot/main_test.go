package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestStory(t *testing.T) {
	for _, name := range []string{"reach.svg", "reach.png"} {
		path := filepath.Join(t.TempDir(), name)
		var out bytes.Buffer
		sets, err := tell(t.Context(), &out, path, 2)
		require.NoError(t, err)
		require.Len(t, sets, 4)
		zono, absdom, approx, exact := sets[0], sets[1], sets[2], sets[3]
		assert.Greater(t, len(exact.polygons), 10)
		assert.Positive(t, exact.area)
		assert.Less(t, exact.area, approx.area)
		assert.LessOrEqual(t, approx.area, absdom.area*(1+1e-6))
		assert.LessOrEqual(t, approx.area, zono.area*(1+1e-6))
		assert.Contains(t, out.String(), "exact-star")
		st, err := os.Stat(path)
		require.NoError(t, err)
		assert.Greater(t, st.Size(), int64(2000))
	}
	_, err := tell(t.Context(), &bytes.Buffer{}, filepath.Join(t.TempDir(), "reach.xyz"), 2)
	require.Error(t, err)
}
