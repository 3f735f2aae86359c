package train

// The networks of the gradient checks.

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// zoo is networks that together have every operator that training meets.
func zoo(t testing.TB) map[string]*nn.Graph {
	relu := Activation{nn.ReLU{}}
	nets := map[string]*nn.Graph{
		"dense": built(t, 1, nn.Shape{6}, Dense{7}, relu, Dense{5}, relu, Dense{4}),
		"conv":  built(t, 2, nn.Shape{2, 6, 6}, Conv{Out: 3, Kernel: 3, Stride: 2, Pad: []int{1, 0, 2, 1}}, relu, Conv{Out: 4, Kernel: 2, Pad: []int{1}}, relu, Dense{6}, relu, Dense{3}),
		"groups and pools": built(t, 3, nn.Shape{2, 7, 7}, Conv{Out: 4, Kernel: 3, Groups: 2}, relu, MaxPool{Kernel: 2, Stride: 2},
			Conv{Out: 4, Kernel: 2}, Activation{nn.LeakyReLU{Slope: 0.1}}, AveragePool{Kernel: 1, Stride: 1}, Dense{3}),
		"norm":   built(t, 4, nn.Shape{2, 6, 6}, Conv{Out: 3, Kernel: 3}, BatchNorm{}, relu, AveragePool{Kernel: 2, Stride: 2}, Dense{5}, BatchNorm{}, relu, Dense{3}),
		"smooth": built(t, 5, nn.Shape{5}, Dense{6}, Activation{nn.Tanh{}}, Dense{6}, Activation{nn.Sigmoid{}}, Dense{5}, Activation{nn.Arctan{}}, Dense{4}),
	}
	nets["residual"], nets["moves"] = residual(t), moves(t)
	return nets
}

// moves has a matrix from the left, slices, gathers, reductions and views.
func moves(t testing.TB) *nn.Graph {
	b := nn.NewBuilder(nn.Shape{2, 3, 4})
	arith := func(kind nn.ArithKind, c float64, first bool) nn.Operator {
		op, err := nn.NewConstArith(kind, []float64{c}, nn.Shape{1}, first)
		require.NoError(t, err)
		return op
	}
	dense := func(out, in int) nn.Operator {
		op, err := nn.NewDense(out, in, make([]float64, out*in), make([]float64, out))
		require.NoError(t, err)
		return op
	}
	slice, err := nn.NewSlice([]int{0}, []int{4}, []int{2}, []int{2})
	require.NoError(t, err)
	gather, err := nn.NewGather(0, []int{1, 0, 1}, nn.Shape{3})
	require.NoError(t, err)
	left, err := nn.NewMatMulLeft(5, 3, make([]float64, 15))
	require.NoError(t, err)
	constant, err := nn.NewConstant([]float64{0.2, -0.1, 0.3, 0.1, 0, -0.4}, nn.Shape{3, 2, 1})
	require.NoError(t, err)
	sum, err := nn.NewReduce(nn.ReduceSum, []int{2}, true)
	require.NoError(t, err)
	average, err := nn.NewReduce(nn.ReduceMean, []int{1}, false)
	require.NoError(t, err)

	h := b.Add("left", left, b.Input())                                            // [2 5 4]
	h = b.Add("relu1", nn.ReLU{}, b.Add("flip", arith(nn.ArithSub, 0.1, true), h)) // 0.1 − x
	h = b.Add("gather", gather, b.Add("slice", slice, h))                          // [3 5 2]
	pooled := b.Add("pool", nn.NewGlobalAveragePool(0), h)                         // [3 1 1]
	means := b.Add("means", average, h)                                            // [3 2]
	up := b.Add("unsqueeze", nn.NewUnsqueeze([]int{2}), means)                     // [3 2 1]
	up = b.Add("shifted", nn.Add{}, up, b.Add("constant", constant))
	up = b.Add("scaled", arith(nn.ArithMul, -1.5, false), up)
	total := b.Add("total", sum, b.Add("both", nn.Add{}, up, pooled))
	flat := b.Add("reshape", nn.NewReshape(nn.Shape{6}), b.Add("squeeze", nn.NewSqueeze([]int{2}), total))
	hidden := b.Add("relu2", nn.ReLU{}, b.Add("fc1", dense(5, 6), flat))
	g, err := b.Build(b.Add("fc2", dense(3, 5), b.Add("plus", arith(nn.ArithAdd, 0.1, false), hidden)))
	require.NoError(t, err)
	scramble(g, 9)
	return g
}

// residual has sums, differences, constants, a concatenation and moves.
func residual(t testing.TB) *nn.Graph {
	b := nn.NewBuilder(nn.Shape{1, 4, 4})
	sub, err := nn.NewConstArith(nn.ArithSub, []float64{0.4}, nn.Shape{1}, false)
	require.NoError(t, err)
	div, err := nn.NewConstArith(nn.ArithDiv, []float64{-0.7}, nn.Shape{1}, false)
	require.NoError(t, err)
	conv := func(in, out int) nn.Operator {
		op, err := nn.NewConv(nn.ConvConfig{Kernel: []int{3, 3}, Pad: []int{1, 1, 1, 1}}, out, in, make([]float64, out*in*9), make([]float64, out))
		require.NoError(t, err)
		return op
	}
	concat := nn.Concat{Axis: 0}
	perm, err := nn.NewTranspose([]int{1, 2, 0})
	require.NoError(t, err)
	pad, err := nn.NewPad([]int{0, 1, 0}, []int{0, 0, 1}, 0)
	require.NoError(t, err)
	x := b.Add("shift", sub, b.Add("scale", div, b.Input()))
	h := b.Add("relu1", nn.ReLU{}, b.Add("conv1", conv(1, 2), x))
	k := b.Add("conv2", conv(2, 2), h)
	sum := b.Add("sum", nn.Add{}, h, k)
	diff := b.Add("difference", nn.Sub{}, b.Add("relu2", nn.ReLU{}, sum), h)
	cat := b.Add("concat", concat, diff, x)
	moved := b.Add("transpose", perm, b.Add("pad", pad, cat))
	flat := b.Add("flat", nn.Flatten{Axis: 0}, moved)
	op, err := nn.NewDense(3, b.Shape(flat).Size(), make([]float64, 3*b.Shape(flat).Size()), make([]float64, 3))
	require.NoError(t, err)
	g, err := b.Build(b.Add("fc", op, flat))
	require.NoError(t, err)
	scramble(g, 6)
	return g
}
