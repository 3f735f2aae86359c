package bounds

// Interval bound propagation: the box is pushed through the network layer by
// layer. Cheap (a few forward passes) and loose. A linear function of the output
// is first carried back through the last affine layers, so that a difference of
// two outputs is bounded as one function and not as a difference of intervals.
// Source: Gowal et al. 2018, arXiv:1810.12715, §3; rounding: rounding.go.

import (
	"context"
	"math"

	"github.com/vouchnn/vouch/spec"
)

// IBP bounds by interval arithmetic. The zero value is ready to use.
//
// Guarantee: sound for real arithmetic, rounded outward; incomplete.
// Cost: three forward passes per domain.
// Linear functions are not available: Query.Linear is ignored.
type IBP struct{}

// Bound implements Bounder.
func (IBP) Bound(ctx context.Context, m *Model, q *Query) ([]DomainResult, error) {
	if err := q.check(m); err != nil {
		return nil, err
	}
	s := newState(m, q.Domains, nil)
	defer s.close()
	for i := 1; i < len(m.nodes); i++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m.rules[i].interval(s, i)
		s.intersect(i)
	}
	out := s.results()
	s.relaxTail()
	values := *q
	values.Linear, values.Impact = false, false
	if err := s.functions(ctx, &values, out, 0); err != nil {
		return nil, err
	}
	s.markEmpty(out)
	return out, nil
}

// relaxTail prepares the affine nodes between the output and the nonlinear
// nodes before it, through which functions are carried back to be bounded.
func (s *state) relaxTail() {
	s.shallow = true
	tail := make([]bool, len(s.m.nodes))
	tail[s.m.output] = true
	for i := s.m.output; i > 0; i-- {
		if !tail[i] || !s.m.rules[i].linear() {
			continue
		}
		s.m.rules[i].relax(s, i)
		for _, j := range s.m.nodes[i].Inputs {
			tail[j] = true
		}
	}
}

// intervalBound is a lower bound of sign times function f in domain d from
// the intervals of outputs and inputs alone.
func (s *state) intervalBound(fn *Functions, f, d int, sign float64) float64 {
	o := s.m.output
	sum, mag, terms := 0.0, 0.0, 1
	add := func(coef, lo, up []float64) {
		for j, a := range coef {
			if a == 0 {
				continue
			}
			a *= sign
			t := a * up[j]
			if a > 0 {
				t = a * lo[j]
			}
			sum += t
			mag += math.Abs(t)
			terms++
		}
	}
	add(fn.Output[f*s.m.outputs:(f+1)*s.m.outputs], s.span(s.lower[o], o, d), s.span(s.upper[o], o, d))
	if fn.Input != nil {
		add(fn.Input[f*s.m.inputs:(f+1)*s.m.inputs], s.span(s.lower[0], 0, d), s.span(s.upper[0], 0, d))
	}
	if fn.Const != nil {
		sum += sign * fn.Const[f]
		mag += math.Abs(fn.Const[f])
		terms++
	}
	v := below(sum - gamma(terms)*mag - tiny)
	if math.IsNaN(v) {
		return math.Inf(-1)
	}
	return v
}

// results hands the node bounds over.
func (s *state) results() []DomainResult {
	out := make([]DomainResult, s.count)
	for d := range out {
		out[d].Nodes = make([]Interval, len(s.m.nodes))
		for i := range s.m.nodes {
			out[d].Nodes[i] = Interval{s.span(s.lower[i], i, d), s.span(s.upper[i], i, d)}
		}
	}
	return out
}

// markEmpty states that nothing can happen in infeasible domains.
func (s *state) markEmpty(out []DomainResult) {
	for d := range out {
		if s.empty[d] {
			out[d].nothing()
		}
	}
}

// nothing makes r the result of an infeasible domain.
func (r *DomainResult) nothing() {
	r.Infeasible = true
	for f := range r.Lower {
		r.Lower[f] = math.Inf(1)
	}
	for f := range r.Upper {
		r.Upper[f] = math.Inf(-1)
	}
}

func (f *Functions) count(m *Model) int { return len(f.Output) / m.outputs }

func (q *Query) check(m *Model) error {
	k := q.Functions.count(m)
	bad := func(detail string) error { return &spec.Error{Field: "query", Detail: detail} }
	switch {
	case len(q.Functions.Output) != k*m.outputs:
		return bad("functions do not have one coefficient per output")
	case q.Functions.Input != nil && len(q.Functions.Input) != k*m.inputs:
		return bad("functions do not have one coefficient per input")
	case q.Functions.Const != nil && len(q.Functions.Const) != k:
		return bad("functions do not have one constant each")
	}
	for _, d := range q.Domains {
		if d.Region == nil || d.Region.Dim() != m.inputs {
			return bad("a region does not have the network's input dimension")
		}
		for k := range d.Halfspaces {
			if !d.Halfspaces[k].Valid(m.inputs) {
				return bad("a half-space does not have one finite coefficient per input")
			}
		}
		for _, c := range d.Splits {
			if c.Node <= 0 || c.Node >= len(m.size) || c.Index < 0 || c.Index >= m.size[c.Node] || math.IsNaN(c.Point) {
				return bad("a split is not of an element of a node")
			}
		}
		for i, n := range d.Known {
			if n.Lower != nil && (i >= len(m.size) || len(n.Lower) != m.size[i] || len(n.Upper) != m.size[i]) {
				return bad("known bounds do not fit their node")
			}
		}
		for i, n := range d.Under {
			if n.Lower != nil && (i >= len(m.size) || len(n.Lower) != m.size[i] || len(n.Upper) != m.size[i]) {
				return bad("under-approximated domains do not fit their node")
			}
		}
	}
	return nil
}
