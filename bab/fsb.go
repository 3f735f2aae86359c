package bab

// Filtered smart branching.
//
// The impact of a neuron's relaxation is a cheap guess of what its split gains.
// For the few neurons with the largest impact the guess is replaced by a look:
// both halves are bounded once, with all intermediate bounds and variables
// inherited, and the neuron whose halves gain most in both directions wins. If even
// that one gains little, more neurons are looked at: behind convolutions many have
// about the same impact and few gain. A look costs a twentieth of a bound, and a
// better split halves the tree again and again.
//
// Source: De Palma et al. 2021, arXiv:2104.06718, §4.2. Deviations: candidates
// come from the impact on the actual functions; gains are combined by their
// product, as in strong branching for integer programs (Achterberg 2007, §5.2).

import (
	"context"
	"math"

	"github.com/vouchnn/vouch/bounds"
)

const (
	// candidates is how many neurons are looked at, and moreCandidates how many
	// where none of those gains enough.
	candidates     = 8
	moreCandidates = 32
	// enough is what the halves of a good split gain, as the geometric mean of
	// their shares of what is missing to a proof.
	enough = 0.05
)

// look is a domain with the neurons that may be split in it.
type look struct {
	root
	neurons []split
	score   float64 // of the best so far, squared
}

// filter chooses a neuron for every domain; a domain without one to split gets
// node −1.
func (s *search) filter(ctx context.Context, open []root) error {
	var first, second []*look
	for _, o := range open {
		o.d.split = split{node: -1}
		scores, err := s.e.scores(ctx, o)
		if err != nil {
			return err
		}
		l := &look{o, s.e.bestNeurons(o.r, scores, moreCandidates), math.Inf(-1)}
		switch len(l.neurons) {
		case 0:
		case 1:
			o.d.split = l.neurons[0]
		default:
			first = append(first, l)
		}
	}
	if err := s.lookAt(ctx, first, 0, candidates); err != nil {
		return err
	}
	for _, l := range first {
		span := missing(l.d)
		if l.score < enough*enough*span*span && len(l.neurons) > candidates {
			second = append(second, l)
		}
	}
	return s.lookAt(ctx, second, candidates, moreCandidates)
}

// lookAt bounds the halves of the neurons [from, to) of each domain, and chooses
// the best of them and of those before.
func (s *search) lookAt(ctx context.Context, looks []*look, from, to int) error {
	if len(looks) == 0 {
		return nil
	}
	q := &bounds.Query{Functions: s.g.functions, AnyOf: s.g.rows}
	var halves []*domain
	for _, l := range looks {
		d := *l.d
		for _, d.split = range l.neurons[from:min(to, len(l.neurons))] {
			for _, h := range d.children() {
				h.settled = math.MaxInt
				halves = append(halves, h)
				q.Domains = append(q.Domains, h.query(s.g, s.e.prop))
			}
		}
	}
	res, err := bounds.AlphaBeta{Iterations: 1}.Bound(ctx, s.e.model, q)
	if err != nil {
		return err
	}
	s.spent += len(halves) / 2
	at := 0
	for _, l := range looks {
		for _, c := range l.neurons[from:min(to, len(l.neurons))] {
			low, high := s.gain(l.d, halves[at], &res[at]), s.gain(l.d, halves[at+1], &res[at+1])
			at += 2
			if v := low * high; v > l.score {
				l.score, l.d.split = v, c
			}
		}
	}
	return nil
}

// missing is what the bound of a domain lacks to a proof.
func missing(d *domain) float64 { return math.Max(-d.bound, leastSpan) }

// leastSpan keeps scores apart from zero.
const leastSpan = 1e-6

// gain is by how much a half improves on the bound of the whole; what goes
// beyond a proof does not count.
func (s *search) gain(whole, half *domain, r *bounds.DomainResult) float64 {
	span := missing(whole)
	if r.Infeasible {
		return span
	}
	bound := math.Inf(1)
	for _, c := range half.open {
		v, _ := s.g.best(c, r)
		bound = math.Min(bound, v)
	}
	return math.Max(math.Min(bound, 0)-whole.bound, leastSpan*span)
}
