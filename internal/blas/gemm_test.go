package blas

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// eachKernel runs a test with every kernel of this machine.
func eachKernel(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	for _, k := range availableKernels() {
		t.Run(k.name, func(t *testing.T) {
			before := active.Load()
			defer active.Store(before)
			require.NoError(t, useKernel(k.name))
			test(t)
		})
	}
}

// random returns n numbers of the normal distribution.
func random[T Float](r *rand.Rand, n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(r.NormFloat64())
	}
	return x
}

// unitRoundoff is half the distance from 1 to the next number.
func unitRoundoff[T Float]() float64 {
	if _, single := any(*new(T)).(float32); single {
		return 0x1p-24
	}
	return 0x1p-53
}

// gamma is the constant of the error bound for k operations.
func gamma[T Float](k int) float64 {
	u := unitRoundoff[T]()
	return float64(k) * u / (1 - float64(k)*u)
}

// twoSum and twoProduct split a result into its rounded value and its error
// (Knuth; Dekker with a fused multiply-add), so that sums carry about 106 bits.
func twoSum(a, b float64) (s, e float64) {
	s = a + b
	t := s - a
	return s, (a - (s - t)) + (b - t)
}

// preciseDot returns Σ x·y summed with twice the precision of float64, and Σ |x·y|.
func preciseDot(n int, x, y func(p int) float64) (sum, size float64) {
	var high, low float64
	for p := range n {
		product := x(p) * y(p)
		rest := math.FMA(x(p), y(p), -product)
		var e float64
		high, e = twoSum(high, product)
		low += e + rest
		size += math.Abs(product)
	}
	return high + low, size
}

// gemmCase is one call of Gemm with guard elements around and between the rows.
type gemmCase[T Float] struct {
	tA, tB        bool
	m, n, k       int
	lda, ldb, ldc int
	alpha, beta   T
	a, b, c       []T
}

// storedSize is the extent of a rows×columns matrix stored with a row gap.
func storedSize(t bool, rows, columns, gap int) (stride, length int) {
	if t {
		rows, columns = columns, rows
	}
	stride = columns + gap
	if rows == 0 || columns == 0 {
		return stride, 0
	}
	return stride, (rows-1)*stride + columns
}

func newCase[T Float](r *rand.Rand, tA, tB bool, m, n, k, gap int, alpha, beta T) *gemmCase[T] {
	g := &gemmCase[T]{tA: tA, tB: tB, m: m, n: n, k: k, alpha: alpha, beta: beta}
	var length int
	g.lda, length = storedSize(tA, m, k, gap)
	g.a = random[T](r, length)
	g.ldb, length = storedSize(tB, k, n, gap)
	g.b = random[T](r, length)
	g.ldc, length = storedSize(false, m, n, gap)
	g.c = random[T](r, length)
	return g
}

func (g *gemmCase[T]) run(c []T) {
	Gemm(g.tA, g.tB, g.m, g.n, g.k, g.alpha, g.a, g.lda, g.b, g.ldb, g.beta, c, g.ldc)
}

func (g *gemmCase[T]) left(i, p int) float64 {
	if g.tA {
		return float64(g.a[p*g.lda+i])
	}
	return float64(g.a[i*g.lda+p])
}

func (g *gemmCase[T]) right(p, j int) float64 {
	if g.tB {
		return float64(g.b[j*g.ldb+p])
	}
	return float64(g.b[p*g.ldb+j])
}

// expected returns each element in twice the precision and how far a product
// may be off by the bound of gemm.go. Elements between the rows may not change.
// Of a large product it computes every eleventh element and bounds the others by
// infinity.
func (g *gemmCase[T]) expected() (want, bound []float64) {
	want, bound = make([]float64, len(g.c)), make([]float64, len(g.c))
	for at, v := range g.c {
		want[at] = float64(v)
	}
	alpha, beta := float64(g.alpha), float64(g.beta)
	for i := range g.m {
		for j := range g.n {
			at := i*g.ldc + j
			if g.m*g.n*g.k > 1<<18 && (i*g.n+j)%11 != 0 {
				bound[at] = math.Inf(1)
				continue
			}
			sum, size := preciseDot(g.k, func(p int) float64 { return g.left(i, p) }, func(p int) float64 { return g.right(p, j) })
			old := beta * float64(g.c[at])
			want[at] = alpha*sum + old
			// k roundings for the sum, then alpha, beta and one addition.
			bound[at] = gamma[T](g.k+2)*math.Abs(alpha)*size + gamma[T](3)*math.Abs(old) + 1e-300
		}
	}
	return want, bound
}

// check compares the product by every kernel of this machine with the expected.
// The kernels in machine code must agree with one another bit for bit.
func (g *gemmCase[T]) check(t *testing.T) {
	t.Helper()
	before := active.Load()
	defer active.Store(before)
	want, bound := g.expected()
	var machine []T
	for _, k := range availableKernels() {
		active.Store(k)
		c := append([]T(nil), g.c...)
		g.run(c)
		for at, v := range c {
			if diff := math.Abs(float64(v) - want[at]); !(diff <= bound[at]) {
				require.Failf(t, "wrong element", "%s %s: C[%d] = %v, want %v, off by %g > %g", k.name, g, at, v, want[at], diff, bound[at])
			}
		}
		if machine != nil {
			require.Equal(t, machine, c, "%s %s", k.name, g)
		} else if k != genericKernels {
			machine = c
		}
	}
}

func (g *gemmCase[T]) String() string {
	return fmt.Sprintf("m=%d n=%d k=%d tA=%v tB=%v lda=%d ldb=%d ldc=%d alpha=%v beta=%v",
		g.m, g.n, g.k, g.tA, g.tB, g.lda, g.ldb, g.ldc, g.alpha, g.beta)
}

func TestGemmEdgeSizes(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for m := range 41 {
		for n := range 41 {
			k := r.IntN(41)
			tA, tB, gap := r.IntN(2) == 1, r.IntN(2) == 1, r.IntN(3)
			newCase[float64](r, tA, tB, m, n, k, gap, 1, 0).check(t)
			newCase[float32](r, tA, tB, m, n, k, gap, 1, 0).check(t)
		}
	}
}

func TestGemmRandomShapes(t *testing.T) {
	scalars := []float64{0, 1, -1, 0.5, -2.25}
	r := rand.New(rand.NewPCG(3, 4))
	for range 100 {
		m, n, k := r.IntN(150), r.IntN(150), r.IntN(800)
		tA, tB, gap := r.IntN(2) == 1, r.IntN(2) == 1, r.IntN(20)
		alpha, beta := scalars[r.IntN(len(scalars))], scalars[r.IntN(len(scalars))]
		newCase[float64](r, tA, tB, m, n, k, gap, alpha, beta).check(t)
		newCase[float32](r, tA, tB, m, n, k, gap, float32(alpha), float32(beta)).check(t)
	}
}

// TestGemmBlocks takes shapes that reach every way of packing: few rows or
// columns, rows 4096 bytes apart, several blocks in each direction.
func TestGemmBlocks(t *testing.T) {
	shapes := [][4]int{
		{1, 500, 700, 3},
		{5, 129, 650, 0},
		{500, 1, 700, 0},
		{500, 3, 400, 1},
		{3, 3, 3000, 0},
		{33, 1500, 17, 0},
		{600, 20, 30, 0},
		{600, 200, 20, 0},
		{450, 70, 512, 512},
		{70, 512, 60, 512},
		{60, 90, 1024, 0},
		{300, 1100, 20, 0},
	}
	r := rand.New(rand.NewPCG(5, 6))
	for _, s := range shapes {
		for _, transposed := range []int{0, 1, 2, 3} {
			tA, tB := transposed&1 != 0, transposed&2 != 0
			newCase[float64](r, tA, tB, s[0], s[1], s[2], s[3], 1.5, 0.5).check(t)
			newCase[float32](r, tA, tB, s[0], s[1], s[2], s[3], 1, 0).check(t)
		}
	}
}

func TestGemmNonFinite(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	eachKernel(t, func(t *testing.T) {
		// beta zero: what C held does not matter.
		c := []float64{nan, inf, nan, -inf}
		Gemm(false, false, 2, 2, 1, 1, []float64{1, 2}, 1, []float64{3, 4}, 2, 0, c, 2)
		assert.Equal(t, []float64{3, 4, 6, 8}, c)
		c = []float64{nan, inf, nan, -inf}
		Gemm(false, false, 2, 2, 1, 1, []float64{1, 2}, 1, []float64{3, 4}, 2, math.Copysign(0, -1), c, 2)
		assert.Equal(t, []float64{3, 4, 6, 8}, c)
		// alpha or k zero: A and B are not read.
		c = []float64{1, 2}
		Gemm(false, false, 1, 2, 1, 0, []float64{nan}, 1, []float64{inf, nan}, 2, 2, c, 2)
		assert.Equal(t, []float64{2, 4}, c)
		Gemm(false, false, 1, 2, 0, 1, nil, 0, nil, 2, 0, c, 2)
		assert.Equal(t, []float64{0, 0}, c)
		// NaN and infinities in A and B reach their rows and columns only, and a
		// zero does not hide them.
		r := rand.New(rand.NewPCG(7, 8))
		for _, tB := range []bool{false, true} {
			g := newCase[float32](r, false, tB, 20, 37, 30, 0, 1, 1)
			clear(g.a)
			g.a[4*g.lda+7] = float32(nan)
			if tB {
				g.b[11*g.ldb+3] = float32(inf)
			} else {
				g.b[3*g.ldb+11] = float32(inf)
			}
			out := append([]float32(nil), g.c...)
			g.run(out)
			for i := range g.m {
				for j := range g.n {
					bad := math.IsNaN(float64(out[i*g.ldc+j]))
					require.Equal(t, i == 4 || j == 11, bad, "i=%d j=%d", i, j)
				}
			}
		}
	})
}

func TestGemmSubnormals(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		c := make([]float64, 1)
		Gemm(false, false, 1, 1, 2, 1, []float64{0x1p-1040, 0x1p-1040}, 2, []float64{1, 1}, 1, 0, c, 1)
		assert.Equal(t, 0x1p-1039, c[0])
	})
}

func TestGemmSameBitsForAnyNumberOfProcessors(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	shapes := [][3]int{{200, 300, 700}, {3, 2000, 900}, {900, 10, 800}, {129, 65, 1000}, {5, 900, 700}}
	eachKernel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(9, 10))
		for _, s := range shapes {
			for _, tB := range []bool{false, true} {
				g := newCase[float32](r, false, tB, s[0], s[1], s[2], 0, 1, 0)
				runtime.GOMAXPROCS(1)
				want := make([]float32, len(g.c))
				g.run(want)
				serial := make([]float32, len(g.c))
				GemmSerial(g.tA, g.tB, g.m, g.n, g.k, g.alpha, g.a, g.lda, g.b, g.ldb, g.beta, serial, g.ldc)
				assert.Equal(t, want, serial)
				for _, processors := range []int{2, 3, 7} {
					runtime.GOMAXPROCS(processors)
					got := make([]float32, len(g.c))
					g.run(got)
					require.Equal(t, want, got, "%s on %d processors", g, processors)
				}
			}
		}
	})
}

func TestGemmDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector empties pools")
	}
	eachKernel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(11, 12))
		for _, n := range []int{3, 50, 130} {
			for _, tB := range []bool{false, true} {
				g := newCase[float64](r, !tB, tB, n, n, n, 0, 1, 0)
				assert.Zero(t, testing.AllocsPerRun(20, func() { g.run(g.c) }), "n=%d", n)
			}
		}
		runtime.GOMAXPROCS(2)
		g := newCase[float32](r, false, true, 150, 150, 150, 0, 1, 0)
		for range 50 {
			g.run(g.c)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range 100 {
			g.run(g.c)
		}
		runtime.ReadMemStats(&after)
		assert.Less(t, after.Mallocs-before.Mallocs, uint64(50), "100 products on two processors")
	})
}

func TestGemmPanics(t *testing.T) {
	x := make([]float64, 8)
	for name, call := range map[string]func(){
		"negative":     func() { Gemm(false, false, -1, 1, 1, 1, x, 1, x, 1, 0, x, 1) },
		"short A":      func() { Gemm(false, false, 3, 1, 3, 1, x, 3, x, 1, 0, x, 1) },
		"short B":      func() { Gemm(false, false, 1, 3, 3, 1, x, 3, x, 3, 0, x, 3) },
		"short C":      func() { Gemm(false, false, 3, 3, 1, 1, x, 1, x, 3, 0, x, 3) },
		"small stride": func() { Gemm(false, false, 2, 2, 2, 1, x, 1, x, 2, 0, x, 2) },
	} {
		t.Run(name, func(t *testing.T) { assert.Panics(t, call) })
	}
}

func TestUseKernelRejectsUnknownNames(t *testing.T) {
	before := active.Load()
	defer active.Store(before)
	require.ErrorContains(t, useKernel("sse"), "VOUCH_KERNEL")
	require.NoError(t, useKernel("auto"))
	require.NoError(t, useKernel("generic"))
	assert.Equal(t, "generic", Kernel())
}
