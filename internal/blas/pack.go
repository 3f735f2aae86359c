package blas

// Packing: copying a block of A or B to where the micro-kernels read it in
// order, near in memory and free of the conflicts in cache that rows at a power
// of two apart would have. No element is copied that does not belong to the
// matrix, and the micro-kernels read none that was not copied.

// padding is the number of elements put between copied rows of A, a cache line.
const padding = 16

// grow returns a buffer of n elements, the given one if it is large enough.
func grow[T Float](buffer []T, n int) []T {
	if cap(buffer) < n {
		return make([]T, n+n/4)
	}
	return buffer[:n]
}

// packRows packs a block of A that is not transposed: its rows one after the
// other.
func (kern *kernel[T]) packRows(w *job[T], from []T, stride, rows, steps, tall int) operand[T] {
	row := steps + padding
	w.left = grow(w.left, rows*row)
	for i := range rows {
		copy(w.left[i*row:i*row+steps], from[i*stride:i*stride+steps])
	}
	return operand[T]{w.left, row, 1, tall * row}
}

// packInterleaved packs a block of A that is transposed: panels of tall rows,
// where the elements of one step lie together, as they do in the source.
func (kern *kernel[T]) packInterleaved(w *job[T], from []T, stride, rows, steps, tall int) operand[T] {
	panel := tall * steps
	w.left = grow(w.left, ceilDiv(rows, tall)*panel)
	for i, base := 0, 0; i < rows; i, base = i+tall, base+panel {
		kern.copyRows(steps, min(tall, rows-i), &from[i], stride, &w.left[base], tall)
	}
	return operand[T]{w.left, 1, tall, panel}
}

// packColumns packs a block of B that is not transposed: panels of width
// columns, each step's elements together.
func (kern *kernel[T]) packColumns(w *job[T], from []T, stride, steps, columns int) operand[T] {
	width := kern.width
	panel := width * steps
	w.right = grow(w.right, ceilDiv(columns, width)*panel)
	for s := range steps {
		row := from[s*stride : s*stride+columns]
		at := s * width
		for len(row) >= width {
			copy(w.right[at:at+width], row[:width])
			row, at = row[width:], at+panel
		}
		if len(row) > 0 {
			copy(w.right[at:at+len(row)], row)
		}
	}
	return operand[T]{data: w.right, step: width, panel: panel}
}

// packTransposed packs a block of B that is transposed, in the form that
// packColumns gives.
func (kern *kernel[T]) packTransposed(w *job[T], from []T, stride, steps, columns int) operand[T] {
	width, lanes := kern.width, kern.transposeLanes
	panel := width * steps
	w.right = grow(w.right, ceilDiv(columns, width)*panel)
	for j := 0; j < columns; j += lanes {
		kern.transposeRows(min(lanes, columns-j), steps, from[j*stride:], stride, w.right[j/width*panel+j%width:], width)
	}
	return operand[T]{data: w.right, step: width, panel: panel}
}
