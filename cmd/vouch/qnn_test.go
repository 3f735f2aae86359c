package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// qnnFiles writes a quantized network of two inputs and a data set of six images of
// two pixels in the files of MNIST.
func qnnFiles(t *testing.T) (net, dir string) {
	t.Helper()
	dir = t.TempDir()
	// Class 0 wins where the first pixel is at least as bright as the second.
	const text = `{"name":"tiny","dataset":"mnist","input":{"bits":8,"frac":0,"dim":2,"min":0,"max":255},
"layers":[{"in_dim":2,"out_dim":2,"w_bits":2,"b_bits":2,"out_bits":9,"out_min":0,"out_max":255,"out_signed":true,"W":[[1,0],[0,1]],"b":[0,0]}]}`
	net = filepath.Join(dir, "tiny.json")
	require.NoError(t, os.WriteFile(net, []byte(text), 0o600))
	images := []byte{10, 3, 3, 10, 9, 9, 200, 100, 0, 255, 7, 9}
	labels := []byte{0, 1, 0, 0, 1, 0}
	idx := func(name string, magic uint32, body []byte, dims ...uint32) {
		b := binary.BigEndian.AppendUint32(nil, magic)
		for _, d := range dims {
			b = binary.BigEndian.AppendUint32(b, d)
		}
		require.NoError(t, os.MkdirAll(filepath.Join(dir, "mnist"), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "mnist", name), append(b, body...), 0o600))
	}
	idx("t10k-images-idx3-ubyte", 0x803, images, 6, 1, 2)
	idx("t10k-labels-idx1-ubyte", 0x801, labels, 6)
	return net, dir
}

func TestQNNVerify(t *testing.T) {
	net, dir := qnnFiles(t)
	table := filepath.Join(dir, "out.csv")
	cex := filepath.Join(dir, "cex.jsonl")
	args := []string{"qnn", "verify", "-net", net, "-dir", dir, "-radius", "4", "-csv", table, "-counterexamples", cex}
	code, stdout, stderr := vouch(append(args, "-index", "0-3")...)
	require.Equal(t, exitOK, code, stderr)
	assert.Contains(t, stdout, "tiny, radius 4, norm inf: 1 robust, 3 nonrobust, 0 unknown, 0 misclassified")
	code, stdout, stderr = vouch(args...)
	require.Equal(t, exitOK, code, stderr)
	assert.Contains(t, stdout, "2 robust, 3 nonrobust, 0 unknown, 1 misclassified")
	text, err := os.ReadFile(table)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	require.Len(t, lines, 7)
	assert.Equal(t, "network,sample,radius,norm,verdict,seconds", lines[0])
	assert.True(t, strings.HasPrefix(lines[6], "tiny,5,4,inf,misclassified,"), lines[6])
	text, err = os.ReadFile(cex)
	require.NoError(t, err)
	assert.Equal(t, 3, strings.Count(string(text), "\n"))
	for _, norm := range []string{"1", "2", "0"} {
		code, _, stderr = vouch("qnn", "verify", "-net", net, "-dir", dir, "-radius", "1", "-norm", norm)
		require.Equal(t, exitOK, code, stderr)
	}
}

func TestQNNRadius(t *testing.T) {
	net, dir := qnnFiles(t)
	for _, search := range []string{"improved", "paper"} {
		table := filepath.Join(dir, search+".csv")
		code, _, stderr := vouch("qnn", "mrr", "-net", net, "-dir", dir, "-search", search, "-csv", table)
		require.Equal(t, exitOK, code, stderr)
		text, err := os.ReadFile(table)
		require.NoError(t, err)
		var got []string
		for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
			got = append(got, strings.Join(strings.Split(line, ",")[1:4], " "))
		}
		// 10 3: 6 and 9 tie... class 0 keeps ties, so 10−r ≥ 3+r up to r = 3.
		assert.Equal(t, []string{"sample lower upper", "0 3 3", "1 3 3", "2 0 0", "3 50 50", "4 127 127", "5 -1 -1"}, got)
	}
}

func TestQNNInfoAndExport(t *testing.T) {
	net, dir := qnnFiles(t)
	code, stdout, stderr := vouch("qnn", "info", "-net", net, "-dir", dir, "-data", "mnist")
	require.Equal(t, exitOK, code, stderr)
	assert.Contains(t, stdout, "5 of 6 images correct, 83.33 %")
	for _, format := range []string{"lp", "mps", "json"} {
		out := filepath.Join(dir, "query."+format)
		code, _, stderr = vouch("qnn", "export", "-net", net, "-dir", dir, "-index", "0", "-radius", "2", "-format", format, "-out", out)
		require.Equal(t, exitOK, code, stderr)
		text, err := os.ReadFile(out)
		require.NoError(t, err)
		assert.NotEmpty(t, text)
	}
}

func TestQNNUsage(t *testing.T) {
	net, dir := qnnFiles(t)
	for want, args := range map[string][]string{
		"no command given":    {},
		"want one of":         {"verify", "-net", net, "-radius", "1", "-norm", "3"},
		"the indices are":     {"verify", "-net", net, "-dir", dir, "-radius", "1", "-index", "9"},
		"want one":            {"export", "-net", net, "-dir", dir, "-out", "x", "-radius", "1"},
		"want numbers from 1": {"mrr", "-net", net, "-dir", dir, "-step", "0"},
	} {
		code, _, stderr := vouch(append([]string{"qnn"}, args...)...)
		assert.Equal(t, exitUsage, code, stderr)
		assert.Contains(t, stderr, want)
	}
}

func TestQNNJSON(t *testing.T) {
	net, dir := qnnFiles(t)
	code, stdout, stderr := vouch("qnn", "verify", "-net", net, "-dir", dir, "-radius", "4", "-json")
	require.Equal(t, exitOK, code, stderr)
	var v struct {
		Network, Norm string
		Radius        float64
		Images        []qnnVerdict
		Count         map[string]int
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &v))
	assert.Equal(t, []any{"tiny", "inf", 4.0}, []any{v.Network, v.Norm, v.Radius})
	assert.Equal(t, map[string]int{"robust": 2, "nonrobust": 3, "misclassified": 1}, v.Count)
	require.Len(t, v.Images, 6)
	assert.Equal(t, "misclassified", v.Images[5].Verdict)

	code, stdout, stderr = vouch("qnn", "mrr", "-net", net, "-dir", dir, "-json")
	require.Equal(t, exitOK, code, stderr)
	var r struct {
		Images  []qnnRadius
		Correct int `json:"classified_correctly"`
		Solved  int
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	assert.Equal(t, []int{5, 5}, []int{r.Correct, r.Solved})
	require.Len(t, r.Images, 6)
	assert.Equal(t, -1, r.Images[5].Lower)
	require.NotNil(t, r.Images[0].Upper)
	assert.Equal(t, r.Images[0].Lower, *r.Images[0].Upper)
}

// What was done is printed, and the command fails.
func TestQNNInterrupted(t *testing.T) {
	net, dir := qnnFiles(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, verb := range []string{"verify", "mrr"} {
		var out, errs bytes.Buffer
		a := &app{start: time.Now(), stdin: strings.NewReader(""), stdout: &out, stderr: &errs}
		cmd, args := newQNNVerify(a), []string{"--net", net, "--dir", dir, "--radius", "4"}
		if verb == "mrr" {
			cmd, args = newQNNRadius(a), args[:4]
		}
		cmd.SilenceErrors, cmd.SilenceUsage = true, true
		cmd.SetArgs(args)
		require.ErrorContains(t, cmd.ExecuteContext(ctx), "interrupted after 0 images")
		assert.NotEmpty(t, out.String())
	}
}
