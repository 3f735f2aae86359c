package keras

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/qnn"
)

func dataDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("VOUCH_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(filepath.Join(dir, "qnn")); err != nil {
		t.Skipf("no test data in %s: set VOUCH_DATA", dir)
	}
	return dir
}

// The Keras original and its conversion to integers by another tool agree, weight
// for weight.
func TestReadIsTheConvertedNetwork(t *testing.T) {
	dir := dataDir(t)
	n, err := ReadFile(filepath.Join(dir, "qnn", "h5", "mlech26l", "mnist_mlp.h5"), nil)
	require.NoError(t, err)
	want, err := qnn.ReadFile(filepath.Join(dir, "qnn", "int", "mnist_1blk_64_in_8_qu_6.json.gz"))
	require.NoError(t, err)
	require.Len(t, n.Layers, len(want.Layers))
	for k := range n.Layers {
		assert.Equal(t, want.Layers[k].Weights, n.Layers[k].Weights)
		assert.Equal(t, want.Layers[k].Bias, n.Layers[k].Bias)
		assert.Equal(t, want.Layers[k].Stairs, n.Layers[k].Stairs)
	}
}

// A file cut off anywhere is an error, never an empty or half network.
func TestReadRefusesFilesCutShort(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(dataDir(t), "qnn", "h5", "mlech26l", "mnist_mlp.h5"))
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "cut.h5")
	for _, n := range []int{0, 7, 100, 2000, 9000, 50000, len(text) / 2, 210000, 214000, 222000} {
		require.NoError(t, os.WriteFile(file, text[:n], 0o600))
		_, err := ReadFile(file, nil)
		require.Error(t, err, "%d of %d bytes", n, len(text))
	}
	_, err = ReadFile(file+"x", nil)
	require.ErrorIs(t, err, os.ErrNotExist)
}
