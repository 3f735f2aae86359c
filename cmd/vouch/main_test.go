package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/onnx"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// vouch runs the program.
func vouch(args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(context.Background(), args, strings.NewReader(""), &out, &err)
	return code, out.String(), err.String()
}

// Properties of the network of zero on X_0 in [-1, 1]. It computes 0, but
// only splitting shows that: CROWN's bound at the root is -1.
const (
	box      = "(declare-const X_0 Real)\n(declare-const Y_0 Real)\n(assert (>= X_0 -1.0))\n(assert (<= X_0 1.0))\n"
	holds    = box + "(assert (<= Y_0 -0.125))\n"
	violated = box + "(assert (>= Y_0 -0.125))\n"
)

// zero is relu(x) + relu(-x) - relu(2x)/2 - relu(-2x)/2, as a graph.
func zero(t *testing.T) *nn.Graph {
	t.Helper()
	first, err := nn.NewDense(4, 1, []float64{1, -1, 2, -2}, nil)
	require.NoError(t, err)
	second, err := nn.NewDense(1, 4, []float64{1, 1, -0.5, -0.5}, []float64{0})
	require.NoError(t, err)
	b := nn.NewBuilder(nn.Shape{1, 1})
	h := b.Add("first", first, b.Input())
	h = b.Add("relu", nn.ReLU{}, h)
	g, err := b.Build(b.Add("second", second, h))
	require.NoError(t, err)
	return g
}

// files fills a folder with zero.onnx, holds.vnnlib and violated.vnnlib, and
// with files that are no good, and returns the folder.
func files(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	var net bytes.Buffer
	require.NoError(t, onnx.Write(&net, zero(t), nil))
	put(t, dir, "zero.onnx", net.String())
	put(t, dir, "holds.vnnlib", holds)
	put(t, dir, "violated.vnnlib", violated)
	put(t, dir, "bad.onnx", "this is no network")
	put(t, dir, "bad.vnnlib", "(assert")
	put(t, dir, "wide.vnnlib", strings.ReplaceAll(holds, "(declare-const Y_0 Real)", "(declare-const Y_0 Real)\n(declare-const Y_1 Real)"))
	put(t, dir, "net.pb", net.String())
	return dir
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
}

// zip replaces a file by its compressed form.
func zip(t *testing.T, dir, name string) {
	t.Helper()
	path := filepath.Join(dir, name)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err = w.Write(text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	put(t, dir, name+".gz", b.String())
	require.NoError(t, os.Remove(path))
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(text)
}

func TestUsage(t *testing.T) {
	dir := files(t)
	net, prop := filepath.Join(dir, "zero.onnx"), filepath.Join(dir, "holds.vnnlib")
	put(t, dir, "list.csv", "zero.onnx,holds.vnnlib,10\n")
	list := filepath.Join(dir, "list.csv")
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"nothing":            {nil, "no command"},
		"unknown command":    {[]string{"prove"}, `unknown command "prove"`},
		"unknown flag":       {[]string{"verify", "-net", net, "-spec", prop, "-frobnicate"}, "unknown flag"},
		"no net":             {[]string{"verify", "-spec", prop}, `"net" not set`},
		"no spec":            {[]string{"bounds", "-net", net}, `"spec" not set`},
		"no value":           {[]string{"info", "-net"}, "needs an argument"},
		"argument":           {[]string{"info", "-net", net, "more"}, `"more"`},
		"split":              {[]string{"verify", "-net", net, "-spec", prop, "-split", "sideways"}, "auto, input, neuron"},
		"method":             {[]string{"bounds", "-net", net, "-spec", prop, "-method", "magic"}, "ibp, crown-ibp, crown"},
		"timeout":            {[]string{"verify", "-net", net, "-spec", prop, "-timeout", "soon"}, "want a duration"},
		"negative timeout":   {[]string{"verify", "-net", net, "-spec", prop, "-timeout", "-1s"}, "negative"},
		"negative seconds":   {[]string{"verify", "-net", net, "-spec", prop, "-timeout", "-1"}, "want a duration"},
		"option range":       {[]string{"verify", "-net", net, "-spec", prop, "-max-domains", "-3"}, "MaxDomains = -3"},
		"memory range":       {[]string{"verify", "-net", net, "-spec", prop, "-max-memory", "-3"}, "-max-memory -3"},
		"repeat":             {[]string{"bounds", "-net", net, "-spec", prop, "-repeat", "0"}, "-repeat 0"},
		"filter":             {[]string{"bench", "-instances", list, "-filter", "("}, "missing closing )"},
		"jobs":               {[]string{"bench", "-instances", list, "-jobs", "0"}, "-jobs 0"},
		"help on what isn't": {[]string{"help", "prove"}, "no help on"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := vouch(test.args...)
			assert.Equal(t, exitUsage, code, stderr)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, test.says)
			assert.Contains(t, stderr, "-h' for help")
		})
	}
}

func TestHelp(t *testing.T) {
	for _, name := range []string{"", "verify", "campaign", "bench", "report", "bounds", "reach", "radius", "info", "train", "eval", "completion", "version", "qnn", "qnn verify", "qnn mrr", "qnn info", "qnn export"} {
		t.Run("help"+name, func(t *testing.T) {
			args := strings.Fields(name)
			code, stdout, stderr := vouch(append(args, "-h")...)
			assert.Equal(t, exitOK, code)
			assert.Empty(t, stderr)
			golden := filepath.Join("testdata", "help-"+strings.ReplaceAll(name, " ", "-")+".txt")
			if name == "" {
				golden = filepath.Join("testdata", "help.txt")
			}
			if *update {
				require.NoError(t, os.MkdirAll("testdata", 0o755))
				require.NoError(t, os.WriteFile(golden, []byte(stdout), 0o644))
			}
			assert.Equal(t, read(t, golden), stdout)
			_, other, _ := vouch(append(args, "--help")...)
			assert.Equal(t, stdout, other)
			_, other, _ = vouch(append([]string{"help"}, args...)...)
			assert.Equal(t, stdout, other)
			for line := range strings.Lines(stdout) {
				assert.LessOrEqual(t, len(line), 121, line)
			}
		})
	}
}

// Every command that answers can answer as JSON, and its help is in order.
func TestCommandsAreAlike(t *testing.T) {
	a := &app{}
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
		path := strings.Fields(cmd.CommandPath())[1:]
		if cmd.HasSubCommands() || cmd.Hidden || cmd.Name() == "completion" {
			return
		}
		t.Run(strings.Join(path, " "), func(t *testing.T) {
			assert.NotNil(t, cmd.Flags().Lookup("json"))
			assert.NotEmpty(t, cmd.Example)
			code, stdout, stderr := vouch(append(path, "-h")...)
			assert.Equal(t, exitOK, code)
			assert.Empty(t, stderr)
			for line := range strings.Lines(stdout) {
				assert.LessOrEqual(t, len(line), 121, line)
			}
			if cmd.Name() == "campaign" { // it takes properties
				return
			}
			code, stdout, stderr = vouch(append(path, "x.txt")...)
			assert.Equal(t, exitUsage, code)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, `takes no argument "x.txt"`)
			_, _, stderr = vouch(append(path, "x.onnx")...)
			assert.Equal(t, cmd.Flags().Lookup("net") != nil, strings.Contains(stderr, "-net x.onnx"))
		})
	}
	visit(newRoot(a))
}

func TestVersion(t *testing.T) {
	code, stdout, _ := vouch("version")
	assert.Equal(t, exitOK, code)
	assert.Regexp(t, `^vouch \S+.* go1\.\S+ \w+/\w+\n$`, stdout)
	code, stdout, _ = vouch("version", "-json")
	assert.Equal(t, exitOK, code)
	assert.Regexp(t, `^\{"version":.*"go":"go1.*"platform":"\w+/\w+"\}\n$`, stdout)
}

func TestDoubleDashes(t *testing.T) {
	root := newRoot(&app{})
	for in, want := range map[string]string{
		"verify -net a -spec b":      "verify --net a --spec b",
		"verify --net a -spec=b":     "verify --net a --spec=b",
		"verify -v -h":               "verify -v -h",
		"verify -seed -1 -5 -.5 -":   "verify --seed -1 -5 -.5 -",
		"bench -filter -net -jobs 2": "bench --filter -net --jobs 2",
		"bench -json -csv -x":        "bench --json --csv -x",
		"verify -net -- -net":        "verify --net -- --net",
		"verify -- -net":             "verify -- -net",
		"verify -net":                "verify --net",
		"bench -resume -csv x":       "bench --resume --csv x",
		"train -resume -x -csv y":    "train --resume -x --csv y",
		"qnn mrr -net -a -json":      "qnn mrr --net -a --json",
		"__complete bench -res -csv": "__complete bench --res --csv",
	} {
		assert.Equal(t, strings.Fields(want), doubleDashes(root, strings.Fields(in)), in)
	}
}
