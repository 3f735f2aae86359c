package train

// Accuracy, of the network as it is and under attack.

import (
	"context"
	"math/rand/v2"

	"github.com/vouchnn/vouch/nn"
)

// evalBatch is the number of samples evaluated at a time.
const evalBatch = 256

// Accuracy is the share of data whose label has the greatest output, the first
// of equals. Errors: *ValueError, *LabelError, the context's error.
func Accuracy(ctx context.Context, net nn.Network, data Data) (float64, error) {
	m, err := newModel(net, &Options{FreezeStatistics: true})
	if err != nil {
		return 0, err
	}
	return m.accuracy(ctx, data)
}

func (m *model) accuracy(ctx context.Context, data Data) (float64, error) {
	p, right := newPass(m), 0
	err := m.batches(ctx, data, func(x []float32, labels []int) error {
		p.run(x, len(labels), false, nil)
		right += correct(p.Output(), labels)
		return nil
	})
	return float64(right) / float64(max(data.Len(), 1)), err
}

// AttackAccuracy is the share of data that is classified as labelled, and still
// is at the end of the attack. An attack with restarts has found a sample if the
// best of its ends is misclassified. The same seed gives the same number.
// Errors: *ValueError, *LabelError, the context's error.
func AttackAccuracy(ctx context.Context, net nn.Network, data Data, a Attack, seed uint64) (float64, error) {
	if err := a.Validate(); err != nil {
		return 0, err
	}
	m, err := newModel(net, &Options{FreezeStatistics: true})
	if err != nil {
		return 0, err
	}
	if a.Objective == Targeted {
		return 0, valuef("Attack.Objective", "is Targeted, which has no accuracy")
	}
	p, buf, right := newPass(m), &assault{}, 0
	var end []float32
	rng := rand.New(rand.NewPCG(seed, 0x706764))
	err = m.batches(ctx, data, func(x []float32, labels []int) error {
		end = grown(end, len(x))
		if err := a.perturb(ctx, m, buf, x, len(labels), 1, rng, a.ofLabels(labels), end); err != nil {
			return err
		}
		p.run(x, len(labels), false, nil)
		clean := append([]float32(nil), p.Output()...)
		p.run(end, len(labels), false, nil)
		for i, l := range labels {
			row := i * m.outputs
			if nn.ArgMax(clean[row:row+m.outputs]) == l && nn.ArgMax(p.Output()[row:row+m.outputs]) == l {
				right++
			}
		}
		return nil
	})
	return float64(right) / float64(max(data.Len(), 1)), err
}

// batches calls f with all of data, in order.
func (m *model) batches(ctx context.Context, data Data, f func(x []float32, labels []int) error) error {
	if err := m.checkData("data", data); err != nil {
		return err
	}
	x, labels := make([]float32, evalBatch*m.inputs), make([]int, evalBatch)
	for from := 0; from < data.Len(); from += evalBatch {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(evalBatch, data.Len()-from)
		for i := range n {
			var err error
			if labels[i], err = m.read(data, from+i, x[i*m.inputs:(i+1)*m.inputs]); err != nil {
				return err
			}
		}
		if err := f(x[:n*m.inputs], labels[:n]); err != nil {
			return err
		}
	}
	return nil
}

// correct counts the samples whose label has the greatest output.
func correct(y []float32, labels []int) int {
	k, right := len(y)/len(labels), 0
	for i, l := range labels {
		if nn.ArgMax(y[i*k:(i+1)*k]) == l {
			right++
		}
	}
	return right
}
