package bab

// Filtered smart branching.
//
// The impact of a neuron's relaxation is a cheap guess of what its split gains.
// For the few neurons with the largest impact the guess is replaced by a look:
// both halves are bounded once, with all intermediate bounds and variables
// inherited, and the neuron whose halves gain most in both directions wins.
//
// Source: De Palma et al. 2021, arXiv:2104.06718, §4.2. Deviations: candidates
// come from the impact on the actual functions; gains are combined by their
// product, as in strong branching for integer programs (Achterberg 2007, §5.2).

import (
	"context"
	"math"

	"github.com/vouchnn/vouch/bounds"
)

// candidates is how many neurons are looked at.
const candidates = 4

// filter chooses a neuron for every domain; a domain without one to split gets
// node −1.
func (s *search) filter(ctx context.Context, open []root) error {
	q := &bounds.Query{Functions: s.g.functions, AnyOf: s.g.rows}
	splits := make([][]split, len(open))
	var halves []*domain
	for i, o := range open {
		o.d.split = split{node: -1}
		scores, err := s.e.scores(ctx, o)
		if err != nil {
			return err
		}
		splits[i] = s.e.bestNeurons(o.r, scores, candidates)
		if len(splits[i]) == 1 {
			o.d.split = splits[i][0]
		}
		if len(splits[i]) < 2 {
			continue
		}
		for _, c := range splits[i] {
			o.d.split = c
			for _, h := range o.d.children() {
				h.settled = math.MaxInt
				halves = append(halves, h)
				q.Domains = append(q.Domains, h.query(s.g, s.e.prop))
			}
		}
	}
	if len(halves) == 0 {
		return nil
	}
	res, err := bounds.AlphaBeta{Iterations: 1}.Bound(ctx, s.e.model, q)
	if err != nil {
		return err
	}
	s.spent += len(halves) / 2
	at := 0
	for i, o := range open {
		if len(splits[i]) < 2 {
			continue
		}
		best := math.Inf(-1)
		for _, c := range splits[i] {
			low, high := s.gain(o.d, halves[at], &res[at]), s.gain(o.d, halves[at+1], &res[at+1])
			at += 2
			if v := low * high; v > best {
				best, o.d.split = v, c
			}
		}
	}
	return nil
}

// gain is by how much a half improves on the bound of the whole; what goes
// beyond a proof does not count.
func (s *search) gain(whole, half *domain, r *bounds.DomainResult) float64 {
	const least = 1e-6
	span := math.Max(-whole.bound, least)
	if r.Infeasible {
		return span
	}
	bound := math.Inf(1)
	for _, c := range half.open {
		v, _ := s.g.best(c, r)
		bound = math.Min(bound, v)
	}
	return math.Max(math.Min(bound, 0)-whole.bound, least*span)
}
