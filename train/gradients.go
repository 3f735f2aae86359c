package train

// The engine without the trainer: values and gradients of a loss at one batch,
// for those who check them or make their own steps.

import (
	"context"
	"math/rand/v2"

	"github.com/vouchnn/vouch/nn"
)

// Gradients is loss at one batch, and its gradient with respect to every
// parameter, by node and index among the node's parameters; nil where a
// parameter is not trained. BatchNorm uses and keeps the network's statistics.
// progress, in [0, 1], is for schedules, seed for attacks.
// Errors: *ValueError, *LabelError, *nn.UnsupportedError, the context's error.
func Gradients(ctx context.Context, net nn.Network, loss Loss, b Batch, progress float64, seed uint64) (value float64, grads [][][]float32, err error) {
	m, err := newModel(net, &Options{FreezeStatistics: true})
	if err != nil {
		return 0, nil, err
	}
	if b.Size < 1 || len(b.X) != b.Size*m.inputs || len(b.Labels) != b.Size {
		return 0, nil, valuef("Batch", "has %d numbers and %d labels for %d samples of %d", len(b.X), len(b.Labels), b.Size, m.inputs)
	}
	for i, l := range b.Labels {
		if l < 0 || l >= m.outputs {
			return 0, nil, &LabelError{Index: i, Label: l, Classes: m.outputs}
		}
	}
	if err := loss.Validate(net); err != nil {
		return 0, nil, err
	}
	s := newStep(m)
	s.begin(b, progress, rand.New(rand.NewPCG(seed, 0)))
	value, err = s.gradient(ctx, loss)
	return value, s.byNode, err
}

// Order is the order in which Engine takes n samples in an epoch, counted from
// 1, so that another trainer can take the same.
func Order(seed uint64, epoch, n int) []int { return permutation(seed, epoch, n) }
