package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCampaign(t *testing.T) {
	dir := files(t)
	t.Chdir(dir)
	args := []string{"campaign", "-net", "zero.onnx", "-file", "results.jsonl", "-jobs", "1", "violated.vnnlib", "holds.vnnlib"}
	const lines = "sat      violated.vnnlib\nunsat    holds.vnnlib\n"
	code, stdout, stderr := vouch(args...)
	require.Equal(t, exitOK, code, stderr)
	assert.Equal(t, lines, stdout)
	assert.Empty(t, stderr)
	file := read(t, "results.jsonl")
	require.Equal(t, 3, strings.Count(file, "\n"))

	// Resumed from a file whose end was torn off.
	require.NoError(t, os.WriteFile("results.jsonl", []byte(file[:len(file)-30]), 0o644))
	code, stdout, stderr = vouch(args...)
	require.Equal(t, exitOK, code, stderr)
	assert.Equal(t, lines, stdout)
	assert.Equal(t, file, read(t, "results.jsonl"))

	// The same as JSON, from the file.
	code, stdout, stderr = vouch(append([]string{"campaign", "-json"}, args[1:]...)...)
	require.Equal(t, exitOK, code, stderr)
	objects := strings.Split(strings.TrimSpace(stdout), "\n")
	require.Len(t, objects, 2)
	for i, verdict := range []string{wordSat, wordUnsat} {
		var got jsonAnswer
		require.NoError(t, json.Unmarshal([]byte(objects[i]), &got))
		assert.Equal(t, verdict, got.Verdict)
		assert.Equal(t, args[len(args)-2+i], got.Spec)
		assert.Equal(t, verdict == wordSat, got.Counterexample != nil)
	}

	for name, test := range map[string]struct {
		args []string
		code int
		says string
	}{
		"other options":    {append([]string{"campaign", "-seed", "9"}, args[1:]...), exitError, "the options differ"},
		"other properties": {args[:len(args)-1], exitError, "the properties differ"},
		"twice":            {append(args, "holds.vnnlib"), exitError, "used twice"},
		"no property":      {args[:len(args)-2], exitUsage, "requires at least 1 arg"},
		"jobs":             {append(args, "-jobs", "-1"), exitUsage, "Parallel = -1"},
		"malformed":        {append(args, "bad.vnnlib"), exitError, "bad.vnnlib"},
		"missing net":      {[]string{"campaign", "-net", "none.onnx", "holds.vnnlib"}, exitError, "none.onnx"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := vouch(test.args...)
			assert.Equal(t, test.code, code, stderr)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, test.says)
			assert.Equal(t, file, read(t, "results.jsonl"))
		})
	}

	// A limit is an answer; an interruption is not.
	code, stdout, stderr = vouch("campaign", "-net", "zero.onnx", "-timeout", "1ns", "holds.vnnlib")
	assert.Equal(t, exitOK, code, stderr)
	assert.Equal(t, "timeout  holds.vnnlib\n", stdout)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, errs bytes.Buffer
	assert.Equal(t, exitError, run(ctx, args, strings.NewReader(""), &out, &errs))
	left, err := filepath.Glob("results*")
	require.NoError(t, err)
	assert.Equal(t, []string{"results.jsonl"}, left)
}
