package onnx

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// refused is the files among the small networks and the benchmarks for later
// that must not be read, and what the error says. All others load.
var refused = map[string]string{
	"small/resources/onnx/fc_matMul.onnx":                                      `node "matmul3": MatMul: unsupported: product of two tensors`,
	"small/resources/onnx/layer-zoo/dropout_training_mode_true.onnx":           `node "y": Dropout: unsupported: training_mode with a ratio of 0.5`,
	"small/resources/onnx/resize/resize_4dims.onnx":                            `node "Resize_1": Resize: unsupported`,
	"small/resources/onnx/self-attention-mnist-pgd-medium-sim.onnx":            `node "MatMul__102": MatMul: unsupported: product of two tensors`,
	"small/resources/onnx/softmax-last-layer.onnx":                             `node "Softmax_7": Softmax: unsupported`,
	"vnncomp/2023/ml4acopf/onnx/14_ieee_ml4acopf.onnx":                         `node "/Pow": Pow: unsupported: inputs that are not constant`,
	"vnncomp/2024/lsnc/onnx/quadrotor2d_output.onnx":                           `node "/Cos": Cos: unsupported`,
	"vnncomp/2024/lsnc/onnx/quadrotor2d_state.onnx":                            `node "/Sin": Sin: unsupported`,
	"vnncomp/2024/ml4acopf_2024/onnx/14_ieee_ml4acopf-linear-nonresidual.onnx": `node "Mulpow_0": Mul: unsupported: two operands that depend on the input`,
	"vnncomp/2024/ml4acopf_2024/onnx/14_ieee_ml4acopf-linear-residual.onnx":    `node "Mulpow_0": Mul: unsupported: two operands that depend on the input`,
}

// TestReadZoo reads all small networks, one operator each and whatever else
// parsers trip over, and those that later versions will learn to read.
func TestReadZoo(t *testing.T) {
	dir := dataDir(t)
	seen := 0
	for _, sub := range []string{"small/resources/onnx", "vnncomp/2023/ml4acopf", "vnncomp/2024/lsnc", "vnncomp/2024/ml4acopf_2024"} {
		for _, path := range networks(t, filepath.Join(dir, sub)) {
			rel, err := filepath.Rel(dir, path)
			require.NoError(t, err)
			g, _, err := ReadFile(path, nil)
			if want, ok := refused[filepath.ToSlash(rel)]; ok {
				seen++
				require.ErrorAs(t, err, new(*nn.UnsupportedError), rel)
				assert.ErrorContains(t, err, want)
				assert.True(t, strings.HasPrefix(err.Error(), path), "the file is named: %v", err)
				continue
			}
			require.NoError(t, err, rel)
			y, err := nn.Evaluate(g, make([]float64, nn.InputShape(g).Size()))
			require.NoError(t, err, rel)
			assert.NotEmpty(t, y)
		}
	}
	assert.Equal(t, len(refused), seen)
}

// TestReadZooShapes pins how inputs, outputs and batch axes of a few files are
// understood.
func TestReadZooShapes(t *testing.T) {
	dir := filepath.Join(dataDir(t), "small", "resources", "onnx")
	for _, tc := range []struct {
		file    string
		in, out nn.Shape
		kinds   string
	}{
		{"KJ_TinyTaxiNet.onnx", nn.Shape{1, 8, 16, 1}, nn.Shape{1, 2}, "Transpose Conv Transpose Add Relu Reshape Dense Relu Dense Relu Dense"},
		{"certificate_and_controller_mandal.onnx", nn.Shape{8}, nn.Shape{4}, ""}, // two inputs, three outputs
		{"fc2.onnx", nn.Shape{1, 28, 28}, nn.Shape{1, 10}, "Reshape Dense Dense"},
		{"fc_2-2-3.onnx", nn.Shape{1, 2}, nn.Shape{1, 3}, "Dense Relu Dense"},
		{"conv_mp1.onnx", nn.Shape{1, 3, 8, 8}, nn.Shape{5}, "Conv Relu MaxPool Reshape Dense Relu Dense"},
		{"conv_mp1_intermediateOutput.onnx", nn.Shape{1, 3, 8, 8}, nn.Shape{133}, ""},
		{"layer-zoo/constant.onnx", nn.Shape{1}, nn.Shape{2, 2}, "Constant"},
		{"cifar10/cifar_base_kw.onnx", nn.Shape{1, 3, 32, 32}, nn.Shape{1, 10}, "Conv Relu Conv Relu Reshape Dense Relu Dense"},
		{"concat/concat_axis_1.onnx", nn.Shape{32}, nn.Shape{2, 4, 2}, ""},
		{"slice_test.onnx", nn.Shape{5}, nn.Shape{3}, "Slice Add"},
	} {
		g, _, err := ReadFile(filepath.Join(dir, tc.file), nil)
		require.NoError(t, err)
		assert.Equal(t, tc.in, nn.InputShape(g), tc.file)
		assert.Equal(t, tc.out, nn.OutputShape(g), tc.file)
		var kinds []string
		for _, n := range g.Nodes()[1:] {
			kinds = append(kinds, n.Op.Kind())
		}
		if tc.kinds != "" {
			assert.Equal(t, tc.kinds, strings.Join(kinds, " "), tc.file)
		}
	}
}

// TestSimplifiedPairs: the data hold some networks twice, as exported and with
// their shape computations folded by another tool. Both are one function.
func TestSimplifiedPairs(t *testing.T) {
	dir := filepath.Join(dataDir(t), "small", "resources", "onnx", "cifar10")
	for _, name := range []string{"cifar_base_kw", "cifar_wide_kw", "cifar_deep_kw"} {
		a, _, err := ReadFile(filepath.Join(dir, name+".onnx"), nil)
		require.NoError(t, err)
		b, _, err := ReadFile(filepath.Join(dir, name+"_simp.onnx"), nil)
		require.NoError(t, err)
		sameFunction(t, a, b)
	}
}
