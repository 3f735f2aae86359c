package conv

import (
	"github.com/vouchnn/vouch/internal/blas"
	"github.com/vouchnn/vouch/internal/parallel"
)

// The gradient of the weights: the patches [depth × positions] times the
// transposed gradient of the output [positions × O], summed over the samples. That
// is the transpose of the weights' gradient; in this order the smaller matrix is
// the one that the product has to transpose. The sum over the samples of a block
// is part of the product. The blocks are divided into at most 16 groups, whatever
// the number of processors; each group has a sum of its own, and the sums are
// added in order.

// mostGroups bounds the memory for partial sums.
const mostGroups = 16

// WeightGrad adds to gw the gradient of the weights and to gb that of the bias.
//
// Shapes: as for Forward, with gy like y, gw like w and gb like bias; gw or gb may
// be nil. They must not overlap the others. Panics if s is not valid or a slice
// too short. Safe for concurrent use.
func WeightGrad[T blas.Float](s *Spec, batch int, x, gy, gw, gb []T) {
	if gw == nil && gb == nil {
		return
	}
	k := borrow[T]()
	k.prepare(s, batch, x, gy)
	if gw != nil {
		k.gw = gw[:s.weightSize()]
	}
	if gb != nil {
		k.bias = gb[:s.OutChannels]
	}
	k.groups = min(mostGroups, k.blocks())
	clear(grow(&k.partial, k.groups*(s.weightSize()+s.OutChannels)))
	k.eachGroup()
	k.addSums(gb)
	k.giveBack()
}

// eachGroup computes the groups' sums. On a busy machine it takes one after the other and
// looks whether a processor has become free. Then it shares the rest out, but for a last
// round that would leave half of the processors or more without a group: there it shares
// out the products of one group after the other.
func (k *work[T]) eachGroup() {
	for k.from = 0; k.from < k.groups; {
		free, rest := parallel.Free(), k.groups-k.from
		if over := rest % free; 2*over <= free {
			rest -= over
		}
		if free > 1 && rest > 0 {
			k.each(rest, k.weightGrad)
			k.from += rest
			continue
		}
		k.serial = free == 1
		k.weightGradGroups(0, 1)
		k.from++
	}
}

// addSums adds the partial sums to the gradients, in order.
func (k *work[T]) addSums(gb []T) {
	s := k.spec
	depth, share := s.groupDepth(), s.OutChannels/s.Groups
	turned := grow(&k.patches, depth*share)
	for g := range k.groups {
		weights, bias := k.sums(g)
		if gb != nil {
			blas.Axpy(1, bias, gb)
		}
		if k.gw == nil {
			continue
		}
		k.perGroup(func(w, _, _ int) {
			blas.Transpose(depth, share, weights[w:], share, turned, depth)
			blas.Axpy(1, turned, k.gw[w:])
		})
	}
}

// sums is the pair of partial sums of a group of blocks; the weights are transposed
// within each group of channels.
func (k *work[T]) sums(group int) (weights, bias []T) {
	size := k.spec.weightSize()
	at := group * (size + k.spec.OutChannels)
	return k.partial[at : at+size], k.partial[at+size : at+size+k.spec.OutChannels]
}

// weightGradGroups computes the partial sums of the groups lo to hi, counted from k.from.
func (k *work[T]) weightGradGroups(lo, hi int) {
	own := k.borrowFor()
	for g := k.from + lo; g < k.from+hi; g++ {
		weights, bias := k.sums(g)
		for b := g * k.blocks() / k.groups; b < (g+1)*k.blocks()/k.groups; b++ {
			own.weightGradBlock(b, weights, bias)
		}
	}
	own.giveBack()
}

func (k *work[T]) weightGradBlock(block int, weights, bias []T) {
	s := k.spec
	first, n := k.samples(block)
	positions := s.positions()
	out := sideBySide(&k.out, k.y[first*s.outputSize():], s.outputSize(), n)
	if k.bias != nil {
		for o := range bias {
			bias[o] += sum(out[o*positions*n : (o+1)*positions*n])
		}
	}
	if k.gw == nil {
		return
	}
	in := sideBySide(&k.in, k.x[first*s.inputSize():], s.inputSize(), n)
	strip := k.strip(n)
	for start := 0; start < positions; start += strip {
		end := min(positions, start+strip)
		patches, stride := k.patchesOf(in, n, start, end)
		k.perGroup(func(w, patch, output int) {
			k.multiply(false, true, s.groupDepth(), s.OutChannels/s.Groups, (end-start)*n,
				patches[patch*stride:], stride, out[output*positions*n+start*n:], positions*n,
				1, weights[w:], s.OutChannels/s.Groups)
		})
	}
}

// sum adds the elements of x in four interleaved sums.
func sum[T blas.Float](x []T) T {
	var a, b, c, d T
	for len(x) >= 4 {
		a, b, c, d = a+x[0], b+x[1], c+x[2], d+x[3]
		x = x[4:]
	}
	for _, v := range x {
		a += v
	}
	return (a + b) + (c + d)
}
