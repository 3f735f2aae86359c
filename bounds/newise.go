package bounds

// NeWise: the tightest lines, of one neuron and of a network.
//
// Neuron-wise: the upper line must have the curve's value at u and the lower one
// at l, so that the output's interval is exact, and among those leave the least
// area: the tangents at u and at l, or the chord.
//
// Network-wise, a choice of lines is tightest if it gives the best bound of the
// output. Two cases are known:
//
//   - Monotone networks. If every input pushes all neurons of the first layer the
//     same way and no later weight is negative, each upper line is only read at
//     the right end of its range and each lower line at the left one. The
//     neuron-wise choice is tightest.
//   - One hidden layer. The bound is a function of the tangent points, which are
//     optimised by gradient steps, for each bound of the output apart.
//
// For all other networks the paper's code takes the neuron-wise choice, and so
// does NeWise.
//
// Source: Zhang et al. 2022, "Provably tightest linear approximation for
// robustness verification of sigmoid-like neural networks" (ASE), §§4–5.
// Deviations: points are clamped to d1 and d2 where the chord is sound on the
// other side too, since the paper's ranges are wider there than what is sound; the
// steps are those of tangent.go (Adam, decreasing) from the middle, the published
// code's default start.

import (
	"context"

	"github.com/vouchnn/vouch/nn"
)

// NeWiseLines is the Relaxer of the neuron-wise tightest lines for S-curves.
//
// Guarantee: sound, rounded outward; the lines' values at u and at l are the
// curve's.
type NeWiseLines struct{}

// Relax implements Relaxer.
func (NeWiseLines) Relax(f nn.Elementwise, over Range, _ *Range) (Lines, bool) {
	return relaxCurve(f, over, func(a *arc) (upper, lower float64) { return a.u, a.l })
}

// NeWise is the Bounder of network-wise tightest lines: optimised ones for
// networks with one hidden layer, NeWiseLines for monotone networks and for all
// others, where they are not known to be tightest.
//
// Guarantee: sound, rounded outward.
// Cost: that of Crown; with one hidden layer, two passes per iteration more.
type NeWise struct {
	// Iterations of the optimiser, at least 1. Default 0: 100.
	Iterations int
}

// Bound implements Bounder.
func (n NeWise) Bound(ctx context.Context, m *Model, q *Query) ([]DomainResult, error) {
	if len(m.Nonlinear()) > 1 || m.Monotone() {
		return Crown{Relaxer: NeWiseLines{}}.Bound(ctx, m, q)
	}
	if n.Iterations <= 0 {
		n.Iterations = 100
	}
	return AlphaBeta{Relaxer: VeriNetLines{}, Iterations: n.Iterations}.Bound(ctx, m, q)
}

// Monotone reports whether the network is one for which NeWiseLines are the
// network-wise tightest: every input pushes all neurons of the first layer the
// same way, and no later weight is negative. Only networks of dense and
// convolutional layers, average pooling and pure moves are recognised.
func (m *Model) Monotone() bool {
	after := make([]bool, len(m.nodes)) // behind some weight
	for i := 1; i < len(m.nodes); i++ {
		for _, j := range m.nodes[i].Inputs {
			after[i] = after[i] || after[j]
		}
		a, ok := m.rules[i].(*affine)
		if !ok {
			continue
		}
		var weight []float64
		columns := 1 // that may differ in sign, in the first layer
		switch op := a.op.(type) {
		case *nn.Dense:
			weight, columns = op.Weight().Values(), op.Weight().Shape[1]
		case *nn.Conv:
			weight = op.Weight().Values()
		case *nn.AveragePool:
		default:
			if f, _ := op.Rounding(m.inShapes[i]); f != 0 || !monotone(op) {
				return false
			}
			continue
		}
		if weight == nil {
			continue
		}
		if !after[i] && !oneSigned(weight, columns) || after[i] && !nonNegative(weight) {
			return false
		}
		after[i] = true
	}
	return true
}

// oneSigned reports whether no column of a matrix holds numbers of both signs.
func oneSigned(weight []float64, columns int) bool {
	for c := range columns {
		sign := 0.0
		for k := c; k < len(weight); k += columns {
			if weight[k]*sign < 0 {
				return false
			}
			if weight[k] != 0 {
				sign = weight[k]
			}
		}
	}
	return true
}

func nonNegative(weight []float64) bool {
	for _, w := range weight {
		if w < 0 {
			return false
		}
	}
	return true
}
