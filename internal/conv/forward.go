package conv

import "github.com/vouchnn/vouch/internal/blas"

// The forward pass: the weights [O × depth] times the patches [depth × positions],
// per group, added to the bias.

// Forward computes the convolution of a batch.
//
// Shapes: x is [batch][Channels][Height][Width], w [OutChannels][Channels/Groups]
// [KernelH][KernelW], bias nil or [OutChannels], y [batch][OutChannels][OutHeight]
// [OutWidth]. y is overwritten and must not overlap the others.
// Guarantee: each element is a sum of products in the order of the weights,
// rounded as in blas.Gemm, and does not depend on the batch around it.
// Panics if s is not valid or a slice too short. Safe for concurrent use.
func Forward[T blas.Float](s *Spec, batch int, x, w, bias, y []T) {
	k := borrow[T]()
	k.prepare(s, batch, x, y)
	k.w, k.bias = w[:s.weightSize()], bias
	if bias != nil {
		k.bias = bias[:s.OutChannels]
	}
	k.each(k.blocks(), k.forward)
	k.giveBack()
}

// forwardBlocks computes the blocks lo to hi.
func (k *work[T]) forwardBlocks(lo, hi int) {
	own := k.borrowFor()
	for b := lo; b < hi; b++ {
		own.forwardBlock(b)
	}
	own.giveBack()
}

func (k *work[T]) forwardBlock(block int) {
	s := k.spec
	first, n := k.samples(block)
	size, positions := s.outputSize(), s.positions()
	in := sideBySide(&k.in, k.x[first*s.inputSize():], s.inputSize(), n)
	out := k.y[first*size : (first+1)*size]
	if n > 1 {
		out = grow(&k.out, size*n)
	}
	beta := k.fillBias(out, positions*n)
	strip := k.strip(n)
	for start := 0; start < positions; start += strip {
		end := min(positions, start+strip)
		patches, stride := k.patchesOf(in, n, start, end)
		k.perGroup(func(w, patch, output int) {
			k.multiply(false, false, s.OutChannels/s.Groups, (end-start)*n, s.groupDepth(), k.w[w:], s.groupDepth(),
				patches[patch*stride:], stride, beta, out[output*positions*n+start*n:], positions*n)
		})
	}
	if n > 1 {
		blas.Transpose(size, n, out, n, k.y[first*size:], size)
	}
}

// fillBias writes the bias to each channel of a block and returns the factor of
// the block in the product to come: 1, or 0 without bias.
func (k *work[T]) fillBias(out []T, channel int) T {
	if k.bias == nil {
		return 0
	}
	for o, b := range k.bias {
		row := out[o*channel : (o+1)*channel]
		row[0] = b
		for done := 1; done < len(row); done *= 2 {
			copy(row[done:], row[:done])
		}
	}
	return 1
}

// patchesOf returns the patches of a strip and the distance of their rows. The
// patches of a pointwise convolution are the input itself.
func (k *work[T]) patchesOf(in []T, n, start, end int) ([]T, int) {
	if k.spec.pointwise() {
		return in[start*n:], k.spec.positions() * n
	}
	stride := (end - start) * n
	patches := grow(&k.patches, k.spec.patchSize()*stride)
	k.runs = k.spec.runs(k.runs, start, end)
	gather(k.spec, in, n, k.runs, patches, stride)
	return patches, stride
}

// perGroup calls f for each group with the index of its first weight, its first
// row of patches and its first output channel.
func (k *work[T]) perGroup(f func(weight, patch, output int)) {
	s := k.spec
	for g := range s.Groups {
		output := g * (s.OutChannels / s.Groups)
		f(output*s.groupDepth(), g*s.groupDepth(), output)
	}
}
