package nn

// Properties of every operator, on random configurations: against the twins of
// naive_test.go, and of its derivative and bounds against its own matrix.

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// forFamilies runs f on n random cases of every operator family.
func forFamilies(t *testing.T, n int, f func(t *testing.T, c testCase, r *rand.Rand)) {
	for family := range generators {
		t.Run(family, func(t *testing.T) {
			h := fnv.New64a()
			h.Write([]byte(family))
			r := rand.New(rand.NewPCG(h.Sum64(), 1))
			for range n {
				f(t, randomCase(t, family, r), r)
				if t.Failed() {
					t.FailNow()
				}
			}
		})
	}
}

func gamma(n int) float64 { return float64(n) * 0x1p-53 / (1 - float64(n)*0x1p-53) }

// distance is |computed − want|, rounded up.
func distance(computed float64, want num) float64 {
	d, _ := minus(exact(computed), want).Float64()
	return math.Abs(d) * (1 + 1e-15)
}

func samples(x [][]float64, in []Shape, b int) [][]num {
	s := make([][]num, len(x))
	for k := range x {
		n := in[k].Size()
		s[k] = exacts(x[k][b*n : (b+1)*n])
	}
	return s
}

func TestForwardAgainstTwin(t *testing.T) {
	const batch = 3
	forFamilies(t, 80, func(t *testing.T, c testCase, r *rand.Rand) {
		x := c.inputs(r, batch)
		k := call(c, x, batch)
		fill(k.Out, math.NaN()) // must be overwritten
		c.op.Forward64(k)
		x32 := make([][]float32, len(x))
		for i := range x {
			x32[i] = to32(x[i])
		}
		k32 := call(c, x32, batch)
		fill(k32.Out, float32(math.NaN()))
		c.op.Forward32(k32)
		m := magnitude(c, x, batch)
		n := k.OutShape.Size()
		for b := range batch {
			for i, want := range naive(c.op, c.in, samples(x, c.in, b)) {
				at := b*n + i
				w, _ := want.Float64()
				require.InDelta(t, w, k.Out[at], 1e-13*(m[at]+math.Abs(w)), "%T %+v %v", c.op, c.op, c.in)
				require.InDelta(t, w, k32.Out[at], 1e-5*(m[at]+math.Abs(w)), "float32 %T %+v %v", c.op, c.op, c.in)
			}
		}
	})
}

func fill[T Float](x []T, v T) {
	for i := range x {
		x[i] = v
	}
}

// magnitude is the terms that make up op's outputs at x; for operators that
// are not affine, of the inputs.
func magnitude(c testCase, x [][]float64, batch int) []float64 {
	a, ok := c.op.(Affine)
	if !ok {
		k := call(c, x, batch)
		top := 0.0
		for _, v := range x[0] {
			top = max(top, math.Abs(v))
		}
		fill(k.Out, top)
		return k.Out
	}
	k := call(c, absolute(x), batch)
	fill(k.Out, math.NaN())
	a.Magnitude64(k, true)
	return k.Out
}

func absolute(x [][]float64) [][]float64 {
	a := make([][]float64, len(x))
	for k := range x {
		for _, v := range x[k] {
			a[k] = append(a[k], math.Abs(v))
		}
	}
	return a
}

func TestRoundingPromise(t *testing.T) {
	forFamilies(t, 120, func(t *testing.T, c testCase, r *rand.Rand) {
		a, ok := c.op.(Affine)
		if !ok {
			t.Skip("not affine")
		}
		x := c.inputs(r, 1)
		k := call(c, x, 1)
		a.Forward64(k)
		m := magnitude(c, x, 1)
		forward, _ := a.Rounding(c.in)
		for i, want := range naive(c.op, c.in, samples(x, c.in, 0)) {
			require.LessOrEqual(t, distance(k.Out[i], want), gamma(forward)*m[i], "%T %+v", c.op, c.op)
		}
	})
}

// matrix is the exact W [out][in] and b of an affine operator, by probing the
// twin with unit vectors.
func matrix(c testCase) (w [][]num, b []num) {
	zero := make([][]num, len(c.in))
	total := 0
	for k, s := range c.in {
		zero[k] = exacts(make([]float64, s.Size()))
		total += s.Size()
	}
	b = naive(c.op, c.in, zero)
	w = make([][]num, len(b))
	for i := range w {
		w[i] = make([]num, 0, total)
	}
	for k := range zero {
		for i := range zero[k] {
			zero[k][i] = exact(1)
			for o, v := range naive(c.op, c.in, zero) {
				w[o] = append(w[o], minus(v, b[o]))
			}
			zero[k][i] = exact(0)
		}
	}
	return w, b
}

func TestMatrixOfAffineOperators(t *testing.T) {
	forFamilies(t, 12, func(t *testing.T, c testCase, r *rand.Rand) {
		a, ok := c.op.(Affine)
		if !ok {
			t.Skip("not affine")
		}
		w, b := matrix(c)
		checkMagnitude(t, c, a, w, b, r)
		checkAffineVJP(t, c, a, w, r)
		checkRows(t, c, w, r)
	})
}

func checkMagnitude(t *testing.T, c testCase, a Affine, w [][]num, b []num, r *rand.Rand) {
	x := absolute(c.inputs(r, 1))
	for _, bias := range []bool{false, true} {
		k := call(c, x, 1)
		fill(k.Out, math.NaN())
		a.Magnitude64(k, bias)
		flatX := slices.Concat(x...)
		for o := range w {
			want, least := exact(0), exact(0)
			for i, v := range w[o] {
				want = plus(want, times(exact(0).Abs(v), exact(flatX[i])))
			}
			if bias {
				least = exact(0).Abs(b[o])
			}
			f, _ := want.Float64()
			g, _ := plus(want, least).Float64()
			if _, isNorm := a.(*BatchNorm); isNorm && bias { // its bias has two terms
				require.GreaterOrEqual(t, k.Out[o]*(1+1e-13), g)
				continue
			}
			if !bias {
				g = f
			}
			require.InEpsilon(t, g+1e-300, k.Out[o]+1e-300, 1e-13, "%T %+v bias=%v", c.op, c.op, bias)
		}
	}
}

// checkAffineVJP compares the vector–Jacobian product with the matrix, within
// the promised rounding, with In and Out withheld.
func checkAffineVJP(t *testing.T, c testCase, a Affine, w [][]num, r *rand.Rand) {
	k := call[float64](c, nil, 1)
	k.In, k.Out, k.GradParams = make([][]float64, len(c.in)), nil, nil
	k.GradOut = normals(r, len(k.GradOut))
	a.VJP64(k)
	_, backward := a.Rounding(c.in)
	got := slices.Concat(k.GradIn...)
	for i, g := range got {
		want, m := exact(0), exact(0)
		for o, v := range k.GradOut {
			term := times(exact(v), w[o][i])
			want, m = plus(want, term), plus(m, exact(0).Abs(term))
		}
		f, _ := m.Float64()
		// The twin divides at 400 bits, so that even a pure move may be off by that.
		require.LessOrEqual(t, distance(g, want), gamma(backward)*f+1e-90*f, "%T %+v", c.op, c.op)
	}
	// It adds, and leaves out what is not wanted.
	again := call[float64](c, nil, 1)
	again.In, again.Out, again.GradParams, again.GradOut = k.In, nil, nil, k.GradOut
	for j := range again.GradIn {
		fill(again.GradIn[j], 1)
		if j%2 == 1 {
			again.GradIn[j] = nil
		}
	}
	a.VJP64(again)
	for j := range again.GradIn {
		for i, v := range again.GradIn[j] {
			require.InDelta(t, 1+k.GradIn[j][i], v, 1e-9*(1+math.Abs(v)), "%T", c.op)
		}
	}
}

func checkRows(t *testing.T, c testCase, w [][]num, r *rand.Rand) {
	s, ok := c.op.(RowSource)
	if !ok {
		return
	}
	rows := r.Perm(len(w))[:1+r.IntN(len(w))]
	n := c.in[0].Size()
	k := &Call[float64]{Batch: len(rows), InShapes: c.in, GradIn: [][]float64{make([]float64, len(rows)*n)}}
	k.OutShape, _ = c.op.OutShape(c.in)
	fill(k.GradIn[0], math.NaN())
	s.Rows64(k, rows)
	for i, row := range rows {
		for j := range n {
			want, accuracy := w[row][j].Float64()
			_ = accuracy
			require.Equal(t, want, k.GradIn[0][i*n+j]+0, "%T %+v", c.op, c.op)
		}
	}
}

// TestVJPByDifferences checks gradients to inputs and parameters of every
// operator in both precisions.
func TestVJPByDifferences(t *testing.T) {
	forFamilies(t, 25, func(t *testing.T, c testCase, r *rand.Rand) {
		const batch = 2
		x := make([][]float64, len(c.in))
		for k, s := range c.in {
			for range batch * s.Size() {
				x[k] = append(x[k], r.NormFloat64())
			}
		}
		k := call(c, x, batch)
		for i := range k.GradOut {
			k.GradOut[i] = r.NormFloat64()
		}
		value := func() float64 {
			c.op.Forward64(k)
			s := 0.0
			for i, v := range k.Out {
				s += v * k.GradOut[i]
			}
			return s
		}
		difference := func(v *float64, changed func()) float64 {
			const h = 1e-6
			old := *v
			*v = old + h
			changed()
			up := value()
			*v = old - h
			changed()
			down := value()
			*v = old
			changed()
			return (up - down) / (2 * h)
		}
		value()
		c.op.VJP64(k)
		x32 := make([][]float32, len(x))
		for i := range x {
			x32[i] = to32(x[i])
		}
		k32 := call(c, x32, batch)
		copy(k32.GradOut, to32(k.GradOut))
		c.op.Forward32(k32)
		c.op.VJP32(k32)
		check := func(got float64, got32 float32, v *float64, changed func()) {
			want := difference(v, changed)
			scale := math.Abs(want) + math.Abs(value()) + 1
			require.InDelta(t, want, got, 1e-4*scale, "%T %+v %v", c.op, c.op, c.in)
			require.InDelta(t, got, float64(got32), 1e-2*scale, "float32 %T", c.op)
		}
		for j := range x {
			for i := range x[j] {
				check(k.GradIn[j][i], k32.GradIn[j][i], &x[j][i], func() {})
			}
		}
		for j, p := range c.op.Params() {
			for i := range p.Values() {
				if p.Name == "mean" || p.Name == "variance" {
					require.Zero(t, k.GradParams[j][i])
					continue
				}
				check(k.GradParams[j][i], k32.GradParams[j][i], &p.Values()[i], func() { p.abs64.Store(nil) })
			}
		}
	})
}

func TestBatchDoesNotMatter(t *testing.T) {
	forFamilies(t, 20, func(t *testing.T, c testCase, r *rand.Rand) {
		empty := call(c, c.inputs(r, 0), 0)
		c.op.Forward64(empty)
		c.op.VJP64(empty)
		checkBatch(t, c, 4, r)
	})
}

// TestLargeBatches are spread over processors.
func TestLargeBatches(t *testing.T) {
	forFamilies(t, 2, func(t *testing.T, c testCase, r *rand.Rand) {
		out, _ := c.op.OutShape(c.in)
		checkBatch(t, c, 40000/out.Size(), r)
		if s, ok := c.op.(RowSource); ok {
			rows := make([]int, 100000/c.in[0].Size())
			for i := range rows {
				rows[i] = r.IntN(out.Size())
			}
			n := c.in[0].Size()
			all := &Call[float64]{Batch: len(rows), InShapes: c.in, OutShape: out, GradIn: [][]float64{make([]float64, len(rows)*n)}}
			s.Rows64(all, rows)
			for i := range rows {
				one := &Call[float64]{Batch: 1, InShapes: c.in, OutShape: out, GradIn: [][]float64{make([]float64, n)}}
				s.Rows64(one, rows[i:i+1])
				require.Equal(t, one.GradIn[0], all.GradIn[0][i*n:(i+1)*n])
			}
		}
	})
}

func checkBatch(t *testing.T, c testCase, batch int, r *rand.Rand) {
	x := c.inputs(r, batch)
	all := call(c, x, batch)
	copy(all.GradOut, normals(r, len(all.GradOut)))
	c.op.Forward64(all)
	c.op.VJP64(all)
	n := all.OutShape.Size()
	for b := range batch {
		xb := make([][]float64, len(x))
		for k, s := range c.in {
			xb[k] = x[k][b*s.Size() : (b+1)*s.Size()]
		}
		one := call(c, xb, 1)
		copy(one.GradOut, all.GradOut[b*n:])
		c.op.Forward64(one)
		c.op.VJP64(one)
		require.Equal(t, one.Out, all.Out[b*n:(b+1)*n], "%T", c.op)
		for k, s := range c.in {
			require.Equal(t, one.GradIn[k], all.GradIn[k][b*s.Size():(b+1)*s.Size()], "%T", c.op)
		}
	}
}

func TestNoAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	forFamilies(t, 5, func(t *testing.T, c testCase, r *rand.Rand) {
		x := c.inputs(r, 2)
		k := call(c, x, 2)
		assert.Zero(t, testing.AllocsPerRun(20, func() { c.op.Forward64(k) }), "Forward64 %T", c.op)
		assert.Zero(t, testing.AllocsPerRun(20, func() { c.op.VJP64(k) }), "VJP64 %T", c.op)
		if a, ok := c.op.(Affine); ok {
			k.In = absolute(x)
			assert.Zero(t, testing.AllocsPerRun(20, func() { a.Magnitude64(k, true) }), "Magnitude64 %T", c.op)
		}
	})
}
