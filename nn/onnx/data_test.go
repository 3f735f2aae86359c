package onnx

import (
	"bufio"
	"compress/gzip"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// dataDir is the folder of real files, or the test is skipped. It is given by
// VOUCH_DATA; the default is ../shared/data beside the module.
func dataDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("VOUCH_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(filepath.Join(dir, "vnncomp")); err != nil {
		t.Skipf("no test data in %s: set VOUCH_DATA", dir)
	}
	return dir
}

// networks are the ONNX files below dir, by path without ".gz".
func networks(t testing.TB, dir string) []string {
	t.Helper()
	var out []string
	require.NoError(t, filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if p = strings.TrimSuffix(p, ".gz"); err == nil && strings.HasSuffix(p, ".onnx") {
			out = append(out, p)
		}
		return err
	}))
	require.NotEmpty(t, out)
	return out
}

// TestReadBenchmarks reads every network of the benchmarks that this module
// is meant for, and evaluates it once.
func TestReadBenchmarks(t *testing.T) {
	dir := dataDir(t)
	for _, bench := range []string{
		"vnncomp/2021/eran", "vnncomp/2021/marabou-cifar10", "vnncomp/2021/verivital",
		"vnncomp/2022/acasxu", "vnncomp/2022/collins_rul_cnn", "vnncomp/2022/mnist_fc", "vnncomp/2022/oval21",
		"vnncomp/2022/reach_prob_density", "vnncomp/2022/rl_benchmarks", "vnncomp/2022/sri_resnet_a",
		"vnncomp/2022/test", "vnncomp/2022/tllverifybench",
		"vnncomp/2023/dist_shift", "vnncomp/2024/cora", "vnncomp/2024/linearizenn", "vnncomp/2024/safenlp",
		"nbc/onnx", "dualapp/onnx",
	} {
		t.Run(bench, func(t *testing.T) {
			for _, path := range networks(t, filepath.Join(dir, bench)) {
				g, info, err := ReadFile(path, nil)
				require.NoError(t, err)
				assert.Empty(t, info.Rounded, path)
				y, err := nn.Evaluate(g, make([]float64, nn.InputShape(g).Size()))
				require.NoError(t, err, path)
				for _, v := range y {
					require.False(t, math.IsNaN(v), path)
				}
			}
		})
	}
}

// TestCounterexamples replays every published counterexample that states its
// outputs. The published outputs are float32 results of another runtime.
func TestCounterexamples(t *testing.T) {
	dir := dataDir(t)
	for _, bench := range []struct {
		name      string
		tolerance float64 // relative to the largest output, at least 1
		least     int     // counterexamples that must be found
	}{
		{"2022/acasxu", 2e-6, 20},
		{"2022/mnist_fc", 2e-6, 15},
		{"2022/oval21", 2e-6, 1},
		{"2022/reach_prob_density", 2e-6, 7},
		{"2022/rl_benchmarks", 2e-6, 85},
		{"2022/sri_resnet_a", 2e-6, 5},
		{"2022/tllverifybench", 2e-6, 7},
		{"2023/dist_shift", 2e-6, 3},
		{"2024/cora", 2e-6, 20},
		{"2024/linearizenn", 2e-6, 1},
	} {
		t.Run(bench.name, func(t *testing.T) {
			nets := networks(t, filepath.Join(dir, "vnncomp", bench.name))
			files, err := filepath.Glob(filepath.Join(dir, "vnncomp", "counterexamples", bench.name, "from*", "*.counterexample.gz"))
			require.NoError(t, err)
			loaded := map[string]*nn.Graph{}
			done, worst := 0, 0.0
			for _, f := range files {
				path := networkOf(nets, filepath.Base(f))
				x, y := counterexample(t, f)
				if path == "" || len(y) == 0 {
					t.Logf("%s: no network here, or no outputs", filepath.Base(f))
					continue
				}
				if loaded[path] == nil {
					g, _, err := ReadFile(path, nil)
					require.NoError(t, err)
					loaded[path] = g
				}
				got, err := nn.Evaluate(loaded[path], x)
				require.NoError(t, err, f)
				require.Len(t, got, len(y), f)
				worst = math.Max(worst, difference1(got, y))
				done++
			}
			t.Logf("%d counterexamples, largest difference %.2g", done, worst)
			assert.GreaterOrEqual(t, done, bench.least)
			assert.LessOrEqual(t, worst, bench.tolerance)
		})
	}
}

// difference1 is the largest difference relative to the largest |want|, or to
// 1 if that is larger.
func difference1(got, want []float64) float64 {
	scale, worst := 1.0, 0.0
	for _, v := range want {
		scale = math.Max(scale, math.Abs(v))
	}
	for k, v := range want {
		worst = math.Max(worst, math.Abs(got[k]-v)/scale)
	}
	return worst
}

// networkOf is the network that a counterexample named NETWORK_PROPERTY is of.
func networkOf(nets []string, file string) string {
	best, length := "", 0
	for _, n := range nets {
		stem := strings.TrimSuffix(filepath.Base(n), ".onnx")
		if strings.HasPrefix(file, stem+"_") && len(stem) > length {
			best, length = n, len(stem)
		}
	}
	return best
}

var assignment = regexp.MustCompile(`\(\s*([XY])_(\d+)\s+([^\s)]+)\s*\)`)

// counterexample parses "((X_0 v) (X_1 v) ... (Y_0 v) ...)".
func counterexample(t testing.TB, path string) (x, y []float64) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(bufio.NewReader(f))
	require.NoError(t, err)
	text, err := io.ReadAll(z)
	require.NoError(t, err)
	all := map[string]map[int]float64{"X": {}, "Y": {}}
	for _, m := range assignment.FindAllStringSubmatch(string(text), -1) {
		i, err := strconv.Atoi(m[2])
		require.NoError(t, err)
		v, err := strconv.ParseFloat(m[3], 64)
		require.NoError(t, err, path)
		all[m[1]][i] = v
	}
	list := func(m map[int]float64) []float64 {
		keys := make([]int, 0, len(m))
		for k := range m {
			keys = append(keys, k)
		}
		sort.Ints(keys)
		out := make([]float64, len(keys))
		for i, k := range keys {
			require.Equal(t, i, k, path)
			out[i] = m[k]
		}
		return out
	}
	return list(all["X"]), list(all["Y"])
}
