package blas

import "fmt"

// Movements of many short rows, for convolutions: copies and additions of rows
// at constant distances, and the transposition of a matrix. With rows of one
// element the machine code has nothing to gain and a plain loop is used.

// CopyRows copies count rows of n elements. Row i lies at src[i·srcStep] and goes
// to dst[i·dstStep]. The rows of dst must not overlap one another or src.
// It panics if a slice is too short.
func CopyRows[T Float](count, n int, src []T, srcStep int, dst []T, dstStep int) {
	if count <= 0 || n <= 0 {
		return
	}
	if srcStep == n && dstStep == n {
		copy(dst[:count*n], src[:count*n])
		return
	}
	checkRows(count, n, len(src), srcStep, len(dst), dstStep)
	if n == 1 {
		for i := range count {
			dst[i*dstStep] = src[i*srcStep]
		}
		return
	}
	kernelOf[T]().copyRows(count, n, &src[0], srcStep, &dst[0], dstStep)
}

// AddRows adds count rows of n elements of src to rows of dst, which lie as for
// CopyRows. It panics if a slice is too short.
func AddRows[T Float](count, n int, src []T, srcStep int, dst []T, dstStep int) {
	if count <= 0 || n <= 0 {
		return
	}
	if srcStep == n && dstStep == n {
		count, n = 1, count*n
	}
	checkRows(count, n, len(src), srcStep, len(dst), dstStep)
	if n == 1 {
		for i := range count {
			dst[i*dstStep] += src[i*srcStep]
		}
		return
	}
	kernelOf[T]().addRows(count, n, &src[0], srcStep, &dst[0], dstStep)
}

// checkRows panics unless count rows of n elements lie within both slices.
func checkRows(count, n, lenSrc, srcStep, lenDst, dstStep int) {
	if srcStep < 0 || dstStep < 0 || lenSrc < (count-1)*srcStep+n || lenDst < (count-1)*dstStep+n {
		panic(fmt.Sprintf("blas: %d rows of %d at steps %d and %d do not fit %d and %d elements",
			count, n, srcStep, dstStep, lenSrc, lenDst))
	}
}

// Transpose writes the transpose of a rows×columns matrix: dst[j·dstRow + i] =
// src[i·srcRow + j]. It panics if a slice is too short. The two must not overlap.
func Transpose[T Float](rows, columns int, src []T, srcRow int, dst []T, dstRow int) {
	checkMatrix("src", false, rows, columns, len(src), srcRow)
	checkMatrix("dst", true, rows, columns, len(dst), dstRow)
	if rows == 0 || columns == 0 {
		return
	}
	kern := kernelOf[T]()
	for j := 0; j < columns; j += transposeColumns {
		wide := min(transposeColumns, columns-j)
		for i := 0; i < rows; i += kern.transposeLanes {
			kern.transposeRows(min(kern.transposeLanes, rows-i), wide, src[i*srcRow+j:], srcRow, dst[j*dstRow+i:], dstRow)
		}
	}
}

// transposeColumns is the number of columns transposed at once, so that the rows
// written stay in cache until they are whole.
const transposeColumns = 64

// transposeRows transposes at most transposeLanes rows.
func (kern *kernel[T]) transposeRows(rows, columns int, src []T, srcRow int, dst []T, dstRow int) {
	done := 0
	if blocks := columns / kern.transposeLanes; rows == kern.transposeLanes && blocks > 0 {
		kern.transpose(blocks, &src[0], srcRow, &dst[0], dstRow)
		done = blocks * kern.transposeLanes
	}
	for i := range rows {
		for j := done; j < columns; j++ {
			dst[j*dstRow+i] = src[i*srcRow+j]
		}
	}
}
