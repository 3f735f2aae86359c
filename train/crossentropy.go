package train

// Cross-entropy of the softmax of the outputs, and what other losses share with
// it: softmax and its logarithm, in float64, of the few numbers of an output.

import (
	"context"
	"math"

	"github.com/vouchnn/vouch/internal/parallel"
	"github.com/vouchnn/vouch/nn"
)

// CrossEntropy is −ln p(y|x), the mean over the batch, at the batch itself. Its
// gradient with respect to the outputs is p − onehot(y).
type CrossEntropy struct{}

// Validate implements Loss.
func (CrossEntropy) Validate(nn.Network) error { return nil }

// Add implements Loss.
func (CrossEntropy) Add(_ context.Context, s *Step, weight float64) (float64, error) {
	return addCrossEntropy(s.Clean(), s.Labels, weight), nil
}

// addCrossEntropy is the mean cross-entropy of p's outputs, with weight times
// its gradient added to p.
func addCrossEntropy(p *Pass, labels []int, weight float64) float64 {
	k, scale := p.m.outputs, weight/float64(p.batch)
	y, g := p.Output(), p.GradOutput()
	p.logs = grown(p.logs, p.batch*k)
	const cost = 32 // of an output's two exponentials, in the steps that grain counts
	parallel.For(len(labels), 1+grain/(cost*k), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			lp, row := p.logs[i*k:(i+1)*k], g[i*k:(i+1)*k]
			logSoftmax(y[i*k:(i+1)*k], lp)
			for j, v := range lp {
				d := math.Exp(v)
				if j == labels[i] {
					d--
				}
				row[j] += float32(scale * d)
			}
		}
	})
	sum := 0.0
	for i, label := range labels {
		sum -= p.logs[i*k+label]
	}
	return sum / float64(p.batch)
}

// logSoftmax overwrites lp with ln softmax(y).
func logSoftmax(y []float32, lp []float64) {
	top := float64(y[0])
	for _, v := range y[1:] {
		top = max(top, float64(v))
	}
	sum := 0.0
	for j, v := range y {
		lp[j] = float64(v) - top
		sum += math.Exp(lp[j])
	}
	sum = math.Log(sum)
	for j := range lp {
		lp[j] -= sum
	}
}

// divergence is KL(p ‖ q) for p and q given by their logarithms.
func divergence(lp, lq []float64) float64 {
	kl := 0.0
	for j, v := range lp {
		kl += math.Exp(v) * (v - lq[j])
	}
	return kl
}

// addDivergence is KL(softmax(y) ‖ softmax(z)) of one sample; it adds scale
// times its gradients, p∘(ln p − ln q − KL) and q − p, to gy and gz, either of
// which may be nil.
func addDivergence(y, z []float32, scale float64, lp, lq []float64, gy, gz []float32) float64 {
	logSoftmax(y, lp)
	logSoftmax(z, lq)
	kl := divergence(lp, lq)
	for j := range lp {
		p, q := math.Exp(lp[j]), math.Exp(lq[j])
		if gy != nil {
			gy[j] += float32(scale * p * (lp[j] - lq[j] - kl))
		}
		if gz != nil {
			gz[j] += float32(scale * (q - p))
		}
	}
	return kl
}
