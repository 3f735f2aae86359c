package onnx

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// foldReadings are models in which constants are computed. In most, y = x + c
// with x = 0, so that the constant comes out.
func foldReadings() []reading {
	plus := func(opset int64, n int) *modelBuilder {
		return build(opset).input("x", n).output("y").node("Add", names("x c -> y"))
	}
	zeros := func(n int) []float64 { return make([]float64, n) }
	toFloat := intAttr("to", typeFloat)
	cast := func(opset int64, n int) *modelBuilder { return plus(opset, n).node("Cast", names("k -> c"), toFloat) }
	return []reading{
		{"the batch size in a Reshape", vector(9, -1, 2, 3).
			node("Shape", names("x -> s")).node("Constant", names("-> zero"), tensorAttr("value", tensorMessage("", nil, typeInt64, rawInts([]int{0})))).
			node("Gather", names("s zero -> n")).node("Unsqueeze", names("n -> u"), intsAttr("axes", []int{0})).
			ints("rest", -1).node("Concat", names("u rest -> t"), intAttr("axis", 0)).node("Reshape", names("x t -> y")), count(6), count(6)},
		{"Shape of some axes", cast(15, 1).node("Shape", names("x -> k"), intAttr("start", -1)), zeros(1), []float64{1}},
		{"Size", cast(13, 3).node("Size", names("x -> k")), zeros(3), []float64{3, 3, 3}},
		{"Constant value_float", plus(13, 1).node("Constant", names("-> c"), floatAttr("value_float", 2.5)), zeros(1), []float64{2.5}},
		{"Constant value_floats", plus(13, 2).node("Constant", names("-> c"), floatsAttr("value_floats", 1, 2)), zeros(2), []float64{1, 2}},
		{"Constant value_int", cast(13, 1).node("Constant", names("-> k"), intAttr("value_int", -3)), zeros(1), []float64{-3}},
		{"Constant value_ints", cast(13, 2).node("Constant", names("-> k"), intsAttr("value_ints", []int{4, -3})), zeros(2), []float64{4, -3}},
		{"ConstantOfShape", plus(13, 2).ints("s", 2).node("ConstantOfShape", names("s -> c"), tensorAttr("value", floatTensor("", []int{1}, 3))), zeros(2), []float64{3, 3}},
		{"ConstantOfShape of zeros", plus(13, 2).ints("s", 2).node("ConstantOfShape", names("s -> c")), zeros(2), zeros(2)},
		{"Range", cast(13, 3).int("a", 5).int("b", 0).int("d", -2).node("Range", names("a b d -> k")), zeros(3), []float64{5, 3, 1}},
		{"Equal and Where", plus(13, 3).ints("a", 1, 2, 3).ints("b", 1, 5, 3).floats("p", []int{3}, 1, 2, 3).floats("q", []int{1}, -1).
			node("Equal", names("a b -> e")).node("Where", names("e p q -> c")), zeros(3), []float64{1, -1, 3}},
		{"Expand a constant", plus(13, 4).floats("a", []int{2, 1}, 1, 2).ints("s", 1, 2).ints("f", -1).
			node("Expand", names("a s -> e")).node("Reshape", names("e f -> c")), zeros(4), []float64{1, 1, 2, 2}},
		{"arithmetic of integers", cast(13, 2).ints("a", 7, -9).ints("b", 2).
			node("Div", names("a b -> d")).node("Mul", names("d b -> m")).node("Sub", names("a m -> k")), zeros(2), []float64{1, -1}},
		{"ReduceProd", cast(13, 1).ints("a", 2, 3, 4).node("ReduceProd", names("a -> k")), zeros(1), []float64{24}},
		{"ReduceSum of a constant", plus(13, 3).floats("a", []int{2, 3}, count(6)...).ints("axes", 0).
			node("ReduceSum", names("a axes -> c"), intAttr("keepdims", 0)), zeros(3), []float64{5, 7, 9}},
		{"Floor, Neg, Sqrt, Pow, Relu", plus(13, 2).floats("a", []int{2}, 4.5, 9.5).floats("two", []int{}, 2).
			node("Floor", names("a -> b")).node("Sqrt", names("b -> d")).node("Floor", names("d -> e")).node("Pow", names("e two -> f")).node("Neg", names("f -> g")).
			node("Neg", names("g -> h")).node("Relu", names("h -> c")), zeros(2), []float64{4, 9}},
		{"Transpose, Slice and Concat of constants", plus(13, 4).floats("a", []int{2, 3}, count(6)...).ints("one", 1).ints("nine", 9).ints("f", -1).
			node("Transpose", names("a -> t")).node("Slice", names("t one nine -> s")).node("Reshape", names("s f -> c")), zeros(4), []float64{2, 5, 3, 6}},
		{"Split of a constant", plus(13, 2).floats("a", []int{4}, count(4)...).node("Split", names("a -> b d")).node("Sub", names("d b -> c")), zeros(2), []float64{2, 2}},
		{"Gather from a constant", plus(13, 4).floats("a", []int{2, 2}, count(4)...).ints("i", 1, 0).ints("f", -1).
			node("Gather", names("a i -> b"), intAttr("axis", 1)).node("Reshape", names("b f -> c")), zeros(4), []float64{2, 1, 4, 3}},
		{"Squeeze, Flatten and Identity of a constant", plus(13, 2).floats("a", []int{1, 2, 1}, 1, 2).
			node("Flatten", names("a -> b")).node("Squeeze", names("b -> d")).node("Identity", names("d -> c")), zeros(2), []float64{1, 2}},
		{"Sigmoid of a constant", plus(13, 1).floats("a", []int{1}, 0).node("Sigmoid", names("a -> c")), zeros(1), []float64{0.5}},
		{"Conv of a constant", plus(13, 1).floats("a", []int{1, 1, 2}, 1, 2).floats("w", []int{1, 1, 2}, 3, 4).ints("f", 1).
			node("Conv", names("a w -> b")).node("Reshape", names("b f -> c")), zeros(1), []float64{11}},
	}
}

// TestReadTensorTypes reads the number 1.5 (or 3) from every numeric type that
// a tensor may have, in raw and typed form.
func TestReadTensorTypes(t *testing.T) {
	raw := func(elem int64, b ...byte) message { return tensorMessage("k", []int{1}, elem, b) }
	typed := func(elem int64, set func(m *message)) message {
		var m message
		m.integer(1, 1)
		m.integer(2, elem)
		m.str(8, "k")
		set(&m)
		return m
	}
	double := binary.LittleEndian.AppendUint64(nil, math.Float64bits(1.5))
	for name, tc := range map[string]struct {
		t    message
		want float64
	}{
		"float":               {floatTensor("k", []int{1}, 1.5), 1.5},
		"float_data":          {typed(typeFloat, func(m *message) { m.float(4, 1.5) }), 1.5},
		"double":              {raw(typeDouble, double...), 1.5},
		"double_data":         {typed(typeDouble, func(m *message) { m.bytes(10, double) }), 1.5},
		"float16":             {raw(typeFloat16, 0x00, 0x3e), 1.5},
		"float16 in int32":    {typed(typeFloat16, func(m *message) { m.integer(5, 0x3e00) }), 1.5},
		"float16, subnormal":  {raw(typeFloat16, 0x01, 0x80), -math.Ldexp(1, -24)},
		"bfloat16":            {raw(typeBfloat16, 0xc0, 0x3f), 1.5},
		"bfloat16 in int32":   {typed(typeBfloat16, func(m *message) { m.integer(5, 0x3fc0) }), 1.5},
		"int8":                {raw(typeInt8, 0xfd), -3},
		"uint8":               {raw(typeUint8, 0xfd), 253},
		"int16":               {raw(typeInt16, 0xfd, 0xff), -3},
		"uint16":              {raw(typeUint16, 0xfd, 0xff), 65533},
		"int32":               {raw(typeInt32, 0xfd, 0xff, 0xff, 0xff), -3},
		"int32_data":          {typed(typeInt32, func(m *message) { m.integer(5, -3) }), -3},
		"int64_data":          {typed(typeInt64, func(m *message) { m.integer(7, -3) }), -3},
		"uint64_data":         {typed(typeUint64, func(m *message) { m.integer(11, 3) }), 3},
		"bool":                {raw(typeBool, 1), 1},
		"uint32":              {raw(typeUint32, 0xfd, 0, 0, 0), 253},
		"packed int32_data":   {typed(typeInt32, func(m *message) { m.bytes(5, []byte{7}) }), 7},
		"double beyond float": {raw(typeDouble, binary.LittleEndian.AppendUint64(nil, math.Float64bits(1.0/1024+1.0/(1<<40)))...), 1.0/1024 + 1.0/(1<<40)},
	} {
		t.Run(name, func(t *testing.T) {
			g, info, err := vector(13, 1).tensor(tc.t).node("Cast", names("k -> c"), intAttr("to", typeDouble)).
				node("Add", names("x c -> y")).read(nil)
			require.NoError(t, err)
			y, err := nn.Evaluate(g, []float64{0})
			require.NoError(t, err)
			assert.Equal(t, []float64{tc.want}, y)
			assert.Empty(t, info.Rounded)
		})
	}
}

// TestReadReportsRounding: constants computed from constants are exact or in
// Info.Rounded.
func TestReadReportsRounding(t *testing.T) {
	for _, tc := range []struct {
		op      string
		a, b    float64
		rounded bool
	}{
		{"Add", 1, 0.5, false},
		{"Add", 1, math.Ldexp(1, -60), true},
		{"Sub", 1, math.Ldexp(1, -60), true},
		{"Mul", float64(float32(0.1)), float64(float32(0.3)), false}, // 48 bits fit
		{"Div", 1, 4, false},
		{"Div", 1, 3, true},
		{"Pow", 3, 2, false},
		{"Pow", 2, 0.5, true},
	} {
		_, info, err := vector(13, 1).floats("a", []int{1}, tc.a).floats("b", []int{1}, tc.b).
			node(tc.op, names("a b -> c")).node("Mul", names("x c -> y")).read(nil)
		require.NoError(t, err)
		assert.Equal(t, tc.rounded, len(info.Rounded) == 1, "%s %v %v", tc.op, tc.a, tc.b)
	}
	_, info, err := vector(13, 1).tensor(tensorMessage("a", []int{1}, typeDouble, binary.LittleEndian.AppendUint64(nil, math.Float64bits(0.1)))).
		node("Cast", names("a -> b"), intAttr("to", typeFloat)).node("Sqrt", names("b -> c")).node("Exp", names("c -> d")).
		node("Mul", names("x d -> y")).read(nil)
	require.NoError(t, err)
	assert.Equal(t, []string{"Cast b", "Sqrt c", "Exp d"}, info.Rounded)
}
