package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/train"
	"github.com/vouchnn/vouch/train/eval"
)

// Train, interrupt, resume, evaluate, interrupt, resume.
func TestTrainAndEval(t *testing.T) {
	if testing.Short() {
		t.Skip("trains")
	}
	dir := t.TempDir()
	args := func(out string, more ...string) []string {
		return append([]string{
			"train", "-data", "digits", "-loss", "trades+nbc", "-eps", "0.05", "-epochs", "3", "-subset", "400", "-steps", "2",
			"-valid", "80", "-augment", "-seed", "5", "-out", filepath.Join(dir, out),
		}, more...)
	}
	code, out, errOut := vouch(args("a.onnx")...)
	require.Zero(t, code, errOut)
	assert.Equal(t, 4, strings.Count(out, "\n"))
	assert.Regexp(t, `(?m)^epoch 1/3  loss \S+  -nbc \S+  ce \S+  kl \S+  validation \S+ %  \S+ s$`, out)
	assert.Regexp(t, `test accuracy \S+ %; wrote `, out)

	// Killed after the first epoch: nothing is written; resumed: the same file.
	ctx, cancel := context.WithCancel(context.Background())
	var so stopAtLine
	so.stop = cancel
	var se bytes.Buffer
	code = run(ctx, args("b.onnx", "-resume", filepath.Join(dir, "run")), strings.NewReader(""), &so, &se)
	require.Equal(t, exitError, code)
	assert.Contains(t, se.String(), "the same command goes on from")
	assert.NoFileExists(t, filepath.Join(dir, "b.onnx"))
	ctx, so.stop = context.WithCancel(context.Background())
	se.Reset()
	require.Equal(t, exitError, run(ctx, args("b.onnx"), strings.NewReader(""), &so, &se))
	assert.Contains(t, se.String(), "b.onnx was not written, and only -resume FOLDER keeps what was trained")
	assert.NoFileExists(t, filepath.Join(dir, "b.onnx"))
	code, out, errOut = vouch(args("b.onnx", "-resume", filepath.Join(dir, "run"), "-json")...)
	require.Zero(t, code, errOut)
	var answer trained
	require.NoError(t, json.Unmarshal([]byte(out), &answer))
	assert.Len(t, answer.Epochs, 3)
	assert.Equal(t, 320, answer.Samples)
	a, err := os.ReadFile(filepath.Join(dir, "a.onnx"))
	require.NoError(t, err)
	b, err := os.ReadFile(filepath.Join(dir, "b.onnx"))
	require.NoError(t, err)
	assert.True(t, bytes.Equal(a, b), "a resumed run ends with the same network")
	// Another run does not take the checkpoint.
	code, _, errOut = vouch(args("c.onnx", "-resume", filepath.Join(dir, "run"), "-beta", "2")...)
	assert.Equal(t, exitError, code)
	assert.Contains(t, errOut, "belongs to another run")

	code, out, errOut = vouch("train", "-data", "digits", "-loss", "ce", "-epochs", "1", "-subset", "300", "-integers", "6", "-optimizer", "sgd", "-out", filepath.Join(dir, "q.onnx"))
	require.Zero(t, code, errOut)
	assert.Contains(t, out, "epoch 1/1")
	net, err := loadNetwork(filepath.Join(dir, "q.onnx"), false)
	require.NoError(t, err)
	for _, n := range net.graph.Nodes()[1:] {
		for _, p := range n.Op.Params() {
			for _, v := range p.Values() {
				require.Zero(t, math.Mod(v*32, 1), "a weight is a whole number of 32nds")
			}
		}
	}
	testEval(t, dir)
}

// stopAtLine cancels when the first line is written.
type stopAtLine struct{ stop func() }

func (w *stopAtLine) Write(p []byte) (int, error) {
	w.stop()
	return len(p), nil
}

func testEval(t *testing.T, dir string) {
	csv := filepath.Join(dir, "rows.csv")
	args := []string{
		"eval", "-net", filepath.Join(dir, "a.onnx"), "-data", "digits", "-eps", "1/255,0.02", "-index", "0-2", "-timeout", "0.5",
		"-pgd-steps", "5", "-csv", csv,
	}
	code, out, errOut := vouch(args...)
	require.Zero(t, code, errOut)
	for _, want := range []string{"test accuracy%", "UNSAT%", "Stable%", "Time U+T (s)", "PGD-100%", "0.00392", "0.02"} {
		assert.Contains(t, out, want)
	}
	whole, err := os.ReadFile(csv)
	require.NoError(t, err)
	lines := strings.SplitAfter(string(whole), "\n")
	require.Len(t, lines, 8) // header, 6 rows, and what is behind the last
	// A killed run has half a row; its rows are kept, times and all.
	require.NoError(t, os.WriteFile(csv, []byte(strings.Join(lines[:4], "")+lines[4][:9]), 0o644))
	code, again, errOut := vouch(append(args, "-json")...)
	require.Zero(t, code, errOut)
	resumed, err := os.ReadFile(csv)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(resumed), strings.Join(lines[:4], "")))
	assert.Len(t, strings.SplitAfter(string(resumed), "\n"), 8)
	var answer evalAnswer
	require.NoError(t, json.Unmarshal([]byte(again), &answer))
	require.Len(t, answer.Networks, 1)
	assert.Len(t, answer.Networks[0].Summaries, 2)
	assert.Equal(t, 3, answer.Networks[0].Summaries[0].Properties)
	assert.Equal(t, "a", answer.Networks[0].Method)

	code, out, errOut = vouch(append(args, "-markdown", "-names", "ours")...)
	require.Zero(t, code, errOut)
	assert.True(t, strings.HasPrefix(out, "| ε | metric | ours |\n| --- |"))
	assert.Contains(t, out, "| score | ours |")

	// The table as CSV, and differences as in Table 2.
	summary := filepath.Join(dir, "summary.csv")
	two := append(args, "-net", filepath.Join(dir, "a.onnx"), "-names", "x,y", "-gains", "x=y", "-summary", summary)
	code, out, errOut = vouch(two...)
	require.Zero(t, code, errOut)
	assert.Contains(t, out, "x − y")
	assert.Regexp(t, `Stable% +│ +\+0\.00`, out)
	written, err := os.ReadFile(summary)
	require.NoError(t, err)
	assert.Regexp(t, `(?s)^ε,metric,x,y\n,test accuracy%,[0-9.]+,[0-9.]+\n`, string(written))
	code, out, errOut = vouch(append(two, "-markdown")...)
	require.Zero(t, code, errOut)
	assert.Contains(t, out, "\n\n| ε | metric | x − y |\n")
	code, _, errOut = vouch(append(two, "-gains", "x=z")...)
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, errOut, "-gains x=z")
}

func TestTrainUsage(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "x.onnx")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-data", "digits"}, `"out"`},
		{[]string{"-out", "x.h5"}, "is written as .onnx"},
		{[]string{"-out", out, "-loss", "nix", "-eps", "0.1"}, "no method"},
		{[]string{"-out", out, "-loss", "nbc"}, "needs a radius"},
		{[]string{"-out", out, "-loss", "nbc", "-eps", "1.5"}, "epsilon is 1.5"},
		{[]string{"-out", out, "-arch", "M9"}, `"M9"`},
		{[]string{"-out", out, "-data", "nix"}, "want one of mnist"},
		{[]string{"-out", out, "-epochs", "0"}, "Options.Epochs is 0"},
		{[]string{"-out", out, "-rate", "-1"}, "Options.Rate"},
		{[]string{"-out", out, "-integers", "1"}, "-integers 1"},
		{[]string{"-out", out, "-mirror", "http://localhost"}, "-mirror is for -download"},
		{[]string{"-out", out, "-patience", "2"}, "Validation"},
		{[]string{"-out", out, "-data", "digits", "-subset", "5", "-valid", "5"}, "leaves none"},
		{[]string{"-out", out, "-optimizer", "lbfgs"}, "want one of adam"},
	} {
		code, stdout, errOut := vouch(append([]string{"train"}, tt.args...)...)
		assert.Equal(t, exitUsage, code, "%v", tt.args)
		assert.Empty(t, stdout)
		assert.Contains(t, errOut, tt.want)
	}
	// Where nothing can be written it is said before the first epoch.
	for _, args := range [][]string{
		{"-out", filepath.Join(dir, "none", "x.onnx")},
		{"-out", out, "-resume", filepath.Join(files(t), "zero.onnx", "run")},
	} {
		code, stdout, errOut := vouch(append([]string{"train", "-data", "digits", "-subset", "20", "-epochs", "1"}, args...)...)
		assert.Equal(t, exitError, code)
		assert.Empty(t, stdout)
		assert.Regexp(t, "none|zero.onnx", errOut)
	}
	// A mirror's file that is not the published one is refused.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/m/train-images-idx3-ubyte.gz", r.URL.Path)
		z := gzip.NewWriter(w)
		z.Write([]byte("other images"))
		z.Close()
	}))
	defer server.Close()
	code, _, errOut := vouch("train", "-out", out, "-data", "mnist", "-dir", dir, "-download", "-mirror", server.URL+"/m")
	assert.Equal(t, exitError, code)
	assert.Contains(t, errOut, "downloading train-images-idx3-ubyte.gz")
	assert.Contains(t, errOut, "checksum")
	// Data that is not there, or does not fit, is an error that says so.
	code, _, errOut = vouch("train", "-out", out, "-data", "mnist", "-dir", dir)
	assert.Equal(t, exitError, code)
	assert.Contains(t, errOut, "no files of mnist")
	code, _, errOut = vouch("train", "-out", out, "-data", "digits", "-arch", "C1", "-subset", "10", "-epochs", "1")
	assert.Equal(t, exitError, code)
	assert.Contains(t, errOut, "samples of 784 numbers, the network takes 3072")
}

func TestEvalUsage(t *testing.T) {
	dir := files(t)
	net := filepath.Join(dir, "zero.onnx")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"-net", net}, `"eps"`},
		{[]string{"-net", net, "-eps", "0.1"}, "either -index or -per-class"},
		{[]string{"-net", net, "-eps", "0.1", "-index", "0", "-per-class", "1"}, "either -index or -per-class"},
		{[]string{"-net", net, "-eps", "2", "-index", "0"}, "no"},
		{[]string{"-net", net, "-eps", "1/0", "-index", "0"}, "is not a radius"},
		{[]string{"-net", net, "-eps", "0.1", "-index", "0", "-names", "a,b"}, "2 names for 1 networks"},
		{[]string{"-net", net, "-eps", "0.1", "-index", "0", "-pgd-steps", "0"}, "-pgd-steps"},
		{[]string{"-net", net, "-eps", "0.1", "-index", "9999999", "-data", "digits"}, "the indices are"},
	} {
		code, _, errOut := vouch(append([]string{"eval"}, tt.args...)...)
		assert.Equal(t, exitUsage, code, "%v", tt.args)
		assert.Contains(t, errOut, tt.want)
	}
	code, _, errOut := vouch("eval", "-net", net, "-eps", "0.1", "-index", "0", "-data", "digits")
	assert.Equal(t, exitError, code)
	assert.Contains(t, errOut, "samples of 784 numbers")
}

// Rows are read back as they were written, and what is none is an error.
func TestEvalRows(t *testing.T) {
	c := &evalCommand{data: dataFlag()}
	row := eval.Row{Index: 3, Label: 1, Epsilon: 0.25, Seconds: 1.5, Stable: 0.125, Correct: true, Resists: true, Interval: 0.5}
	for _, v := range []string{"", "x", wordError} {
		r := c.record(&evaluated{path: "n", sum: "s"}, row)
		require.Len(t, r, len(evalHeader))
		if v == "" {
			back, err := parseEvalRow(r)
			require.NoError(t, err)
			row.Reason = back.Reason
			assert.Equal(t, row, back)
			continue
		}
		r[7] = v
		_, err := parseEvalRow(r)
		assert.Error(t, err)
	}
	r := c.record(&evaluated{}, row)
	r[9] = "fast"
	_, err := parseEvalRow(r)
	assert.ErrorContains(t, err, `"fast"`)
}

// The help of -loss and -init agrees with the library.
func TestTrainChoices(t *testing.T) {
	_, out, _ := vouch("train", "-h")
	for _, name := range train.LossNames()[:6] {
		assert.Contains(t, out, name)
	}
	words := strings.Join(strings.Fields(out), " ")
	for _, a := range train.Architectures() {
		assert.Contains(t, words, a.ID+" "+a.Name)
	}
}
