package blas

import "unsafe"

// The product on one goroutine, after Goto and van de Geijn, "Anatomy of
// high-performance matrix multiplication", ACM TOMS 34(3), 2008, in the five
// loops of BLIS (Van Zee and van de Geijn, ACM TOMS 41(3), 2015, figure 1):
//
//	columns of B by blockColumns
//	  depth by depth                 pack a block of B
//	    rows of A by blockRows       pack a block of A
//	      columns by width           a panel of B stays in the first cache
//	        rows by rows             one tile: the micro-kernel
//
// Two things differ. The micro-kernels take strides for A, so a block of A is
// read in place, or copied row by row where its rows collide in the cache, instead
// of being interleaved. And there is a micro-kernel for each number of rows, so a
// block is cut into panels of nearly equal height rather than into full ones and a
// rest.

// When to copy a block was found by measurement on a Sapphire Rapids; none of it
// changes the result.
const (
	fewRows     = 42      // up to so many rows of A, B is read too seldom to be copied
	directRows  = 400     // up to so many, a B of at most directBytes is not copied
	directBytes = 1 << 20 // either
	narrowRows  = 280     // up to so many, the blocks of B are a quarter as wide
	directStep  = 128     // up to so many, a transposed A is not copied
	smallBlock  = 1 << 15 // bytes of a block of B that is read panel by panel of A
)

// operand is a block of A or B as the micro-kernels read it. Panel q of A starts
// at q·panel; its element (i, p) is at i·row + p·step further. Panel q of B
// starts at q·panel; its row p is at p·step.
type operand[T Float] struct {
	data             []T
	row, step, panel int
}

// serial computes the problem, with the buffers of w.
func (kern *kernel[T]) serial(p *problem[T], w *job[T]) {
	depth := even(p.k, kern.depth)
	height := even(p.m, kern.blockRows)
	wide := kern.blockColumns
	if p.m <= narrowRows {
		wide /= 4
	}
	for j0 := 0; j0 < p.n; j0 += wide {
		columns := min(wide, p.n-j0)
		beta := p.beta
		for p0 := 0; p0 < p.k; p0 += depth {
			steps := min(depth, p.k-p0)
			right := kern.rightBlock(p, w, p0, j0, steps, columns)
			for i0 := 0; i0 < p.m; i0 += height {
				rows := min(height, p.m-i0)
				left, tall := kern.leftBlock(p, w, i0, p0, rows, steps)
				kern.tilesOf(left, right, tall, rows, columns, steps, p.alpha, beta, p.c[i0*p.ldc+j0:], p.ldc)
			}
			beta = 1
		}
	}
}

// even is the largest part when n is cut into the fewest nearly equal parts of
// at most the given size.
func even(n, size int) int { return ceilDiv(n, ceilDiv(n, size)) }

// tilesOf computes the tiles of one block of C. tall is the height of a panel of
// A; the last may be lower.
func (kern *kernel[T]) tilesOf(left, right operand[T], tall, rows, columns, steps int, alpha, beta T, c []T, ldc int) {
	tile := func(i, j int) {
		wide := min(kern.width, columns-j)
		tile := &kern.tiles[min(tall, rows-i)]
		run := tile.full
		if wide < kern.width {
			run = tile.masked2
			if wide <= kern.lanes {
				run = tile.masked1
			}
		}
		run(steps, &left.data[i/tall*left.panel], left.row, left.step, &right.data[j/kern.width*right.panel], right.step,
			&c[i*ldc+j], ldc, alpha, beta, wide)
	}
	if steps*columns*bytes[T]() <= smallBlock {
		// B stays in the first cache; so does one panel of A, and C is written in order.
		for i := 0; i < rows; i += tall {
			for j := 0; j < columns; j += kern.width {
				tile(i, j)
			}
		}
		return
	}
	for j := 0; j < columns; j += kern.width {
		for i := 0; i < rows; i += tall {
			tile(i, j)
		}
	}
}

// leftBlock returns a block of op(A), packed if that is worth it, and the height
// of its panels.
func (kern *kernel[T]) leftBlock(p *problem[T], w *job[T], i0, p0, rows, steps int) (operand[T], int) {
	tall := even(rows, kern.rows)
	from := p.a[i0*p.aRow+p0*p.aStep:]
	transposed := p.aStep != 1
	switch few := p.n <= 2*kern.width; {
	case few || !transposed && !aliased[T](p.aRow) || transposed && p.m <= directStep && !aliased[T](p.aStep):
		return operand[T]{from, p.aRow, p.aStep, tall * p.aRow}, tall
	case transposed:
		return kern.packInterleaved(w, from, p.aStep, rows, steps, tall), tall
	default:
		return kern.packRows(w, from, p.aRow, rows, steps, tall), tall
	}
}

// rightBlock returns a block of op(B), packed if that is worth it.
func (kern *kernel[T]) rightBlock(p *problem[T], w *job[T], p0, j0, steps, columns int) operand[T] {
	if p.bTransposed {
		return kern.packTransposed(w, p.b[j0*p.ldb+p0:], p.ldb, steps, columns)
	}
	from := p.b[p0*p.ldb+j0:]
	small := p.m <= directRows && p.k*p.n*bytes[T]() <= directBytes && !aliased[T](p.ldb)
	if p.m <= fewRows || small {
		return operand[T]{data: from, step: p.ldb, panel: kern.width}
	}
	return kern.packColumns(w, from, p.ldb, steps, columns)
}

// aliased tells whether elements at the given distance fall into the same sets
// of the first cache, where only a few of them fit at once.
func aliased[T Float](distance int) bool {
	return distance*bytes[T]()%4096 == 0
}

// bytes is the size of an element.
func bytes[T Float]() int { return int(unsafe.Sizeof(*new(T))) }
