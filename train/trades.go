package train

// TRADES: the outputs at an adversarial point are pulled towards those at the
// sample, wherever they are.
//
//	CE(f(x), y) + b·KL(p(x) ‖ p(x′)),   x′ an approximate maximiser of the KL
//
// Gradients flow through both branches. The attack starts at the sample plus
// 0.001 times normal noise, since the gradient of KL is 0 at the sample itself.
// The original for MNIST: ε 0.3, 40 steps of 0.01, b = 1.
// Source: Zhang et al. 2019, arXiv:1901.08573, algorithm 1 and its code
// (yaodongyu/TRADES). Deviation: none.

import (
	"context"

	"github.com/vouchnn/vouch/nn"
)

// TRADES is the second term alone, KL(p(x) ‖ p(x′)). NewTRADES is the sum.
type TRADES struct {
	Attack Attack // Objective and Start are not used
}

// NewTRADES is cross-entropy plus b times TRADES.
func NewTRADES(b Schedule, a Attack) Sum {
	return Sum{{Loss: CrossEntropy{}, Name: "ce"}, {Loss: TRADES{a}, Weight: b, Name: "kl"}}
}

// Validate implements Loss.
func (l TRADES) Validate(nn.Network) error { return l.Attack.Validate() }

// Add implements Loss.
func (l TRADES) Add(ctx context.Context, s *Step, weight float64) (float64, error) {
	a := l.Attack
	a.Start = Gaussian
	k := s.m.outputs
	y := s.Reference().Output()
	x, err := s.attack(ctx, &a, func(p *Pass, values []float64) {
		z, g := p.Output(), p.GradOutput()
		lp, lq := make([]float64, k), make([]float64, k)
		for i := range p.batch {
			row, clean := i*k, (p.first+i)*k
			kl := addDivergence(y[clean:clean+k], z[row:row+k], -1, lp, lq, nil, g[row:row+k])
			if values != nil {
				values[i] = -kl
			}
		}
	})
	if err != nil {
		return 0, err
	}
	s.last = s.At(x)
	return addDivergences(s.Clean(), s.last, weight), nil
}

// addDivergences is the mean of KL(p(x) ‖ p(x′)) over two passes, with weight
// times its gradient added to both.
func addDivergences(at, near *Pass, weight float64) float64 {
	k, sum, scale := at.m.outputs, 0.0, weight/float64(at.batch)
	lp, lq := make([]float64, k), make([]float64, k)
	y, z, gy, gz := at.Output(), near.Output(), at.GradOutput(), near.GradOutput()
	for i := range at.batch {
		r := i * k
		sum += addDivergence(y[r:r+k], z[r:r+k], scale, lp, lq, gy[r:r+k], gz[r:r+k])
	}
	return sum / float64(at.batch)
}
