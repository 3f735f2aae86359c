package train

// Dropout: in training each unit is 0 with probability r and otherwise
// 1/(1−r) times itself, so that its mean does not change; in evaluation, and in
// the stored network, it is not there. A rate belongs to a node of the network
// by name (Options.Dropout), and is no operator: the network that is verified
// has none.
//
// Source: Srivastava et al. 2014, JMLR 15(56), with the scaling at training
// time that every library uses today.

import (
	"math/rand/v2"

	"github.com/vouchnn/vouch/internal/parallel"
)

// drop draws the mask of node i and applies it.
func (p *Pass) drop(i int, rng *rand.Rand) {
	rate := p.m.dropout[i]
	n := len(p.raw[i])
	p.masks[i], p.post[i] = grown(p.masks[i], n), grown(p.post[i], n)
	keep := float32(1 / (1 - rate))
	limit := uint32(rate * (1 << 32))
	for k := 0; k < n; k += 2 {
		bits := rng.Uint64()
		for h := k; h < min(k+2, n); h++ {
			p.masks[i][h] = 0
			if uint32(bits) >= limit {
				p.masks[i][h] = keep
			}
			bits >>= 32
		}
	}
	copy(p.post[i], p.raw[i])
	multiply(p.post[i], p.masks[i])
	p.seen[i] = p.post[i]
}

// grain is the least number of elements worth a goroutine.
const grain = 1 << 14

// multiply is x[i] *= y[i].
func multiply(x, y []float32) {
	parallel.For(len(x), grain, func(lo, hi int) {
		y := y[lo:hi]
		for i := range x[lo:hi] {
			x[lo+i] *= y[i]
		}
	})
}

// add is x[i] += y[i].
func add(x, y []float32) {
	parallel.For(len(x), grain, func(lo, hi int) {
		y := y[lo:hi]
		for i := range x[lo:hi] {
			x[lo+i] += y[i]
		}
	})
}
