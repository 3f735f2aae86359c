package conv

import (
	"fmt"
	"sync"

	"github.com/vouchnn/vouch/internal/blas"
	"github.com/vouchnn/vouch/internal/parallel"
)

// A batch is cut into blocks of up to 32 samples and the blocks are shared out
// over the processors. In a block the samples lie side by side: element f of
// sample n at f·width + n. A block of one sample needs no rearrangement. The
// width of the blocks depends on the batch alone, so the results do not depend
// on the number of processors.

// patchBudget is the number of elements of the patches gathered at once, such
// that they stay in the second cache.
const patchBudget = 1 << 16

// work is the state of one call or of one goroutine of it, kept in a pool.
type work[T blas.Float] struct {
	spec   *Spec
	batch  int
	width  int // of a block
	serial bool
	set    bool // InputGrad overwrites
	x, y   []T  // input and output, or their gradients
	w      []T  // weights
	bias   []T  // or its gradient
	gw     []T
	groups int // of blocks, for WeightGrad
	from   int // the first group that is not done

	in, out, patches, partial []T // buffers
	runs                      []run

	forward, inputGrad, weightGrad func(lo, hi int)
}

var works32, works64 sync.Pool

func workPool[T blas.Float]() *sync.Pool {
	if _, single := any(*new(T)).(float32); single {
		return &works32
	}
	return &works64
}

// borrow takes a state from the pool; giveBack returns it.
func borrow[T blas.Float]() *work[T] {
	w, _ := workPool[T]().Get().(*work[T])
	if w == nil {
		w = new(work[T])
		w.forward, w.inputGrad, w.weightGrad = w.forwardBlocks, w.inputGradBlocks, w.weightGradGroups
	}
	return w
}

func (w *work[T]) giveBack() {
	w.spec, w.x, w.y, w.w, w.bias, w.gw = nil, nil, nil, nil, nil, nil
	workPool[T]().Put(w)
}

// borrowFor takes the state of one goroutine of a call.
func (w *work[T]) borrowFor() *work[T] {
	own := borrow[T]()
	own.spec, own.batch, own.width, own.serial, own.set = w.spec, w.batch, w.width, w.serial, w.set
	own.x, own.y, own.w, own.bias, own.gw, own.groups = w.x, w.y, w.w, w.bias, w.gw, w.groups
	return own
}

// prepare checks the arguments of a call and chooses the width of the blocks.
func (w *work[T]) prepare(s *Spec, batch int, x, y []T) {
	if err := s.Validate(); err != nil {
		panic(err)
	}
	for _, slice := range [...]struct {
		name          string
		length, wants int
	}{
		{"input", len(x), batch * s.inputSize()},
		{"output", len(y), batch * s.outputSize()},
	} {
		if batch < 0 || slice.length < slice.wants {
			panic(fmt.Sprintf("conv: the %s has %d elements, a batch of %d needs %d", slice.name, slice.length, batch, slice.wants))
		}
	}
	w.spec, w.batch, w.x, w.y = s, batch, x, y
	switch {
	case batch < 4:
		w.width = 1
	case batch < 256:
		w.width = 16
	default:
		w.width = 32
	}
}

// blocks is the number of blocks of the batch.
func (w *work[T]) blocks() int { return (w.batch + w.width - 1) / w.width }

// each runs a body over [0, n): on all processors, or, for a single item, with
// products on all processors instead.
func (w *work[T]) each(n int, body func(lo, hi int)) {
	w.serial = n > 1
	parallel.For(n, 1, body)
}

// samples is the range of samples of a block.
func (w *work[T]) samples(block int) (first, count int) {
	first = block * w.width
	return first, min(w.width, w.batch-first)
}

// multiply is blas.Gemm, on one goroutine where all of them are busy.
func (w *work[T]) multiply(tA, tB bool, m, n, k int, a []T, lda int, b []T, ldb int, beta T, c []T, ldc int) {
	if w.serial {
		blas.GemmSerial(tA, tB, m, n, k, 1, a, lda, b, ldb, beta, c, ldc)
		return
	}
	blas.Gemm(tA, tB, m, n, k, 1, a, lda, b, ldb, beta, c, ldc)
}

// sideBySide returns count samples of size elements in block order; for one
// sample that is the source itself.
func sideBySide[T blas.Float](buffer *[]T, from []T, size, count int) []T {
	if count == 1 {
		return from[:size]
	}
	to := grow(buffer, size*count)
	blas.Transpose(count, size, from, size, to, count)
	return to
}

// grow returns a buffer of n elements.
func grow[T blas.Float](buffer *[]T, n int) []T {
	if cap(*buffer) < n {
		*buffer = make([]T, n)
	}
	return (*buffer)[:n]
}

// strip is the number of positions whose patches are gathered at once: whole rows
// of the output if one fits, and enough columns for a product.
func (w *work[T]) strip(count int) int {
	width := w.spec.OutWidth()
	n := max(patchBudget/(w.spec.patchSize()*count), (63+count)/count)
	if n > width {
		n -= n % width
	}
	return min(n, w.spec.positions())
}
