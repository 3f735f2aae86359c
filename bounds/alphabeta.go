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
// −s·(v(z) − p). One iteration costs one backward and one forward pass.
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
	"math"
	"slices"

	"github.com/vouchnn/vouch/internal/parallel"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
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
	alpha map[warmKey][]float32 // by node and function: slopes of its neurons
	beta  map[int][]float64     // by function: multipliers, in the order of the splits
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
	return n
}

type warmKey struct{ node, function int }

// forwardRule is a rule that can carry values forward along the lines that the
// last backward pass chose.
type forwardRule interface {
	rule
	along(p *pass, i int)
}

// tuner holds the variables of a block of rows while they are optimised.
type tuner struct {
	s      *state
	rows   []row       // all rows of the block; row.id is their place here
	alpha  [][]float64 // per tuned node: slopes [rows × size], or tangent points [rows × 2·size]
	width  []int       // per node: variables of one row
	best   [][]float64 // those of each row's best bound
	first  [][]float64 // Adam's moments
	second [][]float64
	beta   []multipliers // per row
	bound  []float64     // per row: the best
	saved  [][]float64   // per nonlinear node: coefficients behind it in the last pass
	chosen [][]float64   // per node of S-curves: slopes, then intercepts, of the lines taken [rows × 2·size]
	values [][]float64   // per node: values carried forward
	least  []float64     // minimisers [rows × inputs]
	final  bool          // the variables are settled
}

// multipliers of one row, one per split of its domain.
type multipliers struct {
	value, best, first, second []float64
	// scale is the size of the coefficients that a multiplier stands beside.
	scale []float64
}

// optimize bounds the rows with optimised variables, block by block.
func (s *state) optimize(ctx context.Context, q *Query, rows []row, t *task, iterations int, out []DomainResult) error {
	if len(rows) == 0 {
		return nil
	}
	blocks := s.blocks(len(rows), t.start)
	edges := blockEdges(rows, blocks)
	s.prepareTangents(t.start)
	for d := range out {
		out[d].Warm = &Warm{alpha: map[warmKey][]float32{}, beta: map[int][]float64{}}
	}
	parallel.For(len(edges)-1, 1, func(lo, hi int) {
		p := passes.Get().(*pass)
		defer passes.Put(p)
		for b := lo; b < hi && ctx.Err() == nil; b++ {
			s.optimizeBlock(ctx, p, q, rows[edges[b]:edges[b+1]], t, t.bound[edges[b]:edges[b+1]], iterations, out)
		}
	})
	return ctx.Err()
}

// blockEdges cuts rows into about so many blocks that do not part a domain.
func blockEdges(rows []row, blocks int) []int {
	edges := []int{0}
	size := (len(rows) + blocks - 1) / blocks
	for r := 1; r < len(rows); r++ {
		if r-edges[len(edges)-1] >= size && rows[r].domain != rows[r-1].domain {
			edges = append(edges, r)
		}
	}
	return append(edges, len(rows))
}

func (s *state) optimizeBlock(ctx context.Context, p *pass, q *Query, rows []row, t *task, bound []float64, iterations int, out []DomainResult) {
	for r := range rows {
		rows[r].id = r
	}
	u := newTuner(s, p, rows, t.start, true)
	p.tune = u
	defer func() { p.tune, p.impact, p.s, p.rows = nil, nil, nil, nil }()
	active := rows
	buf := make([]float64, len(rows))
	for it := range iterations {
		now := buf[:len(active)]
		p.runTuned(ctx, s, active, t, now, nil)
		if ctx.Err() != nil {
			return
		}
		u.keepBest(active, now)
		active = u.undecided(q, active)
		if len(active) == 0 || it == iterations-1 {
			break
		}
		// Rows that do not go on are stepped once more: their best is kept.
		u.forward(p)
		u.step(p, it)
		u.recycle(p)
	}
	u.recycle(p)
	u.restoreBest()
	// One more pass at the best variables yields what else was asked for.
	p.impact, u.final = t.impact, true
	p.runTuned(ctx, s, rows, t, bound, t.linear)
	u.recycle(p)
	for r := range rows {
		bound[r] = max(bound[r], u.bound[r])
	}
	u.export(out)
}

// runTuned is one backward pass that keeps what the gradient needs.
func (p *pass) runTuned(ctx context.Context, s *state, rows []row, t *task, bound []float64, linear []DomainResult) {
	p.reset(s, rows)
	p.cutting = p.tune.final
	start := t.start
	if t.functions != nil {
		p.startFunctions(t.functions, start)
	} else {
		start = p.startElements(start)
	}
	p.sweep(ctx, start)
	if ctx.Err() == nil {
		p.concretize(bound, linear)
	}
	p.release(0)
}

// newTuner starts the variables of rows from a node. keep says that the best
// will be wanted, not only its bound. It lives until the pass makes another.
func newTuner(s *state, p *pass, rows []row, start int, keep bool) *tuner {
	n := len(s.m.nodes)
	u := &tuner{
		s: s, rows: rows, alpha: make([][]float64, n), best: make([][]float64, n), first: make([][]float64, n), second: make([][]float64, n),
		beta: make([]multipliers, len(rows)), bound: make([]float64, len(rows)), saved: make([][]float64, n), values: make([][]float64, n),
		width: make([]int, n), chosen: make([][]float64, n),
		least: make([]float64, len(rows)*s.m.inputs),
	}
	for r := range u.bound {
		u.bound[r] = math.Inf(-1)
	}
	total := 0
	for i := 1; i <= start; i++ {
		if e, ok := s.m.rules[i].(elementwise); ok && e.tuned() {
			u.width[i] = s.m.size[i]
		} else if s.tangents[i] != nil {
			u.width[i] = 2 * s.m.size[i]
		}
		total += len(rows) * u.width[i]
	}
	// Buffers of the pass, cleared: the variables, their moments and, if
	// results are wanted later, the best.
	arrays := 3
	if keep {
		arrays = 4
	}
	p.variables = grow(p.variables, arrays*total)
	all := p.variables
	part := func(k int) []float64 {
		x := all[:k:k]
		all = all[k:]
		clear(x)
		return x
	}
	for i, width := range u.width {
		if width == 0 {
			continue
		}
		k := len(rows) * width
		u.alpha[i], u.first[i], u.second[i] = part(k), part(k), part(k)
		for r, w := range rows {
			if dst := u.alpha[i][r*width : (r+1)*width]; s.tangents[i] != nil {
				u.startTangents(i, w, dst)
			} else {
				u.startSlopes(s.m.rules[i].(elementwise), i, w, dst)
			}
		}
		if keep {
			u.best[i] = part(k)
			copy(u.best[i], u.alpha[i])
		}
	}
	for r, w := range rows {
		k := len(s.domains[w.domain].Splits)
		if w.sign < 0 {
			k = 0
		}
		b := make([]float64, 5*k)
		u.beta[r] = multipliers{b[:k], b[k : 2*k], b[2*k : 3*k], b[3*k : 4*k], b[4*k:]}
		if warm := s.domains[w.domain].Warm; warm != nil && w.sign > 0 {
			copy(u.beta[r].value, warm.beta[w.index])
			copy(u.beta[r].best, u.beta[r].value)
		}
	}
	return u
}

// startSlopes takes the slopes of a containing domain where the neuron is
// still undecided, and those of the lines otherwise.
func (u *tuner) startSlopes(e elementwise, i int, w row, dst []float64) {
	s := u.s
	copy(dst, s.span(s.lines[i].lowerSlope, i, w.domain))
	warm := s.domains[w.domain].Warm
	if warm == nil || w.sign < 0 {
		return
	}
	old := warm.alpha[warmKey{i, w.index}]
	j := s.m.nodes[i].Inputs[0]
	lo, up := s.span(s.lower[j], j, w.domain), s.span(s.upper[j], j, w.domain)
	for k, v := range old {
		if lo[k] < 0 && up[k] > 0 {
			dst[k] = min(max(float64(v), e.lowestSlope()), 1)
		}
	}
}

// slopes is the lower slopes of node i for row r of the pass.
func (u *tuner) slopes(p *pass, i, r int) []float64 {
	size := u.s.m.size[i]
	id := p.rows[r].id
	return u.alpha[i][id*size : (id+1)*size]
}

// inject adds the split multipliers of node i to the rows.
func (u *tuner) inject(p *pass, i int) {
	size := u.s.m.size[i]
	for r, w := range p.rows {
		beta := &u.beta[w.id]
		for k, b := range beta.value {
			c := &u.s.domains[w.domain].Splits[k]
			if c.Node != i {
				continue
			}
			if beta.scale[k] == 0 {
				beta.scale[k] = 1
				if a := p.coef[i]; a != nil {
					beta.scale[k] = largest(a[r*size : (r+1)*size])
				}
			}
			if b == 0 {
				continue
			}
			if !c.Below {
				b = -b
			}
			// Below: f + β(z − p); above: f − β(z − p).
			a := &p.coefOf(i)[r*size+c.Index]
			*a += b
			p.addConst(r, -b*c.Point)
			at := max(-u.s.span(u.s.lower[i], i, w.domain)[c.Index], u.s.span(u.s.upper[i], i, w.domain)[c.Index])
			p.err[r] += 2 * unit * (math.Abs(b*c.Point) + math.Abs(*a)*at)
		}
	}
}

// largest is the largest absolute value in a, or 1 if all are zero.
func largest(a []float64) float64 {
	v := 0.0
	for _, x := range a {
		v = max(v, math.Abs(x))
	}
	if v == 0 || math.IsInf(v, 0) {
		return 1
	}
	return v
}

// retain keeps the coefficients behind a nonlinear node for the gradient.
func (u *tuner) retain(p *pass, i int) bool {
	if u.s.m.rules[i].linear() {
		return false
	}
	u.saved[i], p.coef[i] = p.coef[i], nil
	return true
}

// recycle gives the kept buffers back.
func (u *tuner) recycle(p *pass) {
	for i := range u.saved {
		if u.saved[i] != nil {
			p.free = append(p.free, u.saved[i])
			u.saved[i] = nil
		}
		if u.values[i] != nil {
			p.free = append(p.free, u.values[i])
			u.values[i] = nil
		}
		if u.chosen[i] != nil {
			p.free = append(p.free, u.chosen[i])
			u.chosen[i] = nil
		}
	}
}

func (u *tuner) keepMinimizer(p *pass, r int, a []float64) {
	n := u.s.m.inputs
	d := p.rows[r].domain
	x := u.least[r*n : (r+1)*n]
	if _, ok := u.s.domains[d].Region.(spec.Box); !ok {
		u.s.domains[d].Region.Minimizer(a, x)
		return
	}
	lo, up := u.s.span(u.s.lower[0], 0, d)[:n], u.s.span(u.s.upper[0], 0, d)[:n]
	x = x[:n]
	for k, v := range a[:n] {
		// The corner that v's sign bit picks, without a branch.
		l, h := math.Float64bits(lo[k]), math.Float64bits(up[k])
		x[k] = math.Float64frombits(l ^ ((l ^ h) & uint64(int64(math.Float64bits(v))>>63)))
	}
}

// keepBest records variables of rows whose bound improved.
func (u *tuner) keepBest(rows []row, now []float64) {
	for r, w := range rows {
		if !(now[r] > u.bound[w.id]) {
			continue
		}
		u.bound[w.id] = now[r]
		for i := range u.alpha {
			if u.alpha[i] != nil {
				size := u.width[i]
				copy(u.best[i][w.id*size:(w.id+1)*size], u.alpha[i][w.id*size:(w.id+1)*size])
			}
		}
		copy(u.beta[w.id].best, u.beta[w.id].value)
	}
}

func (u *tuner) restoreBest() {
	for i := range u.alpha {
		copy(u.alpha[i], u.best[i])
	}
	for r := range u.beta {
		copy(u.beta[r].value, u.beta[r].best)
	}
}

// undecided drops the rows of domains in which nothing is left to improve, and
// positive rows.
func (u *tuner) undecided(q *Query, rows []row) []row {
	positive := map[[2]int]bool{}
	for r, w := range u.rows {
		if w.sign > 0 && u.bound[r] > 0 {
			for g, a := range q.AnyOf {
				if w.index >= a[0] && w.index < a[1] {
					positive[[2]int{w.domain, g}] = true
				}
			}
		}
	}
	var out []row
	for _, w := range rows {
		done := u.bound[w.id] > 0 && w.sign > 0
		for g, a := range q.AnyOf {
			if w.index >= a[0] && w.index < a[1] && positive[[2]int{w.domain, g}] {
				done = true
			}
		}
		if !done {
			out = append(out, w)
		}
	}
	return out
}

// forward carries the minimisers forward along the chosen lines, as far as
// there are variables.
func (u *tuner) forward(p *pass) {
	m := u.s.m
	last := 0
	for i := range u.alpha {
		if u.alpha[i] != nil && u.saved[i] != nil {
			last = max(last, m.nodes[i].Inputs[0])
		}
	}
	for _, w := range p.rows {
		for k := range u.beta[w.id].value {
			last = max(last, u.s.domains[w.domain].Splits[k].Node)
		}
	}
	u.values[0] = p.buffer(len(p.rows) * m.inputs)
	copy(u.values[0], u.least)
	for i := 1; i <= last; i++ {
		u.values[i] = p.buffer(len(p.rows) * m.size[i])
		m.rules[i].(forwardRule).along(p, i)
	}
}

// Adam's constants: steps that suit slopes in [0, 1] and multipliers in units
// of the coefficients beside them, which fall to a half after stepTime
// iterations, to a third after twice that. With the usual moments (0.9, 0.999)
// and geometric steps the bounds need about twice as many iterations; measured
// on the networks of reference_test.go.
const (
	adamFirst  = 0.5
	adamSecond = 0.9
	alphaStep  = 0.4
	betaStep   = 0.1
	stepTime   = 5
)

// step moves the variables of the pass's rows up the gradient.
func (u *tuner) step(p *pass, it int) {
	c1, c2 := 1-math.Pow(adamFirst, float64(it+1)), 1-math.Pow(adamSecond, float64(it+1))
	rate := 1 / (1 + float64(it)/stepTime)
	for i := range u.alpha {
		switch {
		case u.alpha[i] == nil || u.saved[i] == nil:
		case u.s.tangents[i] != nil:
			u.stepTangents(p, i, rate*tangentStep, c1, c2)
		default:
			u.stepSlopes(p, i, rate*alphaStep, c1, c2)
		}
	}
	for r, w := range p.rows {
		b := &u.beta[w.id]
		for k := range b.value {
			c := &u.s.domains[w.domain].Splits[k]
			g := u.values[c.Node][r*u.s.m.size[c.Node]+c.Index] - c.Point
			if !c.Below {
				g = -g
			}
			move := adam(&b.first[k], &b.second[k], g, c1, c2)
			b.value[k] = max(b.value[k]+rate*betaStep*b.scale[k]*move, 0)
		}
	}
}

func (u *tuner) stepSlopes(p *pass, i int, rate, c1, c2 float64) {
	s := u.s
	size := s.m.size[i]
	j := s.m.nodes[i].Inputs[0]
	least := s.m.rules[i].(elementwise).lowestSlope()
	p.parallelRows(size, func(r int) {
		w := p.rows[r]
		lo, up := s.span(s.lower[j], j, w.domain), s.span(s.upper[j], j, w.domain)
		a, in := u.saved[i][r*size:(r+1)*size], u.values[j][r*size:(r+1)*size]
		base := w.id * size
		for k, v := range a {
			if !(lo[k] < 0 && up[k] > 0) {
				continue
			}
			move := adam(&u.first[i][base+k], &u.second[i][base+k], max(v, 0)*in[k], c1, c2)
			x := &u.alpha[i][base+k]
			*x = min(max(*x+rate*move, least), 1)
		}
	})
}

// adam updates the moments and returns the normalised step. A gradient that
// is not finite counts as zero.
func adam(first, second *float64, g, c1, c2 float64) float64 {
	if math.IsNaN(g) || math.IsInf(g, 0) {
		g = 0
	}
	*first = adamFirst**first + (1-adamFirst)*g
	*second = adamSecond**second + (1-adamSecond)*g*g
	if *second == 0 {
		return 0
	}
	return (*first / c1) / (math.Sqrt(*second/c2) + 1e-12)
}

// export hands the best variables to the results.
func (u *tuner) export(out []DomainResult) {
	for r, w := range u.rows {
		if w.sign < 0 {
			continue
		}
		warm := out[w.domain].Warm
		for i := range u.best {
			if u.best[i] == nil {
				continue
			}
			size := u.width[i]
			slopes := make([]float32, size)
			for k, v := range u.best[i][r*size : (r+1)*size] {
				slopes[k] = float32(v)
			}
			warm.alpha[warmKey{i, w.index}] = slopes
		}
		warm.beta[w.index] = append([]float64(nil), u.beta[r].best...)
	}
}

// along implements forwardRule.
func (a *affine) along(p *pass, i int) {
	u, n := p.tune, p.s.m.nodes[i]
	c := nn.Call[float64]{Batch: len(p.rows), InShapes: p.s.m.inShapes[i], OutShape: n.Shape, Out: u.values[i]}
	for _, j := range n.Inputs {
		c.In = append(c.In, u.values[j])
	}
	a.op.Forward64(&c)
}

// along implements forwardRule.
func (e elementwise) along(p *pass, i int) {
	u, s := p.tune, p.s
	j, size := s.m.nodes[i].Inputs[0], s.m.size[i]
	ls := &s.lines[i]
	if u.saved[i] == nil { // no row depends on this node
		clear(u.values[i])
		return
	}
	if u.chosen[i] != nil {
		p.parallelRows(size, func(r int) {
			in, out := u.values[j][r*size:(r+1)*size], u.values[i][r*size:(r+1)*size]
			c := u.chosen[i][2*r*size : 2*(r+1)*size]
			for k, v := range in {
				out[k] = c[k]*v + c[size+k]
			}
		})
		return
	}
	p.parallelRows(size, func(r int) {
		d := p.rows[r].domain
		lower := s.span(ls.lowerSlope, i, d)
		if e.tuned() {
			lower = u.slopes(p, i, r)
		}
		us, li, ui := s.span(ls.upperSlope, i, d), s.span(ls.lowerIntercept, i, d), s.span(ls.upperIntercept, i, d)
		in, out := u.values[j][r*size:(r+1)*size], u.values[i][r*size:(r+1)*size]
		for k, a := range u.saved[i][r*size : (r+1)*size] {
			if a >= 0 {
				out[k] = lower[k]*in[k] + li[k]
			} else {
				out[k] = us[k]*in[k] + ui[k]
			}
		}
	})
}
