package bounds

// How a backward pass starts: from the query's functions of output and input,
// or from single elements of a node. In the second case the first affine layer
// costs nothing where its operator can write rows of its matrix.

import (
	"math"

	"github.com/vouchnn/vouch/nn"
)

// startFunctions sets the rows to the query's functions.
func (p *pass) startFunctions(fn *Functions, start int) {
	m := p.s.m
	out := p.coefOf(start)
	for r, w := range p.rows {
		for j, v := range fn.Output[w.index*m.outputs : (w.index+1)*m.outputs] {
			out[r*m.outputs+j] += w.sign * v
		}
		if fn.Const != nil {
			p.addConst(r, w.sign*fn.Const[w.index])
		}
	}
	if fn.Input == nil {
		return
	}
	in := p.coefOf(0)
	g := gamma(m.arriving[0] + 2)
	for r, w := range p.rows {
		lo, up := p.s.span(p.s.lower[0], 0, w.domain), p.s.span(p.s.upper[0], 0, w.domain)
		for j, v := range fn.Input[w.index*m.inputs : (w.index+1)*m.inputs] {
			in[r*m.inputs+j] += w.sign * v
			p.err[r] += g * math.Abs(v) * max(-lo[j], up[j])
		}
	}
}

// startElements sets the rows to single elements of the start node and
// returns the node to go on from. Where the operator can write rows of its
// matrix, the first product is saved.
func (p *pass) startElements(start int) int {
	if next, ok := p.startWindows(start); ok {
		return next
	}
	m := p.s.m
	a, ok := m.rules[start].(*affine)
	if !ok || a.rows == nil {
		c := p.coefOf(start)
		for r, w := range p.rows {
			c[r*m.size[start]+w.index] = w.sign
		}
		return start
	}
	j := m.nodes[start].Inputs[0]
	c, _ := p.target(j)
	n := p.width(j)
	if a.weight != nil {
		p.startRows(a.weight, j, c)
	} else {
		index := make([]int, len(p.rows))
		for r, w := range p.rows {
			index[r] = w.index
		}
		p.call = nn.Call[float64]{Batch: len(p.rows), InShapes: m.inShapes[start], OutShape: m.nodes[start].Shape, GradIn: [][]float64{c}}
		a.rows.Rows64(&p.call, index)
		for r, w := range p.rows {
			if w.sign < 0 {
				for k, v := range c[r*n : (r+1)*n] {
					c[r*n+k] = -v
				}
			}
		}
	}
	p.startConstants(a, start)
	return start - 1
}

// startConstants adds the constants of single elements of an affine node, and the
// rounding of its matrix.
func (p *pass) startConstants(a *affine, start int) {
	m := p.s.m
	for r, w := range p.rows {
		if a.bias != nil {
			p.addConst(r, w.sign*a.bias[w.index])
		}
		if mag := p.s.magnitude[start]; mag != nil {
			// Rows and bias of a folded layer are themselves rounded.
			p.err[r] += a.backwardError * mag[w.domain*m.size[start]+w.index]
		}
	}
}

// startRows writes rows of a matrix with their signs, for the elements that are
// kept of node j.
func (p *pass) startRows(weight []float64, j int, c []float64) {
	n, size := p.width(j), p.s.m.size[j]
	var live []int32
	if p.view != nil {
		live = p.view[j].live
	}
	for r, w := range p.rows {
		dst, row := c[r*n:(r+1)*n], weight[w.index*size:(w.index+1)*size]
		if r > 0 && w.sign < 0 && p.rows[r-1].index == w.index && p.rows[r-1].domain == w.domain && p.rows[r-1].sign > 0 {
			for k, v := range c[(r-1)*n : r*n] {
				dst[k] = -v
			}
			continue
		}
		pickRow(dst, row, live)
		if w.sign < 0 {
			for k, v := range dst {
				dst[k] = -v
			}
		}
	}
}
