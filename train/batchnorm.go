package train

// Batch normalisation while training: channels are normalised by the mean and
// variance of the batch, through which gradients flow, and the network's own
// statistics move towards them by a tenth a step (the unbiased variance, as
// PyTorch does). Only the pass at the clean points moves them. Evaluation, and
// so every attack, uses the network's.
//
// With x̂ = (x−µ)/√(σ²+ε) over the N values of a channel and y = γx̂+β:
//
//	∂/∂x = γ/√(σ²+ε) · (g − mean(g) − x̂·mean(g·x̂))
//
// Source: Ioffe and Szegedy 2015, arXiv:1502.03167, algorithm 1 and §3.

import (
	"math"

	"github.com/vouchnn/vouch/internal/parallel"
	"github.com/vouchnn/vouch/nn"
)

// normState is the batch's statistics at one node.
type normState struct {
	mean, variance []float64 // the biased variance
	plane, count   int       // elements behind the channel axis; values of a channel
}

// channel calls f with every stretch of channel ch, [from, to).
func (s *normState) channel(ch, channels, length int, f func(from, to int)) {
	for at := ch * s.plane; at < length; at += channels * s.plane {
		f(at, at+s.plane)
	}
}

// normForward computes node i from the batch's statistics.
func (p *Pass) normForward(i int, c *nn.Call[float32]) {
	op, s := p.m.nodes[i].Op.(*nn.BatchNorm), &p.norms[i]
	in, out := c.In[0], c.Out
	axis, _ := c.InShapes[0].Axis(op.Axis())
	channels := c.InShapes[0][axis]
	s.plane, s.count = c.InShapes[0][axis+1:].Size(), len(in)/channels
	s.mean, s.variance = grown(s.mean, channels), grown(s.variance, channels)
	params := op.Params()
	scale, bias := params[0].Values32(), params[1].Values32()
	parallel.For(channels, 1, func(lo, hi int) {
		for ch := lo; ch < hi; ch++ {
			sum, square := 0.0, 0.0
			s.channel(ch, channels, len(in), func(from, to int) {
				for _, v := range in[from:to] {
					sum += float64(v)
				}
			})
			mean := sum / float64(s.count)
			s.channel(ch, channels, len(in), func(from, to int) {
				for _, v := range in[from:to] {
					square += (float64(v) - mean) * (float64(v) - mean)
				}
			})
			s.mean[ch], s.variance[ch] = mean, square/float64(s.count)
			f := scale[ch] / float32(math.Sqrt(s.variance[ch]+op.Epsilon()))
			t := bias[ch] - float32(mean)*f
			s.channel(ch, channels, len(in), func(from, to int) {
				for k, v := range in[from:to] {
					out[from+k] = v*f + t
				}
			})
		}
	})
}

// normBack is the vector–Jacobian product of normForward.
func (p *Pass) normBack(i int, c *nn.Call[float32]) {
	op, s := p.m.nodes[i].Op.(*nn.BatchNorm), &p.norms[i]
	in, grad, dst := c.In[0], c.GradOut, c.GradIn[0]
	channels := len(s.mean)
	scale := op.Params()[0].Values32()
	parallel.For(channels, 1, func(lo, hi int) {
		for ch := lo; ch < hi; ch++ {
			inverse := 1 / math.Sqrt(s.variance[ch]+op.Epsilon())
			mean, sum, along := s.mean[ch], 0.0, 0.0
			s.channel(ch, channels, len(in), func(from, to int) {
				for k, g := range grad[from:to] {
					sum += float64(g)
					along += float64(g) * (float64(in[from+k]) - mean) * inverse
				}
			})
			if c.GradParams != nil {
				c.GradParams[0][ch] += float32(along)
				c.GradParams[1][ch] += float32(sum)
			}
			if dst == nil {
				continue
			}
			n := float64(s.count)
			f := float64(scale[ch]) * inverse
			s.channel(ch, channels, len(in), func(from, to int) {
				for k, g := range grad[from:to] {
					hat := (float64(in[from+k]) - mean) * inverse
					dst[from+k] += float32(f * (float64(g) - sum/n - hat*along/n))
				}
			})
		}
	})
}

// keepStatistics moves the network's statistics towards the batch's.
func (p *Pass) keepStatistics() {
	if !p.training {
		return
	}
	for i, on := range p.m.batch {
		if !on {
			continue
		}
		s, params, r := &p.norms[i], p.m.nodes[i].Op.Params(), p.m.momentum
		unbiased := float64(s.count) / float64(max(s.count-1, 1))
		mean, variance := make([]float32, len(s.mean)), make([]float32, len(s.mean))
		for ch := range mean {
			mean[ch] = float32((1-r)*float64(params[2].Values32()[ch]) + r*s.mean[ch])
			variance[ch] = float32((1-r)*float64(params[3].Values32()[ch]) + r*s.variance[ch]*unbiased)
		}
		params[2].Set32(mean)
		params[3].Set32(variance)
	}
}
