// Package blas multiplies matrices on the processor: the product of two
// matrices, of a matrix and a vector, and a few sums over vectors, for float32
// and float64, row-major.
//
// How the parts fit:
//
//	Gemm, GemmSerial, BatchedGemm, Implementation      what callers use
//	        │                  └── Use64, Use32: another BLAS instead (plug.go)
//	   gemm.go      cut C into rectangles, one goroutine each
//	   block.go     five loops over blocks that fit the caches
//	   pack.go      copies of blocks of A and B in reading order
//	   relax.go     steps of bound propagation over rows of coefficients
//	   kernel.go    choice of machine code: generic, avx2, avx512
//	   generic.go, *_amd64.s    tiles of C in registers
//
// The assembly is written by the programs in the folder asm, a module of its
// own; run "go run ." there after a change.
//
// An element of C is a sum in the order of its products, cut into stretches of
// equal depth that depend on k alone. So the bits of a result depend neither on
// the number of processors nor on the size of the batch that a row is part of,
// and avx2 and avx512 give the same. The generic kernel may give others, since it
// fuses multiplication and addition only where the compiler does.
//
//	source                                     file            test
//	Goto & van de Geijn 2008, TOMS 34(3)       block.go        gemm_test.go
//	Van Zee & van de Geijn 2015, TOMS 41(3)    block.go        gemm_test.go
//	Higham 2002, section 3.5                   gemm.go         gemm_test.go
package blas
