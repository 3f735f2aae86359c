package dualapp

// Under-approximated domains: intervals between values that a neuron takes.
//
// An UnderApproximator is bound to a network and then to a centre, and what does
// not depend on the radius is done once: samples are drawn and carried through
// the first layers, gradients are taken. What is left for each radius is Local's.

import (
	"context"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/spec"
)

// UnderApproximator is a way to find under-approximated domains: MonteCarlo and
// Gradient.
type UnderApproximator interface {
	// For makes ready for a network.
	For(m *bounds.Model) Estimator
}

// Estimator finds under-approximated domains of one network. Implementations
// are safe for concurrent use.
type Estimator interface {
	// At makes ready for regions around a centre [inputs], which it keeps.
	At(ctx context.Context, center []float64) (Local, error)
}

// Local finds under-approximated domains of regions around one centre.
// Implementations are not safe for concurrent use.
type Local interface {
	// Under is what bounds.Domain.Under takes: for each node that feeds a
	// nonlinear one, an interval between values that occur in the region, up to
	// single precision; nothing for other nodes.
	// Errors: the context's, when it ends.
	Under(ctx context.Context, region spec.Region) ([]bounds.Interval, error)
}

// Unstable marks the neurons of ReLU and LeakyReLU activations that are undecided
// for certain: inputs of the region are known on both of whose sides they lie.
// Splitting any other neuron of those that bounds leave undecided may be in vain.
//
// The result is by index of the node in front of the activation, nil for all
// others. under is Local.Under's, to single precision: a heuristic.
func Unstable(m *bounds.Model, under []bounds.Interval) [][]bool {
	nodes := m.Network().Nodes()
	out := make([][]bool, len(nodes))
	for _, n := range nodes {
		if n.Op == nil || !isLeaky(n.Op) {
			continue
		}
		j := n.Inputs[0]
		if j >= len(under) || under[j].Lower == nil {
			continue
		}
		mark := make([]bool, len(under[j].Lower))
		for k, lo := range under[j].Lower {
			mark[k] = lo < 0 && under[j].Upper[k] > 0
		}
		out[j] = mark
	}
	return out
}
