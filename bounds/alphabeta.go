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
	"math"
	"slices"

	"github.com/vouchnn/vouch/internal/blas"
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
	alpha map[warmKey][]float32 // by node and function: slopes of its neurons, or tangent points
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

// tuner holds the variables of a block of rows while they are optimised. A row's
// place in the block, row.id, is where its variables are.
type tuner struct {
	s       *state
	scratch *scratch
	view    view // as in pass
	rows    []row
	t       *task
	group   []int       // per row: its domain's place in the block
	free    [][]float64 // per node of slopes: which may move [domains × width]
	alpha   [][]float64 // per tuned node: slopes [rows × width], or tangent points [rows × 2·width]
	best    [][]float64 // those of each row's best bound; nil where rows are elements
	first   [][]float64 // Adam's moments
	second  [][]float64
	beta    []multipliers // per row
	now     []float64     // per row of the pass: the bound
	bound   []float64     // per row: the best
	cut     []float64     // per row: the bound without relaxations (pass.cut)
	saved   [][]float64   // per nonlinear node: coefficients behind it in the last pass
	chosen  [][]float64   // per node of S-curves: slopes, then intercepts, of the lines taken [rows of the pass × 2·width]
	values  [][]float64   // per node: values carried forward
	least   []float64     // minimisers [rows of the pass × inputs]
	zeros   []float64     // [inputs]
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

func newTuner(s *state, rows []row, slim bool, t *task) *tuner {
	n := len(s.m.nodes)
	u := &tuner{
		s: s, scratch: scratches.Get().(*scratch), rows: rows, t: t, group: make([]int, len(rows)), free: make([][]float64, n),
		alpha: make([][]float64, n), best: make([][]float64, n), first: make([][]float64, n), second: make([][]float64, n),
		beta: make([]multipliers, len(rows)), saved: make([][]float64, n), chosen: make([][]float64, n), values: make([][]float64, n),
	}
	if slim {
		u.view = s.views[rows[0].domain]
	}
	u.now, u.bound, u.cut = u.floats(len(rows)), u.floats(len(rows)), u.floats(len(rows))
	u.least, u.zeros = u.floats(len(rows)*s.m.inputs), u.floats(s.m.inputs)
	clear(u.zeros)
	for r := range rows {
		u.bound[r], u.cut[r] = math.Inf(-1), math.Inf(-1)
		if r > 0 {
			u.group[r] = u.group[r-1]
			if rows[r].domain != rows[r-1].domain {
				u.group[r]++
			}
		}
	}
	for i := 1; i <= t.start; i++ {
		e, ok := s.m.rules[i].(elementwise)
		switch {
		case ok && e.tuned():
			u.startNode(e, i)
		case s.tangents[i] != nil:
			u.makeVariables(i)
			k := u.variables(i)
			for r, w := range rows {
				u.startTangents(i, w, u.alpha[i][r*k:(r+1)*k])
			}
		default:
			continue
		}
		if t.functions != nil {
			u.best[i] = u.floats(len(u.alpha[i]))
			copy(u.best[i], u.alpha[i])
		}
	}
	for r, w := range rows {
		u.startMultipliers(r, w)
	}
	return u
}

func (u *tuner) floats(n int) []float64 { return u.scratch.floats(n) }

// variables is how many variables a row has at node i.
func (u *tuner) variables(i int) int {
	if u.s.tangents[i] != nil {
		return 2 * u.s.width(u.view, i)
	}
	return u.s.width(u.view, i)
}

// makeVariables makes room for the variables of node i.
func (u *tuner) makeVariables(i int) {
	k := len(u.rows) * u.variables(i)
	u.alpha[i], u.first[i], u.second[i] = u.floats(k), u.floats(k), u.floats(k)
	clear(u.first[i])
	clear(u.second[i])
}

// startNode makes the slopes of node i.
func (u *tuner) startNode(e elementwise, i int) {
	s := u.s
	j, n := s.m.nodes[i].Inputs[0], s.width(u.view, i)
	u.makeVariables(i)
	u.free[i] = u.floats((u.group[len(u.rows)-1] + 1) * n)
	var live []int32
	if u.view != nil {
		live = u.view[i].live
	}
	for r, w := range u.rows {
		if r == 0 || u.group[r] != u.group[r-1] {
			lo, up := s.span(s.lower[j], j, w.domain), s.span(s.upper[j], j, w.domain)
			free := u.free[i][u.group[r]*n : (u.group[r]+1)*n]
			for k := range free {
				at := k
				if live != nil {
					at = int(live[k])
				}
				free[k] = blas.Fixed
				if lo[at] < 0 && up[at] > 0 {
					free[k] = blas.Free
				}
			}
		}
		u.startSlopes(e, i, r, w, live)
	}
}

// startSlopes takes the slopes of a containing domain where the neuron is
// still undecided, and those of the lines otherwise.
func (u *tuner) startSlopes(e elementwise, i, r int, w row, live []int32) {
	s, n := u.s, len(u.free[i])/(u.group[len(u.rows)-1]+1)
	dst := u.alpha[i][r*n : (r+1)*n]
	pickRow(dst, s.span(s.lines[i].lowerSlope, i, w.domain), live)
	warm := s.domains[w.domain].Warm
	if warm == nil || w.sign < 0 {
		return
	}
	old := warm.alpha[warmKey{i, w.index}]
	if old == nil {
		return
	}
	free := u.free[i][u.group[r]*n : (u.group[r]+1)*n]
	for k := range dst {
		at := k
		if live != nil {
			at = int(live[k])
		}
		if math.Float64bits(free[k]) != 0 {
			dst[k] = min(max(float64(old[at]), e.lowestSlope()), 1)
		}
	}
}

func (u *tuner) startMultipliers(r int, w row) {
	k := len(u.s.domains[w.domain].Splits)
	if w.sign < 0 {
		k = 0
	}
	b := u.floats(5 * k)
	clear(b)
	u.beta[r] = multipliers{b[:k], b[k : 2*k], b[2*k : 3*k], b[3*k : 4*k], b[4*k:]}
	if warm := u.s.domains[w.domain].Warm; warm != nil && w.sign > 0 {
		copy(u.beta[r].value, warm.beta[w.index])
		copy(u.beta[r].best, u.beta[r].value)
	}
}

// slopes is the lower slopes of node i for row r of the pass and those after.
func (u *tuner) slopes(p *pass, i, r int) []float64 {
	return u.alpha[i][p.rows[r].id*p.width(i):]
}

// reached is the best bound of row r so far.
func (u *tuner) reached(r int) float64 { return max(u.bound[r], u.cut[r]) }

// inject adds the split multipliers of node i to the rows.
func (u *tuner) inject(p *pass, i int) {
	size := p.width(i)
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
			at := c.Index
			if p.view != nil {
				at = p.view[i].position(at)
			}
			a := &p.coefOf(i)[r*size+at]
			*a += b
			p.addConst(r, -b*c.Point)
			most := max(-u.s.span(u.s.lower[i], i, w.domain)[c.Index], u.s.span(u.s.upper[i], i, w.domain)[c.Index])
			p.err[r] += 2 * unit * (math.Abs(b*c.Point) + math.Abs(*a)*most)
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
	u.values[0] = nil
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

// retire adds up the impacts of the pass's rows that do not go on, at their last
// variables, and drops them from what the pass left behind. next is a subsequence of the pass's rows.
func (u *tuner) retire(p *pass, next []row) {
	if len(next) == len(p.rows) {
		return
	}
	kept := 0
	n := u.s.m.inputs
	p.impact = u.t.impact
	for r, w := range p.rows {
		stays := kept < len(next) && next[kept].id == w.id
		for i, a := range u.saved {
			if a == nil {
				continue
			}
			if stays {
				k := p.width(i)
				copy(a[kept*k:(kept+1)*k], a[r*k:(r+1)*k])
				if c := u.chosen[i]; c != nil {
					copy(c[2*kept*k:2*(kept+1)*k], c[2*r*k:2*(r+1)*k])
				}
			} else if e, ok := u.s.m.rules[i].(elementwise); ok && p.impact != nil {
				e.addImpact(p, i, r, a)
			}
		}
		if stays {
			copy(u.least[kept*n:(kept+1)*n], u.least[r*n:(r+1)*n])
			kept++
		}
	}
	p.impact, p.rows = nil, next
}

// keepMinimizers keeps the minimisers of the rows from lo to hi, of domain d.
func (u *tuner) keepMinimizers(d, lo, hi int, coef []float64) {
	n, s := u.s.m.inputs, u.s
	if _, ok := s.domains[d].Region.(spec.Box); !ok {
		for r := lo; r < hi; r++ {
			s.domains[d].Region.Minimizer(coef[r*n:(r+1)*n], u.least[r*n:(r+1)*n])
		}
		return
	}
	// The lower end where the coefficient is not negative, else the upper.
	ends := blas.Lines{LowSlope: u.zeros, HighSlope: u.zeros, Low: s.span(s.lower[0], 0, d), High: s.span(s.upper[0], 0, d)}
	a := coef[lo*n : hi*n]
	blas.AlongRows(hi-lo, n, a, a, u.least[lo*n:hi*n], &ends)
}

// keepBest records the variables, and the linear functions if they are asked
// for, of rows whose bound improved.
func (u *tuner) keepBest(p *pass) {
	n := u.s.m.inputs
	for r, w := range p.rows {
		if !(u.now[r] > u.bound[w.id]) {
			continue
		}
		u.bound[w.id] = u.now[r]
		for i := range u.alpha {
			if u.best[i] != nil {
				k := u.variables(i)
				copy(u.best[i][w.id*k:(w.id+1)*k], u.alpha[i][w.id*k:(w.id+1)*k])
			}
		}
		copy(u.beta[w.id].best, u.beta[w.id].value)
		if u.t.linear != nil && w.sign > 0 {
			p.keepLinear(r, &u.t.linear[w.domain], p.coefOf(0)[r*n:(r+1)*n])
		}
	}
}

// undecided drops the rows of domains in which nothing is left to improve, and
// positive rows.
func (u *tuner) undecided(q *Query, rows []row) []row {
	positive := map[[2]int]bool{}
	for r, w := range u.rows {
		if w.sign > 0 && u.reached(r) > 0 {
			for g, a := range q.AnyOf {
				if w.index >= a[0] && w.index < a[1] {
					positive[[2]int{w.domain, g}] = true
				}
			}
		}
	}
	var out []row
	for _, w := range rows {
		done := u.reached(w.id) > 0 && w.sign > 0
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
	u.values[0] = u.least
	for i := 1; i <= last; i++ {
		u.values[i] = p.buffer(len(p.rows) * p.width(i))
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
			u.stepSlopes(p, i, it, rate*alphaStep)
		}
	}
	for r, w := range p.rows {
		b := &u.beta[w.id]
		for k := range b.value {
			c := &u.s.domains[w.domain].Splits[k]
			at := c.Index
			if p.view != nil {
				at = p.view[c.Node].position(at)
			}
			g := u.values[c.Node][r*p.width(c.Node)+at] - c.Point
			if !c.Below {
				g = -g
			}
			move := adam(&b.first[k], &b.second[k], g, c1, c2)
			b.value[k] = max(b.value[k]+rate*betaStep*b.scale[k]*move, 0)
		}
	}
}

func (u *tuner) stepSlopes(p *pass, i, it int, rate float64) {
	n, j := p.width(i), u.s.m.nodes[i].Inputs[0]
	ascent := blas.NewAscent(it, rate, adamFirst, adamSecond, u.s.m.rules[i].(elementwise).lowestSlope(), 1)
	p.parallelRows(n, func(r int) {
		k, g := p.rows[r].id*n, u.group[p.rows[r].id]*n
		ascent.Row(u.saved[i][r*n:(r+1)*n], u.values[j][r*n:(r+1)*n], u.free[i][g:g+n],
			u.first[i][k:k+n], u.second[i][k:k+n], u.alpha[i][k:k+n])
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
			n, size := u.variables(i), u.s.m.size[i]
			slopes := make([]float32, max(n, size))
			for k, v := range u.best[i][r*n : (r+1)*n] {
				if u.view != nil && u.view[i].live != nil {
					k = int(u.view[i].live[k])
				}
				slopes[k] = float32(v)
			}
			warm.alpha[warmKey{i, w.index}] = slopes
		}
		warm.beta[w.index] = append([]float64(nil), u.beta[r].best...)
	}
}

// along implements forwardRule.
func (a *affine) along(p *pass, i int) {
	u, inputs := p.tune, p.s.m.nodes[i].Inputs
	if p.view != nil && p.view[i].weight != nil {
		v, out := &p.view[i], u.values[i]
		m, k := p.width(i), p.width(inputs[0])
		beta, bias := 0.0, p.at(i, p.rows[0].domain).bias
		if a.bias != nil {
			beta = 1
			for r := range p.rows {
				copy(out[r*m:(r+1)*m], bias)
			}
		}
		p.gemm(true, len(p.rows), m, k, u.values[inputs[0]], k, v.weight, k, beta, out, m)
		return
	}
	if len(inputs) == 1 && p.union.cuts(a, i, inputs[0]) {
		p.alongUnion(a, i, inputs[0])
		return
	}
	c := nn.Call[float64]{Batch: len(p.rows), InShapes: p.s.m.inShapes[i], OutShape: p.s.m.nodes[i].Shape, Out: u.values[i]}
	for _, j := range inputs {
		c.In = append(c.In, u.values[j][:len(p.rows)*p.s.m.size[j]])
	}
	a.op.Forward64(&c)
}

// along implements forwardRule.
func (e elementwise) along(p *pass, i int) {
	u, j, n := p.tune, p.s.m.nodes[i].Inputs[0], p.width(i)
	if u.saved[i] == nil { // no row depends on this node
		clear(u.values[i])
		return
	}
	if u.chosen[i] != nil {
		p.parallelRows(n, func(r int) {
			in, out := u.values[j][r*n:(r+1)*n], u.values[i][r*n:(r+1)*n]
			c := u.chosen[i][2*r*n : 2*(r+1)*n]
			for k, v := range in {
				out[k] = c[k]*v + c[n+k]
			}
		})
		return
	}
	p.spread(i, n, alongLines{e})
}

// alongLines is the step of elementwise.along.
type alongLines struct{ e elementwise }

func (a alongLines) step(p *pass, i, d, lo, hi int) {
	u, j, n := p.tune, p.s.m.nodes[i].Inputs[0], p.width(i)
	v := p.at(i, d)
	if a.e.tuned() {
		v.lines.LowSlope, v.lines.LowStep = u.slopes(p, i, lo), n
	}
	blas.AlongRows(hi-lo, n, u.saved[i][lo*n:hi*n], u.values[j][lo*n:hi*n], u.values[i][lo*n:hi*n], &v.lines)
}
