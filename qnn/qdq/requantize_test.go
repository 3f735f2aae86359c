package qdq

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// requantized is an input that is quantized already, MatMul and a bias by Add, and a
// ReLU between two dequantizations with other scales: every form that newExample does
// not have.
type requantized struct {
	weights []int8 // 2×3
	bias    []float32
	x, h, y float32
	zx, zh  uint8
	zy      int8
}

func newRequantized(rng *rand.Rand) *requantized {
	e := &requantized{
		weights: make([]int8, 6), bias: []float32{0.25, -0.5, float32(rng.NormFloat64())},
		x: 0.017, h: 0.09, y: 0.05 + 0.1*rng.Float32(), zx: uint8(rng.IntN(256)), zh: uint8(60 + rng.IntN(100)), zy: int8(rng.IntN(100) - 50),
	}
	for i := range e.weights {
		e.weights[i] = int8(rng.IntN(255) - 127)
	}
	return e
}

func (e *requantized) model() []byte {
	m := &builder{}
	m.port(11, "image", 1, 1, 2)
	m.floats("x_scale", []float32{e.x})
	m.uint8("x_zero", e.zx)
	m.node("DequantizeLinear", "xr", []string{"image", "x_scale", "x_zero"})
	m.node("Reshape", "flat", []string{"xr", "x_scale"})
	m.int8s("w", e.weights, 2, 3)
	m.floats("w_scale", []float32{0.01})
	m.node("DequantizeLinear", "wr", []string{"w", "w_scale"})
	m.node("MatMul", "product", []string{"flat", "wr"})
	m.floats("b", e.bias, 3)
	m.node("Add", "sum", []string{"b", "product"})
	m.floats("h_scale", []float32{e.h})
	m.uint8("h_zero", e.zh)
	m.node("QuantizeLinear", "hq", []string{"sum", "h_scale", "h_zero"})
	m.node("DequantizeLinear", "hr", []string{"hq", "h_scale", "h_zero"})
	m.node("Relu", "r", []string{"hr"})
	m.floats("y_scale", []float32{e.y})
	m.int8s("y_zero", []int8{e.zy})
	m.node("QuantizeLinear", "yq", []string{"r", "y_scale", "y_zero"})
	m.node("Identity", "out", []string{"yq"})
	m.port(12, "out", 1, 3)
	return m.bytes()
}

// run evaluates the operators in float64; sure is false near a half.
func (e *requantized) run(x []int64) (y []int64, sure bool) {
	sure = true
	quantize := func(v float64, scale float32, zero, low, high int64) int64 {
		v /= float64(scale)
		if f := v - math.Floor(v); math.Abs(f-0.5) < 1e-6 {
			sure = false
		}
		return min(max(int64(math.RoundToEven(v))+zero, low), high)
	}
	for k := range 3 {
		sum := float64(e.bias[k])
		for i, n := range x {
			sum += float64(e.weights[i*3+k]) * float64(float32(0.01)) * float64(n-int64(e.zx)) * float64(e.x)
		}
		h := quantize(sum, e.h, int64(e.zh), 0, 255)
		y = append(y, quantize(max(0, float64(h-int64(e.zh))*float64(e.h)), e.y, int64(e.zy), -128, 127))
	}
	return y, sure
}

func TestReadRequantized(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	compared := 0
	for range 20 {
		e := newRequantized(rng)
		file := filepath.Join(t.TempDir(), "model.onnx")
		require.NoError(t, os.WriteFile(file, e.model(), 0o600))
		n, info, err := ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, float64(e.x), info.InputScale)
		require.Equal(t, "2:3:3 <+,8,0>", n.String())
		for range 200 {
			x := []int64{rng.Int64N(256), rng.Int64N(256)}
			if want, sure := e.run(x); sure {
				require.Equal(t, want, n.Run(x))
				compared++
			}
		}
	}
	assert.Greater(t, compared, 3000)
	_, _, err := ReadFile(filepath.Join(t.TempDir(), "none.onnx"))
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// What has no integer form is an error that says so; nothing is approximated.
func TestReadRefusesUses(t *testing.T) {
	quantized := func(m *builder) {
		m.floats("s", []float32{0.5})
		m.node("QuantizeLinear", "q", []string{"image", "s"})
		m.node("DequantizeLinear", "r", []string{"q", "s"})
	}
	dense := func(m *builder) {
		quantized(m)
		m.int8s("w", []int8{1, 2, 3, 4}, 2, 2)
		m.node("DequantizeLinear", "wr", []string{"w", "s"})
	}
	for name, c := range map[string]struct {
		make func(m *builder)
		want string
	}{
		"floats into a product": {func(m *builder) {
			dense(m)
			m.node("MatMul", "out", []string{"image", "wr"})
		}, "its input is not dequantized"},
		"weights of floats": {func(m *builder) {
			quantized(m)
			m.floats("w", []float32{1, 2, 3, 4}, 2, 2)
			m.node("MatMul", "out", []string{"r", "w"})
		}, "input 1 is not a dequantized constant"},
		"weights of another size": {func(m *builder) {
			quantized(m)
			m.int8s("w", []int8{1, 2, 3}, 3, 1)
			m.node("DequantizeLinear", "wr", []string{"w", "s"})
			m.node("MatMul", "out", []string{"r", "wr"})
		}, "weights [3 1] for an input [2]"},
		"scales along the wrong axis": {func(m *builder) {
			quantized(m)
			m.int8s("w", []int8{1, 2, 3, 4}, 2, 2)
			m.floats("ss", []float32{1, 2}, 2)
			m.node("DequantizeLinear", "wr", []string{"w", "ss"}, attribute("axis", 0))
			m.node("MatMul", "out", []string{"r", "wr"})
		}, "a scale along axis 0, want 1"},
		"scales for no axis": {func(m *builder) {
			quantized(m)
			m.int8s("w", []int8{1, 2, 3, 4}, 2, 2)
			m.floats("ss", []float32{1, 2, 3}, 3)
			m.node("DequantizeLinear", "out", []string{"w", "ss"})
		}, "3 scales for axis 1 of [2 2]"},
		"activations by channel": {func(m *builder) {
			m.floats("s", []float32{1, 2}, 2)
			m.node("QuantizeLinear", "out", []string{"image", "s"})
		}, "a scale per channel"},
		"a type that is not for activations": {func(m *builder) {
			m.floats("s", []float32{1})
			m.int32s("z", []int32{0})
			m.node("QuantizeLinear", "out", []string{"image", "s", "z"})
		}, "to int32"},
		"a scale that is computed": {func(m *builder) { m.node("QuantizeLinear", "out", []string{"image", "image"}) }, "the scale is not constant"},
		"a sum of two tensors": {func(m *builder) {
			dense(m)
			m.node("MatMul", "a", []string{"r", "wr"})
			m.node("Add", "out", []string{"a", "a"})
		}, "the bias is not constant"},
		"a bias before the sums": {func(m *builder) {
			dense(m)
			m.node("Add", "out", []string{"r", "s"})
		}, "only a bias of dense sums"},
		"a bias of another length": {func(m *builder) {
			dense(m)
			m.node("MatMul", "a", []string{"r", "wr"})
			m.floats("b", []float32{1, 2, 3}, 3)
			m.node("Add", "out", []string{"a", "b"})
		}, "a bias of 3 numbers for 2 neurons"},
		"a branch": {func(m *builder) {
			dense(m)
			m.node("MatMul", "a", []string{"r", "wr"})
			m.node("QuantizeLinear", "aq", []string{"a", "s"})
			m.node("MatMul", "out", []string{"r", "wr"})
		}, "the network branches"},
		"a ReLU of floats": {func(m *builder) { m.node("Relu", "out", []string{"image"}) }, "not a layer's sums"},
		"a Gemm with a factor": {func(m *builder) {
			dense(m)
			m.node("Gemm", "out", []string{"r", "wr"}, attribute("transA", 1))
		}, "transA 1"},
	} {
		t.Run(name, func(t *testing.T) {
			m := &builder{}
			m.port(11, "image", 1, 2)
			c.make(m)
			m.port(12, "out", 1, 2)
			n, _, err := Read(bytes.NewReader(m.bytes()), "model")
			require.ErrorContains(t, err, c.want)
			assert.Nil(t, n)
			var unsupported *nn.UnsupportedError
			var value *nn.ValueError
			assert.True(t, errors.As(err, &unsupported) || errors.As(err, &value))
		})
	}
}
