package nn

import (
	"math"
	"math/rand/v2"

	"github.com/stretchr/testify/require"
)

// testCase is an operator with the shapes of its inputs.
type testCase struct {
	op Operator
	in []Shape
}

// normals are standard normal numbers, a few of them far smaller or larger so
// that sums lose digits.
func normals(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = r.NormFloat64()
		if r.IntN(8) == 0 {
			x[i] = math.Ldexp(x[i], r.IntN(30)-15)
		}
	}
	return x
}

func sizes(r *rand.Rand, n, most int) Shape {
	s := make(Shape, n)
	for i := range s {
		s[i] = 1 + r.IntN(most)
	}
	return s
}

func maybeBias(r *rand.Rand, n int) []float64 {
	if r.IntN(3) == 0 {
		return nil
	}
	return normals(r, n)
}

// randomWindow is a random geometry over n axes, and attributes left out at
// random.
func randomWindow(r *rand.Rand, n int) ConvConfig {
	c := ConvConfig{Kernel: sizes(r, n, 3)}
	if r.IntN(3) > 0 {
		c.Stride = sizes(r, n, 3)
	}
	if r.IntN(3) == 0 {
		c.Dilation = sizes(r, n, 2)
	}
	if r.IntN(2) == 0 {
		c.Pad = make([]int, 2*n)
		for i := range c.Pad {
			c.Pad[i] = r.IntN(3)
		}
	}
	return c
}

// leading is zero to two batch axes.
func leading(r *rand.Rand) Shape { return sizes(r, r.IntN(3), 2) }

// generators makes one random case per operator family. A generator may return
// a combination that OutShape rejects; randomCase then tries again.
var generators = map[string]func(t require.TestingT, r *rand.Rand) testCase{
	"Dense": func(t require.TestingT, r *rand.Rand) testCase {
		out, in := 1+r.IntN(6), 1+r.IntN(6)
		op, err := NewDense(out, in, normals(r, out*in), maybeBias(r, out))
		require.NoError(t, err)
		return testCase{op, []Shape{append(leading(r), in)}}
	},
	"MatMulLeft": func(t require.TestingT, r *rand.Rand) testCase {
		m, k := 1+r.IntN(5), 1+r.IntN(5)
		op, err := NewMatMulLeft(m, k, normals(r, m*k))
		require.NoError(t, err)
		return testCase{op, []Shape{append(leading(r), k, 1+r.IntN(4))}}
	},
	"Conv": func(t require.TestingT, r *rand.Rand) testCase {
		axes, groups := 1+r.IntN(2), 1+r.IntN(2)
		cfg := randomWindow(r, axes)
		cfg.Groups = groups
		out, in := groups*(1+r.IntN(2)), groups*(1+r.IntN(2))
		n := out * in / groups * Shape(cfg.Kernel).Size()
		op, err := NewConv(cfg, out, in, normals(r, n), maybeBias(r, out))
		require.NoError(t, err)
		return testCase{op, []Shape{append(append(leading(r), in), sizes(r, axes, 6)...)}}
	},
	"AveragePool": func(t require.TestingT, r *rand.Rand) testCase {
		axes := 1 + r.IntN(2)
		w := randomWindow(r, axes)
		op, err := NewAveragePool(PoolConfig{w.Kernel, w.Stride, w.Dilation, w.Pad, r.IntN(2) == 0, r.IntN(2) == 0})
		require.NoError(t, err)
		return testCase{op, []Shape{append(leading(r), sizes(r, axes, 7)...)}}
	},
	"MaxPool": func(t require.TestingT, r *rand.Rand) testCase {
		axes := 1 + r.IntN(2)
		w := randomWindow(r, axes)
		op, err := NewMaxPool(PoolConfig{w.Kernel, w.Stride, w.Dilation, w.Pad, r.IntN(2) == 0, false})
		require.NoError(t, err)
		return testCase{op, []Shape{append(leading(r), sizes(r, axes, 7)...)}}
	},
	"GlobalAveragePool": func(t require.TestingT, r *rand.Rand) testCase {
		s := sizes(r, 1+r.IntN(4), 4)
		return testCase{NewGlobalAveragePool(r.IntN(2*len(s)) - len(s)), []Shape{s}}
	},
	"BatchNorm": func(t require.TestingT, r *rand.Rand) testCase {
		s := sizes(r, 1+r.IntN(4), 4)
		axis := r.IntN(2*len(s)) - len(s)
		at, _ := s.Axis(axis)
		n := s[at]
		variance := make([]float64, n)
		for i := range variance {
			variance[i] = r.ExpFloat64()
		}
		op, err := NewBatchNorm(axis, normals(r, n), normals(r, n), normals(r, n), variance, 1e-5)
		require.NoError(t, err)
		return testCase{op, []Shape{s}}
	},
	"ConstArith": func(t require.TestingT, r *rand.Rand) testCase {
		in, shape := broadcastPair(r)
		kind := ArithKind(r.IntN(4))
		op, err := NewConstArith(kind, normals(r, shape.Size()), shape, kind != ArithDiv && r.IntN(2) == 0)
		require.NoError(t, err)
		return testCase{op, []Shape{in}}
	},
	"Add": func(t require.TestingT, r *rand.Rand) testCase {
		a, b := broadcastPair(r)
		if r.IntN(2) == 0 {
			return testCase{Add{}, []Shape{a, b}}
		}
		return testCase{Add{}, []Shape{a, b, {1}, a, b}}
	},
	"Sub": func(t require.TestingT, r *rand.Rand) testCase {
		a, b := broadcastPair(r)
		return testCase{Sub{}, []Shape{a, b}}
	},
	"Constant": func(t require.TestingT, r *rand.Rand) testCase {
		s := leading(r)
		op, err := NewConstant(normals(r, s.Size()), s)
		require.NoError(t, err)
		return testCase{op, nil}
	},
	"Concat": func(t require.TestingT, r *rand.Rand) testCase {
		s := sizes(r, 1+r.IntN(3), 3)
		axis := r.IntN(2*len(s)) - len(s)
		at, _ := s.Axis(axis)
		c := testCase{op: Concat{Axis: axis}}
		for range 1 + r.IntN(3) {
			in := s.Clone()
			in[at] = 1 + r.IntN(3)
			c.in = append(c.in, in)
		}
		return c
	},
	"Views": func(t require.TestingT, r *rand.Rand) testCase {
		s := sizes(r, 1+r.IntN(3), 3)
		switch r.IntN(5) {
		case 0:
			return testCase{Identity{}, []Shape{s}}
		case 1:
			return testCase{Flatten{Axis: r.IntN(2*len(s)+1) - len(s)}, []Shape{s}}
		case 2:
			return testCase{NewReshape(Shape{0, 1, -1}), []Shape{s}}
		case 3:
			return testCase{NewSqueeze(nil), []Shape{s}}
		}
		return testCase{NewUnsqueeze([]int{0, -1}), []Shape{s}}
	},
	"Transpose": func(t require.TestingT, r *rand.Rand) testCase {
		s := sizes(r, 1+r.IntN(4), 4)
		var perm []int
		if r.IntN(4) > 0 {
			perm = r.Perm(len(s))
		}
		op, err := NewTranspose(perm)
		require.NoError(t, err)
		return testCase{op, []Shape{s}}
	},
	"Slice": func(t require.TestingT, r *rand.Rand) testCase {
		s := sizes(r, 1+r.IntN(3), 6)
		n := 1 + r.IntN(len(s))
		var starts, ends, steps []int
		axes := r.Perm(len(s))[:n]
		for i := range axes {
			if r.IntN(2) == 0 {
				axes[i] -= len(s)
			}
			starts, ends = append(starts, r.IntN(17)-8), append(ends, r.IntN(17)-8)
			step := r.IntN(3) + 1
			if r.IntN(2) == 0 {
				step = -step
			}
			steps = append(steps, step)
			if r.IntN(6) == 0 {
				starts[i], ends[i] = math.MaxInt, math.MinInt
				steps[i] = -1
			}
		}
		op, err := NewSlice(starts, ends, axes, steps)
		require.NoError(t, err)
		return testCase{op, []Shape{s}}
	},
	"Gather": func(t require.TestingT, r *rand.Rand) testCase {
		s := sizes(r, 1+r.IntN(3), 4)
		axis := r.IntN(2*len(s)) - len(s)
		at, _ := s.Axis(axis)
		shape := sizes(r, r.IntN(3), 3)
		indices := make([]int, shape.Size())
		for i := range indices {
			indices[i] = r.IntN(2*s[at]) - s[at]
		}
		op, err := NewGather(axis, indices, shape)
		require.NoError(t, err)
		return testCase{op, []Shape{s}}
	},
	"Pad": func(t require.TestingT, r *rand.Rand) testCase {
		s := sizes(r, 1+r.IntN(3), 4)
		before, after := make([]int, len(s)), make([]int, len(s))
		for i := range s {
			before[i], after[i] = r.IntN(4)-1, r.IntN(4)-1
		}
		op, err := NewPad(before, after, r.NormFloat64())
		require.NoError(t, err)
		return testCase{op, []Shape{s}}
	},
	"Reduce": func(t require.TestingT, r *rand.Rand) testCase {
		s := sizes(r, 1+r.IntN(4), 3)
		axes := r.Perm(len(s))[:r.IntN(len(s)+1)]
		for i := range axes {
			if r.IntN(2) == 0 {
				axes[i] -= len(s)
			}
		}
		op, err := NewReduce(ReduceKind(r.IntN(2)), axes, r.IntN(2) == 0)
		require.NoError(t, err)
		return testCase{op, []Shape{s}}
	},
	"Activations": func(t require.TestingT, r *rand.Rand) testCase {
		op := []Operator{ReLU{}, LeakyReLU{0.1}, Sigmoid{}, Tanh{}, Arctan{}}[r.IntN(5)]
		return testCase{op, []Shape{sizes(r, 2, 4)}}
	},
}

// broadcastPair is two shapes that broadcast.
func broadcastPair(r *rand.Rand) (a, b Shape) {
	full := sizes(r, 1+r.IntN(4), 3)
	half := func() Shape {
		s := full.Clone()[r.IntN(len(full)):]
		for i := range s {
			if r.IntN(3) == 0 {
				s[i] = 1
			}
		}
		return s
	}
	if r.IntN(2) == 0 {
		return full, half()
	}
	return half(), half()
}

// randomCase is a case that OutShape accepts and that is small enough for the
// twin.
func randomCase(t require.TestingT, family string, r *rand.Rand) testCase {
	for {
		c := generators[family](t, r)
		out, err := c.op.OutShape(c.in)
		if err == nil && out.Size() <= 400 {
			return c
		}
		if err != nil {
			var s *ShapeError
			require.ErrorAs(t, err, &s)
		}
	}
}

// inputs is random inputs of a batch.
func (c testCase) inputs(r *rand.Rand, batch int) [][]float64 {
	x := make([][]float64, len(c.in))
	for k, s := range c.in {
		x[k] = normals(r, batch*s.Size())
	}
	return x
}

// call is a Call over x with buffers for everything.
func call[T Float](c testCase, x [][]T, batch int) *Call[T] {
	out, err := c.op.OutShape(c.in)
	if err != nil {
		panic(err)
	}
	k := &Call[T]{Batch: batch, InShapes: c.in, OutShape: out, In: x, Out: make([]T, batch*out.Size()), GradOut: make([]T, batch*out.Size())}
	for _, s := range c.in {
		k.GradIn = append(k.GradIn, make([]T, batch*s.Size()))
	}
	for _, p := range c.op.Params() {
		k.GradParams = append(k.GradParams, make([]T, len(p.Values())))
	}
	return k
}

func to32(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}
