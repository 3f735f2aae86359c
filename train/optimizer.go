package train

// Optimisers. Each is a rule for one step of a vector of parameters from its
// gradient and some vectors of its own (slots), which the trainer keeps and
// writes to checkpoints.

import (
	"math"

	"github.com/vouchnn/vouch/internal/blas"
)

// Optimizer is a rule for steps. Implementations are immutable settings.
type Optimizer interface {
	Validate() error
	// Slots is how many vectors it keeps, all zero at first.
	Slots() int
	// Update makes one step. It is called for disjoint stretches at once.
	Update(u *Update)
}

// Update is one step of a stretch of the parameters.
type Update struct {
	W, G   []float32   // values and gradient
	Slots  [][]float32 // like W
	Step   int         // from 1
	Rate   float64
	Weight bool // weights of a layer, as opposed to biases and scales
}

// Adam is Kingma and Ba 2014, arXiv:1412.6980, algorithm 1. With Decay it is
// AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101, algorithm 2): weights,
// not biases, shrink by Rate·Decay a step, apart from the gradient.
type Adam struct {
	Beta1   float64 // default 0: 0.9
	Beta2   float64 // default 0: 0.999
	Epsilon float64 // default 0: 1e-8
	Decay   float64
}

// Validate names the first field that is out of range.
func (a Adam) Validate() error {
	switch {
	case !(a.Beta1 >= 0 && a.Beta1 < 1):
		return valuef("Adam.Beta1", "is %v, want [0, 1)", a.Beta1)
	case !(a.Beta2 >= 0 && a.Beta2 < 1):
		return valuef("Adam.Beta2", "is %v, want [0, 1)", a.Beta2)
	case !(a.Epsilon >= 0) || math.IsInf(a.Epsilon, 0):
		return valuef("Adam.Epsilon", "is %v, want at least 0", a.Epsilon)
	case !(a.Decay >= 0) || math.IsInf(a.Decay, 0):
		return valuef("Adam.Decay", "is %v, want at least 0", a.Decay)
	}
	return nil
}

// Slots implements Optimizer: mean and mean square of the gradient.
func (Adam) Slots() int { return 2 }

// Update implements Optimizer.
func (a Adam) Update(u *Update) {
	if a.Beta1 == 0 {
		a.Beta1 = 0.9
	}
	if a.Beta2 == 0 {
		a.Beta2 = 0.999
	}
	if a.Epsilon == 0 {
		a.Epsilon = 1e-8
	}
	// m̂/(√v̂ + ε) with m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ), rewritten for m and v.
	t := float64(u.Step)
	root := math.Sqrt(1 - math.Pow(a.Beta2, t))
	rate := float32(u.Rate * root / (1 - math.Pow(a.Beta1, t)))
	epsilon := float32(a.Epsilon * root)
	keep := float32(1)
	if u.Weight {
		keep = float32(1 - u.Rate*a.Decay)
	}
	blas.NewAdamRule(float32(1-a.Beta1), float32(1-a.Beta2), epsilon, rate, keep).Step(u.W, u.G, u.Slots[0], u.Slots[1])
}

// SGD is stochastic gradient descent: v ← momentum·v + g, w ← w − rate·v.
type SGD struct {
	Momentum float64
	// Decay adds Decay times the weights, not the biases, to the gradient.
	Decay float64
}

// Validate names the first field that is out of range.
func (s SGD) Validate() error {
	switch {
	case !(s.Momentum >= 0 && s.Momentum < 1):
		return valuef("SGD.Momentum", "is %v, want [0, 1)", s.Momentum)
	case !(s.Decay >= 0) || math.IsInf(s.Decay, 0):
		return valuef("SGD.Decay", "is %v, want at least 0", s.Decay)
	}
	return nil
}

// Slots implements Optimizer: the velocity.
func (SGD) Slots() int { return 1 }

// Update implements Optimizer.
func (s SGD) Update(u *Update) {
	momentum, rate, decay := float32(s.Momentum), float32(u.Rate), float32(0)
	if u.Weight {
		decay = float32(s.Decay)
	}
	v := u.Slots[0]
	for i, d := range u.G {
		v[i] = blas.Settled(momentum*v[i] + d + decay*u.W[i])
		u.W[i] -= rate * v[i]
	}
}
