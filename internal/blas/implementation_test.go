package blas

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	gonumblas "gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// panicOf returns what f panics with, nil if it does not.
func panicOf(f func()) (value any) {
	defer func() { value = recover() }()
	f()
	return nil
}

// TestImplementationAgreesWithGonum calls both with random arguments, valid and
// not, and wants the same panics and nearly the same results.
func TestImplementationAgreesWithGonum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	kinds := []gonumblas.Transpose{gonumblas.NoTrans, gonumblas.Trans, gonumblas.ConjTrans, 'x'}
	kind := func() gonumblas.Transpose { return kinds[min(r.IntN(30)/9, 3)] }
	panics := 0
	for range 5000 {
		tA, tB := kind(), kind()
		m, n, k := r.IntN(12)-1, r.IntN(12)-1, r.IntN(12)-1
		lda, ldb, ldc := r.IntN(20), r.IntN(20), r.IntN(20)
		a, b := random[float64](r, r.IntN(250)), random[float64](r, r.IntN(250))
		c := random[float64](r, r.IntN(250))
		alpha, beta := float64(r.IntN(3)), float64(r.IntN(3))
		want, got := append([]float64(nil), c...), append([]float64(nil), c...)
		wantPanic := panicOf(func() {
			gonum.Implementation{}.Dgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, want, ldc)
		})
		gotPanic := panicOf(func() { Implementation{}.Dgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, got, ldc) })
		assert.Equal(t, wantPanic, gotPanic)
		assert.InDeltaSlice(t, want, got, 1e-12)

		incX, incY := r.IntN(3), r.IntN(3)-1
		want, got = append([]float64(nil), c...), append([]float64(nil), c...)
		wantPanic = panicOf(func() { gonum.Implementation{}.Dgemv(tA, m, n, alpha, a, lda, b, incX, beta, want, incY) })
		gotPanic = panicOf(func() { Implementation{}.Dgemv(tA, m, n, alpha, a, lda, b, incX, beta, got, incY) })
		assert.Equal(t, wantPanic, gotPanic)
		assert.InDeltaSlice(t, want, got, 1e-12)
		if wantPanic != nil {
			panics++
		}
	}
	assert.Positive(t, panics)
	assert.Less(t, panics, 5000)
}

func TestImplementationSingle(t *testing.T) {
	a, b := []float32{1, 2, 3, 4}, []float32{5, 6, 7, 8}
	c, y := make([]float32, 4), make([]float32, 2)
	Implementation{}.Sgemm(gonumblas.NoTrans, gonumblas.Trans, 2, 2, 2, 1, a, 2, b, 2, 0, c, 2)
	assert.Equal(t, []float32{17, 23, 39, 53}, c)
	Implementation{}.Sgemv(gonumblas.Trans, 2, 2, 1, a, 2, b[:2], 1, 0, y, 1)
	assert.Equal(t, []float32{23, 34}, y)
	Implementation{}.Sgemv(gonumblas.NoTrans, 2, 2, 1, a, 2, b, 2, 0, y, 1)
	assert.Equal(t, []float32{19, 43}, y)
}

// counting is a BLAS that counts its products.
type counting struct {
	gonum.Implementation
	calls *int
}

func (c counting) Dgemm(tA, tB gonumblas.Transpose, m, n, k int, alpha float64, a []float64, lda int,
	b []float64, ldb int, beta float64, out []float64, ldc int,
) {
	*c.calls++
	c.Implementation.Dgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, out, ldc)
}

func TestUse64(t *testing.T) {
	defer Reset()
	calls, c := 0, make([]float64, 4)
	product := func() {
		Gemm(false, true, 2, 2, 2, 1, []float64{1, 2, 3, 4}, 2, []float64{5, 6, 7, 8}, 2, 0, c, 2)
		assert.Equal(t, []float64{17, 23, 39, 53}, c)
	}
	Use64(counting{calls: &calls})
	product()
	assert.Equal(t, 1, calls)
	Use64(Implementation{}) // ours by way of gonum's interface: no recursion
	product()
	Reset()
	product()
	assert.Equal(t, 1, calls)
}
