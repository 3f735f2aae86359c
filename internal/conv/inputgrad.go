package conv

import "github.com/vouchnn/vouch/internal/blas"

// The gradient of the input, also called transposed convolution: the transposed
// weights [depth × O] times the output's gradient [O × positions] give the
// gradients of the patches, which are scattered. It is also the step of backward
// bound propagation through a convolution, where each row of coefficients is a
// sample; a batch then has thousands.

// InputGrad adds to gx the transposed convolution of gy.
//
// Shapes: as for Forward, with gy like y and gx like x. gx must not overlap the
// others. Panics if s is not valid or a slice too short. Safe for concurrent use.
func InputGrad[T blas.Float](s *Spec, batch int, gy, w, gx []T) {
	inputGrad(false, s, batch, gy, w, gx)
}

// SetInputGrad is InputGrad, but overwrites gx.
func SetInputGrad[T blas.Float](s *Spec, batch int, gy, w, gx []T) {
	inputGrad(true, s, batch, gy, w, gx)
}

func inputGrad[T blas.Float](set bool, s *Spec, batch int, gy, w, gx []T) {
	k := borrow[T]()
	k.set = set
	k.prepare(s, batch, gx, gy)
	k.w = w[:s.weightSize()]
	k.each(k.blocks(), k.inputGrad)
	k.giveBack()
}

// inputGradBlocks computes the blocks lo to hi.
func (k *work[T]) inputGradBlocks(lo, hi int) {
	own := k.borrowFor()
	for b := lo; b < hi; b++ {
		own.inputGradBlock(b)
	}
	own.giveBack()
}

func (k *work[T]) inputGradBlock(block int) {
	s := k.spec
	first, n := k.samples(block)
	size, positions := s.inputSize(), s.positions()
	in := k.x[first*size : (first+1)*size]
	switch {
	case k.set:
		if n > 1 {
			in = grow(&k.in, size*n)
		}
		if !s.pointwise() {
			clear(in)
		}
	case n > 1:
		in = sideBySide(&k.in, k.x[first*size:], size, n)
	}
	out := sideBySide(&k.out, k.y[first*s.outputSize():], s.outputSize(), n)
	strip := k.strip(n)
	for start := 0; start < positions; start += strip {
		end := min(positions, start+strip)
		patches, stride, beta := in[start*n:], positions*n, T(1)
		if k.set {
			beta = 0
		}
		if !s.pointwise() {
			stride, beta = (end-start)*n, 0
			patches = grow(&k.patches, s.patchSize()*stride)
		}
		k.perGroup(func(w, patch, output int) {
			k.multiply(true, false, s.groupDepth(), (end-start)*n, s.OutChannels/s.Groups, k.w[w:], s.groupDepth(),
				out[output*positions*n+start*n:], positions*n, beta, patches[patch*stride:], stride)
		})
		if !s.pointwise() {
			k.runs = s.runs(k.runs, start, end)
			scatter(s, patches, stride, n, k.runs, in)
		}
	}
	if n > 1 {
		blas.Transpose(size, n, in, n, k.x[first*size:], size)
	}
}
