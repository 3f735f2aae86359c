package dualapp_test

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/dualapp"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/onnx"
	"github.com/vouchnn/vouch/train/dataset"
)

// The certified lower bounds that the authors of DualApp published as logs, image
// by image: package data in dualapp/golden_bounds_dev.csv.

// golden is the rows of one network and method.
type golden struct {
	network string // without extension
	method  string
	tasks   []dualapp.Task
	logged  []float64
	sample  []int
}

func dataFolder(tb testing.TB) string {
	dir := os.Getenv("VOUCH_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	dir = filepath.Join(dir, "dualapp")
	if _, err := os.Stat(dir); err != nil {
		tb.Skipf("no test data in %s: set VOUCH_DATA", dir)
	}
	return dir
}

func readGolden(tb testing.TB, dir string) []*golden {
	set, err := dataset.ReadIDX(filepath.Join(dir, "images", "mnist_first100_jpegdecoded.idx"), filepath.Join(dir, "images", "mnist_first100_labels.idx"))
	require.NoError(tb, err)
	f, err := os.Open(filepath.Join(dir, "golden_bounds_dev.csv"))
	require.NoError(tb, err)
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	require.NoError(tb, err)
	column := map[string]int{}
	for k, name := range rows[0] {
		column[name] = k
	}
	var all []*golden
	byName := map[string]*golden{}
	for _, r := range rows[1:] {
		key := r[column["method"]] + r[column["model"]]
		g := byName[key]
		if g == nil {
			g = &golden{network: strings.TrimSuffix(filepath.Base(r[column["model"]]), ".h5"), method: r[column["method"]]}
			byName[key], all = g, append(all, g)
		}
		number := func(name string) int {
			n, err := strconv.Atoi(r[column[name]])
			require.NoError(tb, err)
			return n
		}
		logged, err := strconv.ParseFloat(r[column["certified_lower_bound"]], 64)
		require.NoError(tb, err)
		i := number("test_id")
		g.tasks = append(g.tasks, dualapp.Task{Center: set.Float64(i), Label: number("true_label"), Targets: []int{number("target_label")}})
		g.logged, g.sample = append(g.logged, logged), append(g.sample, i)
	}
	return all
}

func (g *golden) model(tb testing.TB, dir string) *bounds.Model {
	net, _, err := onnx.ReadFile(filepath.Join(dir, "onnx", "dualapp", g.network+".onnx"), nil)
	require.NoError(tb, err)
	simple, err := nn.Simplify(net)
	require.NoError(tb, err)
	return compile(tb, simple)
}

// verifier is what the released code did: convolutional code steps by the whole of
// the given length, code for dense networks by half.
func (g *golden) verifier() dualapp.Verifier {
	v := dualapp.Verifier{Bounder: bounds.Crown{Relaxer: dualapp.Dual{}}}
	switch {
	case strings.HasPrefix(g.method, "guided_by_endpoint"):
		v.Under = dualapp.MonteCarlo{}
	case strings.Contains(g.network, "cnn"):
		v.Under = dualapp.Gradient{}
	default:
		v.Under = dualapp.Gradient{Step: 0.225}
	}
	return v
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// With the paper's settings the mean is the logged one within a few parts in ten
// thousand: sampling, single precision and five printed digits are what is left.
func TestPublishedBounds(t *testing.T) {
	dir := dataFolder(t)
	for _, g := range readGolden(t, dir) {
		t.Run(g.method+" "+g.network, func(t *testing.T) {
			n := len(g.tasks)
			if testing.Short() {
				n = 10
			}
			v := g.verifier()
			got, err := v.Radii(t.Context(), g.model(t, dir), g.tasks[:n], dualapp.Search{})
			require.NoError(t, err)
			ours, worst, above := make([]float64, n), 0.0, 0
			for i, r := range got {
				assert.Equal(t, 15, r.Proofs)
				ours[i] = r.Proved
				worst = max(worst, math.Abs(r.Proved-g.logged[i])/g.logged[i])
				if g.logged[i] > r.Failed+1e-5 { // what is printed is rounded
					above++
				}
			}
			logged := mean(g.logged[:n])
			t.Logf("mean %.6f, logged %.6f, ratio %.5f; farthest image %.2g; logged beyond ours on %d of %d", mean(ours), logged, mean(ours)/logged, worst, above, n)
			assert.InEpsilon(t, logged, mean(ours), 0.002)
			assert.Less(t, worst, 0.02)
		})
	}
}
