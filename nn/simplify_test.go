package nn

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func chain(t *testing.T, input Shape, ops ...Operator) *Graph {
	t.Helper()
	b := NewBuilder(input)
	at := b.Input()
	for i, op := range ops {
		at = b.Add(strings.Repeat("n", i+1), op, at)
	}
	g, err := b.Build(at)
	require.NoError(t, err)
	return g
}

func kinds(net Network) string {
	var k []string
	for _, n := range net.Nodes()[1:] {
		k = append(k, n.Op.Kind())
	}
	return strings.Join(k, " ")
}

func constant(kind ArithKind, c []float64, shape Shape) Operator {
	return must(NewConstArith(kind, c, shape, false))
}

func ones(n int) []float64 {
	x := make([]float64, n)
	fill(x, 1)
	return x
}

func TestSimplifyTable(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	dense := func(out, in int) Operator { return must(NewDense(out, in, normals(r, out*in), nil)) }
	conv := func(pad int) Operator {
		return must(NewConv(ConvConfig{Kernel: []int{3, 3}, Pad: []int{pad, pad, pad, pad}}, 2, 3, normals(r, 54), nil))
	}
	norm := func(axis, n int) Operator {
		return must(NewBatchNorm(axis, normals(r, n), normals(r, n), normals(r, n), ones(n), 1e-5))
	}
	scale := func(s Shape) Operator { return constant(ArithMul, normals(r, s.Size()), s) }
	shift := func(s Shape) Operator { return constant(ArithSub, normals(r, s.Size()), s) }
	image := Shape{1, 3, 4, 4}
	for _, c := range []struct {
		name  string
		input Shape
		ops   []Operator
		want  string
	}{
		{"matmul and add", Shape{1, 3}, []Operator{dense(2, 3), shift(Shape{2})}, "Dense"},
		{"add of another rank", Shape{3}, []Operator{dense(2, 3), shift(Shape{1, 2})}, "Dense Reshape"},
		{"add of another size", Shape{3}, []Operator{dense(2, 3), shift(Shape{2, 2})}, "Dense Sub"},
		{"add per row", Shape{4, 3}, []Operator{dense(2, 3), shift(Shape{4, 1})}, "Dense Sub"},
		{"norm behind dense", Shape{1, 3}, []Operator{dense(2, 3), norm(1, 2), ReLU{}}, "Dense Relu"},
		{"norm before dense", Shape{1, 3}, []Operator{ReLU{}, norm(-1, 3), dense(2, 3)}, "Relu Dense"},
		{"norm, flatten, dense", Shape{2, 3}, []Operator{norm(0, 2), Flatten{Axis: 0}, dense(2, 6)}, "Flatten Dense"},
		{"normalised input", Shape{3}, []Operator{shift(Shape{3}), constant(ArithDiv, []float64{255}, Shape{}), dense(2, 3)}, "Dense"},
		{"norm behind padded conv", image, []Operator{conv(1), norm(1, 2)}, "Conv"},
		{"norm before conv", image, []Operator{norm(1, 3), conv(0)}, "Conv"},
		{"norm before padded conv", image, []Operator{norm(1, 3), conv(1)}, "BatchNormalization Conv"},
		{"scale before padded conv", image, []Operator{scale(Shape{3, 1, 1}), conv(1)}, "Conv"},
		{"shift of pixels before conv", image, []Operator{shift(Shape{3, 4, 4}), conv(0)}, "Sub Conv"},
		{"flattened bias of conv", image, []Operator{conv(0), Flatten{Axis: 1}, constant(ArithAdd, []float64{1, 1, 1, 1, 2, 2, 2, 2}, Shape{8})}, "Conv Flatten"},
		{"views", image, []Operator{Flatten{Axis: 1}, NewReshape(Shape{6, 8}), NewUnsqueeze([]int{0}), ReLU{}}, "Reshape Relu"},
		{"views back", image, []Operator{Flatten{Axis: 1}, ReLU{}, NewReshape(Shape{6, 8}), Identity{}, NewReshape(Shape{1, 48})}, "Flatten Relu"},
		{"transposed unit axes", Shape{1, 3, 1}, []Operator{must(NewTranspose(nil)), ReLU{}}, "Relu"},
		{"transposed around a unit axis", Shape{2, 1, 3}, []Operator{must(NewTranspose([]int{1, 0, 2}))}, "Reshape"},
		{"transpose that moves two", Shape{2, 1, 3}, []Operator{must(NewTranspose([]int{2, 1, 0}))}, "Transpose"},
		{"transpose that moves", Shape{2, 3}, []Operator{must(NewTranspose(nil))}, "Transpose"},
		{"neutral", Shape{2}, []Operator{constant(ArithAdd, []float64{0}, Shape{}), ReLU{}, constant(ArithDiv, []float64{1, 1}, Shape{2}), Concat{Axis: 0}}, "Relu"},
		{"nothing left", Shape{2}, []Operator{Identity{}}, ""},
		{"sums", Shape{2}, []Operator{shift(Shape{2}), must(NewConstArith(ArithSub, []float64{1}, Shape{1}, true)), shift(Shape{2})}, "Sub"},
		{"products", Shape{2}, []Operator{scale(Shape{2}), constant(ArithDiv, []float64{3}, nil), scale(Shape{})}, "Mul"},
		{"sum and product", Shape{2}, []Operator{shift(Shape{2}), scale(Shape{2})}, "Sub Mul"},
		{"narrowing dense", Shape{6}, []Operator{dense(7, 6), dense(2, 7), ReLU{}}, "Dense Relu"},
		{"bottleneck", Shape{6}, []Operator{dense(1, 6), dense(6, 1)}, "Dense Dense"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := chain(t, c.input, c.ops...)
			s, err := Simplify(g)
			require.NoError(t, err)
			assert.Equal(t, c.want, kinds(s))
			assert.Equal(t, OutputShape(g).Size(), OutputShape(s).Size())
			assertSame(t, g, s, r)
		})
	}
}

// assertSame compares two networks at random inputs.
func assertSame(t *testing.T, want, got Network, r *rand.Rand) {
	t.Helper()
	for range 3 {
		x := make([]float64, InputShape(want).Size())
		for i := range x {
			x[i] = r.NormFloat64()
		}
		a, b := must(Evaluate(want, x)), must(Evaluate(got, x))
		top := 1.0
		for _, v := range a {
			top = max(top, math.Abs(v))
		}
		require.Len(t, b, len(a))
		for i := range a {
			require.InDelta(t, a[i], b[i], 1e-7*top)
		}
	}
}

func TestSimplifyKeepsWhatOthersRead(t *testing.T) {
	b := NewBuilder(Shape{2})
	d := b.Add("dense", must(NewDense(2, 2, []float64{1, 2, 3, 4}, nil)), b.Input())
	s := b.Add("scaled", constant(ArithMul, []float64{2}, nil), d)
	g, err := b.Build(b.Add("sum", Add{}, d, s))
	require.NoError(t, err)
	simple, err := Simplify(g)
	require.NoError(t, err)
	assert.Equal(t, "Dense Mul Add", kinds(simple))
	assert.Equal(t, []float64{9, 21}, must(Evaluate(simple, []float64{1, 1})))
}

func TestSimplifyConstantOperand(t *testing.T) {
	b := NewBuilder(Shape{2})
	c := b.Add("constant", must(NewConstant([]float64{5, 7}, Shape{2})))
	d := b.Add("dense", must(NewDense(2, 2, []float64{1, 2, 3, 4}, nil)), b.Input())
	g, err := b.Build(b.Add("difference", Sub{}, c, d))
	require.NoError(t, err)
	simple, err := Simplify(g)
	require.NoError(t, err)
	assert.Equal(t, "Dense", kinds(simple))
	assert.Equal(t, "dense", simple.Nodes()[1].Name)
	assert.Equal(t, []float64{2, 0}, must(Evaluate(simple, []float64{1, 1})))
}

func TestSimplifyLeavesExtremeCoefficients(t *testing.T) {
	dense := must(NewDense(1, 1, []float64{1e30}, nil))
	for _, c := range []float64{1e30, 1e-300} {
		d := dense
		if c < 1 {
			d = must(NewDense(1, 1, []float64{1e-200}, nil))
		}
		s, err := Simplify(chain(t, Shape{1}, d, constant(ArithMul, []float64{c}, nil)))
		require.NoError(t, err)
		assert.Equal(t, "Dense Mul", kinds(s), "%v", c)
	}
}

// randomElementwise is arithmetic with a constant or a batch normalisation
// over s, with the channels at axis.
func randomElementwise(r *rand.Rand, s Shape, axis int) Operator {
	n := s[axis]
	perChannel := make(Shape, len(s)-axis)
	fill64(perChannel, 1)
	perChannel[0] = n
	if r.IntN(3) == 0 {
		variance := make([]float64, n)
		for i := range variance {
			variance[i] = r.ExpFloat64()
		}
		return must(NewBatchNorm(axis, normals(r, n), normals(r, n), normals(r, n), variance, 1e-5))
	}
	kind := ArithKind(r.IntN(4))
	return must(NewConstArith(kind, normals(r, n), perChannel, kind != ArithDiv && r.IntN(3) == 0))
}

func fill64(s Shape, v int) {
	for i := range s {
		s[i] = v
	}
}

// foldable is a random chain of element-wise operators and views around a
// Dense or Conv, sometimes with a second Dense.
func foldable(t *testing.T, r *rand.Rand) *Graph {
	b := NewBuilder(Shape{1, 1 + r.IntN(5)})
	axis := 1
	isConv := r.IntN(2) == 0
	if isConv {
		b = NewBuilder(Shape{1, 2, 4, 1 + r.IntN(4)})
	}
	at := b.Input()
	elementwise := func() {
		for range r.IntN(4) {
			at = b.Add("e", randomElementwise(r, b.Shape(at), axis), at)
			if r.IntN(3) == 0 {
				at = b.Add("v", NewReshape(b.Shape(at)), b.Add("v", Flatten{Axis: 0}, at))
			}
		}
	}
	dense := func() {
		in, out := b.Shape(at)[1], 1+r.IntN(4)
		at = b.Add("dense", must(NewDense(out, in, normals(r, out*in), maybeBias(r, out))), at)
	}
	elementwise()
	if isConv {
		cfg := ConvConfig{Kernel: []int{2, 1}, Groups: 1 + r.IntN(2)}
		if r.IntN(2) == 0 {
			cfg.Pad = []int{0, 1, 0, 0}
		}
		at = b.Add("conv", must(NewConv(cfg, 4, 2, normals(r, 16/cfg.Groups), maybeBias(r, 4))), at)
	} else {
		dense()
		if r.IntN(2) == 0 {
			elementwise()
			dense()
		}
	}
	elementwise()
	g, err := b.Build(at)
	require.NoError(t, err)
	return g
}

// randomGraph is a random network of everything: branches, sums, joins,
// layers, activations and views.
func randomGraph(t *testing.T, r *rand.Rand, smooth bool) *Graph {
	b := NewBuilder(append(Shape{1}, sizes(r, 1+2*r.IntN(2), 4)...))
	live := []int{b.Input()}
	pick := func() int {
		if r.IntN(3) > 0 {
			return live[len(live)-1]
		}
		return live[len(live)-1-r.IntN(min(len(live), 3))]
	}
	for range 4 + r.IntN(12) {
		at := pick()
		s := b.Shape(at)
		axis := min(1, len(s)-1)
		var op Operator
		in := []int{at}
		switch r.IntN(9) {
		case 0:
			last := s[len(s)-1]
			out := 1 + r.IntN(4)
			op = must(NewDense(out, last, gaussians(r, out*last), gaussians(r, out)))
		case 1:
			if len(s) != 4 {
				continue
			}
			out := 1 + r.IntN(3)
			op = must(NewConv(ConvConfig{Kernel: []int{1, 1}, Pad: []int{0, r.IntN(2), 0, 0}}, out, s[1], gaussians(r, out*s[1]), nil))
		case 2:
			op = must(NewBatchNorm(axis, gaussians(r, s[axis]), gaussians(r, s[axis]), gaussians(r, s[axis]), ones(s[axis]), 0.1))
		case 3:
			op = constant(ArithKind(r.IntN(3)), gaussians(r, 1), Shape{1})
		case 4:
			op = []Operator{Sigmoid{}, Tanh{}}[r.IntN(2)]
			if !smooth {
				op = []Operator{ReLU{}, LeakyReLU{0.5}}[r.IntN(2)]
			}
		case 5:
			op = []Operator{Identity{}, Flatten{Axis: 1}, NewReshape(Shape{1, -1, 1}), NewUnsqueeze([]int{0})}[r.IntN(4)]
		case 6, 7:
			other := pick()
			in = append(in, other)
			op = []Operator{Add{}, Sub{}, Concat{Axis: -1}}[r.IntN(3)]
			if _, err := op.OutShape([]Shape{s, b.Shape(other)}); err != nil {
				continue
			}
		case 8:
			op = NewGlobalAveragePool(-1)
		}
		if shape, err := op.OutShape([]Shape{s, s}[:1]); len(in) == 1 && (err != nil || shape.Size() > 200) {
			continue
		}
		live = append(live, b.Add("node", op, in...))
	}
	g, err := b.Build(live[len(live)-1])
	require.NoError(t, err)
	return g
}

func gaussians(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = r.NormFloat64()
	}
	return x
}

func TestSimplifyRandomGraphs(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	removed := 0
	for range 500 {
		g := randomGraph(t, r, false)
		s, err := Simplify(g)
		require.NoError(t, err)
		require.LessOrEqual(t, len(s.Nodes()), len(g.Nodes()))
		removed += len(g.Nodes()) - len(s.Nodes())
		assertSame(t, g, s, r)
		again, err := Simplify(s)
		require.NoError(t, err)
		require.Equal(t, kinds(s), kinds(again), "a second time changes nothing")
	}
	assert.Greater(t, removed, 300)
}
