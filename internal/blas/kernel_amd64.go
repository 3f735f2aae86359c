package blas

import "golang.org/x/sys/cpu"

// Block sizes. A panel of B, depth × width, is read once per panel of A and
// should stay in the 32 to 48 KB of the first cache; a block of A, blockRows ×
// depth, is read once per panel of B and should fill about half of the second.

var avx2Kernels = &kernels{
	name: "avx2",
	single: &kernel[float32]{
		tiles: tilesF32AVX2, rows: 6, lanes: 8, width: 16,
		depth: OneSum, blockRows: 240, blockColumns: 1024,
		transpose: transposeF32, transposeLanes: 8,
		dot: dotF32AVX2, absDot: absDotF32AVX2, signDot: signDotF32AVX2, axpy: axpyF32AVX2,
		copyRows: copyRowsF32AVX2, addRows: addRowsF32AVX2,
	},
	double: &kernel[float64]{
		tiles: tilesF64AVX2, rows: 6, lanes: 4, width: 8,
		depth: OneSum, blockRows: 120, blockColumns: 1024,
		transpose: transposeF64, transposeLanes: 4,
		dot: dotF64AVX2, absDot: absDotF64AVX2, signDot: signDotF64AVX2, axpy: axpyF64AVX2,
		copyRows: copyRowsF64AVX2, addRows: addRowsF64AVX2,
	},
	relax: &avx2Relax, adam: adamF32AVX2,
}

var avx512Kernels = &kernels{
	name: "avx512",
	single: &kernel[float32]{
		tiles: tilesF32AVX512, rows: 14, lanes: 16, width: 32,
		depth: OneSum, blockRows: 560, blockColumns: 1024,
		transpose: transposeF32, transposeLanes: 8,
		dot: dotF32AVX2, absDot: absDotF32AVX2, signDot: signDotF32AVX2, axpy: axpyF32AVX2,
		copyRows: copyRowsF32AVX2, addRows: addRowsF32AVX2,
	},
	double: &kernel[float64]{
		tiles: tilesF64AVX512, rows: 14, lanes: 8, width: 16,
		depth: OneSum, blockRows: 280, blockColumns: 1024,
		transpose: transposeF64, transposeLanes: 4,
		dot: dotF64AVX2, absDot: absDotF64AVX2, signDot: signDotF64AVX2, axpy: axpyF64AVX2,
		copyRows: copyRowsF64AVX2, addRows: addRowsF64AVX2,
	},
	relax: &avx2Relax, adam: adamF32AVX2,
}

// availableKernels lists the kernels of this machine, slowest first. The cpu
// package reports an extension only if the operating system saves its registers.
func availableKernels() []*kernels {
	list := []*kernels{genericKernels}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		list = append(list, avx2Kernels)
		if cpu.X86.HasAVX512F {
			list = append(list, avx512Kernels)
		}
	}
	return list
}
