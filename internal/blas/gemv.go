package blas

import "fmt"

// The product of a matrix and a vector reads each element of the matrix once
// and is as fast as memory allows. Without transposition it is a Dot per row.
// With transposition it is the product of a matrix of one row, which the
// micro-kernels of one row compute without packing.

// Gemv computes y = alpha·op(A)·x + beta·y for a row-major matrix.
//
// Shapes: A is m×n as stored, lda at least n; op(A) is A, or its transpose if
// tA; x and y have the lengths of op(A)'s rows and columns. With beta zero what y
// held does not matter; with alpha zero A and x are not read. y must not overlap
// the others. Runs on the caller's goroutine. The order of summation is not that
// of Gemm, so the last bits may differ from a Gemm of one row.
// Panics if a size is negative or a slice too short. Safe for concurrent use.
func Gemv[T Float](tA bool, m, n int, alpha T, a []T, lda int, x []T, beta T, y []T) {
	checkMatrix("A", false, m, n, len(a), lda)
	in, out := n, m
	if tA {
		in, out = m, n
	}
	if len(x) < in || len(y) < out {
		panic(fmt.Sprintf("blas: x and y have %d and %d elements, need %d and %d", len(x), len(y), in, out))
	}
	if out == 0 {
		return
	}
	if alpha == 0 || in == 0 {
		scale(1, out, beta, y, out)
		return
	}
	if tA {
		multiply(false, false, false, 1, n, m, alpha, x, m, a, lda, beta, y, n)
		return
	}
	dot := kernelOf[T]().dot
	for i := range m {
		y[i] = finish(dot(n, &a[i*lda], &x[0]), alpha, beta, y[i])
	}
}
