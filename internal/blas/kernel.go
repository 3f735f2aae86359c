package blas

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// The choice of machine code. A kernel holds the routines of one instruction
// set for one element type, and the sizes of the blocks that suit them. The
// kernel is chosen once, when the program starts: the widest that processor and
// operating system support, or the one that the environment variable
// VOUCH_KERNEL names (auto, generic, avx2, avx512). A name that this machine
// cannot run stops the program, since the user asked for something specific.

// Float is the type of the elements of a matrix.
type Float interface{ float32 | float64 }

// OneSum is the number of terms up to which an element of a product is one sum, in
// order. Leaving out terms that are zero then does not change a bit of it.
const OneSum = 256

// tileFunc computes a tile of C, alpha·A·B + beta·C, of a number of rows known
// to the routine. Element (i, p) of A is aRow·i + aStep·p elements after a; row p
// of B starts bStep·p after b and is contiguous; row i of C starts cRow·i after c.
// C is not read when beta is zero. depth is at least 1.
type tileFunc[T Float] func(depth int, a *T, aRow, aStep int, b *T, bStep int,
	c *T, cRow int, alpha, beta T, columns int)

// tileRow holds the routines of one number of rows. full makes a tile of whole
// vectors and ignores columns; masked1 and masked2 make tiles of at most one and
// of between one and two vectors.
type tileRow[T Float] struct{ masked1, masked2, full tileFunc[T] }

// kernel is one instruction set's routines for one element type.
type kernel[T Float] struct {
	tiles []tileRow[T] // by number of rows
	rows  int          // of the largest tile
	lanes int          // elements of a vector
	width int          // columns of the largest tile

	depth        int // most products summed before C is updated
	blockRows    int // rows of A packed at once
	blockColumns int // columns of B packed at once

	// transpose reads transposeLanes rows and transposeLanes·blocks columns.
	transpose      func(blocks int, src *T, srcRow int, dst *T, dstRow int)
	transposeLanes int

	dot     func(n int, x, y *T) T
	absDot  func(n int, x, y *T) T
	signDot func(n int, x, low, high *T) T
	axpy    func(n int, alpha T, x, y *T)

	copyRows func(count, n int, src *T, srcStep int, dst *T, dstStep int)
	addRows  func(count, n int, src *T, srcStep int, dst *T, dstStep int)

	jobs sync.Pool // of *job[T]
}

// kernels is a choice of machine code for both element types.
type kernels struct {
	name   string
	single *kernel[float32]
	double *kernel[float64]
	relax  *relaxKernels
	adam   func(n int, w, g, first, second, constants *float32)
}

var active atomic.Pointer[kernels]

func init() {
	name := os.Getenv("VOUCH_KERNEL")
	if name == "" {
		name = "auto"
	}
	if err := useKernel(name); err != nil {
		panic(err)
	}
}

// useKernel makes every later call use the named kernel.
func useKernel(name string) error {
	available := availableKernels()
	if name == "auto" {
		active.Store(available[len(available)-1])
		return nil
	}
	for _, k := range available {
		if k.name == name {
			active.Store(k)
			return nil
		}
	}
	return fmt.Errorf("blas: VOUCH_KERNEL=%q is not a kernel of this machine (auto, %s)", name, kernelNames(available))
}

// kernelNames lists the names of kernels.
func kernelNames(list []*kernels) string {
	names := ""
	for i, k := range list {
		if i > 0 {
			names += ", "
		}
		names += k.name
	}
	return names
}

// Kernel names the machine code in use: generic, avx2 or avx512.
func Kernel() string { return active.Load().name }

// kernelOf returns the routines in use for an element type.
func kernelOf[T Float]() *kernel[T] {
	all := active.Load()
	var k any = all.double
	if _, single := any(*new(T)).(float32); single {
		k = all.single
	}
	return k.(*kernel[T])
}
