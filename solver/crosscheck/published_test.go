package crosscheck

// The networks of Zhang et al. 2022 ("QVIP: An ILP-based formal verification approach for
// quantized neural networks", ASE), read from $VOUCH_DATA: whether a grey value of one more
// or less in every pixel changes the class.

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/qnn"
	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/spec"
	"github.com/vouchnn/vouch/train/dataset"
)

var publishedNetworks = []string{"mnist_1blk_64_in_4_qu_4", "mnist_1blk_64_in_8_qu_4", "mnist_1blk_64_in_8_qu_6"}

// published encodes the robustness of the first MNIST images of the test set.
func published(t testing.TB, images int, encoding qnn.Encoding) []*solver.Problem {
	t.Helper()
	dir, folder := os.Getenv("VOUCH_DATA"), ""
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
		folder = filepath.Join(dir, "datasets")
	}
	if _, err := os.Stat(filepath.Join(dir, "qnn", "int")); err != nil {
		t.Skipf("no test data in %s: set VOUCH_DATA", dir)
	}
	set, err := dataset.Open("mnist", dataset.Test, folder)
	require.NoError(t, err)
	var problems []*solver.Problem
	for _, name := range publishedNetworks {
		n, err := qnn.ReadFile(filepath.Join(dir, "qnn", "int", name+".json.gz"))
		require.NoError(t, err)
		for i := range images {
			x := n.QuantizePixels(set.Image(i))
			ball, err := n.Ball(spec.LInf, x, 1)
			require.NoError(t, err)
			e, err := qnn.Encode(n, qnn.Robustness(ball, n.Classify(x), n.Outputs()), 0, -1, qnn.EncodeOptions{Encoding: encoding})
			require.NoError(t, err)
			problems = append(problems, e.Problem)
		}
	}
	return problems
}

// All back-ends give the same answers about the published networks, where they give one.
func TestPublishedNetworksAgree(t *testing.T) {
	if testing.Short() {
		t.Skip("runs for seconds")
	}
	for _, encoding := range []qnn.Encoding{qnn.Compact, qnn.Levels} {
		solved := 0
		for _, p := range published(t, 1, encoding) {
			if finished(t, p, patience/5) != nil {
				solved++
			}
		}
		t.Logf("%v: %d solved", encoding, solved)
	}
}

// BenchmarkPublishedQuantized is the same with the benchmarks' patience.
func BenchmarkPublishedQuantized(b *testing.B) {
	b.Run("compact", func(b *testing.B) { integers(b, published(b, 2, qnn.Compact)) })
	b.Run("levels", func(b *testing.B) { integers(b, published(b, 2, qnn.Levels)) })
}
