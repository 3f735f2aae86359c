package train

// Neuron behaviour consistency: neurons should do at a neighbour x′ what they do
// at x. With pre-activations z_i of layer i, outputs' softmax p, and
// c_i = cos(z_i(x), z_i(x′)) of each sample,
//
//	NBC(x, x′) = Σ_i c_i/γ_i − KL(p(x) ‖ p(x′)),   γ_i = 2^(r_i)
//	loss       = CE(f(x), y) − β·NBC(x, x*),       x* ≈ argmin NBC(x, ·) in the ball
//
// where r_i is the rank of layer i among the layers by size, from 1 for the
// smallest. A network whose neurons agree over the ball has few unstable
// neurons, and bounds of them are tight: it is easy to verify.
//
// The inner problem is Algorithm 2: k steps from a random point, clipped to the
// ball and to the range of inputs. The start is never x itself, where the
// gradient of every term is 0. x* is a constant of the outer problem; gradients
// flow through both branches of each term.
//
// Source: Liu, Zhao, Song, Sun, Yang, Huang and Zhang 2025, arXiv:2412.13229,
// Algorithms 1 and 2, equation 5. There is no code of theirs, and their
// supplement was not at hand. Where the paper is silent: steps are by the sign
// of the gradient, as in adversarial training (Attack.Raw has the printed form);
// the step is 2.5·ε/k; layers of equal size share the lowest rank and the next
// size has the next integer (Ordinal has ranks by position instead); the cosine
// is in [−1, 1], with its denominator at least 1e-8; the output layer is in the
// KL alone.
//
// Cost: the attack's steps, and one forward and backward pass at x* beside the
// one at x.

import (
	"context"
	"math"
	"slices"

	"github.com/vouchnn/vouch/internal/blas"
	"github.com/vouchnn/vouch/internal/parallel"
	"github.com/vouchnn/vouch/nn"
)

// NBC is the term −NBC(x, x*), the mean over the batch. NewNBC is the sum.
type NBC struct {
	// Attack is the inner minimisation; its Objective is not used and its
	// Start must not be Centre.
	Attack Attack
	// Ordinal gives layers of equal size ranks of their own, the earlier layer
	// the lower one. Default: they share one.
	Ordinal bool
	// Shared takes x* from the attack of the term before in the same sum, and
	// with it that term's forward and backward pass. Default: its own.
	Shared bool
}

// NewNBC is cross-entropy plus beta times NBC.
func NewNBC(beta Schedule, a Attack) Sum {
	return Sum{{Loss: CrossEntropy{}, Name: "ce"}, {Loss: NBC{Attack: a}, Weight: beta, Name: "-nbc"}}
}

// Validate implements Loss.
func (l NBC) Validate(net nn.Network) error {
	m, err := newModel(net, &Options{})
	if err != nil {
		return err
	}
	if len(m.hidden) == 0 {
		return valuef("NBC", "needs a network with hidden layers")
	}
	if l.Shared {
		return nil
	}
	if l.Attack.Start == Centre {
		return valuef("NBC.Attack.Start", "is Centre, where the gradient is 0")
	}
	return l.Attack.Validate()
}

// Add implements Loss.
func (l NBC) Add(ctx context.Context, s *Step, weight float64) (float64, error) {
	near := s.last
	if !l.Shared {
		c := newConsistency(s.Reference(), l.Ordinal)
		x, err := s.attack(ctx, &l.Attack, func(p *Pass, values []float64) { c.add(nil, p, 1, values) })
		if err != nil {
			return 0, err
		}
		near = s.At(x)
		s.last = near
	} else if near == nil {
		return 0, valuef("NBC.Shared", "is set, but no term before it attacks")
	}
	clean := s.Clean()
	c := newConsistency(clean, l.Ordinal)
	values := make([]float64, s.Size)
	c.add(clean, near, -weight/float64(s.Size), values)
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return -sum / float64(s.Size), nil
}

// consistency is NBC(x, ·) of the samples of one pass.
type consistency struct {
	at      *Pass
	factors []float64 // 1/γ by hidden layer
	norms   []float64 // of z(x), [layers × batch]
}

func newConsistency(at *Pass, ordinal bool) *consistency {
	m := at.m
	c := &consistency{at: at, factors: rankFactors(m, ordinal), norms: make([]float64, len(m.hidden)*at.batch)}
	for k, node := range m.hidden {
		z, n := at.Value(node), m.nodes[node].Shape.Size()
		parallel.For(at.batch, 1+grain/n, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				v := z[i*n : (i+1)*n]
				c.norms[k*at.batch+i] = math.Sqrt(float64(blas.Dot(v, v)))
			}
		})
	}
	return c
}

// rankFactors is 2^−r of the hidden layers.
func rankFactors(m *model, ordinal bool) []float64 {
	factors := make([]float64, len(m.hidden))
	for k, node := range m.hidden {
		size, smaller := m.nodes[node].Shape.Size(), map[int]bool{}
		for j, other := range m.hidden {
			switch n := m.nodes[other].Shape.Size(); {
			case ordinal && (n < size || n == size && j < k):
				smaller[-1-j] = true
			case !ordinal && n < size:
				smaller[n] = true
			}
		}
		factors[k] = math.Ldexp(1, -1-len(smaller))
	}
	return factors
}

// add writes NBC of each sample at the points of near, which may be a share of
// the batch, and adds scale times its gradient to near and, unless nil, to at,
// which is the pass at x.
func (c *consistency) add(at, near *Pass, scale float64, values []float64) {
	m, batch := near.m, near.batch
	if values == nil {
		values = make([]float64, batch)
	}
	c.divergences(at, near, scale, values)
	for k, node := range m.hidden {
		n, f := m.nodes[node].Shape.Size(), c.factors[k]
		z, z2, g2 := c.at.Value(node), near.Value(node), near.Grad(node)
		var g []float32
		if at != nil {
			g = at.Grad(node)
		}
		parallel.For(batch, 1+grain/n, func(lo, hi int) {
			for i := lo; i < hi; i++ {
				j := near.first + i
				a, b := z[j*n:(j+1)*n], z2[i*n:(i+1)*n]
				na, nb := c.norms[k*c.at.batch+j], math.Sqrt(float64(blas.Dot(b, b)))
				product := max(na*nb, 1e-8)
				cos := float64(blas.Dot(a, b)) / product
				values[i] += f * cos
				cosineGradient(a, b, cos, product, nb, f*scale, g2[i*n:(i+1)*n])
				if g != nil {
					cosineGradient(b, a, cos, product, na, f*scale, g[i*n:(i+1)*n])
				}
			}
		})
	}
}

// cosineGradient adds to g scale times the derivative of cos(a, b) with
// respect to b: a/(|a||b|) − cos·b/|b|². Where the denominator is at its least
// value, it is a constant.
func cosineGradient(a, b []float32, cos, product, nb, scale float64, g []float32) {
	blas.Axpy(float32(scale/product), a, g)
	if product > 1e-8 {
		blas.Axpy(float32(-scale*cos/(nb*nb)), b, g)
	}
}

// divergences writes −KL of each sample and adds its gradients.
func (c *consistency) divergences(at, near *Pass, scale float64, values []float64) {
	k := near.m.outputs
	lp, lq := make([]float64, k), make([]float64, k)
	y, y2, g2 := c.at.Output(), near.Output(), near.GradOutput()
	for i := range near.batch {
		from, to := i*k, (i+1)*k
		var g []float32
		if at != nil {
			g = at.GradOutput()[from:to]
		}
		clean := y[(near.first+i)*k:][:k]
		values[i] = -addDivergence(clean, y2[from:to], -scale, lp, lq, g, g2[from:to])
	}
}

// NBCValues is NBC(x, x′) of samples x and neighbours x′, both [n × inputs], as
// Algorithm 1 computes it. Errors: *ValueError.
func NBCValues(net nn.Network, x, near []float32, ordinal bool) ([]float64, error) {
	m, err := newModel(net, &Options{FreezeStatistics: true})
	if err != nil {
		return nil, err
	}
	n := len(x) / m.inputs
	if len(x) != len(near) || n*m.inputs != len(x) {
		return nil, valuef("x", "and its neighbours have %d and %d numbers for %d inputs", len(x), len(near), m.inputs)
	}
	p, q, values := newPass(m), newPass(m), make([]float64, n)
	p.run(slices.Clone(x), n, false, nil)
	q.run(slices.Clone(near), n, false, nil)
	newConsistency(p, ordinal).add(nil, q, 0, values)
	return values, nil
}
