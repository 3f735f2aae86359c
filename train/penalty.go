package train

// Penalties on the weights: L1 and L2. Biases and the scales of normalisations
// are left alone, as every source here does.
//
// L1 with PerPosition is ReLU-stable's: a kernel counts as often as it is
// applied, and the last layer does not count.

import (
	"context"
	"math"

	"github.com/vouchnn/vouch/nn"
)

// L1 is the sum of the weights' absolute values.
type L1 struct {
	// PerPosition multiplies a kernel by the number of its output positions.
	PerPosition bool
	// SkipOutput leaves out the last layer with weights.
	SkipOutput bool
}

// L2 is half the sum of the weights' squares.
type L2 struct{}

// Validate implements Loss.
func (L1) Validate(nn.Network) error { return nil }

// Validate implements Loss.
func (L2) Validate(nn.Network) error { return nil }

// Add implements Loss.
func (l L1) Add(_ context.Context, s *Step, weight float64) (float64, error) {
	last, sum := -1, 0.0
	for _, p := range s.m.params {
		if p.weight {
			last = p.node
		}
	}
	for _, p := range s.m.params {
		if !p.weight || l.SkipOutput && p.node == last {
			continue
		}
		times := 1.0
		if _, ok := s.m.nodes[p.node].Op.(*nn.Conv); ok && l.PerPosition {
			times = float64(s.m.nodes[p.node].Shape.Size() / p.Shape[0])
		}
		g, step := s.Param(p.node, p.index), float32(weight*times)
		part := 0.0
		for i, v := range p.Values32() {
			part += math.Abs(float64(v))
			switch {
			case v > 0:
				g[i] += step
			case v < 0:
				g[i] -= step
			}
		}
		sum += times * part
	}
	return sum, nil
}

// Add implements Loss.
func (L2) Add(_ context.Context, s *Step, weight float64) (float64, error) {
	sum := 0.0
	for _, p := range s.m.params {
		if !p.weight {
			continue
		}
		g := s.Param(p.node, p.index)
		for i, v := range p.Values32() {
			sum += float64(v) * float64(v)
			g[i] += float32(weight) * v
		}
	}
	return sum / 2, nil
}
