package blas

import "unsafe"

// The routines in plain Go, for processors without machine code of their own
// and as a plain statement of what the machine code computes. The tile has two
// rows and four columns, which is what the registers of common processors hold.
// Where the compiler fuses a multiplication and an addition, so much the better:
// the error bound holds either way.

var genericKernels = &kernels{name: "generic", single: newGeneric[float32](), double: newGeneric[float64](), relax: &genericRelax, adam: genericAdam}

func newGeneric[T Float]() *kernel[T] {
	one := func(depth int, a *T, aRow, aStep int, b *T, bStep int, c *T, cRow int, alpha, beta T, columns int) {
		genericTile(1, depth, a, aRow, aStep, b, bStep, c, cRow, alpha, beta, columns)
	}
	two := func(depth int, a *T, aRow, aStep int, b *T, bStep int, c *T, cRow int, alpha, beta T, columns int) {
		genericTile(2, depth, a, aRow, aStep, b, bStep, c, cRow, alpha, beta, columns)
	}
	return &kernel[T]{
		tiles: []tileRow[T]{{}, {one, one, one}, {two, two, genericFull[T]}},
		rows:  2, lanes: 4, width: 4,
		depth: OneSum, blockRows: 128, blockColumns: 1024,
		transpose: genericTranspose[T], transposeLanes: 4,
		dot: genericDot[T], absDot: genericAbsDot[T], signDot: genericSignDot[T], axpy: genericAxpy[T],
		copyRows: genericCopyRows[T], addRows: genericAddRows[T],
	}
}

// genericTile computes a tile of any number of rows and at most four columns.
func genericTile[T Float](rows, depth int, a *T, aRow, aStep int, b *T, bStep int,
	c *T, cRow int, alpha, beta T, columns int,
) {
	left := unsafe.Slice(a, (rows-1)*aRow+(depth-1)*aStep+1)
	right := unsafe.Slice(b, (depth-1)*bStep+columns)
	out := unsafe.Slice(c, (rows-1)*cRow+columns)
	for i := range rows {
		for j := range columns {
			var sum T
			for p := range depth {
				sum += left[i*aRow+p*aStep] * right[p*bStep+j]
			}
			out[i*cRow+j] = finish(sum, alpha, beta, out[i*cRow+j])
		}
	}
}

// genericFull computes a tile of two rows and four columns.
func genericFull[T Float](depth int, a *T, aRow, aStep int, b *T, bStep int,
	c *T, cRow int, alpha, beta T, _ int,
) {
	left := unsafe.Slice(a, aRow+(depth-1)*aStep+1)
	right := unsafe.Slice(b, (depth-1)*bStep+4)
	var s00, s01, s02, s03, s10, s11, s12, s13 T
	for p := range depth {
		row := right[p*bStep : p*bStep+4 : p*bStep+4]
		x, y := left[p*aStep], left[p*aStep+aRow]
		s00 += x * row[0]
		s01 += x * row[1]
		s02 += x * row[2]
		s03 += x * row[3]
		s10 += y * row[0]
		s11 += y * row[1]
		s12 += y * row[2]
		s13 += y * row[3]
	}
	out := unsafe.Slice(c, cRow+4)
	for j, sum := range [4]T{s00, s01, s02, s03} {
		out[j] = finish(sum, alpha, beta, out[j])
	}
	for j, sum := range [4]T{s10, s11, s12, s13} {
		out[cRow+j] = finish(sum, alpha, beta, out[cRow+j])
	}
}

// finish is alpha·sum + beta·old, without old when beta is zero.
func finish[T Float](sum, alpha, beta, old T) T {
	if beta == 0 {
		return alpha * sum
	}
	return alpha*sum + beta*old
}

// genericTranspose writes the transpose of 4 rows and 4·blocks columns.
func genericTranspose[T Float](blocks int, src *T, srcRow int, dst *T, dstRow int) {
	from := unsafe.Slice(src, 3*srcRow+4*blocks)
	to := unsafe.Slice(dst, (4*blocks-1)*dstRow+4)
	for j := range 4 * blocks {
		row := to[j*dstRow : j*dstRow+4 : j*dstRow+4]
		row[0] = from[j]
		row[1] = from[j+srcRow]
		row[2] = from[j+2*srcRow]
		row[3] = from[j+3*srcRow]
	}
}

// genericDot is Σ x·y.
func genericDot[T Float](n int, x, y *T) T {
	u, v := unsafe.Slice(x, n), unsafe.Slice(y, n)
	var sum T
	for i, value := range u {
		sum += value * v[i]
	}
	return sum
}

// genericAbsDot is Σ |x|·y.
func genericAbsDot[T Float](n int, x, y *T) T {
	u, v := unsafe.Slice(x, n), unsafe.Slice(y, n)
	var sum T
	for i, value := range u {
		if value < 0 {
			value = -value
		}
		sum += value * v[i]
	}
	return sum
}

// genericSignDot is Σ max(x,0)·low + min(x,0)·high.
func genericSignDot[T Float](n int, x, low, high *T) T {
	u, l, h := unsafe.Slice(x, n), unsafe.Slice(low, n), unsafe.Slice(high, n)
	var sum T
	for i, value := range u {
		sum += max(value, 0)*l[i] + min(value, 0)*h[i]
	}
	return sum
}

// genericAxpy adds alpha·x to y.
func genericAxpy[T Float](n int, alpha T, x, y *T) {
	u, v := unsafe.Slice(x, n), unsafe.Slice(y, n)
	for i, value := range u {
		v[i] += alpha * value
	}
}

// genericCopyRows copies count rows of n elements.
func genericCopyRows[T Float](count, n int, src *T, srcStep int, dst *T, dstStep int) {
	from, to := unsafe.Slice(src, (count-1)*srcStep+n), unsafe.Slice(dst, (count-1)*dstStep+n)
	for i := range count {
		copy(to[i*dstStep:i*dstStep+n], from[i*srcStep:i*srcStep+n])
	}
}

// genericAddRows adds count rows of n elements.
func genericAddRows[T Float](count, n int, src *T, srcStep int, dst *T, dstStep int) {
	from, to := unsafe.Slice(src, (count-1)*srcStep+n), unsafe.Slice(dst, (count-1)*dstStep+n)
	for i := range count {
		row := to[i*dstStep : i*dstStep+n]
		for j, v := range from[i*srcStep : i*srcStep+n] {
			row[j] += v
		}
	}
}
