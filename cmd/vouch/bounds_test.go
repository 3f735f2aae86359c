package main

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/spec"
)

func TestFormula(t *testing.T) {
	y := func(i int, c float64) spec.Term { return spec.Term{Index: i, Coef: c} }
	for want, q := range map[string]spec.Inequality{
		"Y_3 - Y_8":               {Output: []spec.Term{y(8, -1), y(3, 1)}},
		"Y_0 - 3.75":              {Output: []spec.Term{y(0, 1)}, Bound: 3.75},
		"-Y_0 + 0.5":              {Output: []spec.Term{y(0, -1)}, Bound: -0.5},
		"2*Y_0 - 0.5*Y_1":         {Output: []spec.Term{y(0, 2), y(1, -0.5), y(2, 0)}},
		"X_1 - Y_0 - X_0 - 1e-07": {Output: []spec.Term{y(0, -1)}, Input: []spec.Term{y(0, -1), y(1, 1)}, Bound: 1e-7},
		"0":                       {},
	} {
		assert.Equal(t, want, formula(q))
	}
}

func TestBounds(t *testing.T) {
	dir := files(t)
	net, prop := filepath.Join(dir, "zero.onnx"), filepath.Join(dir, "holds.vnnlib")
	// The property is Y_0 <= -0.125 on [-1, 1]. Interval arithmetic: each relu
	// is in [0, 1] or [0, 2], so Y_0 >= -2. CROWN: relu(2x)/2 <= x/2 + 1/2 and
	// relu(-2x)/2 <= 1/2 - x/2, and relu(x) + relu(-x) >= 0 by the lines of
	// slope 0 or of slope 1, so Y_0 >= -1.
	for method, want := range map[string]float64{"ibp": -2 + 0.125, "crown-ibp": -1 + 0.125, "crown": -1 + 0.125, "alpha-crown": -1 + 0.125} {
		code, stdout, stderr := vouch("bounds", "-net", net, "-spec", prop, "-method", method, "-repeat", "3", "-json")
		require.Equal(t, exitOK, code, stderr)
		var got boundsAnswer
		require.NoError(t, json.Unmarshal([]byte(stdout), &got))
		assert.Equal(t, method, got.Method)
		assert.Equal(t, 3, got.Repeats)
		assert.False(t, got.Proved)
		require.Len(t, got.Functions, 1)
		assert.Equal(t, "Y_0 + 0.125", got.Functions[0].Function)
		assert.InDelta(t, want, float64(got.Functions[0].Lower), 1e-9)
	}
	code, stdout, stderr := vouch("bounds", "-net", net, "-spec", prop)
	assert.Equal(t, exitOK, code, stderr)
	assert.Contains(t, stdout, "Y_0 + 0.125 >= -0.875")
	assert.Contains(t, stdout, "not proved by crown, ")

	put(t, dir, "easy.vnnlib", box+"(assert (<= Y_0 -3.0))\n")
	code, stdout, stderr = vouch("bounds", "-net", net, "-spec", filepath.Join(dir, "easy.vnnlib"), "-method", "ibp")
	assert.Equal(t, exitOK, code, stderr)
	assert.Contains(t, stdout, "Y_0 + 3 >= 1")
	assert.Contains(t, stdout, "\nproved by ibp, ")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var out, errOut bytes.Buffer
	code = run(ctx, []string{"bounds", "-net", net, "-spec", prop}, strings.NewReader(""), &out, &errOut)
	assert.Equal(t, exitError, code)
	assert.Empty(t, out.String())
	assert.Equal(t, "vouch: interrupted\n", errOut.String())

	for _, bad := range []string{"wide.vnnlib", "bad.vnnlib", "none.vnnlib"} {
		code, stdout, _ = vouch("bounds", "-net", net, "-spec", filepath.Join(dir, bad))
		assert.Equal(t, exitError, code, bad)
		assert.Empty(t, stdout)
	}
}

func TestInfo(t *testing.T) {
	dir := files(t)
	code, stdout, stderr := vouch("info", "-net", filepath.Join(dir, "zero.onnx"))
	assert.Equal(t, exitOK, code, stderr)
	for _, want := range []string{"opset ", "Relu", "[1 4]", "9 parameters", "4 neurons"} {
		assert.Contains(t, stdout, want)
	}
	code, stdout, stderr = vouch("info", "-json", "-net", filepath.Join(dir, "zero.onnx"))
	assert.Equal(t, exitOK, code, stderr)
	var got infoAnswer
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	assert.Equal(t, 9, got.Params)
	assert.Positive(t, got.Opset)
	require.NotEmpty(t, got.Inputs)
	assert.Equal(t, 1, got.Inputs[0].Shape.Size())
	code, stdout, _ = vouch("info", "-net", filepath.Join(dir, "bad.onnx"))
	assert.Equal(t, exitError, code)
	assert.Empty(t, stdout)
}

// Layers come from all methods up to the chosen one, and are drawn.
func TestBoundsByLayer(t *testing.T) {
	dir := files(t)
	net, prop := filepath.Join(dir, "zero.onnx"), filepath.Join(dir, "holds.vnnlib")
	code, stdout, stderr := vouch("bounds", "-net", net, "-spec", prop, "-layers", "-json")
	require.Equal(t, exitOK, code, stderr)
	var got boundsAnswer
	require.NoError(t, json.Unmarshal([]byte(stdout), &got))
	require.Len(t, got.Layers, 2)
	for i, l := range got.Layers {
		assert.Equal(t, layerMethods[i], l.Method)
		assert.Equal(t, "Relu", l.Activation)
		assert.Equal(t, 4, l.Neurons)
		// Over [-1, 1]: x, -x, 2x and -2x.
		assert.InDelta(t, 3, l.Width, 1e-9)
		require.NotNil(t, l.Stable)
		assert.Zero(t, *l.Stable)
	}
	for _, name := range []string{"layers.svg", "layers.png"} {
		path := filepath.Join(dir, name)
		code, stdout, stderr = vouch("bounds", "-net", net, "-spec", prop, "-method", "ibp", "-layers", "-plot", path)
		require.Equal(t, exitOK, code, stderr)
		assert.Contains(t, stdout, "width, ibp")
		assert.Contains(t, stdout, "0.0 %")
		assert.NotContains(t, stdout, "width, crown")
		assert.FileExists(t, path)
	}
	code, _, stderr = vouch("bounds", "-net", net, "-spec", prop, "-plot", filepath.Join(dir, "layers.txt"))
	assert.Equal(t, exitError, code)
	assert.Contains(t, stderr, "picture's name")
}
