package bounds

// What splits say of the input.
//
// A split bounds one pre-activation z from one side: z ≤ p, say. With a linear
// lower bound l(x) ≤ z the inputs that satisfy the split satisfy l(x) ≤ p, a
// half-space. Where every activation before z is decided its relaxation is exact
// and so is the half-space, up to rounding: with one for each split and one for
// each unsafe inequality, a domain in which all neurons are decided is a
// polyhedron of inputs, and a linear program settles it.
//
// A pass per split node, with a row per split: about what a Crown pass over so
// many functions costs.

import (
	"context"
	"slices"
)

// SplitHalfspaces is one half-space for every split of the domain, in order,
// that holds on every input of the region and its half-spaces whose node values
// satisfy Known and Splits. Known must have bounds of all nodes in front of
// activations, as an earlier result has them. A half-space that rounding has
// spoilt is the whole space.
//
// Errors: *spec.Error for a malformed domain; the context's error.
func (m *Model) SplitHalfspaces(ctx context.Context, d Domain) ([]Halfspace, error) {
	q := &Query{Domains: []Domain{d}, Functions: Functions{}}
	if err := q.check(m); err != nil {
		return nil, err
	}
	out := make([]Halfspace, len(d.Splits))
	last := 0
	for k, c := range d.Splits {
		out[k].Coef = make([]float64, m.inputs)
		last = max(last, c.Node)
	}
	s := newState(m, q.Domains, nil)
	defer s.close()
	s.makeViews()
	for i := 1; i <= last; i++ {
		s.advance(i)
		var rows []row
		for k, c := range d.Splits {
			if c.Node == i {
				rows = append(rows, row{index: c.Index, sign: side(c), id: k})
			}
		}
		if len(rows) == 0 {
			continue
		}
		t := task{start: i, bound: make([]float64, len(rows)), spaces: out}
		if err := s.carry(ctx, rows, &t); err != nil {
			return nil, err
		}
	}
	for k, c := range d.Splits {
		// side·z ≤ side·p.
		out[k].Offset = below(out[k].Offset - side(c)*c.Point)
		if !out[k].Valid(m.inputs) {
			out[k] = Halfspace{Coef: make([]float64, m.inputs)}
		}
	}
	return out, ctx.Err()
}

// side is 1 if the split bounds its neuron from above, −1 if from below.
func side(c Split) float64 {
	if c.Below {
		return 1
	}
	return -1
}

// keepSpace hands the linear function of row r out.
func (p *pass) keepSpace(r int, a []float64) {
	h := &p.spaces[p.rows[r].id]
	h.Coef = append(slices.Grow(h.Coef[:0], len(a)), a...)
	h.Offset = below(p.value[r] - p.slack(r))
}
