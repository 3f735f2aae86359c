package nn

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// asKind is the typed error in err: "shape", "value", "unsupported" or "".
func asKind(err error) string {
	var s *ShapeError
	var v *ValueError
	var u *UnsupportedError
	switch {
	case errors.As(err, &s):
		return "shape"
	case errors.As(err, &v):
		return "value"
	case errors.As(err, &u):
		return "unsupported"
	}
	return ""
}

func second[T any](_ T, err error) error { return err }

func TestConstructorErrors(t *testing.T) {
	big, inf := math.MaxInt, math.Inf(1)
	conv := func(cfg ConvConfig, out, in, weights, bias int) error {
		var b []float64
		if bias > 0 {
			b = make([]float64, bias)
		}
		return second(NewConv(cfg, out, in, make([]float64, weights), b))
	}
	pool := func(cfg PoolConfig) error { return second(NewAveragePool(cfg)) }
	norm := func(n int, variance, epsilon float64) error {
		return second(NewBatchNorm(0, ones(1), ones(n), ones(1), []float64{variance}, epsilon))
	}
	for _, c := range []struct {
		name, want string
		err        error
	}{
		{"dense weights", "shape", second(NewDense(2, 2, make([]float64, 3), nil))},
		{"dense bias", "shape", second(NewDense(2, 2, make([]float64, 4), make([]float64, 1)))},
		{"dense of nothing", "shape", second(NewDense(0, 2, nil, nil))},
		{"matmul", "shape", second(NewMatMulLeft(2, 2, make([]float64, 5)))},
		{"matmul of nothing", "shape", second(NewMatMulLeft(0, 2, nil))},
		{"conv of three axes", "unsupported", conv(ConvConfig{Kernel: []int{1, 1, 1}}, 1, 1, 1, 0)},
		{"conv without kernel", "unsupported", conv(ConvConfig{}, 1, 1, 1, 0)},
		{"conv kernel", "value", conv(ConvConfig{Kernel: []int{0}}, 1, 1, 0, 0)},
		{"conv stride", "value", conv(ConvConfig{Kernel: []int{1}, Stride: []int{0}}, 1, 1, 1, 0)},
		{"conv strides", "value", conv(ConvConfig{Kernel: []int{1}, Stride: []int{1, 1}}, 1, 1, 1, 0)},
		{"conv dilation", "value", conv(ConvConfig{Kernel: []int{1}, Dilation: []int{-1}}, 1, 1, 1, 0)},
		{"conv pad", "value", conv(ConvConfig{Kernel: []int{1}, Pad: []int{-1, 0}}, 1, 1, 1, 0)},
		{"conv pads", "value", conv(ConvConfig{Kernel: []int{1}, Pad: []int{0}}, 1, 1, 1, 0)},
		{"conv huge pad", "value", conv(ConvConfig{Kernel: []int{1}, Pad: []int{big, big}}, 1, 1, 1, 0)},
		{"conv groups", "value", conv(ConvConfig{Kernel: []int{1}, Groups: 2}, 2, 3, 3, 0)},
		{"conv negative groups", "value", conv(ConvConfig{Kernel: []int{1}, Groups: -1}, 1, 1, 1, 0)},
		{"conv weights", "shape", conv(ConvConfig{Kernel: []int{2}}, 1, 1, 1, 0)},
		{"conv huge weights", "shape", conv(ConvConfig{Kernel: []int{1 << 28, 1 << 28}}, 1<<20, 1, 1, 0)},
		{"conv bias", "shape", conv(ConvConfig{Kernel: []int{1}}, 1, 1, 1, 2)},
		{"pool kernel", "value", pool(PoolConfig{Kernel: []int{-1}})},
		{"pool axes", "unsupported", pool(PoolConfig{Kernel: []int{1, 1, 1}})},
		{"max pool axes", "unsupported", second(NewMaxPool(PoolConfig{}))},
		{"norm sizes", "shape", norm(2, 1, 0)},
		{"norm variance", "value", norm(1, -1, 1e-5)},
		{"norm zero variance", "value", norm(1, 0, 0)},
		{"norm NaN variance", "value", norm(1, math.NaN(), 0)},
		{"norm epsilon", "value", norm(1, 1, -1)},
		{"norm infinite epsilon", "value", norm(1, 1, inf)},
		{"arith shape", "shape", second(NewConstArith(ArithAdd, ones(2), Shape{3}, false))},
		{"arith of nothing", "shape", second(NewConstArith(ArithAdd, nil, Shape{0}, false))},
		{"arith infinite", "value", second(NewConstArith(ArithAdd, []float64{inf}, nil, false))},
		{"arith beyond float32", "value", second(NewConstArith(ArithMul, []float64{1e300}, nil, false))},
		{"division by zero", "value", second(NewConstArith(ArithDiv, []float64{1, 0}, Shape{2}, false))},
		{"division of a constant", "unsupported", second(NewConstArith(ArithDiv, ones(1), nil, true))},
		{"no such arithmetic", "unsupported", second(NewConstArith(ArithKind(7), ones(1), nil, false))},
		{"transposition twice", "value", second(NewTranspose([]int{0, 0}))},
		{"transposition beyond", "value", second(NewTranspose([]int{0, 2}))},
		{"transposition negative", "value", second(NewTranspose([]int{0, -1}))},
		{"slice step", "value", second(NewSlice([]int{0}, []int{1}, nil, []int{0}))},
		{"slice lengths", "value", second(NewSlice([]int{0}, []int{1, 2}, nil, nil))},
		{"pad lengths", "value", second(NewPad([]int{0}, nil, 0))},
		{"pad huge", "value", second(NewPad([]int{big}, []int{big}, 0))},
		{"pad value", "value", second(NewPad([]int{0}, []int{0}, inf))},
		{"gather shape", "shape", second(NewGather(0, []int{1}, Shape{2}))},
		{"constant", "value", second(NewConstant([]float64{math.NaN()}, nil))},
		{"no such reduction", "unsupported", second(NewReduce(ReduceKind(9), nil, false))},
	} {
		assert.Equal(t, c.want, asKind(c.err), "%s: %v", c.name, c.err)
	}
}

func TestOutShapeErrors(t *testing.T) {
	conv1 := must(NewConv(ConvConfig{Kernel: []int{3}, Dilation: []int{1 << 28}}, 1, 2, ones(6), nil))
	pool := must(NewMaxPool(PoolConfig{Kernel: []int{2}, Pad: []int{2, 0}}))
	for _, c := range []struct {
		op   Operator
		in   []Shape
		want string
	}{
		{must(NewDense(1, 2, ones(2), nil)), []Shape{{3}}, "shape"},
		{must(NewDense(1, 2, ones(2), nil)), []Shape{{}}, "shape"},
		{must(NewMatMulLeft(1, 2, ones(2))), []Shape{{2}}, "shape"},
		{must(NewMatMulLeft(1, 2, ones(2))), []Shape{{3, 2}}, "shape"},
		{conv1, []Shape{{5}}, "shape"},
		{conv1, []Shape{{3, 5}}, "shape"},
		{conv1, []Shape{{2, 5}}, "shape"},
		{pool, []Shape{{}}, "shape"},
		{pool, []Shape{{3}}, "shape"}, // the first window lies in the padding
		{must(NewMaxPool(PoolConfig{Kernel: []int{4}})), []Shape{{3}}, "shape"},
		{NewGlobalAveragePool(2), []Shape{{1, 1}}, "shape"},
		{must(NewBatchNorm(1, ones(2), ones(2), ones(2), ones(2), 0)), []Shape{{2, 3}}, "shape"},
		{must(NewBatchNorm(2, ones(2), ones(2), ones(2), ones(2), 0)), []Shape{{2, 2}}, "shape"},
		{constant(ArithAdd, ones(2), Shape{2}), []Shape{{3}}, "shape"},
		{Add{}, []Shape{{3}}, "shape"},
		{Add{}, []Shape{{3}, {2}}, "shape"},
		{Sub{}, []Shape{{3}, {3}, {3}}, "shape"},
		{Concat{}, nil, "shape"},
		{Concat{Axis: 1}, []Shape{{2}}, "shape"},
		{Concat{}, []Shape{{2, 1}, {2, 2}}, "shape"},
		{Flatten{Axis: 3}, []Shape{{2, 2}}, "shape"},
		{NewReshape(Shape{-1, -1}), []Shape{{4}}, "shape"},
		{NewReshape(Shape{-2}), []Shape{{4}}, "shape"},
		{NewReshape(Shape{3, -1}), []Shape{{4}}, "shape"},
		{NewReshape(Shape{1, 0}), []Shape{{4}}, "shape"},
		{NewReshape(Shape{math.MaxInt, math.MaxInt, -1}), []Shape{{4}}, "shape"},
		{NewSqueeze([]int{0}), []Shape{{2}}, "shape"},
		{NewSqueeze([]int{1}), []Shape{{2}}, "shape"},
		{NewUnsqueeze([]int{0, 0}), []Shape{{2}}, "shape"},
		{NewUnsqueeze([]int{3}), []Shape{{2}}, "shape"},
		{must(NewTranspose([]int{0})), []Shape{{2, 2}}, "shape"},
		{must(NewSlice([]int{0}, []int{1}, []int{2}, nil)), []Shape{{2}}, "shape"},
		{must(NewSlice([]int{0, 0}, []int{1, 1}, []int{0, -1}, nil)), []Shape{{2}}, "shape"},
		{must(NewSlice([]int{1}, []int{1}, nil, nil)), []Shape{{2}}, "shape"},
		{must(NewGather(0, []int{2}, nil)), []Shape{{2}}, "shape"},
		{must(NewGather(1, []int{0}, nil)), []Shape{{2}}, "shape"},
		{must(NewPad([]int{0}, []int{0}, 0)), []Shape{{2, 2}}, "shape"},
		{must(NewPad([]int{-1}, []int{-1}, 0)), []Shape{{2}}, "shape"},
		{must(NewReduce(ReduceSum, []int{1}, false)), []Shape{{2}}, "shape"},
		{must(NewConstant(ones(1), nil)), []Shape{{1}}, "shape"},
		{ReLU{}, nil, "shape"},
		{LeakyReLU{2}, []Shape{{1}}, "value"},
	} {
		_, err := c.op.OutShape(c.in)
		assert.Equal(t, c.want, asKind(err), "%s of %v: %v", c.op.Kind(), c.in, err)
	}
}

// TestNoOperatorPanics gives every family inputs of every rank and number.
func TestNoOperatorPanics(t *testing.T) {
	forFamilies(t, 10, func(t *testing.T, c testCase, _ *rand.Rand) {
		for rank := range 5 {
			for count := range 4 {
				in := make([]Shape, count)
				for i := range in {
					in[i] = Shape{1, 2, 3, 4}[:rank]
				}
				s, err := c.op.OutShape(in)
				if err != nil {
					assert.NotEmpty(t, asKind(err))
				} else {
					assert.Positive(t, s.Size())
				}
			}
		}
	})
}

func TestBuilderErrors(t *testing.T) {
	nan := must(NewDense(1, 1, []float64{math.NaN()}, nil))
	huge := must(NewDense(1, 1, []float64{1e39}, nil))
	for _, c := range []struct {
		name, want, message string
		build               func(b *Builder) int
	}{
		{"no operator", "value", `node "x"`, func(b *Builder) int { return b.Add("x", nil, 0) }},
		{"no such input", "value", "input 5", func(b *Builder) int { return b.Add("x", ReLU{}, 5) }},
		{"shape", "shape", `node "x": Dense`, func(b *Builder) int { return b.Add("x", must(NewDense(1, 3, ones(3), nil)), 0) }},
		{"NaN", "value", "weight[0]", func(b *Builder) int { return b.Add("x", nan, 0) }},
		{"beyond float32", "value", "exceeds float32", func(b *Builder) int { return b.Add("x", huge, 0) }},
		{"too large", "shape", "more than", func(b *Builder) int { return b.Add("x", must(NewPad([]int{MaxElements}, []int{0}, 0)), 0) }},
		{"no such output", "value", "output 9", func(b *Builder) int { return 9 }},
		{"first error stays", "value", "input 5", func(b *Builder) int {
			b.Add("x", ReLU{}, 5)
			return b.Add("y", nil, 0)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := NewBuilder(Shape{1})
			_, err := b.Build(c.build(b))
			require.Equal(t, c.want, asKind(err), "%v", err)
			assert.ErrorContains(t, err, c.message)
		})
	}
	_, err := NewBuilder(Shape{0}).Build(0)
	assert.Equal(t, "shape", asKind(err))
	_, err = NewBuilder(Shape{math.MaxInt, 8}).Build(0)
	assert.Equal(t, "shape", asKind(err))
}

func TestBuilderDropsWhatIsNotNeeded(t *testing.T) {
	b := NewBuilder(Shape{1})
	b.NameInput("x")
	b.Add("dead", Tanh{}, b.Input())
	g, err := b.Build(b.Add("live", ReLU{}, b.Input()))
	require.NoError(t, err)
	assert.Equal(t, "Relu", kinds(g))
	assert.Equal(t, "x", g.Nodes()[0].Name)
	assert.Equal(t, 0, NumParams(g))
}
