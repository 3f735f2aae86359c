package blas

import (
	gonumblas "gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// Implementation is gonum's BLAS with our matrix products: it may be handed to
// gonum's blas32.Use and blas64.Use. Arguments and panics are gonum's; whatever
// gonum would reject, or does without work, is passed on to it.
type Implementation struct{ gonum.Implementation }

var (
	_ gonumblas.Float32 = Implementation{}
	_ gonumblas.Float64 = Implementation{}
)

// Dgemm computes C = alpha·op(A)·op(B) + beta·C, as blas.Float64Level3 says.
func (i Implementation) Dgemm(tA, tB gonumblas.Transpose, m, n, k int, alpha float64, a []float64, lda int,
	b []float64, ldb int, beta float64, c []float64, ldc int,
) {
	if !acceptable(tA, tB, m, n, k, len(a), lda, len(b), ldb, len(c), ldc) {
		i.Implementation.Dgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
		return
	}
	if alpha == 0 {
		scale(m, n, beta, c, ldc)
		return
	}
	multiply(true, tA != gonumblas.NoTrans, tB != gonumblas.NoTrans, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

// Sgemm computes C = alpha·op(A)·op(B) + beta·C, as blas.Float32Level3 says.
func (i Implementation) Sgemm(tA, tB gonumblas.Transpose, m, n, k int, alpha float32, a []float32, lda int,
	b []float32, ldb int, beta float32, c []float32, ldc int,
) {
	if !acceptable(tA, tB, m, n, k, len(a), lda, len(b), ldb, len(c), ldc) {
		i.Implementation.Sgemm(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
		return
	}
	if alpha == 0 {
		scale(m, n, beta, c, ldc)
		return
	}
	multiply(true, tA != gonumblas.NoTrans, tB != gonumblas.NoTrans, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

// Dgemv computes y = alpha·op(A)·x + beta·y, as blas.Float64Level2 says.
func (i Implementation) Dgemv(tA gonumblas.Transpose, m, n int, alpha float64, a []float64, lda int,
	x []float64, incX int, beta float64, y []float64, incY int,
) {
	if !contiguous(tA, m, n, len(a), lda, len(x), incX, len(y), incY) {
		i.Implementation.Dgemv(tA, m, n, alpha, a, lda, x, incX, beta, y, incY)
		return
	}
	Gemv(tA != gonumblas.NoTrans, m, n, alpha, a, lda, x, beta, y)
}

// Sgemv computes y = alpha·op(A)·x + beta·y, as blas.Float32Level2 says.
func (i Implementation) Sgemv(tA gonumblas.Transpose, m, n int, alpha float32, a []float32, lda int,
	x []float32, incX int, beta float32, y []float32, incY int,
) {
	if !contiguous(tA, m, n, len(a), lda, len(x), incX, len(y), incY) {
		i.Implementation.Sgemv(tA, m, n, alpha, a, lda, x, incX, beta, y, incY)
		return
	}
	Gemv(tA != gonumblas.NoTrans, m, n, alpha, a, lda, x, beta, y)
}

// acceptable tells whether gonum accepts the arguments of a matrix product and
// there is something to multiply.
func acceptable(tA, tB gonumblas.Transpose, m, n, k, lenA, lda, lenB, ldb, lenC, ldc int) bool {
	return known(tA) && known(tB) && m > 0 && n > 0 && k > 0 &&
		fits(tA != gonumblas.NoTrans, m, k, lenA, lda) &&
		fits(tB != gonumblas.NoTrans, k, n, lenB, ldb) &&
		fits(false, m, n, lenC, ldc)
}

// contiguous tells whether gonum accepts the arguments of a product of matrix
// and vector, and the vectors are such as Gemv takes.
func contiguous(tA gonumblas.Transpose, m, n, lenA, lda, lenX, incX, lenY, incY int) bool {
	in, out := n, m
	if tA != gonumblas.NoTrans {
		in, out = m, n
	}
	return known(tA) && m > 0 && n > 0 && incX == 1 && incY == 1 &&
		fits(false, m, n, lenA, lda) && lenX >= in && lenY >= out
}

// known tells whether t is one of gonum's transpositions.
func known(t gonumblas.Transpose) bool {
	return t == gonumblas.NoTrans || t == gonumblas.Trans || t == gonumblas.ConjTrans
}

// fits tells whether a rows×columns matrix, stored transposed or not, fits its
// slice.
func fits(transposed bool, rows, columns, length, stride int) bool {
	if transposed {
		rows, columns = columns, rows
	}
	return stride >= columns && length >= (rows-1)*stride+columns
}
