package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// numbers is the numbers of the first line that starts with a word.
func numbers(t *testing.T, text, word string) []float64 {
	t.Helper()
	for line := range strings.Lines(text) {
		f := strings.Fields(strings.ReplaceAll(line, "|", " "))
		if len(f) == 0 || f[0] != word {
			continue
		}
		var out []float64
		for _, s := range f[1:] {
			v, err := strconv.ParseFloat(s, 64)
			require.NoError(t, err, line)
			out = append(out, v)
		}
		return out
	}
	t.Fatalf("no line of %s in\n%s", word, text)
	return nil
}

func TestQuickStory(t *testing.T) {
	s := settings{quick: true, out: filepath.Join(t.TempDir(), "plots"), images: 6, logs: 1, seed: 1}
	var out bytes.Buffer
	require.NoError(t, tell(t.Context(), &out, s))
	row := numbers(t, out.String(), "small_tanh_40_30")
	require.Len(t, row, 2+len(columns)+1)
	assert.Equal(t, []float64{80, 6}, row[:2])
	radii := row[2 : 2+len(columns)]
	for k, c := range columns {
		assert.Positive(t, radii[k], c.title)
		if c.margin {
			assert.Greater(t, radii[k], radii[0], "margins prove more")
		}
	}
	assert.GreaterOrEqual(t, radii[8], radii[0], "aimed lines start from DualApp's")
	for _, want := range []string{"1. Compare.", "3. Lines.", "4. Sweep.", "RobustVerifier"} {
		assert.Contains(t, out.String(), want)
	}
	for _, name := range []string{"lines.png", "samples.png", "steps.png"} {
		st, err := os.Stat(filepath.Join(s.out, name))
		require.NoError(t, err)
		assert.Greater(t, st.Size(), int64(5000), name)
	}
}

func TestErrors(t *testing.T) {
	var out bytes.Buffer
	s := settings{data: t.TempDir(), out: t.TempDir(), images: 1, logs: 1, match: regexp.MustCompile("x")}
	assert.ErrorContains(t, tell(t.Context(), &out, s), "-quick, which needs none")
	s.images = 0
	assert.ErrorContains(t, tell(t.Context(), &out, s), "at least 1")
}

// One dense network of DualApp's, two images, and the published logs.
func TestStoryWithData(t *testing.T) {
	root := os.Getenv("VOUCH_DATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "data")
	}
	s := settings{data: filepath.Join(root, "dualapp"), out: t.TempDir(), images: 2, logs: 3, seed: 1, match: regexp.MustCompile("^mnist_ffnn_3x50_tanh")}
	if _, err := os.Stat(s.data); err != nil {
		t.Skipf("no test data in %s: set VOUCH_DATA", root)
	}
	var out bytes.Buffer
	require.NoError(t, tell(t.Context(), &out, s))
	require.Equal(t, 160.0, numbers(t, out.String(), "mnist_ffnn_3x50_tanh")[0], "the paper's count")
	assert.Equal(t, 16, strings.Count(out.String(), "_local"), "8 networks, 2 methods")
	for line := range strings.Lines(out.String()) {
		if f := strings.Fields(line); len(f) == 8 && strings.HasSuffix(f[0], "_local") {
			ratio, err := strconv.ParseFloat(f[5], 64)
			require.NoError(t, err)
			assert.InDelta(t, 1, ratio, 0.003, line)
		}
	}
}
