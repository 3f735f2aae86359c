package train

// Adversarial training: cross-entropy at the end of an attack on it.
//
//	min_θ E max_{|δ|≤ε} CE(f(x+δ), y)
//
// The point found is a constant of the outer problem (Danskin's theorem). The
// original for MNIST: ε 0.3, 40 steps of 0.01 from a uniform start.
// Source: Madry et al. 2018, arXiv:1706.06083, equation 2.1.

import (
	"context"

	"github.com/vouchnn/vouch/nn"
)

// Madry is cross-entropy at adversarial points.
type Madry struct {
	Attack Attack // its Objective is not used
}

// Validate implements Loss.
func (l Madry) Validate(nn.Network) error { return l.Attack.Validate() }

// Add implements Loss.
func (l Madry) Add(ctx context.Context, s *Step, weight float64) (float64, error) {
	a := l.Attack
	a.Objective = Untargeted
	x, err := s.attack(ctx, &a, a.ofLabels(s.Labels))
	if err != nil {
		return 0, err
	}
	s.last = s.At(x)
	return addCrossEntropy(s.last, s.Labels, weight), nil
}
