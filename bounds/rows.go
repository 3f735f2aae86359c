package bounds

// Which functions go back through the network, and in what blocks.
//
// A row is one function in one domain: an undecided element of a node that
// feeds an activation (for both of its bounds), or one of the query's functions.
// Rows of all domains are cut into blocks whose coefficients stay in cache;
// blocks run side by side.

import (
	"context"
	"math"
	"runtime"

	"github.com/vouchnn/vouch/internal/parallel"
)

// row is one function that a pass carries back: sign times element index of
// the start node, or times function index of the query.
type row struct {
	domain, index int
	sign          float64
	id            int // where an optimiser keeps the row's variables
}

// rowBlock is how many coefficients one node of a pass holds at most: rows
// are carried back in blocks of about this many numbers, which stay in cache.
const rowBlock = 1 << 18

// wantedRows is a pair of rows, from below and from above, for each element of
// node i whose tighter bounds would help.
func (s *state) wantedRows(i int) []row {
	mark := make([]bool, s.m.size[i])
	var rows []row
	for d := range s.count {
		if s.empty[d] {
			continue
		}
		clear(mark)
		for _, j := range s.m.feeds[i] {
			for k, in := range s.m.nodes[j].Inputs {
				if in == i {
					s.m.rules[j].wanted(s, j, k, d, mark)
				}
			}
		}
		for e, m := range mark {
			if m {
				rows = append(rows, row{domain: d, index: e, sign: 1}, row{domain: d, index: e, sign: -1})
			}
		}
	}
	return rows
}

// tighten bounds the undecided elements of node i by backward passes.
func (s *state) tighten(ctx context.Context, i int) error {
	rows := s.wantedRows(i)
	t := task{start: i, bound: make([]float64, len(rows))}
	if err := s.carry(ctx, rows, &t); err != nil {
		return err
	}
	for r, w := range rows {
		k := w.domain*s.m.size[i] + w.index
		if w.sign > 0 {
			s.lower[i][k] = max(s.lower[i][k], t.bound[r])
		} else {
			s.upper[i][k] = min(s.upper[i][k], -t.bound[r])
		}
	}
	for d := range s.count {
		s.checkEmpty(i, d)
	}
	return nil
}

// functions bounds the query's functions.
func (s *state) functions(ctx context.Context, q *Query, out []DomainResult, iterations int) error {
	k := q.Functions.count(s.m)
	all := make([]int, k)
	for f := range all {
		all[f] = f
	}
	var rows []row
	for d := range s.count {
		out[d].Lower = make([]float64, k)
		if q.Upper {
			out[d].Upper = make([]float64, k)
		}
		only := s.domains[d].Only
		if only == nil {
			only = all
		} else {
			fill(out[d].Lower, math.Inf(-1))
			fill(out[d].Upper, math.Inf(1))
		}
		for _, f := range only {
			out[d].Lower[f] = s.intervalBound(&q.Functions, f, d, 1)
			if q.Upper {
				out[d].Upper[f] = -s.intervalBound(&q.Functions, f, d, -1)
			}
		}
		if s.empty[d] {
			continue
		}
		for _, f := range only {
			rows = append(rows, row{domain: d, index: f, sign: 1})
			if q.Upper {
				rows = append(rows, row{domain: d, index: f, sign: -1})
			}
		}
	}
	t := task{start: s.m.output, functions: &q.Functions, bound: make([]float64, len(rows))}
	if q.Linear {
		t.linear = out
		for d := range out {
			out[d].Coef, out[d].Offset = make([]float64, k*s.m.inputs), make([]float64, k)
			for f := range k {
				out[d].Offset[f] = math.Inf(-1)
			}
		}
	}
	if q.Impact {
		t.impact = s.newImpact(out)
	}
	var err error
	if iterations > 0 && s.m.tunable {
		err = s.optimize(ctx, q, rows, &t, iterations, out)
	} else {
		err = s.carry(ctx, rows, &t)
	}
	if err != nil {
		return err
	}
	for r, w := range rows {
		o := &out[w.domain]
		if w.sign > 0 {
			o.Lower[w.index] = max(o.Lower[w.index], t.bound[r])
		} else {
			o.Upper[w.index] = min(o.Upper[w.index], -t.bound[r])
		}
	}
	return nil
}

func fill(x []float64, v float64) {
	for k := range x {
		x[k] = v
	}
}

// newImpact makes room for the impacts of all element-wise nodes.
func (s *state) newImpact(out []DomainResult) [][]float64 {
	impact := make([][]float64, len(s.m.nodes))
	for d := range out {
		out[d].Impact = make([][]float64, len(s.m.nodes))
	}
	for i := range s.m.nodes {
		if s.lines[i].lowerSlope == nil {
			continue
		}
		impact[i] = make([]float64, s.count*s.m.size[i])
		for d := range out {
			out[d].Impact[i] = s.span(impact[i], i, d)
		}
	}
	return impact
}

// task is what rows are carried back for.
type task struct {
	start     int            // the node that rows start from
	functions *Functions     // what rows index; nil: elements of the start node
	bound     []float64      // per row: the result, a lower bound
	linear    []DomainResult // where linear functions go; may be nil
	spaces    []Halfspace    // where linear functions of elements go, by row.id; may be nil
	impact    [][]float64    // where impacts go, per node; may be nil
}

// carry bounds each row from below. Blocks of rows run side by side, unless
// impacts are added up, which several rows share.
func (s *state) carry(ctx context.Context, rows []row, t *task) error {
	if len(rows) == 0 {
		return nil
	}
	blocks := s.blocks(rows, t.start, false)
	s.prepare(rows, blocks, t)
	s.spread(len(blocks), t.impact == nil, func(b int) {
		if ctx.Err() != nil {
			return
		}
		p := passes.Get().(*pass)
		defer passes.Put(p)
		p.run(ctx, s, rows, blocks[b], t)
	})
	return ctx.Err()
}

// spread calls fn for each block, on all processors if that is allowed.
func (s *state) spread(blocks int, allowed bool, fn func(b int)) {
	if !allowed || s.serial {
		for b := range blocks {
			fn(b)
		}
		return
	}
	parallel.For(blocks, 1, func(lo, hi int) {
		for b := lo; b < hi; b++ {
			fn(b)
		}
	})
}

// block is rows that are carried back together.
type block struct {
	from, to int
	slim     bool // rows of one domain, over its live neurons
}

// blocks cuts the rows into blocks. whole keeps the rows of a domain together.
func (s *state) blocks(rows []row, start int, whole bool) []block {
	widest := 1
	for i := 0; i <= start; i++ {
		widest = max(widest, s.m.size[i])
	}
	limit := max(16, rowBlock/widest)
	ofDomain := func(from int) int {
		to := from + 1
		for to < len(rows) && rows[to].domain == rows[from].domain {
			to++
		}
		return to
	}
	var out []block
	for from := 0; from < len(rows); {
		to := ofDomain(from)
		slim := s.slim(to - from)
		for !slim && to < len(rows) {
			next := ofDomain(to)
			if s.slim(next - to) {
				break
			}
			to = next
		}
		parts := (to - from + limit - 1) / limit
		if p := runtime.GOMAXPROCS(0); parts < p && s.count == 1 {
			parts = min(p, (to-from+15)/16)
		}
		switch {
		case whole && slim:
			out = append(out, block{from, to, true})
		case whole:
			for _, edge := range blockEdges(rows[from:to], parts) {
				out = append(out, block{from + edge[0], from + edge[1], false})
			}
		default:
			for b := range parts {
				out = append(out, block{from + b*(to-from)/parts, from + (b+1)*(to-from)/parts, slim})
			}
		}
		from = to
	}
	return out
}

// prepare cuts the matrices for blocks over live neurons.
func (s *state) prepare(rows []row, blocks []block, t *task) {
	upto := t.start
	if t.functions == nil {
		upto--
	}
	for _, b := range blocks {
		if b.slim {
			s.cutMatrices(rows[b.from].domain, upto)
		}
	}
}
