package onnx

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// reading is a model with one input, an input to it and what must come out.
type reading struct {
	name string
	m    *modelBuilder
	x    []float64
	want []float64
}

// vector starts a model with an input x of the given shape and output y.
func vector(opset int64, dims ...int) *modelBuilder {
	return build(opset).input("x", dims...).output("y")
}

// count is 1, 2, ..., n.
func count(n int) []float64 {
	v := make([]float64, n)
	for k := range v {
		v[k] = float64(k + 1)
	}
	return v
}

// readings holds every operator in the forms that the operator sets know. The
// expected numbers were worked out by hand from the operators' definitions, and
// onnxruntime-web 1.30.0 agreed with all of them.
func readings() []reading {
	return slices.Concat(linearReadings(), windowReadings(), elementReadings(), shapeReadings(), indexReadings(), foldReadings())
}

func linearReadings() []reading {
	mat := []float64{1, 2, 3, 4, 5, 6} // [2 3] or [3 2]
	return []reading{
		{"Gemm", vector(9, 1, 2).floats("w", []int{2, 3}, mat...).floats("c", []int{3}, 10, 20, 30).
			node("Gemm", names("x w c -> y")), []float64{1, 2}, []float64{19, 32, 45}},
		{"Gemm transB", vector(13, 1, 2).floats("w", []int{3, 2}, mat...).node("Gemm", names("x w -> y"), intAttr("transB", 1)), []float64{1, 2}, []float64{5, 11, 17}},
		{"Gemm transA", vector(13, 2, 1).floats("w", []int{2, 3}, mat...).floats("c", []int{}, 1).
			node("Gemm", names("x w c -> y"), intAttr("transA", 1)), []float64{1, 2}, []float64{10, 13, 16}},
		{"Gemm scaled exactly", vector(13, 1, 2).floats("w", []int{2, 3}, mat...).floats("c", []int{1, 3}, 10, 20, 30).
			node("Gemm", names("x w c -> y"), floatAttr("alpha", 0.5), floatAttr("beta", 2)), []float64{1, 2}, []float64{24.5, 46, 67.5}},
		{
			"Gemm scaled by a third", vector(13, 1, 2).floats("w", []int{2, 3}, mat...).floats("c", []int{3}, 1, 1, 1).
				node("Gemm", names("x w c -> y"), floatAttr("alpha", 1.0/3), floatAttr("beta", 1.0/3)),
			[]float64{1, 2},
			[]float64{10 * third, 13 * third, 16 * third},
		},
		{"Gemm beta 0", vector(13, 1, 2).floats("w", []int{2, 1}, 1, 1).floats("c", []int{1}, 5).
			node("Gemm", names("x w c -> y"), floatAttr("beta", 0)), []float64{1, 2}, []float64{3}},
		{"Gemm, C a column", vector(13, 2, 1).floats("w", []int{1, 2}, 1, 2).floats("c", []int{2, 1}, 10, 20).
			node("Gemm", names("x w c -> y")), []float64{1, 2}, []float64{11, 12, 22, 24}},
		{"Gemm, A constant", vector(13, 2, 2).floats("a", []int{1, 2}, 1, 10).floats("c", []int{2}, 1, 2).
			node("Gemm", names("a x c -> y"), intAttr("transB", 1), floatAttr("alpha", 2)), count(4), []float64{43, 88}},
		{"Gemm, A constant and transposed", vector(13, 2, 2).floats("a", []int{2, 1}, 1, 10).
			node("Gemm", names("a x -> y"), intAttr("transA", 1)), count(4), []float64{31, 42}},
		{"Gemm, C a node", vector(13, 1, 2).floats("w", []int{2, 2}, 1, 2, 3, 4).
			node("Gemm", names("x w x -> y"), floatAttr("beta", 3)), []float64{1, 2}, []float64{10, 16}},
		{"MatMul", vector(13, 1, 2).floats("w", []int{2, 3}, mat...).node("MatMul", names("x w -> y")), []float64{1, 2}, []float64{9, 12, 15}},
		{"MatMul and Add", vector(13, 1, 2).floats("w", []int{2, 3}, mat...).floats("b", []int{3}, 1, 2, 3).
			node("MatMul", names("x w -> h")).node("Add", names("b h -> y")), []float64{1, 2}, []float64{10, 14, 18}},
		{"MatMul and a widening Add", vector(13, 1, 2).floats("w", []int{2, 1}, 1, 1).floats("b", []int{2}, 1, 2).
			node("MatMul", names("x w -> h")).node("Add", names("h b -> y")), []float64{1, 2}, []float64{4, 5}},
		{"MatMul of a stack", vector(13, 2, 2, 2).floats("w", []int{2, 1}, 1, 10).node("MatMul", names("x w -> y")), count(8), []float64{21, 43, 65, 87}},
		{"MatMul of a vector", vector(13, 2).floats("w", []int{2, 2}, 1, 2, 3, 4).node("MatMul", names("x w -> y")), []float64{1, 2}, []float64{7, 10}},
		{"MatMul by a vector", vector(13, 2, 2).floats("w", []int{2}, 1, 10).node("MatMul", names("x w -> y")), count(4), []float64{21, 43}},
		{"MatMul by a stack of one", vector(13, 2).floats("w", []int{1, 2, 2}, 1, 2, 3, 4).node("MatMul", names("x w -> y")), []float64{1, 2}, []float64{7, 10}},
		{"MatMul from the left", vector(13, 2, 2).floats("w", []int{1, 2}, 1, 10).node("MatMul", names("w x -> y")), count(4), []float64{31, 42}},
		{"MatMul from the left of a stack", vector(13, 2, 2, 1).floats("w", []int{2, 2}, 1, 10, 0, 1).node("MatMul", names("w x -> y")), count(4), []float64{21, 2, 43, 4}},
		{"MatMul from the left of a vector", vector(13, 2).floats("w", []int{1, 2}, 1, 10).node("MatMul", names("w x -> y")), count(2), []float64{21}},
		{"MatMul of two vectors", vector(13, 2).floats("w", []int{2}, 1, 10).node("MatMul", names("w x -> y")), count(2), []float64{21}},
		{"MatMul, a row from the left", vector(13, 2, 2).floats("w", []int{2}, 1, 10).node("MatMul", names("w x -> y")), count(4), []float64{31, 42}},
	}
}

// third is float32(1/3), which is what an attribute holds.
const third = float64(float32(1.0 / 3))

func windowReadings() []reading {
	conv := func(attrs ...message) *modelBuilder {
		return vector(11, 1, 1, 3, 3).floats("w", []int{1, 1, 2, 2}, 1, 10, 100, 1000).node("Conv", names("x w -> y"), attrs...)
	}
	line := func(op string, attrs ...message) *modelBuilder {
		return vector(19, 1, 1, 5).node(op, names("x -> y"), append(attrs, intsAttr("kernel_shape", []int{2}))...)
	}
	return []reading{
		{"Conv", conv(), count(9), []float64{5421, 6532, 8754, 9865}},
		{"Conv VALID", conv(stringAttr("auto_pad", "VALID")), count(9), []float64{5421, 6532, 8754, 9865}},
		{
			"Conv SAME_UPPER", conv(stringAttr("auto_pad", "SAME_UPPER")), count(9),
			[]float64{5421, 6532, 603, 8754, 9865, 906, 87, 98, 9},
		},
		{
			"Conv SAME_LOWER", conv(stringAttr("auto_pad", "SAME_LOWER"), intsAttr("kernel_shape", []int{2, 2})), count(9),
			[]float64{1000, 2100, 3200, 4010, 5421, 6532, 7040, 8754, 9865},
		},
		{"Conv SAME with strides", conv(stringAttr("auto_pad", "SAME_UPPER"), intsAttr("strides", []int{2, 2})), count(9), []float64{5421, 603, 87, 9}},
		{"Conv in groups", vector(11, 1, 2, 2).floats("w", []int{2, 1, 2}, 1, 10, 100, 1000).floats("b", []int{2}, 1, 2).
			node("Conv", names("x w b -> y"), intAttr("group", 2)), count(4), []float64{22, 4302}},
		{"AveragePool", line("AveragePool"), count(5), []float64{1.5, 2.5, 3.5, 4.5}},
		{"AveragePool padded", line("AveragePool", intsAttr("pads", []int{1, 0}), intsAttr("strides", []int{2})), count(5), []float64{1, 2.5, 4.5}},
		{"AveragePool counting the padding", line("AveragePool", intsAttr("pads", []int{1, 0}), intAttr("count_include_pad", 1), intsAttr("strides", []int{2})), count(5), []float64{0.5, 2.5, 4.5}},
		{"AveragePool ceil", line("AveragePool", intAttr("ceil_mode", 1), intsAttr("strides", []int{2})), count(5), []float64{1.5, 3.5, 5}},
		{"AveragePool dilated", line("AveragePool", intsAttr("dilations", []int{3})), count(5), []float64{2.5, 3.5}},
		{"MaxPool", line("MaxPool", intsAttr("strides", []int{2}), intAttr("storage_order", 0)), []float64{1, 3, 2, -1, 0}, []float64{3, 2}},
		{"MaxPool SAME_LOWER", line("MaxPool", stringAttr("auto_pad", "SAME_LOWER"), intsAttr("strides", []int{2})), []float64{1, 3, 2, -1, 0}, []float64{1, 3, 0}},
		{"GlobalAveragePool", vector(13, 1, 2, 2, 1).node("GlobalAveragePool", names("x -> y")), count(4), []float64{1.5, 3.5}},
		{"BatchNormalization", vector(15, 1, 2).floats("s", []int{2}, 2, 3).floats("b", []int{2}, 1, 1).floats("m", []int{2}, 1, 0).floats("v", []int{2}, 3.5, 3.5).
			node("BatchNormalization", names("x s b m v -> y"), floatAttr("epsilon", 0.5), floatAttr("momentum", 0.9)), []float64{3, 4}, []float64{3, 7}},
	}
}

func elementReadings() []reading {
	return []reading{
		{"Relu", vector(13, 3).node("Relu", names("x -> y")), []float64{-1, 0, 2}, []float64{0, 0, 2}},
		{"LeakyRelu", vector(13, 2).node("LeakyRelu", names("x -> y"), floatAttr("alpha", 0.25)), []float64{-4, 4}, []float64{-1, 4}},
		{"LeakyRelu default", vector(13, 1).node("LeakyRelu", names("x -> y")), []float64{-1}, []float64{-float64(float32(0.01))}},
		{"Sigmoid", vector(13, 1).node("Sigmoid", names("x -> y")), []float64{0}, []float64{0.5}},
		{"Tanh", vector(13, 1).node("Tanh", names("x -> y")), []float64{0}, []float64{0}},
		{"Atan", vector(13, 1).node("Atan", names("x -> y")), []float64{0}, []float64{0}},
		{"Neg", vector(13, 2).node("Neg", names("x -> y")), []float64{1, -2}, []float64{-1, 2}},
		{"Sub from a constant", vector(13, 2).floats("c", []int{1}, 5).node("Sub", names("c x -> y")), []float64{1, 2}, []float64{4, 3}},
		{"Sub a constant", vector(13, 2).floats("c", []int{2, 1}, 5, 6).node("Sub", names("x c -> y")), []float64{1, 2}, []float64{-4, -3, -5, -4}},
		{"Mul", vector(13, 2).floats("c", []int{}, 5).node("Mul", names("c x -> y")), []float64{1, 2}, []float64{5, 10}},
		{"Div", vector(13, 2).floats("c", []int{2}, 4, 8).node("Div", names("x c -> y")), []float64{1, 2}, []float64{0.25, 0.25}},
		{"Add of nodes", vector(13, 2).node("Neg", names("x -> h")).node("Add", names("h x -> y")), []float64{1, 2}, []float64{0, 0}},
		{"Sub of nodes", vector(13, 2).node("Neg", names("x -> h")).node("Sub", names("x h -> y")), []float64{1, 2}, []float64{2, 4}},
		{"Sum", vector(13, 2).floats("c", []int{2}, 10, 20).node("Sum", names("x c x -> y")), []float64{1, 2}, []float64{12, 24}},
		{"Dropout by ratio", vector(10, 2).node("Dropout", names("x -> y mask"), floatAttr("ratio", 0.5)), []float64{1, 2}, []float64{1, 2}},
		{"Dropout by inputs", vector(13, 2).floats("r", []int{}, 0.5).node("Dropout", names("x r -> y"), intAttr("seed", 7)), []float64{1, 2}, []float64{1, 2}},
		{"Cast", vector(13, 2).node("Cast", names("x -> h"), intAttr("to", typeDouble)).node("Cast", names("h -> y"), intAttr("to", typeFloat)), []float64{1, 2}, []float64{1, 2}},
		{"nodes out of order", vector(13, 1).node("Relu", names("b -> y")).node("Neg", names("a -> b")).node("Neg", names("x -> a")), []float64{3}, []float64{3}},
		{"a node that nobody needs", vector(13, 1).node("Unknown", names("x -> a")).node("Neg", names("x -> y")), []float64{3}, []float64{-3}},
	}
}

func shapeReadings() []reading {
	to := func(opset int64, op string, attrs ...message) *modelBuilder {
		return vector(opset, 1, 2, 3, 1).node(op, names("x s -> y"), attrs...)
	}
	return []reading{
		{"Reshape with 0 and -1", to(13, "Reshape").ints("s", 0, 3, -1), count(6), count(6)},
		{"Reshape by attribute", vector(1, 2, 3).node("Reshape", names("x -> y"), intsAttr("shape", []int{3, 2})), count(6), count(6)},
		{"Reshape allowzero", to(14, "Reshape", intAttr("allowzero", 1)).ints("s", 6), count(6), count(6)},
		{"Reshape to a number", vector(13, 1).ints("s").node("Reshape", names("x s -> y")), count(1), count(1)},
		{"Flatten", vector(13, 2, 3, 1).node("Flatten", names("x -> y"), intAttr("axis", -1)), count(6), count(6)},
		{"Squeeze by attribute", vector(11, 1, 2, 1).node("Squeeze", names("x -> y"), intsAttr("axes", []int{0, -1})), count(2), count(2)},
		{"Squeeze by input", vector(13, 1, 2, 1).ints("s", 0).node("Squeeze", names("x s -> y")), count(2), count(2)},
		{"Squeeze all", vector(13, 1, 2, 1).node("Squeeze", names("x -> y")), count(2), count(2)},
		{"Unsqueeze by attribute", vector(11, 2).node("Unsqueeze", names("x -> y"), intsAttr("axes", []int{0, 2})), count(2), count(2)},
		{"Unsqueeze by input", vector(13, 2).ints("s", -1).node("Unsqueeze", names("x s -> y")), count(2), count(2)},
		{"Transpose", vector(13, 2, 3).node("Transpose", names("x -> y")), count(6), []float64{1, 4, 2, 5, 3, 6}},
		{"Transpose by perm", vector(13, 1, 2, 3).node("Transpose", names("x -> y"), intsAttr("perm", []int{2, 0, 1})), count(6), []float64{1, 4, 2, 5, 3, 6}},
		{"Expand", vector(13, 2, 1).ints("s", 2, 2).node("Expand", names("x s -> y")), count(2), []float64{1, 1, 2, 2}},
		{"Expand to the same", vector(13, 2, 1).ints("s", 1, 1).node("Expand", names("x s -> y")), count(2), count(2)},
		{"ReduceSum by attribute", vector(11, 2, 3).node("ReduceSum", names("x -> y"), intsAttr("axes", []int{1}), intAttr("keepdims", 0)), count(6), []float64{6, 15}},
		{"ReduceSum by input", vector(13, 2, 3).ints("s", 0).node("ReduceSum", names("x s -> y")), count(6), []float64{5, 7, 9}},
		{"ReduceSum of all", vector(13, 2, 3).node("ReduceSum", names("x -> y")), count(6), []float64{21}},
		{"ReduceSum of none", vector(13, 2).node("ReduceSum", names("x -> y"), intAttr("noop_with_empty_axes", 1)), count(2), count(2)},
		{"ReduceMean by attribute", vector(13, 2, 3).node("ReduceMean", names("x -> y"), intsAttr("axes", []int{-1})), count(6), []float64{2, 5}},
		{"ReduceMean by input", vector(18, 2, 3).ints("s", 1).node("ReduceMean", names("x s -> y"), intAttr("keepdims", 0)), count(6), []float64{2, 5}},
	}
}

func indexReadings() []reading {
	return []reading{
		{"Concat", vector(13, 1, 2).floats("c", []int{1, 1}, 9).node("Concat", names("x c x -> y"), intAttr("axis", -1)), count(2), []float64{1, 2, 9, 1, 2}},
		{"Slice by attribute", vector(9, 2, 3).node("Slice", names("x -> y"), intsAttr("starts", []int{1}), intsAttr("ends", []int{1 << 30}), intsAttr("axes", []int{1})), count(6), []float64{2, 3, 5, 6}},
		{"Slice by input", vector(13, 2, 3).ints("s", 0, 0).ints("e", 1, -1).node("Slice", names("x s e -> y")), count(6), []float64{1, 2}},
		{"Slice backwards", vector(13, 5).ints("s", -1).ints("e", -100).ints("a", 0).ints("t", -2).node("Slice", names("x s e a t -> y")), count(5), []float64{5, 3, 1}},
		{"Slice to the last int64", vector(13, 5).ints("s", 3).ints("e", 1<<63-1).ints("a", -1).node("Slice", names("x s e a -> y")), count(5), []float64{4, 5}},
		{"Split in equal parts", vector(13, 4).node("Split", names("x -> a b")).node("Sub", names("a b -> y")), count(4), []float64{-2, -2}},
		{"Split by attribute", vector(11, 1, 3).node("Split", names("x -> y b"), intAttr("axis", 1), intsAttr("split", []int{2, 1})), count(3), []float64{1, 2}},
		{"Split by input", vector(13, 3).ints("s", 1, 2).node("Split", names("x s -> a y")), count(3), []float64{2, 3}},
		{"Split in a number of parts", vector(18, 5).node("Split", names("x -> a b y"), intAttr("num_outputs", 3)), count(5), []float64{5}},
		{"Gather", vector(13, 2, 3).ints("i", -1, 0).node("Gather", names("x i -> y"), intAttr("axis", 1)), count(6), []float64{3, 1, 6, 4}},
		{"Gather one", vector(13, 2, 3).int("i", 1).node("Gather", names("x i -> y")), count(6), []float64{4, 5, 6}},
		{"Pad by attribute", vector(9, 1, 2).node("Pad", names("x -> y"), intsAttr("pads", []int{0, 1, 0, 2}), floatAttr("value", 7), stringAttr("mode", "constant")), count(2), []float64{7, 1, 2, 7, 7}},
		{"Pad by input", vector(13, 2).ints("p", -1, 1).floats("v", []int{}, 7).node("Pad", names("x p v -> y")), count(2), []float64{2, 7}},
		{"Pad of some axes", vector(18, 1, 2).ints("p", 1, 0).ints("a", -1).node("Pad", names("x p _ a -> y")), count(2), []float64{0, 1, 2}},
		{"Pad of nothing", vector(11, 2).ints("p", 0, 0).node("Pad", names("x p -> y")), count(2), count(2)},
	}
}

func TestReadOperators(t *testing.T) {
	for _, r := range readings() {
		t.Run(r.name, func(t *testing.T) {
			g, info, err := r.m.read(nil)
			require.NoError(t, err)
			y, err := nn.Evaluate(g, r.x)
			require.NoError(t, err)
			assert.InDeltaSlice(t, r.want, y, 1e-15*max(1, slices.Max(r.want)))
			assert.Empty(t, info.Rounded)
			assert.Equal(t, nn.OutputShape(g), info.Outputs[0].Shape)
		})
	}
}

// TestReadFusesBias: MatMul and Add are one dense layer, unless the product is
// used elsewhere too.
func TestReadFusesBias(t *testing.T) {
	m := vector(13, 1, 1).floats("w", []int{1, 1}, 3).floats("b", []int{1}, 4).
		node("MatMul", names("x w -> h")).node("Add", names("h b -> y"))
	g, _, err := m.read(nil)
	require.NoError(t, err)
	require.Len(t, g.Nodes(), 2)
	d := g.Nodes()[1].Op.(*nn.Dense)
	assert.Equal(t, []float64{3}, d.Weight().Values())
	assert.Equal(t, []float64{4}, d.Bias().Values())

	g, info, err := m.output("h").read(nil)
	require.NoError(t, err)
	assert.Len(t, info.Outputs, 2)
	y, err := nn.Evaluate(g, []float64{1})
	require.NoError(t, err)
	assert.Equal(t, []float64{7, 3}, y)
}

// TestReadScalesExactly: alpha goes into the weights only where that does not
// round.
func TestReadScalesExactly(t *testing.T) {
	for alpha, kinds := range map[float32][]string{0.5: {"Dense"}, 0.1: {"Dense", "Mul"}} {
		g, _, err := vector(13, 1, 1).floats("w", []int{1, 1}, 3).node("Gemm", names("x w -> y"), floatAttr("alpha", alpha)).read(nil)
		require.NoError(t, err)
		var got []string
		for _, n := range g.Nodes()[1:] {
			got = append(got, n.Op.Kind())
		}
		assert.Equal(t, kinds, got, "alpha %v", alpha)
	}
}

// TestReadSeveralInputs: inputs are cut out of one flat input in order of
// declaration, outputs are laid end to end.
func TestReadSeveralInputs(t *testing.T) {
	m := build(13).input("a", -1, 2).input("w", 2, 1).input("b", 1, 3).floats("w", []int{2, 1}, 1, 10).
		node("MatMul", names("a w -> p")).node("Neg", names("b -> q")).output("q").output("p").output("a")
	g, info, err := m.read(nil)
	require.NoError(t, err)
	assert.Equal(t, []Port{{"a", nn.Shape{1, 2}}, {"b", nn.Shape{1, 3}}}, info.Inputs)
	assert.Equal(t, []Port{{"q", nn.Shape{1, 3}}, {"p", nn.Shape{1, 1}}, {"a", nn.Shape{1, 2}}}, info.Outputs)
	y, err := nn.Evaluate(g, count(5))
	require.NoError(t, err)
	assert.Equal(t, []float64{-3, -4, -5, 21, 1, 2}, y)
}

// TestReadBatchAxis: the first axis becomes 1 when it is open, others must be
// given.
func TestReadBatchAxis(t *testing.T) {
	open := func() *modelBuilder { return build(13).input("x", -1, -1).output("y").node("Relu", names("x -> y")) }
	_, _, err := open().read(nil)
	var s *nn.ShapeError
	require.ErrorAs(t, err, &s)
	assert.Equal(t, "x", s.Node)
	assert.Contains(t, s.Detail, `"N"`)

	g, _, err := open().read(&Options{Dims: map[string]int{"N": 3}})
	require.NoError(t, err)
	assert.Equal(t, nn.Shape{3, 3}, nn.InputShape(g))

	g, _, err = build(13).input("x", 4, 2).output("y").node("Relu", names("x -> y")).read(nil)
	require.NoError(t, err)
	assert.Equal(t, nn.Shape{4, 2}, nn.InputShape(g), "a fixed axis stays")

	var v *nn.ValueError
	_, _, err = open().read(&Options{Dims: map[string]int{"N": 0}})
	require.ErrorAs(t, err, &v)
	_, _, err = open().read(&Options{MaxBytes: -1})
	require.ErrorAs(t, err, &v)
}
