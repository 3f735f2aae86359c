package vnnlib

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// dataDir is $VOUCH_DATA, by default ../shared/data beside the module.
func dataDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("VOUCH_DATA")
	if dir == "" {
		root, err := os.Getwd()
		require.NoError(t, err)
		for {
			if _, err := os.Stat(filepath.Join(root, "go.mod")); err == nil {
				break
			}
			parent := filepath.Dir(root)
			if parent == root {
				t.Skip("no go.mod above the working directory")
			}
			root = parent
		}
		dir = filepath.Join(root, "..", "shared", "data")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no published files: %v (set VOUCH_DATA)", err)
	}
	return dir
}

// files lists the files below dir whose name holds part.
func files(t testing.TB, dir, part string) []string {
	t.Helper()
	var all []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.Contains(filepath.Base(path), part) {
			all = append(all, path)
		}
		return err
	}))
	return all
}

// published holds counts read off the files and their benchmarks' descriptions:
// inputs, outputs, cases, conjunctions (0: not checked).
var published = map[string][4]int{
	"2021/eran":               {784, 10, 1, 9},
	"2021/marabou-cifar10":    {3072, 10, 1, 0},
	"2022/acasxu":             {5, 5, 1, 0},
	"2022/collins_rul_cnn":    {0, 1, 1, 0},
	"2022/mnist_fc":           {784, 10, 1, 9},
	"2022/oval21":             {3072, 10, 1, 9},
	"2022/sri_resnet_a":       {3072, 10, 1, 9},
	"2022/tllverifybench":     {2, 1, 1, 1},
	"2023/dist_shift":         {792, 0, 1, 0},
	"2023/ml4acopf":           {22, 0, 1, 0},
	"2024/cora":               {0, 10, 1, 9},
	"2024/linearizenn":        {4, 0, 1, 0},
	"2024/lsnc":               {0, 0, 0, 0},
	"2024/ml4acopf_2024":      {22, 0, 1, 0},
	"2024/safenlp":            {30, 2, 1, 1},
	"2022/reach_prob_density": {0, 0, 1, 1},
}

func TestPublishedFiles(t *testing.T) {
	dir := dataDir(t)
	all := files(t, dir, ".vnnlib")
	require.NotEmpty(t, all)
	read := 0
	for _, path := range all {
		base := filepath.Base(path)
		p, err := ReadFile(path, nil)
		if strings.Contains(base, "not_implemented") || strings.Contains(base, "mul_var_var") {
			var u *UnsupportedError
			assert.ErrorAs(t, err, &u, path)
			continue
		}
		if !assert.NoError(t, err, path) {
			continue
		}
		read++
		require.NoError(t, p.Validate(), path)
		total := 0
		for _, c := range p.Cases {
			assert.NotEmpty(t, c.Unsafe, path)
			total += len(c.Unsafe)
		}
		for part, want := range published {
			if strings.Contains(filepath.ToSlash(path), "/"+part+"/") {
				for i, got := range []int{p.Inputs, p.Outputs, len(p.Cases), total} {
					assert.True(t, want[i] == 0 || want[i] == got, "%s: %d is not %d", path, got, want[i])
				}
			}
		}
		var w strings.Builder
		require.NoError(t, Write(&w, p), path)
		back, err := Read(strings.NewReader(w.String()), path, nil)
		require.NoError(t, err, path)
		require.Equal(t, p, back, path)
	}
	t.Logf("%d of %d files read", read, len(all))
}

func TestPublishedCounterexamples(t *testing.T) {
	dir := dataDir(t)
	all := files(t, dir, ".counterexample")
	require.NotEmpty(t, all)
	shapes := map[string][2]int{
		"/acasxu/": {5, 5}, "/mnist_fc/": {784, 10}, "/oval21/": {3072, 10}, "/tllverifybench/": {2, 1},
		"/rl_benchmarks/": {0, 0}, "/cora/": {784, 10}, "/ml4acopf_2024/": {22, 0}, "/sri_resnet_a/": {3072, 10},
	}
	for _, path := range all {
		c, err := ReadCounterexampleFile(path)
		if !assert.NoError(t, err, path) {
			continue
		}
		assert.NotEmpty(t, c.Output, path)
		for part, want := range shapes {
			if strings.Contains(filepath.ToSlash(path), part) {
				assert.True(t, want[0] == 0 || want[0] == len(c.Input), path)
				assert.True(t, want[1] == 0 || want[1] == len(c.Output), path)
			}
		}
	}
	t.Logf("%d counterexamples read", len(all))
}

// TestPublishedCounterexamplesViolate checks a few counterexamples against their
// property. Tools print float32 values, so some lie an ulp outside the box;
// after projection the published outputs violate the property.
func TestPublishedCounterexamplesViolate(t *testing.T) {
	dir := dataDir(t)
	checked := 0
	for _, path := range files(t, dir, ".counterexample") {
		slash := filepath.ToSlash(path)
		for _, family := range []string{"2022/tllverifybench", "2022/acasxu", "2024/linearizenn"} {
			if !strings.Contains(slash, "/"+family+"/") {
				continue
			}
			base := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".gz"), ".counterexample")
			_, name, found := strings.Cut(base, "_prop")
			require.True(t, found, base)
			p, err := ReadFile(filepath.Join(dir, "vnncomp", filepath.FromSlash(family), "vnnlib", "prop"+name+".vnnlib"), nil)
			if err != nil {
				continue // the property is not among the files here
			}
			c, err := ReadCounterexampleFile(path)
			require.NoError(t, err)
			x := append([]float64(nil), c.Input...)
			p.Cases[0].Region.Project(x)
			assert.InDeltaSlice(t, c.Input, x, 1e-5, base)
			_, _, ok := p.Check(x, c.Output)
			assert.True(t, ok, base)
			checked++
		}
	}
	t.Logf("%d checked", checked)
}
