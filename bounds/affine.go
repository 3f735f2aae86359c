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
	op     nn.Affine
	rows   nn.RowSource // the same operator, if it can write rows
	weight []float64    // the matrix of a dense layer of vectors, else nil
	kernel *kernel      // of a convolution whose rows may be windows, else nil
	// forwardWeight and forwardAbs are the matrix and that of its magnitudes,
	// transposed, of a small dense layer; absBias is the bias's magnitudes.
	forwardWeight, forwardAbs, absBias []float64
	overwrites                         bool      // the operator heeds nn.Call.Overwrite
	copies                             bool      // coefficients pass as they are
	bias                               []float64 // the value at zero; nil if it is zero
	forward                            float64   // γ of one forward value
	backwardError                      float64   // γ of one coefficient, and of the sum with the bias
}

func newAffine(op nn.Affine, in []nn.Shape, size int) *affine {
	a := &affine{op: op}
	a.rows, _ = op.(nn.RowSource)
	_, a.overwrites = op.(nn.Overwriter)
	a.copies = copies(op, in, size)
	if d, ok := op.(*nn.Dense); ok {
		if w := d.Weight(); w.Shape[0] == size && w.Shape[1] == in[0].Size() {
			a.weight = w.Values()
		}
	}
	if out, err := op.OutShape(in); err == nil && len(in) == 1 {
		a.kernel = newKernel(op, in[0], out)
	}
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
	if a.weight != nil && len(a.weight) <= smallWeights/4 {
		a.prepareForward(in, size)
	}
	a.backwardError = gamma(b + f + 2)
	if a.bias != nil {
		// The bias is itself computed by Forward64.
		a.backwardError = gamma(b + f + size + 2)
	}
	return a
}

// copies reports whether the vector–Jacobian product of op is a copy.
func copies(op nn.Affine, in []nn.Shape, size int) bool {
	switch op := op.(type) {
	case nn.Identity, nn.Flatten, *nn.Reshape, *nn.Squeeze, *nn.Unsqueeze:
		return true
	case *nn.ConstArith:
		return in[0].Size() == size && (op.Arith() == nn.ArithAdd || (op.Arith() == nn.ArithSub && !op.ConstFirst()))
	}
	return false
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
	if a.forwardWeight != nil {
		a.denseInterval(s, i)
		return
	}
	radius := make([][]float64, len(n.Inputs))
	size := make([][]float64, len(n.Inputs))
	for k, j := range n.Inputs {
		lo, up := s.lower[j], s.upper[j]
		buf := s.scratch.floats(3 * len(lo))
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
	spread := s.scratch.floats(2 * len(c.Out))
	reach, mag := spread[:len(c.Out)], spread[len(c.Out):]
	c.In, c.Out = radius, reach
	a.op.Magnitude64(c, false)
	c.In, c.Out = size, mag
	a.op.Magnitude64(c, true)
	a.around(s, i, reach, mag)
}

// around turns the centres in s.lower into bounds, given the radii and the size
// of the terms, which backward needs too.
func (a *affine) around(s *state, i int, reach, mag []float64) {
	s.magnitude[i] = mag
	g := max(a.forward, gamma(2))
	lower, upper := s.lower[i], s.upper[i]
	for e, m := range lower {
		r := reach[e]*(1+g) + g*mag[e] + tiny
		lower[e], upper[e] = below(m-r), above(m+r)
	}
}

// prepareForward transposes the matrix of a small dense layer and the matrix of
// its magnitudes, so that an interval is two plain products.
func (a *affine) prepareForward(in []nn.Shape, size int) {
	n := in[0].Size()
	a.forwardWeight, a.forwardAbs, a.absBias = make([]float64, n*size), make([]float64, n*size), make([]float64, size)
	blas.Transpose(size, n, a.weight, n, a.forwardWeight, size)
	c := &nn.Call[float64]{Batch: 1, InShapes: in, In: [][]float64{make([]float64, n)}, Out: a.absBias}
	c.OutShape, _ = a.op.OutShape(in)
	a.op.Magnitude64(c, true)
	units := make([]float64, n*n)
	for k := range n {
		units[k*n+k] = 1
	}
	c.Batch, c.In[0], c.Out = n, units, a.forwardAbs
	a.op.Magnitude64(c, false)
}

func (a *affine) denseInterval(s *state, i int) {
	j := s.m.nodes[i].Inputs[0]
	n, m, rows := s.m.size[j], s.m.size[i], s.count
	centre, around := s.scratch.floats(rows*n), s.scratch.floats(2*rows*n)
	radius, size := around[:rows*n], around[rows*n:]
	for e, lo := range s.lower[j] {
		up := s.upper[j][e]
		c := 0.5*lo + 0.5*up
		r := max(up-c, c-lo)
		r += r*2*unit + tiny
		centre[e], radius[e], size[e] = c, r, math.Abs(c)+r
	}
	out := s.lower[i]
	beta := 0.0
	if a.bias != nil {
		beta = 1
		for d := range rows {
			copy(out[d*m:(d+1)*m], a.bias)
		}
	}
	blas.Gemm(false, false, rows, m, n, 1, centre, n, a.forwardWeight, m, beta, out, m)
	sums := s.scratch.floats(2 * rows * m)
	reach, mag := sums[:rows*m], sums[rows*m:]
	clear(reach)
	for d := range rows {
		copy(mag[d*m:(d+1)*m], a.absBias)
	}
	blas.Gemm(false, false, 2*rows, m, n, 1, around, n, a.forwardAbs, m, 1, sums, m)
	a.around(s, i, reach, mag)
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
		s.magnitude[i] = nil
		return // coefficients are moved, never computed
	}
	if s.magnitude[i] != nil {
		return // interval has left them: |centre| + radius is as large as the ends
	}
	n := s.m.nodes[i]
	c := a.call(s, i)
	for k, j := range n.Inputs {
		lo, up := s.lower[j], s.upper[j]
		size := s.scratch.floats(len(lo))
		for e := range lo {
			size[e] = max(-lo[e], up[e])
		}
		c.In[k] = size
	}
	s.magnitude[i] = s.scratch.floats(s.count * s.m.size[i])
	c.Out = s.magnitude[i]
	a.op.Magnitude64(c, true)
}

func (a *affine) backward(p *pass, i int) {
	s, n := p.s, p.s.m.nodes[i]
	if s.magnitude[i] != nil {
		p.spread(i, p.width(i), a)
	}
	if len(n.Inputs) == 1 {
		a.carry(p, i, n.Inputs[0])
		return
	}
	c := p.callFor(i)
	for _, j := range n.Inputs {
		c.GradIn = append(c.GradIn, p.coefOf(j))
		c.In = append(c.In, nil)
	}
	a.op.VJP64(c)
}

// step implements stepper: the constants and the rounding of one node.
func (a *affine) step(p *pass, i, d, lo, hi int) {
	size := p.width(i)
	arriving, _ := p.s.m.arrivingAt(i)
	g := a.backwardError + gamma(arriving)
	v := p.at(i, d)
	bias := v.bias
	if a.bias == nil {
		bias = v.magnitude // the product is not used
	}
	sums := p.sums[2*lo : 2*hi]
	blas.DotRows(hi-lo, size, p.coef[i][lo*size:hi*size], bias, v.magnitude, sums)
	for r := lo; r < hi; r++ {
		if a.bias != nil {
			p.addConst(r, sums[2*(r-lo)])
		}
		p.err[r] += g * sums[2*(r-lo)+1]
	}
}

// carry takes the coefficients to the only input of node i.
func (a *affine) carry(p *pass, i, j int) {
	if a.copies && p.coef[j] == nil {
		p.coef[j], p.coef[i] = p.coef[i], nil
		return
	}
	if p.view != nil && p.view[i].weight != nil {
		to, fresh := p.target(j)
		k, n, beta := p.width(i), p.width(j), 1.0
		if fresh {
			beta = 0
		}
		p.gemm(false, len(p.rows), n, k, p.coef[i], k, p.view[i].weight, n, beta, to, n)
		return
	}
	if p.union.cuts(a, i, j) {
		p.carryUnion(a, i, j)
		return
	}
	c := p.callFor(i)
	if a.overwrites {
		var to []float64
		to, c.Overwrite = p.target(j)
		c.GradIn = append(c.GradIn, to)
	} else {
		c.GradIn = append(c.GradIn, p.coefOf(j))
	}
	c.In = append(c.In, nil)
	a.op.VJP64(c)
}
