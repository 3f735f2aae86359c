package blas

import (
	"sync/atomic"

	gonumblas "gonum.org/v1/gonum/blas"
)

// Another BLAS in place of ours. A caller who has OpenBLAS, MKL or the like
// behind gonum's interfaces may hand it over; Gemm then calls it. Results then
// have that library's rounding and its dependence on the number of threads.

var (
	plug64 atomic.Pointer[gonumblas.Float64Level3]
	plug32 atomic.Pointer[gonumblas.Float32Level3]
)

// Use64 makes Gemm on float64 call the given implementation, ours if nil. The
// implementation must not call Gemm; this package's Implementation does not.
func Use64(implementation gonumblas.Float64Level3) {
	if implementation == nil {
		plug64.Store(nil)
		return
	}
	plug64.Store(&implementation)
}

// Use32 makes Gemm on float32 call the given implementation, ours if nil.
func Use32(implementation gonumblas.Float32Level3) {
	if implementation == nil {
		plug32.Store(nil)
		return
	}
	plug32.Store(&implementation)
}

// Reset makes Gemm use the kernels of this package again.
func Reset() {
	Use64(nil)
	Use32(nil)
}

// plugged computes the product with the caller's BLAS, if there is one.
func plugged[T Float](tA, tB bool, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) bool {
	switch a := any(a).(type) {
	case []float64:
		p := plug64.Load()
		if p == nil {
			return false
		}
		(*p).Dgemm(transpose(tA), transpose(tB), m, n, k, float64(alpha), a, max(1, lda), any(b).([]float64), max(1, ldb),
			float64(beta), any(c).([]float64), ldc)
	case []float32:
		p := plug32.Load()
		if p == nil {
			return false
		}
		(*p).Sgemm(transpose(tA), transpose(tB), m, n, k, float32(alpha), a, max(1, lda), any(b).([]float32), max(1, ldb),
			float32(beta), any(c).([]float32), ldc)
	}
	return true
}

// transpose is gonum's name of op.
func transpose(t bool) gonumblas.Transpose {
	if t {
		return gonumblas.Trans
	}
	return gonumblas.NoTrans
}
