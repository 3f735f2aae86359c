package bounds

// α-CROWN: optimised lines for every bound.
//
// The bound of a neuron in front of an activation depends on the lower slopes
// of the undecided ReLUs before it and on the tangent points of the S-curves.
// Every choice is sound, so the choice can be optimised, and separately for
// each bound of each neuron: what is best for one is not for another.
//
// Layer after layer, the bounds of all undecided neurons are carried back
// together, a row for each side of each, and every row climbs with variables
// of its own, as alphabeta.go describes for the output functions. The best
// bound on the way is kept. Then the layer's lines are made anew from the
// tighter bounds, and the next layer starts; the output functions come last.
// A row stops early when its ReLU is decided, or when it has come to rest.
//
// The published method optimises all slopes for the sum of the final bounds,
// through the intermediate ones. Here each bound is optimised for its own sake.
// Tighter bounds of earlier neurons never hurt later ones, so where both have
// converged this is at least as tight; and each gradient is that of one chain
// of lines, known in closed form. On the networks of alpha_test.go, 20
// iterations are tighter than 100 of auto_LiRPA's on one, and tighter than 20
// on all, in a ninth to a thirtieth of the time.
//
// All rows of a layer belong to one domain, so that they are carried between
// live neurons alone (live.go).
//
// Source: Xu et al. 2021, arXiv:2011.13824, §3.2. Deviations: layer by layer,
// as above; Crown comes first, what it decides is left alone, and results are
// intersected with its bounds.

import (
	"cmp"
	"context"
	"errors"
	"math"
	"runtime"
	"slices"

	"github.com/vouchnn/vouch/internal/parallel"
)

// Alpha is Crown with lines optimised separately for every bound: of the
// neurons in front of activations, and of the functions. The zero value is
// ready to use.
//
// It stops where the functions are positive (Query.AnyOf); with Query.Upper, or
// a constant that keeps them negative, it optimises to the end.
//
// Guarantee: sound for real arithmetic, rounded outward; never looser than
// Crown; incomplete.
// Cost: that of Crown, plus two passes per iteration for each side of each
// undecided neuron and for each function.
type Alpha struct {
	// Relaxer chooses the lines to start from; nil means Relax's choice.
	Relaxer Relaxer
	// Iterations of the optimiser on the functions, at least 1. Default 0: 20.
	Iterations int
	// Intermediate is the iterations for each bound of a pre-activation, at
	// least 1. Default 0: as many as Iterations.
	Intermediate int
	// Neurons is how many neurons of one pre-activation are optimised, at least
	// 1: those whose relaxation costs the functions most in Crown's pass. The
	// others are bounded once. Default 0: all.
	Neurons int
}

// Bound implements Bounder.
func (a Alpha) Bound(ctx context.Context, m *Model, q *Query) ([]DomainResult, error) {
	if a.Iterations <= 0 {
		a.Iterations = 20
	}
	if a.Intermediate <= 0 {
		a.Intermediate = a.Iterations
	}
	first := *q
	first.Impact = q.Impact || a.Neurons > 0
	out, err := method{relaxer: a.Relaxer, tighten: true}.bound(ctx, m, &first)
	if err != nil {
		return nil, err
	}
	known, err := a.refineAll(ctx, m, q, out)
	if err != nil {
		return nil, err
	}
	next := *q
	next.Domains = nil
	var open []int
	for d := range out {
		if known[d] == nil {
			continue
		}
		x := q.Domains[d]
		x.Known = known[d]
		next.Domains, open = append(next.Domains, x), append(open, d)
	}
	if len(open) > 0 {
		res, err := method{relaxer: a.Relaxer, iterations: a.Iterations}.bound(ctx, m, &next)
		if err != nil {
			return nil, err
		}
		for k, d := range open {
			for f, v := range out[d].Lower {
				res[k].Lower[f] = max(res[k].Lower[f], v)
			}
			for f, v := range out[d].Upper {
				res[k].Upper[f] = min(res[k].Upper[f], v)
			}
			out[d] = res[k]
		}
	}
	for d := range out {
		if !q.Impact {
			out[d].Impact = nil
		}
	}
	return out, nil
}

// refineAll is bounds of the nodes, by domain, from those in out: nil where
// nothing is left to do. Domains that prove infeasible are marked in out.
func (a Alpha) refineAll(ctx context.Context, m *Model, q *Query, out []DomainResult) ([][]Interval, error) {
	known := make([][]Interval, len(out))
	var open []int
	for d := range out {
		if !out[d].Infeasible && !q.decided(&out[d], &q.Domains[d]) {
			known[d] = out[d].Nodes
			open = append(open, d)
		}
	}
	if !m.tunable {
		return known, nil
	}
	errs := make([]error, len(out))
	serial := len(open) > 1 && len(open) >= runtime.GOMAXPROCS(0)
	parallel.For(len(open), 1, func(lo, hi int) {
		for _, d := range open[lo:hi] {
			if known[d], errs[d] = a.refine(ctx, m, q.Domains[d], &out[d], serial); known[d] == nil {
				out[d].nothing()
			}
		}
	})
	return known, errors.Join(errs...)
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
		wanted, done := false, false
		for f := g[0]; f < g[1]; f++ {
			if d.Only == nil || slices.Contains(d.Only, f) {
				wanted, done = true, done || positive(f)
			}
		}
		if wanted && !done {
			return false
		}
	}
	return true
}

// refine is bounds of the nodes of one domain, from those that Crown found; nil
// if the domain is infeasible.
func (a Alpha) refine(ctx context.Context, m *Model, d Domain, crown *DomainResult, serial bool) ([]Interval, error) {
	settled := d.Settled
	d.Known, d.Splits, d.Warm = crown.Nodes, nil, nil
	s := newState(m, []Domain{d}, a.Relaxer)
	defer s.close()
	s.serial = serial
	s.makeViews()
	for i := 1; i < len(m.nodes); i++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.advance(i)
		if len(m.feeds[i]) == 0 || (m.exact[i] && s.boxes) || i < settled {
			continue
		}
		rows := s.wantedRows(i)
		if len(rows) == 0 {
			continue
		}
		bound, err := s.refine(ctx, i, rows, &refinement{a.Intermediate, m.kinked(i), a.choose(m, i, rows, crown)})
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
		if s.checkEmpty(i, 0); s.empty[0] {
			break
		}
	}
	if s.empty[0] {
		return nil, nil
	}
	return s.results()[0].Nodes, nil
}

// choose marks the elements of node i that are optimised; nil means all of
// them. rows is pairs of them.
func (a Alpha) choose(m *Model, i int, rows []row, crown *DomainResult) []bool {
	if a.Neurons <= 0 || len(rows)/2 <= a.Neurons {
		return nil
	}
	var wanted []int
	for r := 0; r < len(rows); r += 2 {
		wanted = append(wanted, rows[r].index)
	}
	cost := func(e int) float64 {
		sum := 0.0
		for _, j := range m.feeds[i] {
			if v := crown.Impact[j]; v != nil {
				sum += v[e]
			}
		}
		return sum
	}
	slices.SortStableFunc(wanted, func(e, f int) int { return cmp.Compare(cost(f), cost(e)) })
	chosen := make([]bool, m.size[i])
	for _, e := range wanted[:a.Neurons] {
		chosen[e] = true
	}
	return chosen
}

// kinked reports whether node i feeds only activations that are straight on
// both sides of zero.
func (m *Model) kinked(i int) bool {
	for _, j := range m.feeds[i] {
		if e, ok := m.rules[j].(elementwise); !ok || !e.tuned() {
			return false
		}
	}
	return true
}

// refinement is how one node's elements are optimised.
type refinement struct {
	iterations int
	kinked     bool   // an element only matters as long as its sign is open
	chosen     []bool // the elements that go on after the first pass; nil: all
}

// A row rests when restAfter iterations have brought less than restGain of the
// width of its element's interval.
const (
	restAfter = 33
	restGain  = 1e-5
)

// refine bounds the rows, pairs for elements of node i in the only domain, each
// with variables of its own.
func (s *state) refine(ctx context.Context, i int, rows []row, f *refinement) ([]float64, error) {
	t := &task{start: i, bound: make([]float64, len(rows))}
	blocks := s.blocks(rows, i, false)
	s.prepare(rows, blocks, t)
	s.prepareTangents(i)
	s.spread(len(blocks), true, func(b int) {
		if ctx.Err() != nil {
			return
		}
		p := passes.Get().(*pass)
		defer passes.Put(p)
		from, to := blocks[b].from&^1, blocks[b].to&^1 // pairs stay together
		s.refineBlock(ctx, p, rows[from:to], blocks[b].slim, t, t.bound[from:to], f)
	})
	return t.bound, ctx.Err()
}

func (s *state) refineBlock(ctx context.Context, p *pass, rows []row, slim bool, t *task, bound []float64, f *refinement) {
	u := p.startTuning(s, rows, slim, t, f.iterations)
	defer u.finish(p)
	before := make([]float64, len(rows))
	for r := range rows {
		before[r] = math.Inf(-1)
	}
	active := rows
	for it := range f.iterations {
		p.runTuned(ctx, s, active, slim, false)
		if ctx.Err() != nil {
			return
		}
		if it == f.iterations-1 {
			break
		}
		active = f.unsettled(u, active, before, it)
		if len(active) == 0 {
			break
		}
		u.retire(p, active)
		u.forward(p)
		u.step(p, it)
		u.recycle(p)
	}
	copy(bound, u.bound)
}

// unsettled drops the rows of elements that are not chosen or are decided, and
// those that have come to rest.
func (f *refinement) unsettled(u *tuner, rows []row, before []float64, it int) []row {
	s, i := u.s, u.t.start
	rests := func(w row) bool {
		lo := max(s.lower[i][w.index], u.bound[w.id&^1])
		up := min(s.upper[i][w.index], -u.bound[w.id|1])
		if (f.chosen != nil && !f.chosen[w.index]) || (f.kinked && (lo >= 0 || up <= 0)) {
			return true
		}
		if it%restAfter != restAfter-1 {
			return false
		}
		gain := u.bound[w.id] - before[w.id]
		before[w.id] = u.bound[w.id]
		return gain <= restGain*(up-lo)
	}
	out := make([]row, 0, len(rows)) // the pass still uses rows
	for _, w := range rows {
		if !rests(w) {
			out = append(out, w)
		}
	}
	return out
}
