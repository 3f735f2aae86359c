package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestReach(t *testing.T) {
	dir := files(t)
	for name, test := range map[string]struct {
		net, prop string
		args      []string
		code      int
		first     string // line of standard output
		says      string // standard error
	}{
		"exact holds":      {"zero.onnx", "holds.vnnlib", []string{"-method", "exact-star"}, exitOK, "unsat", ""},
		"exact violated":   {"zero.onnx", "violated.vnnlib", []string{"-method", "exact-star"}, exitOK, "sat", ""},
		"approx open":      {"zero.onnx", "holds.vnnlib", nil, exitOK, "unknown", "incomplete"},
		"approx refined":   {"zero.onnx", "holds.vnnlib", []string{"-refine"}, exitOK, "unsat", ""},
		"approx violated":  {"zero.onnx", "violated.vnnlib", nil, exitOK, "sat", ""},
		"no attack":        {"zero.onnx", "violated.vnnlib", []string{"-no-attack", "-refine"}, exitOK, "sat", ""},
		"relax":            {"zero.onnx", "violated.vnnlib", []string{"-method", "relax-star", "-relax", "0.5", "-choice", "area"}, exitOK, "sat", ""},
		"abs-dom":          {"zero.onnx", "holds.vnnlib", []string{"-method=abs-dom"}, exitOK, "unknown", "incomplete"},
		"zono":             {"zero.onnx", "holds.vnnlib", []string{"-method", "zono"}, exitOK, "unknown", "incomplete"},
		"timeout":          {"zero.onnx", "holds.vnnlib", []string{"-timeout", "1ns"}, exitOK, "timeout", "timeout"},
		"enough time":      {"zero.onnx", "holds.vnnlib", []string{"-timeout", "60s", "-method", "exact-star"}, exitOK, "unsat", ""},
		"method":           {"zero.onnx", "holds.vnnlib", []string{"-method", "magic"}, exitUsage, "", "exact-star, approx-star"},
		"relax of another": {"zero.onnx", "holds.vnnlib", []string{"-relax", "0.5"}, exitUsage, "", "relax-star"},
		"relax range":      {"zero.onnx", "holds.vnnlib", []string{"-method", "relax-star", "-relax", "1.5"}, exitUsage, "", "RelaxFactor = 1.5"},
		"memory":           {"zero.onnx", "holds.vnnlib", []string{"-max-memory", "-1"}, exitUsage, "", "-max-memory"},
		"dims":             {"zero.onnx", "holds.vnnlib", []string{"-dims", "0"}, exitUsage, "", "two indices"},
		"dims beyond":      {"zero.onnx", "holds.vnnlib", []string{"-plot", "x.svg"}, exitUsage, "", "outputs 0 to 0"},
		"malformed net":    {"bad.onnx", "holds.vnnlib", nil, exitError, "", "bad.onnx"},
		"other dimensions": {"zero.onnx", "wide.vnnlib", nil, exitError, "", "2 outputs"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"reach", "-net", filepath.Join(dir, test.net), "-spec", filepath.Join(dir, test.prop)}, test.args...)
			code, stdout, stderr := vouch(args...)
			assert.Equal(t, test.code, code, stderr)
			first, rest, _ := strings.Cut(stdout, "\n")
			assert.Equal(t, test.first, first)
			assert.Contains(t, stderr, test.says)
			if first == "sat" {
				checkCounterexample(t, rest)
			} else {
				assert.Empty(t, rest)
			}
		})
	}
}

func TestReachJSON(t *testing.T) {
	dir := files(t)
	code, stdout, stderr := vouch("reach", "-json", "-method", "exact-star", "-net", filepath.Join(dir, "zero.onnx"), "-spec", filepath.Join(dir, "violated.vnnlib"))
	require.Equal(t, exitOK, code, stderr)
	var got struct {
		Method string `json:"method"`
		jsonAnswer
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	assert.Equal(t, "exact-star", got.Method)
	assert.Equal(t, "sat", got.Verdict)
	require.NotNil(t, got.Counterexample)
	assert.Len(t, got.Counterexample.Input, 1)
	assert.Positive(t, got.Stats.Domains)
}

func TestReachPlot(t *testing.T) {
	dir := files(t)
	for _, name := range []string{"out.svg", "out.png"} {
		path := filepath.Join(dir, name)
		code, stdout, stderr := vouch("reach", "-net", filepath.Join(dir, "zero.onnx"), "-spec", filepath.Join(dir, "violated.vnnlib"), "-plot", path, "-dims", "0,0")
		require.Equal(t, exitOK, code, stderr)
		assert.True(t, strings.HasPrefix(stdout, "sat\n"))
		st, err := os.Stat(path)
		require.NoError(t, err)
		assert.Greater(t, st.Size(), int64(1000))
	}
	// The answer is printed even if the picture cannot be drawn.
	code, stdout, stderr := vouch("reach", "-net", filepath.Join(dir, "zero.onnx"), "-spec", filepath.Join(dir, "violated.vnnlib"), "-plot", filepath.Join(dir, "out.txt"), "-dims", "0,0")
	assert.Equal(t, exitError, code)
	assert.True(t, strings.HasPrefix(stdout, "sat\n"))
	assert.Contains(t, stderr, "out.txt")
}

func TestReachInterrupted(t *testing.T) {
	dir := files(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, err strings.Builder
	code := run(ctx, []string{"reach", "-net", filepath.Join(dir, "zero.onnx"), "-spec", filepath.Join(dir, "holds.vnnlib")}, nil, &out, &err)
	assert.Equal(t, exitOK, code)
	assert.Equal(t, "unknown\n", out.String())
	assert.Contains(t, err.String(), "cancelled")
}
