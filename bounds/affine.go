package bounds

// Affine operators: dense and convolutional layers, batch normalisation,
// average pooling, arithmetic with constants, residual addition, and all that
// only moves numbers about.
//
// Forward, the interval [l, u] is carried as centre c and radius r:
// W·[c±r] + b = (W·c + b) ± |W|·r. Backward, coefficients A become A·W and the
// constants gain A·b. Both are the operator's own Forward and vector–Jacobian
// product on a batch, so one rule serves every affine operator, a caller's own
// included. Rounding is accounted for as rounding.go says.

import (
	"math"

	"github.com/vouchnn/vouch/internal/blas"
	"github.com/vouchnn/vouch/nn"
)

type affine struct {
	op            nn.Affine
	rows          nn.RowSource // the same operator, if it can write rows
	bias          []float64    // the value at zero; nil if it is zero
	forward       float64      // γ of one forward value
	backwardError float64      // γ of one coefficient, and of the sum with the bias
}

func newAffine(op nn.Affine, in []nn.Shape, size int) *affine {
	a := &affine{op: op}
	a.rows, _ = op.(nn.RowSource)
	f, b := op.Rounding(in)
	a.forward = gamma(f + 2)
	if f == 0 {
		a.forward = 0
	}
	zero := &nn.Call[float64]{Batch: 1, InShapes: in, Out: make([]float64, size)}
	for _, s := range in {
		zero.In = append(zero.In, make([]float64, s.Size()))
	}
	zero.OutShape, _ = op.OutShape(in)
	op.Forward64(zero)
	for _, v := range zero.Out {
		if v != 0 {
			a.bias = zero.Out
			break
		}
	}
	a.backwardError = gamma(b + f + 2)
	if a.bias != nil {
		// The bias is itself computed by Forward64.
		a.backwardError = gamma(b + f + size + 2)
	}
	return a
}

func (a *affine) linear() bool                         { return true }
func (a *affine) wanted(*state, int, int, int, []bool) {}

func (a *affine) call(s *state, i int) *nn.Call[float64] {
	n := s.m.nodes[i]
	return &nn.Call[float64]{
		Batch: s.count, InShapes: s.m.inShapes[i], OutShape: n.Shape,
		In: make([][]float64, len(n.Inputs)), GradIn: make([][]float64, len(n.Inputs)),
	}
}

func (a *affine) interval(s *state, i int) {
	n := s.m.nodes[i]
	c := a.call(s, i)
	if f, _ := a.op.Rounding(s.m.inShapes[i]); f == 0 && len(n.Inputs) > 0 && monotone(a.op) {
		// A pure move: bounds go where the numbers go, without rounding.
		for k, j := range n.Inputs {
			c.In[k] = s.lower[j]
		}
		c.Out = s.lower[i]
		a.op.Forward64(c)
		for k, j := range n.Inputs {
			c.In[k] = s.upper[j]
		}
		c.Out = s.upper[i]
		a.op.Forward64(c)
		for e, lo := range s.lower[i] { // a caller's operator may turn signs
			s.lower[i][e], s.upper[i][e] = min(lo, s.upper[i][e]), max(lo, s.upper[i][e])
		}
		return
	}
	radius := make([][]float64, len(n.Inputs))
	size := make([][]float64, len(n.Inputs))
	for k, j := range n.Inputs {
		lo, up := s.lower[j], s.upper[j]
		buf := make([]float64, 3*len(lo))
		centre := buf[:len(lo)]
		radius[k], size[k] = buf[len(lo):2*len(lo)], buf[2*len(lo):]
		for e := range lo {
			m := 0.5*lo[e] + 0.5*up[e]
			r := max(up[e]-m, m-lo[e])
			r += r*2*unit + tiny
			centre[e], radius[k][e], size[k][e] = m, r, math.Abs(m)+r
		}
		c.In[k] = centre
	}
	c.Out = s.lower[i]
	a.op.Forward64(c)
	spread := make([]float64, 2*len(c.Out))
	reach, mag := spread[:len(c.Out)], spread[len(c.Out):]
	c.In, c.Out = radius, reach
	a.op.Magnitude64(c, false)
	c.In, c.Out = size, mag
	a.op.Magnitude64(c, true)
	g := max(a.forward, gamma(2))
	for e, m := range s.lower[i] {
		r := reach[e]*(1+g) + g*mag[e] + tiny
		s.lower[i][e], s.upper[i][e] = below(m-r), above(m+r)
	}
}

// monotone reports whether every coefficient of op is non-negative, which all
// pure moves of package nn are.
func monotone(op nn.Affine) bool {
	switch op.(type) {
	case *nn.Dense, *nn.Conv, nn.Sub, *nn.Sub:
		return false
	}
	return true
}

// relax computes the magnitudes for backward.
func (a *affine) relax(s *state, i int) {
	_, shared := s.m.arrivingAt(i)
	if f, b := a.op.Rounding(s.m.inShapes[i]); f == 0 && b == 0 && a.bias == nil && !shared {
		return // coefficients are moved, never computed
	}
	n := s.m.nodes[i]
	c := a.call(s, i)
	for k, j := range n.Inputs {
		lo, up := s.lower[j], s.upper[j]
		size := make([]float64, len(lo))
		for e := range lo {
			size[e] = max(-lo[e], up[e])
		}
		c.In[k] = size
	}
	s.magnitude[i] = make([]float64, s.count*s.m.size[i])
	c.Out = s.magnitude[i]
	a.op.Magnitude64(c, true)
}

func (a *affine) backward(p *pass, i int) {
	s, n := p.s, p.s.m.nodes[i]
	size := s.m.size[i]
	coef := p.coef[i]
	if s.magnitude[i] != nil {
		arriving, _ := s.m.arrivingAt(i)
		g := a.backwardError + gamma(arriving)
		p.parallelRows(size, func(r int) {
			row := coef[r*size : (r+1)*size]
			if a.bias != nil {
				p.addConst(r, blas.Dot(row, a.bias))
			}
			p.err[r] += g * blas.AbsDot(row, s.span(s.magnitude[i], i, p.rows[r].domain))
		})
	}
	c := &p.call
	c.Batch, c.InShapes, c.OutShape, c.GradOut = len(p.rows), s.m.inShapes[i], n.Shape, coef
	c.GradIn, c.In = c.GradIn[:0], c.In[:0]
	for _, j := range n.Inputs {
		c.GradIn = append(c.GradIn, p.coefOf(j))
		c.In = append(c.In, nil)
	}
	a.op.VJP64(c)
}
