package bounds

// CROWN: backward linear relaxation.
//
// A linear function of the output is carried backwards through the network:
// an affine layer maps coefficients A to A·W, an activation replaces each
// neuron by the line below it where its coefficient is positive and the line
// above it where it is negative. At the input a linear function is left whose
// least value over the region is known in closed form. The lines need bounds
// of the neurons' inputs, which come from the same backward pass started at
// each activation, for the neurons that interval arithmetic leaves undecided.
// Upper bounds are lower bounds of the negated function.
//
// All rows of all domains go through one product per layer: a row is one
// function in one domain.
//
// Source: Zhang et al. 2018, arXiv:1811.00866, Theorem 3.2; on graphs: Xu et
// al. 2020, arXiv:2002.12920. Deviations: every bound is intersected with the
// interval bound, and rounded outward (rounding.go).

import (
	"context"
	"errors"
	"runtime"
	"slices"

	"github.com/vouchnn/vouch/internal/parallel"
)

// Crown bounds by backward linear relaxation at every nonlinear node and at
// the output. The zero value is ready to use.
//
// Guarantee: sound for real arithmetic, rounded outward; never looser than
// IBP; incomplete.
// Cost: O(L²·n³) for L dense layers of width n with all neurons unstable.
type Crown struct {
	// Relaxer chooses the lines of activations; nil means Relax's choice.
	Relaxer Relaxer
}

// CrownIBP bounds the intermediate nodes by interval arithmetic and only the
// output functions by backward relaxation. The zero value is ready to use.
// Source: Zhang et al. 2020, arXiv:1906.06316.
//
// Guarantee: sound for real arithmetic, rounded outward; incomplete.
// Cost: O(L·n²) for each function and L dense layers of width n.
type CrownIBP struct {
	// Relaxer chooses the lines of activations; nil means Relax's choice.
	Relaxer Relaxer
}

// Bound implements Bounder.
func (c Crown) Bound(ctx context.Context, m *Model, q *Query) ([]DomainResult, error) {
	return method{relaxer: c.Relaxer, tighten: true}.bound(ctx, m, q)
}

// Bound implements Bounder.
func (c CrownIBP) Bound(ctx context.Context, m *Model, q *Query) ([]DomainResult, error) {
	return method{relaxer: c.Relaxer}.bound(ctx, m, q)
}

// method is what the backward methods differ in.
type method struct {
	relaxer    Relaxer
	tighten    bool // bound pre-activations by backward passes too
	iterations int  // of the optimiser on the output functions
}

// bound spreads the domains over the processors; with few domains the rows of
// each pass are spread instead. Neither changes the result.
func (b method) bound(ctx context.Context, m *Model, q *Query) ([]DomainResult, error) {
	if err := q.check(m); err != nil {
		return nil, err
	}
	n := len(q.Domains)
	workers := max(1, min(runtime.GOMAXPROCS(0), n/2))
	parts := workers
	if m.slim && m.weights <= smallWeights {
		parts = max(parts, (n+liveDomains-1)/liveDomains)
	}
	results := make([][]DomainResult, parts)
	errs := make([]error, parts)
	parallel.For(parts, 1, func(lo, hi int) {
		for p := lo; p < hi; p++ {
			part := q.Domains[p*n/parts : (p+1)*n/parts]
			results[p], errs[p] = b.boundPart(ctx, m, q, part, workers > 1)
		}
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return slices.Concat(results...), nil
}

func (b method) boundPart(ctx context.Context, m *Model, q *Query, domains []Domain, serial bool) ([]DomainResult, error) {
	s := newState(m, domains, b.relaxer)
	defer s.close()
	s.serial = serial
	s.makeViews()
	for i := 1; i < len(m.nodes); i++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.advance(i)
		if b.tighten && len(m.feeds[i]) > 0 && !(m.exact[i] && s.boxes) && !s.settled(i) {
			if err := s.tighten(ctx, i); err != nil {
				return nil, err
			}
		}
	}
	out := s.results()
	if err := s.functions(ctx, q, out, b.iterations); err != nil {
		return nil, err
	}
	s.markEmpty(out)
	return out, nil
}

// advance bounds node i by intervals and prepares passes to go through it.
// Where the node is settled what is known of it is taken instead.
func (s *state) advance(i int) {
	if !s.settled(i) {
		s.m.rules[i].interval(s, i)
	} else {
		for d := range s.count {
			k, _ := s.known(i, d)
			copy(s.span(s.lower[i], i, d), k.Lower)
			copy(s.span(s.upper[i], i, d), k.Upper)
		}
	}
	s.intersect(i)
	s.m.rules[i].relax(s, i)
	if s.m.keeper[i] == i {
		s.findLive(i)
	}
}
