package blas

import (
	"fmt"

	"github.com/vouchnn/vouch/internal/parallel"
)

// The product of two matrices on all processors. The work is cut into a grid of
// rectangles of C, each computed by one goroutine as a product of its own
// (block.go). The depth is never cut between goroutines, and how an element of C
// is summed depends only on the depth, so the result is the same, bit for bit,
// for any number of processors.
//
// The error is that of the usual bound: |C - exact| <= gamma_k·|A|·|B| with
// gamma_k = k·u/(1 - k·u), u half the distance from 1 to the next number
// (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.5),
// where alpha is 1 and beta is 0.

// problem is one product C = alpha·op(A)·op(B) + beta·C.
type problem[T Float] struct {
	m, n, k     int
	alpha, beta T
	a           []T
	aRow, aStep int // element (i, p) of op(A) is a[i·aRow + p·aStep]
	b           []T
	ldb         int
	bTransposed bool // element (p, j) of op(B) is b[j·ldb + p], else b[p·ldb + j]
	c           []T
	ldc         int
}

// job is the state of one call, kept in a pool: the problem, its cut into
// rectangles, and the body of the parallel loop over them.
type job[T Float] struct {
	problem       problem[T]
	kernel        *kernel[T]
	rows, columns int // of the grid of rectangles
	left, right   []T // packed blocks of A and B of one goroutine
	run           func(lo, hi int)
}

// serialWork is the number of multiplications below which one goroutine is used.
const serialWork = 1 << 18

// Gemm computes C = alpha·op(A)·op(B) + beta·C for row-major matrices.
//
// Shapes: op(A) is m×k, op(B) k×n, C m×n, where op transposes if tA or tB. lda,
// ldb and ldc are the distances between rows as stored and at least their
// length. With beta zero C is overwritten and what it held does not matter, not
// even NaN; with alpha or k zero A and B are not read. C must not overlap A or B.
// Cost: m·n·k multiplications on all processors if that is worth it.
// Panics if a size is negative or a slice too short. Safe for concurrent use.
func Gemm[T Float](tA, tB bool, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	gemm(true, tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

// GemmSerial is Gemm on the caller's goroutine alone, for callers that already
// run on all processors. It gives the same bits. A BLAS set by Use32 or Use64 is
// called here too and decides for itself how many processors it uses.
func GemmSerial[T Float](tA, tB bool, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	gemm(false, tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

func gemm[T Float](spread, tA, tB bool, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	checkMatrix("A", tA, m, k, len(a), lda)
	checkMatrix("B", tB, k, n, len(b), ldb)
	checkMatrix("C", false, m, n, len(c), ldc)
	if m == 0 || n == 0 {
		return
	}
	if alpha == 0 || k == 0 {
		scale(m, n, beta, c, ldc)
		return
	}
	if plugged(tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc) {
		return
	}
	multiply(spread, tA, tB, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc)
}

// multiply is Gemm by our own kernels, for valid arguments, nothing empty and
// alpha not zero.
func multiply[T Float](spread, tA, tB bool, m, n, k int, alpha T, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	kern := kernelOf[T]()
	if !tA && !tB && n*k*bytes[T]() <= smallBlock && k <= kern.depth && m*n*k < serialWork {
		tall := even(m, kern.rows)
		kern.tilesOf(operand[T]{a, lda, 1, tall * lda}, operand[T]{b, 0, ldb, kern.width}, tall, m, n, k, alpha, beta, c, ldc)
		return
	}
	j, _ := kern.jobs.Get().(*job[T])
	if j == nil {
		j = new(job[T])
		j.run = j.rectangles
	}
	j.kernel = kern
	j.problem = problem[T]{
		m: m, n: n, k: k, alpha: alpha, beta: beta,
		a: a, aRow: lda, aStep: 1, b: b, ldb: ldb, bTransposed: tB, c: c, ldc: ldc,
	}
	if tA {
		j.problem.aRow, j.problem.aStep = 1, lda
	}
	if workers := parallel.Free(); spread && workers > 1 && m*n*k >= 2*serialWork {
		j.cut(min(workers, m*n*k/serialWork))
		parallel.For(j.rows*j.columns, 1, j.run)
	} else {
		kern.serial(&j.problem, j)
	}
	j.problem = problem[T]{}
	kern.jobs.Put(j)
}

// cut chooses a grid of at most the given number of rectangles. It takes the
// grid that moves the least memory: a rectangle packs its rows of A and its
// columns of B.
func (j *job[T]) cut(workers int) {
	p, kern := &j.problem, j.kernel
	best := -1
	for rows := 1; rows <= workers && rows <= max(1, p.m/kern.rows); rows++ {
		columns := min(workers/rows, max(1, p.n/kern.width))
		height, width := ceilDiv(p.m, rows), ceilDiv(p.n, columns)
		// The time of a rectangle, in products: packing an element costs about
		// as much as eight.
		cost := height*width + 8*(height+width)
		if best < 0 || cost < best {
			best, j.rows, j.columns = cost, rows, columns
		}
	}
}

// rectangles computes the rectangles lo to hi of the grid.
func (j *job[T]) rectangles(lo, hi int) {
	for at := lo; at < hi; at++ {
		p := j.problem
		i0, i1 := share(p.m, j.rows, at/j.columns, 1)
		j0, j1 := share(p.n, j.columns, at%j.columns, j.kernel.width)
		if i0 == i1 || j0 == j1 {
			continue
		}
		p.m, p.n = i1-i0, j1-j0
		p.a = p.a[i0*p.aRow:]
		if p.bTransposed {
			p.b = p.b[j0*p.ldb:]
		} else {
			p.b = p.b[j0:]
		}
		p.c = p.c[i0*p.ldc+j0:]
		own, _ := j.kernel.jobs.Get().(*job[T])
		if own == nil {
			own = new(job[T])
			own.run = own.rectangles
		}
		own.problem = p
		j.kernel.serial(&own.problem, own)
		own.problem = problem[T]{}
		j.kernel.jobs.Put(own)
	}
}

// share is part i of parts of [0, n), cut at multiples of unit.
func share(n, parts, i, unit int) (low, high int) {
	units := ceilDiv(n, unit)
	return min(n, units*i/parts*unit), min(n, units*(i+1)/parts*unit)
}

// scale computes C = beta·C, and zeros for beta zero.
func scale[T Float](m, n int, beta T, c []T, ldc int) {
	if beta == 1 {
		return
	}
	for i := range m {
		row := c[i*ldc : i*ldc+n]
		if beta == 0 {
			clear(row)
			continue
		}
		for j := range row {
			row[j] *= beta
		}
	}
}

// checkMatrix panics unless a rows×columns matrix, stored transposed or not,
// fits its slice.
func checkMatrix(name string, transposed bool, rows, columns, length, stride int) {
	if rows < 0 || columns < 0 {
		panic(fmt.Sprintf("blas: %s is %d×%d: negative size", name, rows, columns))
	}
	if transposed {
		rows, columns = columns, rows
	}
	if rows == 0 || columns == 0 {
		return
	}
	if stride < columns {
		panic(fmt.Sprintf("blas: %s has rows of %d elements but stride %d", name, columns, stride))
	}
	if need := (rows-1)*stride + columns; length < need {
		panic(fmt.Sprintf("blas: %s has %d elements, needs %d", name, length, need))
	}
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
