package bounds

// Both halves of cut neurons at a glance.
//
// To choose what to split, branch and bound asks what the functions' bounds would be
// on both sides of many cuts, each made alone. The halves of one domain have nearly
// all in common: the intervals, the lines but those of one neuron, the slopes and
// multipliers that are inherited. So one state is made for the domain, one row per
// function starts at the output, and only in front of the activation whose input is
// cut it forks: each half takes the coefficient of its neuron through lines of its
// own, and goes on through what is the whole domain's. A cut in the first layer
// costs no more than its last product.
//
// What is not done for a half, in comparison with bounding it as a domain: intervals
// behind the cut are not narrowed, and so neither is the allowance for rounding. The
// bounds hold, and are those of the half as a domain with one iteration but for that.
//
// Source: De Palma et al. 2021, arXiv:2104.06718, §4.2, for the use; the sharing is
// ours.

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"

	"github.com/vouchnn/vouch/internal/parallel"
	"github.com/vouchnn/vouch/spec"
)

// Cut is an element of a node that is cut in two at a point.
type Cut struct {
	Node, Index int
	Point       float64
}

// Halves is lower bounds of the functions that matter in a domain, in the order of
// Domain.Only, where a cut element is at most the point and where it is at least the
// point. They are +Inf in a half that is empty.
type Halves struct {
	Below, Above []float64
}

// Halves bounds the query's functions from below on both halves of cuts of its
// domains, cuts[d] those of domain d, each cut by itself. Slopes, tangent points and
// multipliers are those of Domain.Warm, and nothing is optimised. What is known of
// nodes is taken as it is; where nothing is known intervals are computed, which are
// loose.
//
// Guarantee: sound for real arithmetic, rounded outward; never tighter than bounding
// the half as a domain whose intervals are narrowed to it, but for the lines of
// S-curves, which are the default ones of the cut neuron.
// Cost: a backward pass for every function and half, from the cut to the input.
// Errors: *spec.Error for a malformed query or cut; the context's error.
// Safe for concurrent use.
func (a AlphaBeta) Halves(ctx context.Context, m *Model, q *Query, cuts [][]Cut) ([][]Halves, error) {
	if err := q.check(m); err != nil {
		return nil, err
	}
	if len(cuts) != len(q.Domains) {
		return nil, &spec.Error{Field: "cuts", Detail: "not one list for each domain"}
	}
	for _, list := range cuts {
		for _, c := range list {
			if c.Node <= 0 || c.Node >= len(m.size) || c.Index < 0 || c.Index >= m.size[c.Node] || !finite(c.Point) {
				return nil, &spec.Error{Field: "cuts", Detail: "a cut is not of an element of a node at a finite point"}
			}
		}
	}
	n := len(q.Domains)
	workers := max(1, min(runtime.GOMAXPROCS(0), n/2))
	out := make([][]Halves, n)
	errs := make([]error, workers)
	parallel.For(workers, 1, func(lo, hi int) {
		for w := lo; w < hi; w++ {
			from, to := w*n/workers, (w+1)*n/workers
			errs[w] = a.halvesPart(ctx, m, q, q.Domains[from:to], cuts[from:to], out[from:to], workers > 1)
		}
	})
	return out, errors.Join(errs...)
}

func (a AlphaBeta) halvesPart(ctx context.Context, m *Model, q *Query, domains []Domain, cuts [][]Cut, out [][]Halves, serial bool) error {
	domains = slices.Clone(domains)
	for d := range domains {
		domains[d].Settled = math.MaxInt
	}
	s := newState(m, domains, a.Relaxer)
	defer s.close()
	s.serial = serial
	s.makeViews()
	for i := 1; i < len(m.nodes); i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		s.advance(i)
	}
	if m.tunable {
		s.prepareTangents(m.output)
	}
	rows := s.halfRows(q, cuts, out)
	h := &halves{s: s, q: q, cuts: cuts, out: out}
	blocks := s.halfBlocks(rows, cuts)
	s.spread(len(blocks), true, func(b int) {
		p := passes.Get().(*pass)
		defer passes.Put(p)
		h.run(ctx, p, rows[blocks[b].from:blocks[b].to], blocks[b].slim)
	})
	return ctx.Err()
}

// halfRows is a row for each function that matters in a domain with cuts, and makes
// room for the results.
func (s *state) halfRows(q *Query, cuts [][]Cut, out [][]Halves) []row {
	every := make([]int, q.Functions.count(s.m))
	for f := range every {
		every[f] = f
	}
	var rows []row
	for d, list := range cuts {
		only := s.domains[d].Only
		if only == nil {
			only = every
		}
		out[d] = make([]Halves, len(list))
		k := len(only)
		for c := range list {
			all := make([]float64, 2*k)
			fill(all, math.Inf(-1))
			if s.empty[d] {
				fill(all, math.Inf(1))
			}
			out[d][c] = Halves{all[:k:k], all[k:]}
		}
		if s.empty[d] || len(list) == 0 {
			continue
		}
		for _, f := range only {
			rows = append(rows, row{domain: d, index: f, sign: 1})
		}
	}
	return rows
}

// halfBlocks cuts the rows into blocks that stay in cache when they have forked.
func (s *state) halfBlocks(rows []row, cuts [][]Cut) []block {
	limit := max(16, rowBlock/slices.Max(s.m.size))
	var out []block
	for from := 0; from < len(rows); {
		d, to := rows[from].domain, from
		for to < len(rows) && rows[to].domain == d {
			to++
		}
		forked := 1 + 2*len(cuts[d])
		slim := s.slim((to - from) * forked)
		if slim {
			s.cutMatrices(d, s.m.output)
		}
		for from < to {
			b := block{from, min(to, from+max(1, limit/forked)), slim}
			if k := len(out) - 1; !slim && k >= 0 && !out[k].slim && s.forkedRows(rows[out[k].from:b.to], cuts) <= limit {
				out[k].to = b.to
			} else {
				out = append(out, b)
			}
			from = b.to
		}
	}
	return out
}

// forkedRows is how many rows these become.
func (s *state) forkedRows(rows []row, cuts [][]Cut) int {
	n := 0
	for _, w := range rows {
		n += 1 + 2*len(cuts[w.domain])
	}
	return n
}
