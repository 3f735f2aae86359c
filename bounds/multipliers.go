package bounds

// The split multipliers β of rows that are being optimised (alphabeta.go): where they
// start, and how they enter a backward pass. Their steps are in ascent.go.

import "math"

// multipliers of one row, one per split of its domain.
type multipliers struct {
	value, best, first, second []float64
	// scale is the size of the coefficients that a multiplier stands beside.
	scale []float64
}

func (u *tuner) startMultipliers(r int, w row) {
	k := len(u.s.domains[w.domain].Splits)
	if w.sign < 0 {
		k = 0
	}
	b := u.floats(5 * k)
	clear(b)
	u.beta[r] = multipliers{b[:k], b[k : 2*k], b[2*k : 3*k], b[3*k : 4*k], b[4*k:]}
	if warm := u.s.domains[w.domain].Warm; warm != nil && w.sign > 0 {
		copy(u.beta[r].value, warm.beta[w.index])
		copy(u.beta[r].best, u.beta[r].value)
	}
}

// inject adds the split multipliers of node i to the rows.
func (u *tuner) inject(p *pass, i int) {
	size := p.width(i)
	for r, w := range p.rows {
		beta, scale := &u.beta[w.id], 0.0
		for k, b := range beta.value {
			c := &u.s.domains[w.domain].Splits[k]
			if c.Node != i {
				continue
			}
			if beta.scale[k] == 0 {
				if scale == 0 { // that of all splits of the node
					scale = 1
					if a := p.coef[i]; a != nil {
						scale = largest(a[r*size : (r+1)*size])
					}
				}
				beta.scale[k] = scale
			}
			if b == 0 {
				continue
			}
			if !c.Below {
				b = -b
			}
			// Below: f + β(z − p); above: f − β(z − p).
			at := c.Index
			if p.view != nil {
				at = p.view[i].position(at)
			}
			a := &p.coefOf(i)[r*size+at]
			*a += b
			p.addConst(r, -b*c.Point)
			most := max(-u.s.span(u.s.lower[i], i, w.domain)[c.Index], u.s.span(u.s.upper[i], i, w.domain)[c.Index])
			p.err[r] += 2 * unit * (math.Abs(b*c.Point) + math.Abs(*a)*most)
		}
	}
}

// largest is the largest absolute value in a, or 1 if all are zero.
func largest(a []float64) float64 {
	v := 0.0
	for _, x := range a {
		v = max(v, math.Abs(x))
	}
	if v == 0 || math.IsInf(v, 0) {
		return 1
	}
	return v
}
