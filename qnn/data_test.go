package qnn

import (
	"context"
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/internal/parallel"
	"github.com/vouchnn/vouch/spec"
	"github.com/vouchnn/vouch/train/dataset"
)

// dataDir is $VOUCH_DATA, by default ../shared/data beside the module.
func dataDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("VOUCH_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	if _, err := os.Stat(filepath.Join(dir, "qnn")); err != nil {
		t.Skipf("no test data in %s: set VOUCH_DATA", dir)
	}
	return dir
}

func mnist(t testing.TB) *dataset.Set {
	t.Helper()
	dataDir(t)
	dir := ""
	if os.Getenv("VOUCH_DATA") == "" {
		dir = filepath.Join("..", "..", "shared", "data", "datasets")
	}
	set, err := dataset.Open("mnist", dataset.Test, dir)
	require.NoError(t, err)
	return set
}

func published(t testing.TB, name string) *Network {
	t.Helper()
	n, err := ReadFile(filepath.Join(dataDir(t), "qnn", "int", name+".json.gz"))
	require.NoError(t, err)
	return n
}

// Zhang et al. 2022, Table 1, on all 10,000 test images.
func TestAccuracies(t *testing.T) {
	if testing.Short() {
		t.Skip("runs for seconds")
	}
	set := mnist(t)
	for name, want := range map[string]int{
		"mnist_1blk_64_in_8_qu_4": 9680, "mnist_1blk_64_in_8_qu_6": 9708, "mnist_1blk_64_in_8_qu_10": 9689,
		"mnist_1blk_100_in_8_qu_4": 9736, "mnist_2blk_64_32_in_8_qu_6": 9712,
	} {
		n := published(t, name)
		right := make([]bool, set.Len())
		parallel.For(set.Len(), 100, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				right[i] = n.Classify(n.QuantizePixels(set.Image(i))) == int(set.Labels[i])
			}
		})
		correct := 0
		var wrong []int
		for i, ok := range right {
			if ok {
				correct++
			} else if i < 400 {
				wrong = append(wrong, i)
			}
		}
		assert.Equal(t, want, correct, name)
		if name == "mnist_1blk_64_in_8_qu_6" {
			// Recomputed by an independent implementation.
			assert.Equal(t, []int{18, 149, 217, 241, 247, 259, 321, 340, 381}, wrong)
		}
	}
}

// TestPublishedVerdicts compares with a share of the published verdicts that
// survived an exact attack. All of those take milliseconds here.
func TestPublishedVerdicts(t *testing.T) {
	set := mnist(t)
	f, err := os.Open(filepath.Join(dataDir(t), "qnn", "qvip_results", "trusted_dev.csv"))
	require.NoError(t, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(t, err)
	nets := map[string]*Network{}
	for k, row := range rows[1:] {
		if k%17 != 0 || testing.Short() && k%5 != 0 {
			continue
		}
		if nets[row[0]] == nil {
			nets[row[0]] = published(t, row[0])
		}
		n := nets[row[0]]
		id, err := strconv.Atoi(row[1])
		require.NoError(t, err)
		radius, err := strconv.ParseFloat(row[2], 64)
		require.NoError(t, err)
		x := n.QuantizePixels(set.Image(id))
		ball, err := n.Ball(spec.LInf, x, radius)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		res, err := Verify(ctx, n, Robustness(ball, n.Classify(x), n.Outputs()), Options{})
		cancel()
		require.NoError(t, err)
		if res.Verdict != spec.Unknown {
			assert.Equal(t, row[3] == "Robust", res.Verdict == spec.Verified, "row %d: %v", k+2, row)
		}
	}
}

// TestClampedTies: these regions are decided by the ranges that a conjunction demands
// of the outputs, y_g below its upper clamp, and by how much they count.
func TestClampedTies(t *testing.T) {
	set := mnist(t)
	n := published(t, "mnist_1blk_64_in_8_qu_6")
	for id, want := range map[int]spec.Verdict{5336: spec.Verified, 8010: spec.Falsified} {
		x := n.QuantizePixels(set.Image(id))
		ball, err := n.Ball(spec.LInf, x, 10)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		res, err := Verify(ctx, n, Robustness(ball, n.Classify(x), n.Outputs()), Options{})
		cancel()
		require.NoError(t, err)
		assert.Equal(t, want, res.Verdict, "image %d", id)
	}
}
