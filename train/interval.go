package train

// Interval bounds of a batch, with gradients: each sample's box goes through the
// network as a pair of lower and upper values, and the gradient of a loss of
// them comes back to the parameters.
//
// An affine node works on centre and radius of its input, in two products:
//
//	c′ = W·c + b,  r′ = |W|·r;   ∂/∂W = g_c·cᵀ + sign(W)∘(g_r·rᵀ)
//
// A monotone node (an activation, a MaxPool) is applied to both ends. Bounds are
// computed in float32 without outward rounding: they are there to be descended
// on and prove nothing. BatchNorm uses the network's statistics, dropout is off.
//
// Source: Gowal et al. 2018, arXiv:1810.12715, §3; with Composed: Xiao et al.
// 2019, arXiv:1809.03008, appendix on improved interval arithmetic (composed.go).

import (
	"context"

	"github.com/vouchnn/vouch/internal/parallel"
	"github.com/vouchnn/vouch/nn"
)

// intervals is one interval pass. Steps keep and reuse them.
type intervals struct {
	m            *model
	batch        int
	twins        *twins
	epsilon      float64
	low, high    float64
	composed     bool
	lower, upper [][]float32 // by node, [batch × size]
	gl, gu       [][]float32
	filled       []bool
	used         bool
	cat          map[int][2][][]float32 // by affine node, centre and radius of each input
	scratch      [2][]float32
	slopes       [2][][]float32 // buffers of inputGradients
	signed       []float32
	joint        map[int]*composition
}

// Box is the interval bounds of the network over the step's samples plus or
// minus epsilon, clipped to [low, high]. Losses of one step share them.
func (s *Step) box(ctx context.Context, epsilon, low, high float64, composed bool) (*intervals, error) {
	for _, b := range s.boxes[:s.boxed] {
		if b.epsilon == epsilon && b.low == low && b.high == high && b.composed == composed {
			return b, nil
		}
	}
	t, err := s.twinsFor()
	if err != nil {
		return nil, err
	}
	if s.boxed == len(s.boxes) {
		k := len(s.m.nodes)
		s.boxes = append(s.boxes, &intervals{
			m: s.m, lower: make([][]float32, k), upper: make([][]float32, k), gl: make([][]float32, k), gu: make([][]float32, k),
			filled: make([]bool, k), cat: map[int][2][][]float32{},
		})
	}
	b := s.boxes[s.boxed]
	s.boxed++
	b.batch, b.twins, b.epsilon, b.low, b.high, b.composed, b.used = s.Size, t, epsilon, low, high, composed, false
	clear(b.filled)
	b.joint = nil
	b.lower[0], b.upper[0] = grown(b.lower[0], len(s.X)), grown(b.upper[0], len(s.X))
	for i, v := range s.X {
		b.lower[0][i] = min(max(v-float32(epsilon), float32(low)), float32(high))
		b.upper[0][i] = min(max(v+float32(epsilon), float32(low)), float32(high))
	}
	for i := 1; i < len(s.m.nodes); i++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b.forward(i)
	}
	return b, nil
}

// forward bounds node i.
func (b *intervals) forward(i int) {
	n := &b.m.nodes[i]
	size := b.batch * n.Shape.Size()
	b.lower[i], b.upper[i] = grown(b.lower[i], size), grown(b.upper[i], size)
	if monotone(n.Op) {
		j := n.Inputs[0]
		n.Op.Forward32(b.call(i, [][]float32{b.lower[j]}, b.lower[i]))
		n.Op.Forward32(b.call(i, [][]float32{b.upper[j]}, b.upper[i]))
		return
	}
	cs, rs := b.centres(i)
	n.Op.Forward32(b.call(i, cs, b.lower[i]))
	b.twins.magnitude[i].Forward32(b.call(i, rs, b.upper[i]))
	combine(b.lower[i], b.upper[i])
	if b.composed {
		b.compose(i)
	}
}

// centres is centre and radius of each input of node i.
func (b *intervals) centres(i int) (cs, rs [][]float32) {
	n := &b.m.nodes[i]
	held := b.cat[i]
	for len(held[0]) < len(n.Inputs) {
		held[0], held[1] = append(held[0], nil), append(held[1], nil)
	}
	b.cat[i] = held
	for k, j := range n.Inputs {
		size := len(b.lower[j])
		held[0][k], held[1][k] = grown(held[0][k], size), grown(held[1][k], size)
		c, r, lower, upper := held[0][k], held[1][k], b.lower[j], b.upper[j]
		parallel.For(size, grain, func(lo, hi int) {
			for e := lo; e < hi; e++ {
				c[e], r[e] = (upper[e]+lower[e])/2, (upper[e]-lower[e])/2
			}
		})
	}
	return held[0], held[1]
}

// combine turns centre and radius into lower and upper, in place.
func combine(c, r []float32) {
	parallel.For(len(c), grain, func(lo, hi int) {
		for e := lo; e < hi; e++ {
			c[e], r[e] = c[e]-r[e], c[e]+r[e]
		}
	})
}

func (b *intervals) call(i int, in [][]float32, out []float32) *nn.Call[float32] {
	return &nn.Call[float32]{Batch: b.batch, InShapes: b.m.in[i], OutShape: b.m.nodes[i].Shape, In: in, Out: out}
}

// grad is where losses add the gradients with respect to the bounds of a node.
func (b *intervals) grad(i int) (lower, upper []float32) {
	b.used = true
	if !b.filled[i] {
		size := b.batch * b.m.nodes[i].Shape.Size()
		b.gl[i], b.gu[i] = grown(b.gl[i], size), grown(b.gu[i], size)
		clear(b.gl[i])
		clear(b.gu[i])
		b.filled[i] = true
	}
	return b.gl[i], b.gu[i]
}

// back carries the gradients to the parameters.
func (b *intervals) back(params [][][]float32) {
	if !b.used {
		return
	}
	for i := len(b.m.nodes) - 1; i > 0; i-- {
		if !b.filled[i] {
			continue
		}
		n := &b.m.nodes[i]
		if b.composed && b.composeBack(i, params) {
			continue
		}
		if monotone(n.Op) {
			j := n.Inputs[0]
			if j == 0 {
				continue
			}
			gl, gu := b.grad(j)
			b.monotoneBack(i, b.lower[j], b.lower[i], b.gl[i], gl)
			b.monotoneBack(i, b.upper[j], b.upper[i], b.gu[i], gu)
			continue
		}
		b.affineBack(i, params)
	}
}

func (b *intervals) monotoneBack(i int, in, out, gradOut, gradIn []float32) {
	c := b.call(i, [][]float32{in}, out)
	c.GradOut, c.GradIn = gradOut, [][]float32{gradIn}
	b.m.nodes[i].Op.VJP32(c)
}

// inputGradients is zeros for the gradients of centre and radius of each input
// but the network's own.
func (b *intervals) inputGradients(n *nn.Node) (c, r [][]float32) {
	for len(b.slopes[0]) < len(n.Inputs) {
		b.slopes[0], b.slopes[1] = append(b.slopes[0], nil), append(b.slopes[1], nil)
	}
	c, r = make([][]float32, len(n.Inputs)), make([][]float32, len(n.Inputs))
	for k, j := range n.Inputs {
		if j == 0 {
			continue
		}
		for side, into := range [2][][]float32{c, r} {
			b.slopes[side][k] = grown(b.slopes[side][k], len(b.lower[j]))
			clear(b.slopes[side][k])
			into[k] = b.slopes[side][k]
		}
	}
	return c, r
}

// affineBack carries gl, gu of an affine node to its inputs and parameters.
func (b *intervals) affineBack(i int, params [][][]float32) {
	n := &b.m.nodes[i]
	size := len(b.gl[i])
	gc, gr := grown(b.scratch[0], size), grown(b.scratch[1], size)
	b.scratch[0], b.scratch[1] = gc, gr
	gl, gu := b.gl[i], b.gu[i]
	parallel.For(size, grain, func(lo, hi int) {
		for e := lo; e < hi; e++ {
			gc[e], gr[e] = gl[e]+gu[e], gu[e]-gl[e]
		}
	})
	held := b.cat[i]
	cIn, rIn := b.inputGradients(n)
	c := b.call(i, held[0], b.lower[i])
	c.GradOut, c.GradIn, c.GradParams = gc, cIn, params[i]
	n.Op.VJP32(c)
	twin := b.twins.magnitude[i]
	r := b.call(i, held[1], b.upper[i])
	r.GradOut, r.GradIn = gr, rIn
	if own := twin.Params(); own != nil && params[i] != nil && params[i][0] != nil {
		b.signed = grown(b.signed, len(own[0].Values32()))
		clear(b.signed)
		r.GradParams = make([][]float32, len(own))
		r.GradParams[0] = b.signed
	}
	twin.VJP32(r)
	if r.GradParams != nil {
		g := params[i][0]
		for e, w := range n.Op.Params()[0].Values32() {
			switch {
			case w > 0:
				g[e] += b.signed[e]
			case w < 0:
				g[e] -= b.signed[e]
			}
		}
	}
	for k, j := range n.Inputs {
		if j == 0 {
			continue
		}
		gl, gu := b.grad(j)
		gc, gr := cIn[k], rIn[k]
		parallel.For(len(gl), grain, func(lo, hi int) {
			for e := lo; e < hi; e++ {
				gl[e] += (gc[e] - gr[e]) / 2
				gu[e] += (gc[e] + gr[e]) / 2
			}
		})
	}
}
