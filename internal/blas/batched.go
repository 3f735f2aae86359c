package blas

import (
	"fmt"
	"sync"

	"github.com/vouchnn/vouch/internal/parallel"
)

// Many small products of one shape, one product per item of a batch. They are
// shared out over the processors whole, so each has the bits that Gemm gives it.

// batch is the state of one call, kept in a pool.
type batch[T Float] struct {
	tA, tB                    bool
	problem                   problem[T]
	lda, ldb                  int
	strideA, strideB, strideC int
	run                       func(lo, hi int)
}

var batches32, batches64 sync.Pool

func batchPool[T Float]() *sync.Pool {
	if _, single := any(*new(T)).(float32); single {
		return &batches32
	}
	return &batches64
}

// BatchedGemm computes C_q = alpha·op(A_q)·op(B_q) + beta·C_q for q in [0, count).
//
// Matrix q starts q·stride elements after the first; a stride of zero for A or B
// shares one matrix. The C_q must not overlap one another. The rest is as for
// Gemm, with the same bits. Safe for concurrent use.
func BatchedGemm[T Float](tA, tB bool, count, m, n, k int, alpha T, a []T, lda, strideA int,
	b []T, ldb, strideB int, beta T, c []T, ldc, strideC int,
) {
	if count < 0 || strideA < 0 || strideB < 0 || strideC < 0 {
		panic(fmt.Sprintf("blas: negative count %d or stride %d, %d, %d", count, strideA, strideB, strideC))
	}
	if count == 0 || m == 0 || n == 0 {
		return
	}
	pool := batchPool[T]()
	s, _ := pool.Get().(*batch[T])
	if s == nil {
		s = new(batch[T])
		s.run = s.products
	}
	s.tA, s.tB, s.lda, s.ldb = tA, tB, lda, ldb
	s.strideA, s.strideB, s.strideC = strideA, strideB, strideC
	s.problem = problem[T]{m: m, n: n, k: k, alpha: alpha, beta: beta, a: a, b: b, c: c, ldc: ldc}
	parallel.For(count, max(1, serialWork/max(1, m*n*k)), s.run)
	s.problem = problem[T]{}
	pool.Put(s)
}

// products computes the products lo to hi.
func (s *batch[T]) products(lo, hi int) {
	p := &s.problem
	for q := lo; q < hi; q++ {
		GemmSerial(s.tA, s.tB, p.m, p.n, p.k, p.alpha, p.a[q*s.strideA:], s.lda,
			p.b[q*s.strideB:], s.ldb, p.beta, p.c[q*s.strideC:], p.ldc)
	}
}
