package train

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A name stands for the sum that one would write by hand: same value, same
// gradient.
func TestParseLoss(t *testing.T) {
	net := zoo(t)["conv"]
	b := randomBatch(net, 1, 6)
	o := LossOptions{Epsilon: 0.1, Ramp: -1, Steps: 2, Beta: 3, Trades: 2, W1: 1e-3, W2: 1e-2}
	a := Attack{Epsilon: Constant(0.1), Steps: 2}
	nbc := Term{Loss: NBC{Attack: a}, Weight: Constant(3)}
	for name, want := range map[string]Loss{
		"ce":          CrossEntropy{},
		"madry":       Madry{a},
		"trades":      NewTRADES(Constant(2), a),
		"nbc":         NewNBC(Constant(3), a),
		"trades+nbc":  append(NewTRADES(Constant(2), a), nbc),
		"madry+nbc":   Sum{{Loss: Madry{a}}, nbc},
		"rs+nbc":      append(NewReLUStable(a, ReLUStable{Epsilon: a.Epsilon}, 1e-3, 1e-2), nbc),
		"ce+jacobian": Sum{{Loss: CrossEntropy{}}, {Loss: Jacobian{Softmax: true}, Weight: Constant(0.01)}},
		"ce+l1+l2":    Sum{{Loss: CrossEntropy{}}, {Loss: L1{}, Weight: Constant(1e-4)}, {Loss: L2{}, Weight: Constant(1e-4)}},
	} {
		t.Run(name, func(t *testing.T) {
			loss, err := ParseLoss(name, o)
			require.NoError(t, err)
			got, by := evaluate(t, net, loss, b, &Options{}), evaluate(t, net, want, b, &Options{})
			assert.InDelta(t, by.value, got.value, 1e-12)
			assert.Equal(t, by.grad, got.grad)
		})
	}
	ibp, err := ParseLoss("ibp", LossOptions{Epsilon: 0.1})
	require.NoError(t, err)
	m, err := newModel(net, &Options{})
	require.NoError(t, err)
	s := newStep(m)
	s.begin(b, 0, rand.New(rand.NewPCG(1, 1)))
	atStart, err := s.gradient(context.Background(), ibp)
	require.NoError(t, err)
	assert.InDelta(t, evaluate(t, net, CrossEntropy{}, b, &Options{}).value, atStart, 1e-9, "κ is 1 at the start")

	for name, want := range map[string]string{
		"": "no method", "nix": "no method", "ce+madry": "adds nothing", "nbc+nbc": "twice", "jacobian": "no method",
	} {
		_, err := ParseLoss(name, o)
		assert.ErrorContains(t, err, want, name)
	}
	for _, epsilon := range []float64{-0.1, 1.5} {
		_, err := ParseLoss("nbc", LossOptions{Epsilon: epsilon})
		assert.ErrorContains(t, err, "epsilon is")
	}
	// Settings show the defaults, for fingerprints.
	assert.Contains(t, LossOptions{}.String(), "Ramp:0.4")
	assert.Len(t, LossNames(), 9)
}
