package train

// ReLU stability: bounds of a pre-activation should have the same sign, so that
// the ReLU is linear over the whole ball.
//
//	RS(l, u) = −tanh(1 + l·u),   −1 for each neuron that is far from 0, +1 for
//	                             each that may be on either side
//
// with l, u interval bounds over the ball around the clean sample. The total of
// the paper is CE at adversarial points + w₁·L1 + w₂·ΣRS, w₁ = 2e-5, w₂ = 1e-4.
//
// Its code (MadryLab/relu_stable) sums over the last axis and averages over all
// others: for a convolution that is a sum over channels and a mean over
// positions, H·W times less than the formula says. Both reductions are here; the
// code's is the default.
//
// Derivatives: ∂/∂l = −u·(1 − tanh²(1+l·u)), and with l for u alike.
// Source: Xiao, Tjeng, Shafiullah and Madry 2019, arXiv:1809.03008, §3.3.

import (
	"context"
	"math"

	"github.com/vouchnn/vouch/internal/parallel"
	"github.com/vouchnn/vouch/nn"
)

// ReLUStable is the mean over the batch of the sum of RS over the hidden
// neurons.
type ReLUStable struct {
	// Epsilon is the radius of the bounds.
	Epsilon Schedule
	// Full sums over all neurons of a convolution, as the formula says, where
	// the code averages over positions.
	Full bool
	// Composed computes bounds by the paper's improved interval arithmetic:
	// neurons that are active over the whole ball are passed on as linear
	// functions of the layer before them. Dense layers behind a Dense or Conv
	// layer alone have it; it costs a backward pass for each of their neurons
	// and sample.
	Composed bool
	// Lower and Upper are the range of inputs. Default, both 0: [0, 1].
	Lower, Upper float64
}

// NewReLUStable is the paper's total loss, w₁ and w₂ its weights.
func NewReLUStable(a Attack, rs ReLUStable, w1, w2 float64) Sum {
	return Sum{
		{Loss: Madry{a}, Name: "ce"},
		{Loss: L1{PerPosition: true, SkipOutput: true}, Weight: Constant(w1), Name: "l1"},
		{Loss: rs, Weight: Constant(w2), Name: "rs"},
	}
}

// Validate implements Loss.
func (l ReLUStable) Validate(net nn.Network) error {
	if l.Epsilon == nil {
		return valuef("ReLUStable.Epsilon", "is missing")
	}
	low, high := span(l.Lower, l.Upper)
	if !(low < high) {
		return valuef("ReLUStable.Lower", "and Upper are [%v, %v], want a range", low, high)
	}
	return l.Epsilon.within("ReLUStable.Epsilon", 0, high-low)
}

// span is the range of inputs, [0, 1] unless one is given.
func span(lower, upper float64) (low, high float64) {
	if lower == 0 && upper == 0 {
		return 0, 1
	}
	return lower, upper
}

// Add implements Loss.
func (l ReLUStable) Add(ctx context.Context, s *Step, weight float64) (float64, error) {
	low, high := span(l.Lower, l.Upper)
	b, err := s.box(ctx, l.Epsilon(s.Progress), low, high, l.Composed)
	if err != nil {
		return 0, err
	}
	total := 0.0
	for _, node := range s.m.hidden {
		factor := 1 / float64(s.Size)
		if shape := s.m.nodes[node].Shape; !l.Full && len(shape) > 2 {
			factor /= float64(shape[len(shape)-1] * shape[len(shape)-2])
		}
		gl, gu := b.grad(node)
		total += factor * stability(b.lower[node], b.upper[node], weight*factor, gl, gu)
	}
	return total, nil
}

// stability is Σ −tanh(1+l·u), with scale times its gradient added.
func stability(lower, upper []float32, scale float64, gl, gu []float32) float64 {
	const piece = 1 << 12
	pieces := (len(lower) + piece - 1) / piece
	sums := make([]float64, pieces)
	parallel.For(pieces, 1, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			for i := k * piece; i < min((k+1)*piece, len(lower)); i++ {
				l, u := float64(lower[i]), float64(upper[i])
				t := math.Tanh(1 + l*u)
				sums[k] -= t
				d := -scale * (1 - t*t)
				gl[i] += float32(d * u)
				gu[i] += float32(d * l)
			}
		}
	})
	total := 0.0
	for _, v := range sums {
		total += v
	}
	return total
}
