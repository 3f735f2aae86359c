package onnx

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// numbers are n random float32 numbers.
func numbers(rng *rand.Rand, n int) []float64 {
	v := make([]float64, n)
	for k := range v {
		v[k] = float64(float32(rng.NormFloat64()))
	}
	return v
}

// positive are n random float32 numbers in [0.5, 1.5).
func positive(rng *rand.Rand, n int) []float64 {
	v := make([]float64, n)
	for k := range v {
		v[k] = float64(0.5 + rng.Float32())
	}
	return v
}

// must is op where making it cannot fail.
func must[T nn.Operator](op T, err error) T {
	if err != nil {
		panic(err)
	}
	return op
}

// chain is a graph of operators one after the other.
func chain(input nn.Shape, ops ...nn.Operator) (*nn.Graph, error) {
	b := nn.NewBuilder(input)
	at := b.Input()
	for k, op := range ops {
		at = b.Add(fmt.Sprintf("op%d", k), op, at)
	}
	return b.Build(at)
}

type sample struct {
	name string
	make func() (*nn.Graph, error)
}

// everyOperator is graphs that together hold every operator in every position
// of its axes that the writer tells apart.
func everyOperator() []sample {
	rng := rand.New(rand.NewPCG(1, 2))
	dense := func(out, in int) nn.Operator {
		return must(nn.NewDense(out, in, numbers(rng, out*in), numbers(rng, out)))
	}
	noBias := func(out, in int) nn.Operator { return must(nn.NewDense(out, in, numbers(rng, out*in), nil)) }
	conv2 := func(cfg nn.ConvConfig, out, in int) nn.Operator {
		cfg.Kernel = []int{3, 2}
		return must(nn.NewConv(cfg, out, in, numbers(rng, out*in/max(cfg.Groups, 1)*6), numbers(rng, out)))
	}
	conv1 := func(out, in int) nn.Operator {
		return must(nn.NewConv(nn.ConvConfig{Kernel: []int{3}, Pad: []int{1, 0}}, out, in, numbers(rng, out*in*3), nil))
	}
	norm := func(axis, n int) nn.Operator {
		return must(nn.NewBatchNorm(axis, numbers(rng, n), numbers(rng, n), numbers(rng, n), positive(rng, n), 1.0/1024))
	}
	arith := func(kind nn.ArithKind, first bool, shape ...int) nn.Operator {
		return must(nn.NewConstArith(kind, positive(rng, nn.Shape(shape).Size()), nn.Shape(shape), first))
	}
	constant := func(shape ...int) nn.Operator {
		return must(nn.NewConstant(numbers(rng, nn.Shape(shape).Size()), nn.Shape(shape)))
	}
	of := func(name string, input nn.Shape, ops ...nn.Operator) sample {
		return sample{name, func() (*nn.Graph, error) { return chain(input, ops...) }}
	}
	cfg := nn.ConvConfig{Stride: []int{2, 1}, Dilation: []int{1, 2}, Pad: []int{1, 0, 2, 1}, Groups: 2}
	pool := nn.PoolConfig{Kernel: []int{3, 2}, Stride: []int{2, 1}, Pad: []int{1, 0, 0, 1}}
	ceil := nn.PoolConfig{Kernel: []int{2, 2}, Stride: []int{2, 3}, Pad: []int{0, 1, 1, 0}, CeilMode: true, CountIncludePad: true}
	dilated := nn.PoolConfig{Kernel: []int{2}, Dilation: []int{2}}
	s := []sample{
		of("dense on a vector", nn.Shape{5}, dense(7, 5), nn.ReLU{}, noBias(3, 7)),
		of("dense on a row", nn.Shape{1, 5}, dense(7, 5), nn.ReLU{}, noBias(3, 7)),
		of("dense on a stack", nn.Shape{2, 3, 5}, dense(4, 5), noBias(4, 4), arith(nn.ArithAdd, false, 4), dense(2, 4)),
		of("wide dense, then a sum", nn.Shape{1, 1, 900}, noBias(4, 900), arith(nn.ArithAdd, false, 4)),
		of("matrix from the left", nn.Shape{3, 4}, must(nn.NewMatMulLeft(2, 3, numbers(rng, 6)))),
		of("matrix from the left of a stack", nn.Shape{2, 3, 4}, must(nn.NewMatMulLeft(2, 3, numbers(rng, 6)))),
		of("conv on an image", nn.Shape{4, 8, 9}, conv2(cfg, 6, 4), nn.ReLU{}, nn.Flatten{Axis: 0}),
		of("conv on a batch of one", nn.Shape{1, 4, 8, 9}, conv2(cfg, 6, 4), nn.LeakyReLU{Slope: 0.125}, nn.Flatten{Axis: 1}, dense(3, 6*5*8)),
		of("conv on a stack of images", nn.Shape{2, 3, 4, 8, 9}, conv2(cfg, 6, 4)),
		of("conv along one axis", nn.Shape{2, 9}, conv1(3, 2), nn.Tanh{}, conv1(2, 3)),
		of("conv along one axis, batch of one", nn.Shape{1, 2, 9}, conv1(3, 2)),
		of("normalisation of a vector", nn.Shape{5}, norm(0, 5)),
		of("normalisation of channels", nn.Shape{1, 3, 4, 2}, norm(1, 3)),
		of("normalisation of the last axis", nn.Shape{1, 3, 4, 2}, norm(-1, 2)),
		of("normalisation of an image", nn.Shape{3, 4, 2}, norm(0, 3)),
		of("average pool", nn.Shape{2, 7, 6}, must(nn.NewAveragePool(pool))),
		of("average pool, ceil", nn.Shape{1, 2, 7, 6}, must(nn.NewAveragePool(ceil))),
		of("average pool of a plane", nn.Shape{7, 6}, must(nn.NewAveragePool(pool))),
		of("average pool along one axis", nn.Shape{7}, must(nn.NewAveragePool(nn.PoolConfig{Kernel: []int{3}}))),
		of("max pool", nn.Shape{2, 7, 6}, must(nn.NewMaxPool(pool))),
		of("max pool, ceil", nn.Shape{2, 2, 7, 6}, must(nn.NewMaxPool(ceil))),
		of("max pool, dilated", nn.Shape{3, 7}, must(nn.NewMaxPool(dilated))),
		of("global average pool", nn.Shape{2, 7, 6}, nn.NewGlobalAveragePool(1)),
		of("global average pool, batch of one", nn.Shape{1, 2, 7, 6}, nn.NewGlobalAveragePool(2)),
		of("global average pool of everything", nn.Shape{2, 7, 6}, nn.NewGlobalAveragePool(0)),
		of("activations", nn.Shape{4}, nn.Sigmoid{}, nn.Tanh{}, nn.Arctan{}, nn.LeakyReLU{Slope: 0.25}, nn.ReLU{}, nn.Identity{}),
		of("arithmetic", nn.Shape{2, 3}, arith(nn.ArithAdd, false, 3), arith(nn.ArithSub, true, 2, 1), arith(nn.ArithSub, false),
			arith(nn.ArithMul, true, 2, 3), arith(nn.ArithDiv, false, 1, 3)),
		of("arithmetic with a larger constant", nn.Shape{3}, arith(nn.ArithAdd, false, 2, 3), arith(nn.ArithMul, true, 2, 2, 1)),
		of("sums over axes", nn.Shape{2, 3, 4}, must(nn.NewReduce(nn.ReduceSum, []int{1}, true)), must(nn.NewReduce(nn.ReduceMean, []int{-1}, false)), must(nn.NewReduce(nn.ReduceSum, nil, false))),
		of("views", nn.Shape{2, 3, 4}, nn.NewReshape(nn.Shape{0, -1, 2}), nn.NewUnsqueeze([]int{0, -1}), nn.NewSqueeze([]int{-1}), nn.NewSqueeze(nil), nn.Flatten{Axis: 2}, nn.Flatten{Axis: -1}),
		of("transpositions", nn.Shape{2, 3, 4}, must(nn.NewTranspose([]int{1, 0, 2})), must(nn.NewTranspose(nil))),
		of("slices", nn.Shape{5, 6}, must(nn.NewSlice([]int{-1, 1}, []int{-9, math.MaxInt32}, []int{1, 0}, []int{-2, 1})), must(nn.NewSlice([]int{0}, []int{2}, nil, nil))),
		of("gather", nn.Shape{3, 4}, must(nn.NewGather(1, []int{0, -1, 2, 2}, nn.Shape{2, 2})), must(nn.NewGather(0, []int{1}, nn.Shape{}))),
		of("pad", nn.Shape{3, 4}, must(nn.NewPad([]int{1, -1}, []int{0, 2}, 0.5))),
		of("constant output", nn.Shape{3}, arith(nn.ArithAdd, false, 3), must(nn.NewSlice([]int{0}, []int{1}, nil, nil))),
		of("nothing", nn.Shape{3}),
	}
	return append(s, branching(dense, constant)...)
}

// branching is graphs that are not chains.
func branching(dense func(out, in int) nn.Operator, constant func(shape ...int) nn.Operator) []sample {
	return []sample{
		{"residual", func() (*nn.Graph, error) {
			b := nn.NewBuilder(nn.Shape{1, 4})
			h := b.Add("h", dense(4, 4), 0)
			r := b.Add("h", nn.ReLU{}, h)
			s := b.Add("", nn.Add{}, r, 0)
			d := b.Add("", nn.Sub{}, s, h)
			return b.Build(b.Add("sum of three", nn.Add{}, d, s, 0))
		}},
		{"operands of different ranks", func() (*nn.Graph, error) {
			b := nn.NewBuilder(nn.Shape{4})
			m := b.Add("m", nn.NewUnsqueeze([]int{1}), 0)
			return b.Build(b.Add("out", nn.Sub{}, m, 0))
		}},
		{"concatenation", func() (*nn.Graph, error) {
			b := nn.NewBuilder(nn.Shape{2, 3})
			h := b.Add("h", nn.Tanh{}, 0)
			return b.Build(b.Add("out", nn.Concat{Axis: -1}, 0, h, h))
		}},
		{"concatenation with a constant", func() (*nn.Graph, error) {
			b := nn.NewBuilder(nn.Shape{2, 3})
			k := b.Add("k", constant(2, 2))
			c := b.Add("c", nn.Concat{Axis: 1}, 0, k)
			return b.Build(b.Add("out", nn.Add{}, c, b.Add("s", constant(5)), c))
		}},
		{"a constant", func() (*nn.Graph, error) {
			b := nn.NewBuilder(nn.Shape{3})
			return b.Build(b.Add("k", constant(2, 2)))
		}},
	}
}

// TestWriteRoundTrip writes and reads back every operator with every treatment
// of the batch axis: the function must come back bit for bit.
func TestWriteRoundTrip(t *testing.T) {
	for _, s := range everyOperator() {
		g, err := s.make()
		require.NoError(t, err, s.name)
		for _, opts := range []WriteOptions{{}, {Batch: BatchKeep}, {Batch: BatchAdd}, {Double: true, Name: "double"}} {
			t.Run(fmt.Sprintf("%s/%+v", s.name, opts), func(t *testing.T) {
				var buf bytes.Buffer
				require.NoError(t, Write(&buf, g, &opts))
				h, info, err := Read(&buf, "written.onnx", nil)
				require.NoError(t, err)
				assert.Empty(t, info.Rounded)
				assert.EqualValues(t, 13, info.Opset)
				assert.Equal(t, g.Nodes()[0].Name, info.Inputs[0].Name)
				sameFunction(t, g, h)
			})
		}
	}
}

// sameFunction compares g and h bit for bit at random inputs.
func sameFunction(t *testing.T, g, h nn.Network) {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 4))
	n := nn.InputShape(g).Size()
	require.Equal(t, n, nn.InputShape(h).Size())
	for range 5 {
		x := numbers(rng, n)
		want, err := nn.Evaluate(g, x)
		require.NoError(t, err)
		got, err := nn.Evaluate(h, x)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
}

// TestWriteBatchAuto pins which shapes count as having a batch axis.
func TestWriteBatchAuto(t *testing.T) {
	conv := must(nn.NewConv(nn.ConvConfig{Kernel: []int{2, 2}}, 1, 1, []float64{1, 2, 3, 4}, nil))
	for _, tc := range []struct {
		input nn.Shape
		op    nn.Operator
		want  nn.Shape
	}{
		{nn.Shape{4}, nn.ReLU{}, nn.Shape{1, 4}},
		{nn.Shape{1, 4}, nn.ReLU{}, nn.Shape{1, 4}},
		{nn.Shape{2, 4}, nn.ReLU{}, nn.Shape{1, 2, 4}},
		{nn.Shape{1, 4, 4}, conv, nn.Shape{1, 1, 4, 4}},
		{nn.Shape{1, 1, 4, 4}, conv, nn.Shape{1, 1, 4, 4}},
	} {
		g, err := chain(tc.input, tc.op)
		require.NoError(t, err)
		var buf bytes.Buffer
		require.NoError(t, Write(&buf, g, nil))
		h, _, err := Read(&buf, "", nil)
		require.NoError(t, err)
		assert.Equal(t, tc.want, nn.InputShape(h), "%v %s", tc.input, tc.op.Kind())
	}
}

// custom is an operator that is not of package nn.
type custom struct{ nn.ReLU }

func (custom) Kind() string { return "Custom" }

func TestWriteErrors(t *testing.T) {
	third := must(nn.NewDense(1, 1, []float64{1.0 / 3}, nil))
	g, err := chain(nn.Shape{1}, third)
	require.NoError(t, err)
	var v *nn.ValueError
	require.ErrorAs(t, Write(&bytes.Buffer{}, g, nil), &v)
	assert.Equal(t, "op0", v.Node)

	var buf bytes.Buffer
	require.NoError(t, Write(&buf, g, &WriteOptions{AllowRounding: true}))
	h, _, err := Read(&buf, "", nil)
	require.NoError(t, err)
	y, err := nn.Evaluate(h, []float64{1})
	require.NoError(t, err)
	assert.Equal(t, []float64{float64(float32(1.0 / 3))}, y)

	slope, err := chain(nn.Shape{1}, nn.LeakyReLU{Slope: 0.1})
	require.NoError(t, err)
	require.ErrorAs(t, Write(&bytes.Buffer{}, slope, &WriteOptions{Double: true}), &v)

	var u *nn.UnsupportedError
	c, err := chain(nn.Shape{1}, custom{})
	require.NoError(t, err)
	require.ErrorAs(t, Write(&bytes.Buffer{}, c, nil), &u)
	assert.Equal(t, "Custom", u.Op)

	require.ErrorAs(t, Write(&bytes.Buffer{}, c, &WriteOptions{Batch: 7}), &v)
}

// TestWriteFile also checks that a failed write leaves the old file alone.
func TestWriteFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "net.onnx")
	g, err := chain(nn.Shape{3}, nn.ReLU{})
	require.NoError(t, err)
	require.NoError(t, WriteFile(path, g, nil))
	h, _, err := ReadFile(path, nil)
	require.NoError(t, err)
	sameFunction(t, g, h)

	bad, err := chain(nn.Shape{3}, custom{})
	require.NoError(t, err)
	require.Error(t, WriteFile(path, bad, nil))
	_, _, err = ReadFile(path, nil)
	require.NoError(t, err)
	files, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, files, 1, "no temporary file is left")

	require.ErrorIs(t, WriteFile(filepath.Join(t.TempDir(), "no", "folder"), g, nil), os.ErrNotExist)
}

// failing is a writer that fails.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestWritePassesErrorsOn(t *testing.T) {
	g, err := chain(nn.Shape{3}, nn.ReLU{})
	require.NoError(t, err)
	require.EqualError(t, Write(failing{}, g, nil), "disk full")
}

// TestWriteBenchmarks writes real networks and reads them back.
func TestWriteBenchmarks(t *testing.T) {
	dir := dataDir(t)
	for _, bench := range []string{
		"vnncomp/2021", "vnncomp/2022", "vnncomp/2023/dist_shift", "vnncomp/2024/cora",
		"vnncomp/2024/linearizenn", "vnncomp/2024/safenlp", "nbc/onnx", "small/resources/onnx",
	} {
		paths := networks(t, filepath.Join(dir, bench))
		for k, path := range paths {
			if k > 0 && k < len(paths)-1 && filepath.Base(path)[:6] == filepath.Base(paths[k+1])[:6] {
				continue // of many networks of one make the last will do
			}
			g, _, err := ReadFile(path, nil)
			if err != nil {
				continue // TestReadZoo says which
			}
			for _, batch := range []BatchAxis{BatchAuto, BatchAdd} {
				var buf bytes.Buffer
				err := Write(&buf, g, &WriteOptions{Batch: batch})
				if errors.As(err, new(*nn.ValueError)) { // a constant that only float64 holds
					err = Write(&buf, g, &WriteOptions{Batch: batch, Double: true})
				}
				require.NoError(t, err, path)
				h, _, err := Read(&buf, path, nil)
				require.NoError(t, err, path)
				x := numbers(rand.New(rand.NewPCG(5, 6)), nn.InputShape(g).Size())
				want, err := nn.Evaluate(g, x)
				require.NoError(t, err)
				got, err := nn.Evaluate(h, x)
				require.NoError(t, err)
				require.True(t, slices.Equal(want, got), path)
			}
		}
	}
}
