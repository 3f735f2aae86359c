package blas

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestVectorSums(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		testVectorSums[float32](t)
		testVectorSums[float64](t)
	})
}

func testVectorSums[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for n := range 150 {
		x, y, z := random[T](r, n), random[T](r, n+3), random[T](r, n+1)
		at := func(v []T) func(int) float64 { return func(i int) float64 { return float64(v[i]) } }
		near := func(want, size, got float64) {
			t.Helper()
			require.LessOrEqual(t, math.Abs(got-want), gamma[T](2*n+2)*size, "n=%d", n)
		}
		want, size := preciseDot(n, at(x), at(y))
		near(want, size, float64(Dot(x, y)))
		want, size = preciseDot(n, func(i int) float64 { return math.Abs(float64(x[i])) }, at(y))
		near(want, size, float64(AbsDot(x, y)))
		low, lowSize := preciseDot(n, func(i int) float64 { return max(float64(x[i]), 0) }, at(y))
		high, highSize := preciseDot(n, func(i int) float64 { return min(float64(x[i]), 0) }, at(z))
		near(low+high, lowSize+highSize, float64(PosNegDot(x, y, z)))

		updated := append([]T(nil), y...)
		Axpy(T(-1.5), x, updated)
		for i := range updated {
			w := float64(y[i])
			if i < n {
				w -= 1.5 * float64(x[i])
			}
			require.InDelta(t, w, float64(updated[i]), 16*unitRoundoff[T]())
		}
	}
}

func TestVectorSumsKeepNaN(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for n := 1; n < 70; n++ {
			x, ones := make([]float64, n), make([]float64, n)
			for i := range ones {
				ones[i] = 1
			}
			for i := range x {
				x[i] = math.NaN()
				assert.True(t, math.IsNaN(Dot(x, ones)))
				assert.True(t, math.IsNaN(AbsDot(x, ones)))
				assert.True(t, math.IsNaN(PosNegDot(x, ones, ones)), "n=%d i=%d", n, i)
				x[i] = 0
			}
		}
	})
}

func TestRows(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		testRows[float32](t)
		testRows[float64](t)
	})
}

func testRows[T Float](t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for range 500 {
		count, n := r.IntN(8), r.IntN(45)
		srcStep, dstStep := r.IntN(60), n+r.IntN(3)
		src, dst := random[T](r, 7*srcStep+n), random[T](r, 7*dstStep+n)
		copied, added := slices.Clone(dst), slices.Clone(dst)
		CopyRows(count, n, src, srcStep, copied, dstStep)
		AddRows(count, n, src, srcStep, added, dstStep)
		sum := slices.Clone(dst)
		for i := range count {
			for j := range n {
				dst[i*dstStep+j] = src[i*srcStep+j]
				sum[i*dstStep+j] += src[i*srcStep+j]
			}
		}
		require.Equal(t, dst, copied)
		require.Equal(t, sum, added)

		srcStep = n + r.IntN(3)
		rows := r.IntN(40)
		dstStep = rows + r.IntN(3)
		src, dst = random[T](r, rows*srcStep), random[T](r, n*dstStep)
		got := slices.Clone(dst)
		Transpose(rows, n, src, srcStep, got, dstStep)
		for i := range rows {
			for j := range n {
				dst[j*dstStep+i] = src[i*srcStep+j]
			}
		}
		require.Equal(t, dst, got)
	}
}

func TestGemv(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(2, 2))
		for range 300 {
			m, n, gap, tA := r.IntN(70), r.IntN(70), r.IntN(3), r.IntN(2) == 1
			stride, length := storedSize(false, m, n, gap)
			a, in, out := random[float64](r, length), n, m
			if tA {
				in, out = m, n
			}
			x, y := random[float64](r, in), random[float64](r, out)
			beta := []float64{0, 1, -0.5}[r.IntN(3)]
			got := append([]float64(nil), y...)
			Gemv(tA, m, n, 2, a, stride, x, beta, got)
			for i := range out {
				sum, size := preciseDot(in, func(p int) float64 {
					if tA {
						return a[p*stride+i]
					}
					return a[i*stride+p]
				}, func(p int) float64 { return x[p] })
				require.InDelta(t, 2*sum+beta*y[i], got[i], gamma[float64](in+3)*(2*size+math.Abs(y[i])))
			}
		}
	})
}

func TestBatchedGemm(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(3, 3))
		for _, s := range [][4]int{{0, 3, 3, 3}, {5, 0, 2, 2}, {7, 4, 6, 0}, {40, 8, 9, 10}, {9, 50, 50, 50}, {3, 1, 700, 90}} {
			count, m, n, k := s[0], s[1], s[2], s[3]
			a, b := random[float32](r, count*m*k), random[float32](r, n*k)
			got, want := random[float32](r, count*m*n), make([]float32, count*m*n)
			copy(want, got)
			BatchedGemm(false, true, count, m, n, k, 1, a, k, m*k, b, k, 0, 0.5, got, n, m*n)
			for q := range count {
				Gemm(false, true, m, n, k, 1, a[q*m*k:], k, b, k, 0.5, want[q*m*n:], n)
			}
			assert.Equal(t, want, got)
		}
		if raceEnabled {
			return
		}
		a, c := random[float32](r, 9*400), make([]float32, 9*400)
		run := func() { BatchedGemm(false, false, 9, 20, 20, 20, 1, a, 20, 400, a, 20, 400, 0, c, 20, 400) }
		assert.Zero(t, testing.AllocsPerRun(20, run))
	})
}

func ExampleGemm() {
	a := []float64{1, 2, 3, 4, 5, 6} // 2×3
	b := []float64{1, 0, 1, 0, 1, 1} // 2×3, used transposed
	c := make([]float64, 4)
	Gemm(false, true, 2, 2, 3, 1, a, 3, b, 3, 0, c, 2)
	fmt.Println(c)
	// Output: [4 5 10 11]
}
