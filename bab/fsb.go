package bab

// Filtered smart branching.
//
// The impact of a neuron's relaxation is a cheap guess of what its split gains.
// For the few neurons with the largest impact the guess is replaced by a look:
// both halves are bounded once, with all intermediate bounds and variables
// inherited, and the neuron whose halves gain most in both directions wins. If even
// that one gains little, more ReLUs are looked at: behind convolutions many have
// about the same impact and few gain. A look costs a small part of a bound, since the
// halves of a domain share all but one neuron (bounds/halves.go), and a better split
// halves the tree again and again.
//
// Source: De Palma et al. 2021, arXiv:2104.06718, §4.2. Deviations: candidates
// come from the impact on the actual functions; gains are combined by their
// product, as in strong branching for integer programs (Achterberg 2007, §5.2).

import (
	"context"
	"math"
	"slices"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
)

const (
	// candidates is how many neurons are looked at, and moreCandidates how many
	// where none of those gains enough.
	candidates     = 16
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
		if l.score < enough*enough*span*span && len(l.neurons) > candidates && s.e.kinkAt(l.neurons[0]) {
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
	q := &bounds.Query{Functions: s.g.functions}
	cuts := make([][]bounds.Cut, len(looks))
	for k, l := range looks {
		d := l.d.query(s.g, s.e.prop)
		d.Known = l.r.Nodes
		q.Domains = append(q.Domains, d)
		for _, c := range l.neurons[from:min(to, len(l.neurons))] {
			cuts[k] = append(cuts[k], bounds.Cut{Node: c.node, Index: c.index, Point: c.point})
		}
		s.spent += len(cuts[k])
	}
	res, err := bounds.AlphaBeta{}.Halves(ctx, s.e.model, q, cuts)
	if err != nil {
		return err
	}
	for k, l := range looks {
		for i, h := range res[k] {
			if v := s.gain(l.d, h.Below) * s.gain(l.d, h.Above); v > l.score {
				l.score, l.d.split = v, l.neurons[from+i]
			}
		}
	}
	return nil
}

// kinkAt reports whether a neuron is cut at a kink, where one split settles it. An
// S-curve is cut again and again, and each cut gains little whichever it is.
func (e *engine) kinkAt(c split) bool {
	for _, n := range e.net.Nodes() {
		if slices.Contains(n.Inputs, c.node) {
			switch n.Op.(type) {
			case nn.ReLU, nn.LeakyReLU:
				return true
			}
		}
	}
	return false
}

// missing is what the bound of a domain lacks to a proof. Halves are looked at without
// envelopes, and so are compared with the bound without.
func missing(d *domain) float64 { return math.Max(-d.apart, leastSpan) }

// leastSpan keeps scores apart from zero.
const leastSpan = 1e-6

// gain is by how much a half improves on the bound of the whole, whose open
// conjunctions' functions have these lower bounds in it; what goes beyond a proof
// does not count.
func (s *search) gain(whole *domain, lower []float64) float64 {
	bound, at := math.Inf(1), 0
	for _, c := range whole.open {
		best := math.Inf(-1) // also of a conjunction without functions
		for range s.g.rows[c][1] - s.g.rows[c][0] {
			best = math.Max(best, lower[at])
			at++
		}
		bound = math.Min(bound, best)
	}
	return math.Max(math.Min(bound, 0)-whole.apart, leastSpan*missing(whole))
}
