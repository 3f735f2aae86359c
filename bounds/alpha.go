package bounds

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/vouchnn/vouch/internal/parallel"
)

// Alpha TODO
type Alpha struct {
	// Relaxer chooses the lines to start from; nil means Relax's choice.
	Relaxer Relaxer
	// Iterations of the optimiser on the functions, at least 1. Default 0: 20.
	Iterations int
	// Intermediate is the iterations for each bound of a pre-activation, at
	// least 1. Default 0: TODO.
	Intermediate int
}

// Bound implements Bounder.
func (a Alpha) Bound(ctx context.Context, m *Model, q *Query) ([]DomainResult, error) {
	if a.Iterations <= 0 {
		a.Iterations = 20
	}
	if a.Intermediate <= 0 {
		a.Intermediate = a.Iterations
	}
	return alpha{a.Relaxer, a.Iterations, a.Intermediate, func(Domain) bool { return true }}.bound(ctx, m, q)
}

// fresh reports whether nothing has been bounded or split in d before.
func fresh(d Domain) bool { return d.Settled == 0 && len(d.Splits) == 0 }

// alpha is the method behind Alpha and AlphaBeta.
type alpha struct {
	relaxer                  Relaxer
	iterations, intermediate int
	wanted                   func(Domain) bool // whose pre-activations are optimised
}

func (a alpha) bound(ctx context.Context, m *Model, q *Query) ([]DomainResult, error) {
	out, err := method{relaxer: a.relaxer, tighten: true}.bound(ctx, m, q)
	if err != nil || !m.tunable {
		return out, err
	}
	next := *q
	next.Domains = nil
	var open []int
	for d := range out {
		if !out[d].Infeasible && !q.decided(&out[d], &q.Domains[d]) {
			open = append(open, d)
			next.Domains = append(next.Domains, q.Domains[d])
		}
	}
	errs := make([]error, len(open))
	parallel.For(len(open), 1, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			d := &next.Domains[k]
			if a.wanted(*d) {
				d.Known, errs[k] = a.refine(ctx, m, *d, out[open[k]].Nodes)
			} else {
				d.Known = out[open[k]].Nodes
			}
			d.Settled = len(m.nodes)
		}
	})
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if len(open) == 0 {
		return out, nil
	}
	res, err := method{relaxer: a.relaxer, iterations: a.iterations}.bound(ctx, m, &next)
	if err != nil {
		return nil, err
	}
	for k, d := range open {
		r := &res[k]
		for f, v := range out[d].Lower {
			r.Lower[f] = max(r.Lower[f], v)
		}
		for f, v := range out[d].Upper {
			r.Upper[f] = min(r.Upper[f], v)
		}
		out[d] = *r
	}
	return out, nil
}

// decided reports whether nothing that the query wants of a domain is left.
func (q *Query) decided(r *DomainResult, d *Domain) bool {
	if q.Upper {
		return false
	}
	positive := func(f int) bool { return r.Lower[f] > 0 }
	if q.AnyOf == nil {
		for f := range r.Lower {
			if !positive(f) && (d.Only == nil || slices.Contains(d.Only, f)) {
				return false
			}
		}
		return true
	}
	for _, g := range q.AnyOf {
		all := true // every function of interest is negative
		any := false
		for f := g[0]; f < g[1]; f++ {
			if d.Only == nil || slices.Contains(d.Only, f) {
				all = false
				any = any || positive(f)
			}
		}
		if !all && !any {
			return false
		}
	}
	return true
}

// refine is bounds of the nodes of one domain, from those that are known.
func (a alpha) refine(ctx context.Context, m *Model, d Domain, known []Interval) ([]Interval, error) {
	settled := d.Settled
	d.Known = known
	s := newState(m, []Domain{d}, a.relaxer)
	net := newReducer(s)
	for i := 1; i < len(m.nodes); i++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m.rules[i].interval(s, i)
		s.intersect(i)
		if len(m.feeds[i]) == 0 || (m.exact[i] && s.boxes) || i < settled || s.empty[0] {
			continue
		}
		rows := s.wantedRows(i)
		if len(rows) == 0 {
			continue
		}
		bound, err := net.upTo(i).refine(ctx, rows, a.intermediate)
		if err != nil {
			return nil, err
		}
		for r, w := range rows {
			if w.sign > 0 {
				s.lower[i][w.index] = max(s.lower[i][w.index], bound[r])
			} else {
				s.upper[i][w.index] = min(s.upper[i][w.index], -bound[r])
			}
		}
		s.checkEmpty(i, 0)
	}
	return s.results()[0].Nodes, nil
}

// refine bounds the rows, pairs of elements of the output node, with variables
// of their own.
func (s *state) refine(ctx context.Context, rows []row, iterations int) ([]float64, error) {
	t := &task{start: s.m.output, bound: make([]float64, len(rows))}
	for r := range t.bound {
		t.bound[r] = math.Inf(-1)
	}
	s.prepareTangents(t.start)
	pairs := len(rows) / 2
	blocks := min(s.blocks(len(rows), t.start), pairs)
	parallel.For(blocks, 1, func(lo, hi int) {
		p := passes.Get().(*pass)
		defer passes.Put(p)
		for b := lo; b < hi && ctx.Err() == nil; b++ {
			from, to := 2*(b*pairs/blocks), 2*((b+1)*pairs/blocks)
			s.refineBlock(ctx, p, rows[from:to], t, t.bound[from:to], iterations)
		}
	})
	return t.bound, ctx.Err()
}

func (s *state) refineBlock(ctx context.Context, p *pass, rows []row, t *task, bound []float64, iterations int) {
	for r := range rows {
		rows[r].id = r
	}
	u := newTuner(s, rows, t.start)
	p.tune = u
	defer func() { p.tune = nil }()
	active := rows
	now := make([]float64, len(rows))
	for it := range iterations {
		p.runTuned(ctx, s, active, t, now[:len(active)], nil)
		if ctx.Err() != nil {
			return
		}
		for r, w := range active {
			bound[w.id] = max(bound[w.id], now[r])
		}
		if it == iterations-1 {
			break
		}
		u.forward(p)
		u.step(p, it)
		u.recycle(p)
	}
	u.recycle(p)
}
