package blas

// avx2Relax serves avx512 as well: the rows are short.
var avx2Relax = relaxKernels{
	relax: relaxRowsF64AVX2, relaxAdd: relaxAddRowsF64AVX2, box: boxRowsF64AVX2, dot: dotRowsF64AVX2,
	along: alongRowsF64AVX2, ascend: ascendF64AVX2, tilt: tiltF64AVX2,
}
