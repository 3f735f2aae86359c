package qnn

import (
	"github.com/vouchnn/vouch/internal/parallel"
	"github.com/vouchnn/vouch/nn"
)

// Exact integer inference, one input at a time and many. It is the definition of
// what a network computes: every verdict refers to it, and every counterexample
// is replayed through it.

// Run is the network's outputs at x. It panics if x has the wrong length.
// Values outside of the input configuration are computed with as they are, as
// long as accumulators stay in range; see CheckInput.
func (n *Network) Run(x []int64) []int64 {
	for k := range n.Layers {
		x = n.Layers[k].Run(x)
	}
	return x
}

// Run is the layer's levels at the integer inputs x. It panics if x has the
// wrong length.
func (l *Layer) Run(x []int64) []int64 {
	y := make([]int64, l.Out)
	for j := range y {
		y[j] = l.Stair(j).Level(l.Accumulate(j, x))
	}
	return y
}

// Accumulate is neuron j's accumulator.
func (l *Layer) Accumulate(j int, x []int64) int64 {
	row := l.Row(j)
	if len(x) != len(row) {
		panic("qnn: the input has the wrong length")
	}
	a := l.Bias[j]
	for i, w := range row {
		a += int64(w) * x[i]
	}
	return a
}

// Trace is the levels of every layer at x, the input first. It panics if x has
// the wrong length.
func (n *Network) Trace(x []int64) [][]int64 {
	all := [][]int64{x}
	for k := range n.Layers {
		all = append(all, n.Layers[k].Run(all[k]))
	}
	return all
}

// RunBatch is Run for every input, on all processors.
func (n *Network) RunBatch(xs [][]int64) [][]int64 {
	ys := make([][]int64, len(xs))
	parallel.For(len(xs), 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			ys[i] = n.Run(xs[i])
		}
	})
	return ys
}

// Classify is the first index of the greatest output.
func (n *Network) Classify(x []int64) int { return nn.ArgMax(n.Run(x)) }

// CheckInput reports an input of the wrong length or with a value outside of
// the input configuration.
func (n *Network) CheckInput(x []int64) error {
	if len(x) != n.Inputs() {
		return errorf("input", "%d values for %d inputs", len(x), n.Inputs())
	}
	for i, v := range x {
		if v < n.Input.Min() || v > n.Input.Max() {
			return errorf("input", "value %d is %d, outside of %v", i, v, n.Input)
		}
	}
	return nil
}

// QuantizePixels is an image's pixels as inputs: as they are with eight bits,
// else scaled so that 255 becomes the greatest integer,
// rounded half up, as the published networks with 4 and 6 input bits have it.
func (n *Network) QuantizePixels(pixels []uint8) []int64 {
	x := make([]int64, len(pixels))
	low, high := n.Input.Min(), n.Input.Max()
	for i, p := range pixels {
		if high-low == 255 {
			x[i] = int64(p) + low
		} else {
			x[i] = low + (2*int64(p)*(high-low)+255)/510
		}
	}
	return x
}
