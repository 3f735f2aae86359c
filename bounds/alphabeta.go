package bounds

// Optimised lower slopes and split multipliers for the output functions.
//
// The lower line of an undecided ReLU may have any slope α in [0, 1], and a
// half-space s·(z − p) ≥ 0 that a split imposes on a pre-activation z may be
// added to the function with any multiplier β ≥ 0:
//
//	min f(x)  ≥  min f(x) − Σ β·s·(z(x) − p).
//
// Both change the linear function that arrives at the input, and every choice
// is sound. The bound is concave in β; in α and β together it is improved by
// projected gradient steps (Adam), for each function in each domain with
// variables of its own.
//
// The gradient needs no automatic differentiation. Let x* be the minimiser of
// the arrived function and v(z) the values that x* takes when it is carried
// forward along the lines that the backward pass chose. The bound is then the
// value of a chain of affine maps at x*, so its derivative by a slope is the
// coefficient behind the neuron times v in front of it, and by a multiplier
// −s·(v(z) − p). One iteration costs one backward and one forward pass. A row
// leaves as soon as nothing is left to gain; the passes of the others go on
// without it.
//
// When every neuron is decided, the bound at the best β is the optimum of the
// linear program that is left.
//
// Where the lines of S-curves are tangents, the points at which they touch are
// variables too (tangent.go). The slopes for intermediate nodes are in alpha.go.
//
// Source: Xu et al. 2021, arXiv:2011.13824 (α); Wang et al. 2021,
// arXiv:2103.06624, Theorem 3.1 and §3.2 (β). Deviation: the gradient is
// analytic.

import (
	"context"
	"slices"
)

// AlphaBeta is Crown with optimised slopes and split multipliers for the
// functions. The zero value is ready to use.
//
// Guarantee: sound for real arithmetic, rounded outward; never looser than
// Crown; incomplete.
// Cost: that of Crown, plus two passes per iteration for each function.
type AlphaBeta struct {
	// Relaxer chooses the lines to start from; nil means Relax's choice.
	Relaxer Relaxer
	// Iterations of the optimiser, at least 1. Default 0: 20.
	Iterations int
	// Intermediate is the iterations for each bound of a pre-activation, in
	// domains that are not parts of ones bounded before, as Alpha does it.
	// Default 0: none.
	Intermediate int
	// Neurons is how many neurons of one pre-activation are optimised there, as
	// in Alpha. Default 0: all.
	Neurons int
}

// Bound implements Bounder.
func (a AlphaBeta) Bound(ctx context.Context, m *Model, q *Query) ([]DomainResult, error) {
	if a.Iterations <= 0 {
		a.Iterations = 20
	}
	plain := method{relaxer: a.Relaxer, tighten: true, iterations: a.Iterations}
	if a.Intermediate <= 0 || !slices.ContainsFunc(q.Domains, fresh) {
		return plain.bound(ctx, m, q)
	}
	if err := q.check(m); err != nil {
		return nil, err
	}
	out := make([]DomainResult, len(q.Domains))
	for _, group := range []struct {
		fresh bool
		bound func(context.Context, *Model, *Query) ([]DomainResult, error)
	}{{true, Alpha(a).Bound}, {false, plain.bound}} {
		part := *q
		part.Domains = nil
		var at []int
		for d, x := range q.Domains {
			if fresh(x) == group.fresh {
				part.Domains, at = append(part.Domains, x), append(at, d)
			}
		}
		if len(at) == 0 {
			continue
		}
		res, err := group.bound(ctx, m, &part)
		if err != nil {
			return nil, err
		}
		for k, d := range at {
			out[d] = res[k]
		}
	}
	return out, nil
}

// fresh reports whether d is not part of a domain that was bounded before.
func fresh(d Domain) bool { return d.Settled == 0 && len(d.Splits) == 0 && d.Warm == nil }

// Warm is the variables that an optimising method found for a domain.
type Warm struct {
	alpha map[warmKey][]float32 // by node and function: slopes of its neurons, or tangent points
	beta  map[int][]float64     // by function: multipliers, in the order of the splits
	joint map[int]*jointWarm    // by function: groups of neurons and their lines (envelope.go)
	rows  *patchRows            // the neurons, shared by all parts of a domain
}

// Bytes is about what w occupies.
func (w *Warm) Bytes() int64 {
	if w == nil {
		return 0
	}
	n := int64(0)
	for _, a := range w.alpha {
		n += 64 + 4*int64(len(a))
	}
	for _, b := range w.beta {
		n += 64 + 8*int64(len(b))
	}
	for _, j := range w.joint {
		n += j.bytes()
	}
	return n
}

type warmKey struct{ node, function int }

// optimize bounds the rows with optimised variables, block by block.
func (s *state) optimize(ctx context.Context, q *Query, rows []row, t *task, iterations int, out []DomainResult) error {
	if len(rows) == 0 {
		return nil
	}
	blocks := s.blocks(rows, t.start, true)
	s.prepare(rows, blocks, t)
	s.prepareTangents(t.start)
	for d := range out {
		out[d].Warm = &Warm{alpha: map[warmKey][]float32{}, beta: map[int][]float64{}}
	}
	s.spread(len(blocks), true, func(b int) {
		if ctx.Err() != nil {
			return
		}
		p := passes.Get().(*pass)
		defer passes.Put(p)
		from, to := blocks[b].from, blocks[b].to
		s.optimizeBlock(ctx, p, q, rows[from:to], blocks[b].slim, t, t.bound[from:to], iterations, out)
	})
	return ctx.Err()
}

// blockEdges cuts rows into about so many ranges that do not part a domain.
func blockEdges(rows []row, blocks int) [][2]int {
	var out [][2]int
	from, size := 0, (len(rows)+blocks-1)/blocks
	for r := 1; r < len(rows); r++ {
		if r-from >= size && rows[r].domain != rows[r-1].domain {
			out = append(out, [2]int{from, r})
			from = r
		}
	}
	return append(out, [2]int{from, len(rows)})
}

func (s *state) optimizeBlock(ctx context.Context, p *pass, q *Query, rows []row, slim bool, t *task, bound []float64, iterations int, out []DomainResult) {
	u := p.startTuning(s, rows, slim, t, iterations)
	defer u.finish(p)
	active := rows
	for it := range iterations {
		p.runTuned(ctx, s, active, slim, it == 0)
		if ctx.Err() != nil {
			return
		}
		next := u.undecided(q, active)
		if it == iterations-1 {
			next = nil
		}
		u.retire(p, next)
		if active = next; len(active) == 0 {
			break
		}
		u.forward(p)
		u.step(p, it)
		u.recycle(p)
	}
	for r := range rows {
		bound[r] = u.reached(r)
	}
	u.export(out)
}

// startTuning gives the pass variables for the rows.
func (p *pass) startTuning(s *state, rows []row, slim bool, t *task, iterations int) *tuner {
	for r := range rows {
		rows[r].id = r
	}
	u := newTuner(s, rows, slim, t)
	p.tune = u
	if !slim {
		p.union = s.newUnion(rows, t.start, iterations, u.scratch)
	}
	return u
}

// finish takes the variables from the pass and gives their memory back.
func (u *tuner) finish(p *pass) {
	u.recycle(p)
	u.scratch.giveBack()
	p.tune, p.union, p.impact, p.view, p.s, p.rows = nil, nil, nil, nil, nil, nil
}

// runTuned is one backward pass that keeps what the gradient needs, and the
// variables of rows whose bound improved.
func (p *pass) runTuned(ctx context.Context, s *state, rows []row, slim, first bool) {
	u := p.tune
	p.reset(s, rows, slim)
	start := u.t.start
	if u.t.functions != nil {
		p.cutting = first
		p.startFunctions(u.t.functions, start)
	} else {
		start = p.startElements(start)
	}
	p.sweep(ctx, start)
	if ctx.Err() != nil {
		return
	}
	copy(u.cut, p.atCut) // in the first pass rows are in their places
	p.atCut = p.atCut[:0]
	p.concretize(u.now, nil)
	u.keepBest(p)
	p.release(0)
}
