package bounds

// One step of the optimiser: the minimisers of the bounds are carried forward
// along the lines that the backward pass chose, which yields the gradient
// (alphabeta.go), and Adam moves the variables up.

import (
	"math"

	"github.com/vouchnn/vouch/internal/blas"
	"github.com/vouchnn/vouch/nn"
)

// forwardRule is a rule that can carry values forward along the lines that the
// last backward pass chose.
type forwardRule interface {
	rule
	along(p *pass, i int)
}

// forward carries the minimisers forward along the chosen lines, as far as
// there are variables.
func (u *tuner) forward(p *pass) {
	m := u.s.m
	last := 0
	for i := range u.alpha {
		if u.alpha[i] != nil && u.saved[i] != nil {
			last = max(last, m.nodes[i].Inputs[0])
		}
	}
	for _, w := range p.rows {
		for k := range u.beta[w.id].value {
			last = max(last, u.s.domains[w.domain].Splits[k].Node)
		}
	}
	u.values[0] = u.least
	for i := 1; i <= last; i++ {
		u.values[i] = p.buffer(len(p.rows) * p.width(i))
		m.rules[i].(forwardRule).along(p, i)
	}
}

// Adam's constants: steps that suit slopes in [0, 1] and multipliers in units
// of the coefficients beside them, which fall to a half after stepTime
// iterations, to a third after twice that. With the usual moments (0.9, 0.999)
// and geometric steps the bounds need about twice as many iterations; measured
// on the networks of reference_test.go.
const (
	adamFirst  = 0.5
	adamSecond = 0.9
	alphaStep  = 0.4
	betaStep   = 0.1
	stepTime   = 5
)

// step moves the variables of the pass's rows up the gradient.
func (u *tuner) step(p *pass, it int) {
	c1, c2 := 1-math.Pow(adamFirst, float64(it+1)), 1-math.Pow(adamSecond, float64(it+1))
	rate := 1 / (1 + float64(it)/stepTime)
	for i := range u.alpha {
		switch {
		case u.alpha[i] == nil || u.saved[i] == nil:
		case u.s.tangents[i] != nil:
			u.stepTangents(p, i, rate*tangentStep, c1, c2)
		default:
			u.stepSlopes(p, i, it, rate*alphaStep)
		}
	}
	for r, w := range p.rows {
		b := &u.beta[w.id]
		for k := range b.value {
			c := &u.s.domains[w.domain].Splits[k]
			at := c.Index
			if p.view != nil {
				at = p.view[c.Node].position(at)
			}
			g := u.values[c.Node][r*p.width(c.Node)+at] - c.Point
			if !c.Below {
				g = -g
			}
			move := adam(&b.first[k], &b.second[k], g, c1, c2)
			b.value[k] = max(b.value[k]+rate*betaStep*b.scale[k]*move, 0)
		}
	}
}

func (u *tuner) stepSlopes(p *pass, i, it int, rate float64) {
	n, j := p.width(i), u.s.m.nodes[i].Inputs[0]
	ascent := blas.NewAscent(it, rate, adamFirst, adamSecond, u.s.m.rules[i].(elementwise).lowestSlope(), 1)
	p.parallelRows(n, func(r int) {
		k, g := p.rows[r].id*n, u.group[p.rows[r].id]*n
		ascent.Row(u.saved[i][r*n:(r+1)*n], u.values[j][r*n:(r+1)*n], u.free[i][g:g+n],
			u.first[i][k:k+n], u.second[i][k:k+n], u.alpha[i][k:k+n])
	})
}

// adam updates the moments and returns the normalised step. A gradient that
// is not finite counts as zero.
func adam(first, second *float64, g, c1, c2 float64) float64 {
	if math.IsNaN(g) || math.IsInf(g, 0) {
		g = 0
	}
	*first = adamFirst**first + (1-adamFirst)*g
	*second = adamSecond**second + (1-adamSecond)*g*g
	if *second == 0 {
		return 0
	}
	return (*first / c1) / (math.Sqrt(*second/c2) + 1e-12)
}

// along implements forwardRule.
func (a *affine) along(p *pass, i int) {
	u, inputs := p.tune, p.s.m.nodes[i].Inputs
	if p.view != nil && p.view[i].weight != nil {
		v, out := &p.view[i], u.values[i]
		m, k := p.width(i), p.width(inputs[0])
		beta, bias := 0.0, p.at(i, p.rows[0].domain).bias
		if a.bias != nil {
			beta = 1
			for r := range p.rows {
				copy(out[r*m:(r+1)*m], bias)
			}
		}
		p.gemm(true, len(p.rows), m, k, u.values[inputs[0]], k, v.weight, k, beta, out, m)
		return
	}
	if len(inputs) == 1 && p.union.cuts(a, i, inputs[0]) {
		p.alongUnion(a, i, inputs[0])
		return
	}
	c := nn.Call[float64]{Batch: len(p.rows), InShapes: p.s.m.inShapes[i], OutShape: p.s.m.nodes[i].Shape, Out: u.values[i]}
	for _, j := range inputs {
		c.In = append(c.In, u.values[j][:len(p.rows)*p.s.m.size[j]])
	}
	a.op.Forward64(&c)
}

// along implements forwardRule.
func (e elementwise) along(p *pass, i int) {
	u, j, n := p.tune, p.s.m.nodes[i].Inputs[0], p.width(i)
	if u.saved[i] == nil { // no row depends on this node
		clear(u.values[i])
		return
	}
	if u.chosen[i] != nil {
		p.parallelRows(n, func(r int) {
			in, out := u.values[j][r*n:(r+1)*n], u.values[i][r*n:(r+1)*n]
			c := u.chosen[i][2*r*n : 2*(r+1)*n]
			for k, v := range in {
				out[k] = c[k]*v + c[n+k]
			}
		})
		return
	}
	p.spread(i, n, alongLines{e})
}

// alongLines is the step of elementwise.along.
type alongLines struct{ e elementwise }

func (a alongLines) step(p *pass, i, d, lo, hi int) {
	u, j, n := p.tune, p.s.m.nodes[i].Inputs[0], p.width(i)
	v := p.at(i, d)
	if a.e.tuned() {
		v.lines.LowSlope, v.lines.LowStep = u.slopes(p, i, lo), n
	}
	blas.AlongRows(hi-lo, n, u.saved[i][lo*n:hi*n], u.values[j][lo*n:hi*n], u.values[i][lo*n:hi*n], &v.lines)
}
