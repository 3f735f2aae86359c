package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

func TestVerify(t *testing.T) {
	dir := files(t)
	for name, test := range map[string]struct {
		net, prop string
		args      []string
		code      int
		first     string // line of standard output
		says      string // standard error
	}{
		"holds":            {"zero.onnx", "holds.vnnlib", nil, exitOK, "unsat", ""},
		"violated":         {"zero.onnx", "violated.vnnlib", nil, exitOK, "sat", ""},
		"two dashes":       {"zero.onnx", "holds.vnnlib", []string{"--seed=7", "--split", "neuron"}, exitOK, "unsat", ""},
		"input split":      {"zero.onnx", "holds.vnnlib", []string{"-split", "input"}, exitOK, "unsat", ""},
		"ibp":              {"zero.onnx", "holds.vnnlib", []string{"-method", "ibp", "-timeout", "30"}, exitOK, "unsat", ""},
		"no attack":        {"zero.onnx", "violated.vnnlib", []string{"-no-attack"}, exitOK, "sat", ""},
		"limit":            {"zero.onnx", "holds.vnnlib", []string{"-max-domains", "1"}, exitOK, "unknown", "node limit"},
		"timeout":          {"zero.onnx", "holds.vnnlib", []string{"-timeout", "1ns"}, exitOK, "timeout", "timeout"},
		"enough time":      {"zero.onnx", "holds.vnnlib", []string{"-timeout", "116s"}, exitOK, "unsat", ""},
		"malformed net":    {"bad.onnx", "holds.vnnlib", nil, exitError, "", "bad.onnx"},
		"malformed spec":   {"zero.onnx", "bad.vnnlib", nil, exitError, "", "bad.vnnlib"},
		"missing net":      {"none.onnx", "holds.vnnlib", nil, exitError, "", "none.onnx"},
		"missing spec":     {"zero.onnx", "none.vnnlib", nil, exitError, "", "none.vnnlib"},
		"format of net":    {"net.pb", "holds.vnnlib", nil, exitError, "", ".onnx or .nnet"},
		"format of spec":   {"zero.onnx", "zero.onnx", nil, exitError, "", ".vnnlib"},
		"other dimensions": {"zero.onnx", "wide.vnnlib", nil, exitError, "", "2 outputs"},
	} {
		t.Run(name, func(t *testing.T) {
			args := append([]string{"verify", "-net", filepath.Join(dir, test.net), "-spec", filepath.Join(dir, test.prop)}, test.args...)
			code, stdout, stderr := vouch(args...)
			assert.Equal(t, test.code, code, stderr)
			first, rest, _ := strings.Cut(stdout, "\n")
			assert.Equal(t, test.first, first)
			assert.Contains(t, stderr, test.says)
			if test.says == "" {
				assert.Empty(t, stderr)
			}
			if first == "sat" {
				checkCounterexample(t, rest)
			} else {
				assert.Empty(t, rest)
			}
		})
	}
}

// checkCounterexample reads the competition's form back. Y_0 is 0 everywhere.
func checkCounterexample(t *testing.T, text string) {
	t.Helper()
	require.Regexp(t, `^\(\(X_0 +\S+\)\n\(Y_0 +\S+\)\)\n?$`, text)
	fields := strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("() \n", r) })
	x, err := strconv.ParseFloat(fields[1], 64)
	require.NoError(t, err)
	assert.LessOrEqual(t, x, 1.0)
	assert.GreaterOrEqual(t, x, -1.0)
	y, err := strconv.ParseFloat(fields[3], 64)
	require.NoError(t, err)
	assert.Zero(t, y)
}

func TestVerifyCompressed(t *testing.T) {
	dir := files(t)
	zip(t, dir, "zero.onnx")
	zip(t, dir, "holds.vnnlib")
	net, prop := filepath.Join(dir, "zero.onnx"), filepath.Join(dir, "holds.vnnlib")
	for _, suffix := range []string{"", ".gz"} {
		code, stdout, stderr := vouch("verify", "-net", net+suffix, "-spec", prop+suffix)
		assert.Equal(t, exitOK, code, stderr)
		assert.Equal(t, "unsat\n", stdout)
	}
}

// TestVerifyNNet reads the network of zero as .nnet, which has no place for
// a name: layers, inputs, outputs, widest layer; sizes; a flag; least and
// greatest inputs; means and ranges; weights and biases by layer.
func TestVerifyNNet(t *testing.T) {
	dir := files(t)
	put(t, dir, "zero.nnet", "// zero\n2,1,1,4,\n1,4,1,\n0,\n-1,\n1,\n0,0,\n1,1,\n"+
		"1,\n-1,\n2,\n-2,\n0,\n0,\n0,\n0,\n1,1,-0.5,-0.5,\n0,\n")
	for prop, want := range map[string]string{"holds": "unsat", "violated": "sat"} {
		code, stdout, stderr := vouch("verify", "-net", filepath.Join(dir, "zero.nnet"), "-spec", filepath.Join(dir, prop+".vnnlib"))
		assert.Equal(t, exitOK, code, stderr)
		first, _, _ := strings.Cut(stdout, "\n")
		assert.Equal(t, want, first)
	}
	// With a normalisation that adds 100 to the output the property of the
	// weights is one of -raw.
	put(t, dir, "shifted.nnet", strings.Replace(read(t, filepath.Join(dir, "zero.nnet")), "\n0,0,\n1,1,\n", "\n0,100,\n1,1,\n", 1))
	put(t, dir, "negative.vnnlib", box+"(assert (<= Y_0 0.125))\n")
	for raw, want := range map[string]string{"-raw=false": "unsat", "-raw": "sat"} {
		code, stdout, stderr := vouch("verify", "-net", filepath.Join(dir, "shifted.nnet"), "-spec", filepath.Join(dir, "negative.vnnlib"), raw)
		assert.Equal(t, exitOK, code, stderr)
		first, _, _ := strings.Cut(stdout, "\n")
		assert.Equal(t, want, first)
	}
	code, stdout, stderr := vouch("info", "-net", filepath.Join(dir, "zero.nnet"))
	assert.Equal(t, exitOK, code, stderr)
	assert.Contains(t, stdout, "Relu")
}

func TestVerifyOut(t *testing.T) {
	dir := files(t)
	out := filepath.Join(dir, "result.txt")
	put(t, dir, "result.txt", "of before")
	code, stdout, stderr := vouch("verify", "-net", filepath.Join(dir, "zero.onnx"), "-spec", filepath.Join(dir, "violated.vnnlib"), "-out", out)
	assert.Equal(t, exitOK, code, stderr)
	assert.True(t, strings.HasPrefix(stdout, "sat\n((X_0"), stdout)
	assert.Equal(t, stdout, read(t, out))
	left, err := filepath.Glob(filepath.Join(dir, ".result*"))
	require.NoError(t, err)
	assert.Empty(t, left, "temporary files")

	// An error leaves what was there.
	code, _, _ = vouch("verify", "-net", filepath.Join(dir, "bad.onnx"), "-spec", filepath.Join(dir, "violated.vnnlib"), "-out", out)
	assert.Equal(t, exitError, code)
	assert.Equal(t, stdout, read(t, out))

	// The answer is printed even if the file cannot be written.
	code, printed, _ := vouch("verify", "-net", filepath.Join(dir, "zero.onnx"), "-spec", filepath.Join(dir, "holds.vnnlib"), "-out", filepath.Join(dir, "no", "such", "folder"))
	assert.Equal(t, exitError, code)
	assert.Equal(t, "unsat\n", printed)
	if _, err := os.Stat(os.DevNull); err == nil {
		code, _, stderr = vouch("verify", "-net", filepath.Join(dir, "zero.onnx"), "-spec", filepath.Join(dir, "holds.vnnlib"), "-out", os.DevNull)
		assert.Equal(t, exitOK, code, stderr)
	}
}

func TestVerifyJSON(t *testing.T) {
	dir := files(t)
	for prop, want := range map[string]string{"holds": "unsat", "violated": "sat"} {
		out := filepath.Join(dir, "result.txt")
		code, stdout, stderr := vouch("verify", "-json", "-out", out, "-net", filepath.Join(dir, "zero.onnx"), "-spec", filepath.Join(dir, prop+".vnnlib"))
		require.Equal(t, exitOK, code, stderr)
		var got jsonAnswer
		require.NoError(t, json.Unmarshal([]byte(stdout), &got))
		assert.Equal(t, want, got.Verdict)
		assert.Positive(t, got.Seconds)
		assert.Equal(t, want == "sat", got.Counterexample != nil)
		assert.True(t, strings.HasPrefix(read(t, out), want+"\n"), "-out has the competition's form")
	}
	code, stdout, _ := vouch("verify", "-json", "-timeout", "1ns", "-net", filepath.Join(dir, "zero.onnx"), "-spec", filepath.Join(dir, "holds.vnnlib"))
	assert.Equal(t, exitOK, code)
	var got map[string]any
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	assert.Equal(t, "timeout", got["verdict"])
	assert.Contains(t, got, "lower_bound")
	assert.Nil(t, got["lower_bound"], "minus infinity is null")
	assert.Nil(t, got["counterexample"])
}

func TestVerifyInterrupted(t *testing.T) {
	dir := files(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, err strings.Builder
	code := run(ctx, []string{"verify", "-net", filepath.Join(dir, "zero.onnx"), "-spec", filepath.Join(dir, "holds.vnnlib")}, nil, &out, &err)
	assert.Equal(t, exitOK, code)
	assert.Equal(t, "unknown\n", out.String())
	assert.Contains(t, err.String(), "cancelled")
}

func TestVerifyProfiles(t *testing.T) {
	dir := files(t)
	cpu, mem := filepath.Join(dir, "cpu.prof"), filepath.Join(dir, "mem.prof")
	code, _, stderr := vouch("verify", "-v", "-cpuprofile", cpu, "-memprofile", mem, "-net", filepath.Join(dir, "zero.onnx"), "-spec", filepath.Join(dir, "holds.vnnlib"))
	assert.Equal(t, exitOK, code, stderr)
	assert.FileExists(t, cpu)
	assert.NotEmpty(t, read(t, mem))
}

// TestDecide feeds decide with verifiers that misbehave.
func TestDecide(t *testing.T) {
	net := zero(t)
	region, err := spec.NewBox([]float64{-1}, []float64{1})
	require.NoError(t, err)
	prop := &spec.Property{Inputs: 1, Outputs: 1, Cases: []spec.Case{{
		Region: region,
		Unsafe: []spec.Conjunction{{{Output: []spec.Term{{Index: 0, Coef: 1}}, Bound: 0}}, {{Output: []spec.Term{{Index: 0, Coef: -1}}, Bound: -1}}},
	}}}
	safe := &spec.Property{Inputs: 1, Outputs: 1, Cases: []spec.Case{{Region: region, Unsafe: prop.Cases[0].Unsafe[1:]}}}
	falsified := func(x ...float64) verifier {
		return func(context.Context, nn.Network, *spec.Property, bab.Options) (*spec.Result, error) {
			return &spec.Result{Verdict: spec.Falsified, Counterexample: &spec.Counterexample{Input: x}}, nil
		}
	}
	fails := func(err error) verifier {
		return func(context.Context, nn.Network, *spec.Property, bab.Options) (*spec.Result, error) { return nil, err }
	}
	for name, test := range map[string]struct {
		verify verifier
		prop   *spec.Property
		says   string
	}{
		"replays":  {falsified(0.1), prop, ""},
		"outside":  {falsified(1.0000000000000002), prop, "no region"},
		"safe":     {falsified(0.5), safe, "safe in float64"},
		"too long": {falsified(0.5, 0.5), prop, "2 inputs"},
		"no counterexample": {func(context.Context, nn.Network, *spec.Property, bab.Options) (*spec.Result, error) {
			return &spec.Result{Verdict: spec.Falsified}, nil
		}, prop, "there is none"},
		"panics":             {func(context.Context, nn.Network, *spec.Property, bab.Options) (*spec.Result, error) { panic("ouch") }, prop, "panic: ouch"},
		"fails":              {fails(io.ErrUnexpectedEOF), prop, io.ErrUnexpectedEOF.Error()},
		"says nothing":       {fails(nil), prop, "did not answer"},
		"deadline as error":  {fails(context.DeadlineExceeded), prop, ""},
		"cancelled as error": {fails(errors.Join(io.EOF, context.Canceled)), prop, ""},
	} {
		t.Run(name, func(t *testing.T) {
			res, err := decide(context.Background(), test.verify, net, test.prop, bab.Options{})
			if test.says != "" {
				require.ErrorContains(t, err, test.says)
				return
			}
			require.NoError(t, err)
			require.NotNil(t, res)
		})
	}
	res, err := decide(context.Background(), fails(context.DeadlineExceeded), net, prop, bab.Options{})
	require.NoError(t, err)
	assert.Equal(t, wordTimeout, word(res))
}

// TestReplayInFloat32 has an output that is unsafe in float64 alone.
func TestReplayInFloat32(t *testing.T) {
	d, err := nn.NewDense(1, 1, []float64{1}, []float64{0x1p-30})
	require.NoError(t, err)
	b := nn.NewBuilder(nn.Shape{1})
	g, err := b.Build(b.Add("dense", d, b.Input()))
	require.NoError(t, err)
	region, err := spec.NewBox([]float64{1}, []float64{1})
	require.NoError(t, err)
	prop := &spec.Property{Inputs: 1, Outputs: 1, Cases: []spec.Case{{
		Region: region, Unsafe: []spec.Conjunction{{{Output: []spec.Term{{Index: 0, Coef: -1}}, Bound: -1 - 0x1p-40}}},
	}}}
	err = replay(g, prop, &spec.Counterexample{Input: []float64{1}})
	require.ErrorContains(t, err, "safe in float32")
}
