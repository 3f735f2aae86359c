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
	"math"
	"runtime"
	"slices"
	"sync"

	"github.com/vouchnn/vouch/internal/blas"
	"github.com/vouchnn/vouch/internal/parallel"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
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
func (s *state) advance(i int) {
	s.m.rules[i].interval(s, i)
	s.intersect(i)
	s.m.rules[i].relax(s, i)
	if s.m.keeper[i] == i {
		s.findLive(i)
	}
}

// row is one function that a pass carries back: sign times element index of
// the start node, or times function index of the query.
type row struct {
	domain, index int
	sign          float64
	id            int // where an optimiser keeps the row's variables
}

// pass carries rows back from one node to the input. Its buffers are reused.
type pass struct {
	s     *state
	rows  []row
	view  view        // of the rows' one domain; nil if all elements are kept
	union *union      // where all elements are kept, what products need; may be nil
	coef  [][]float64 // per node, [rows × width]; nil where nothing has arrived
	free  [][]float64
	value []float64 // per row: the constant so far
	mass  []float64 // per row: the absolute values added up into it
	err   []float64 // per row: what rounding may have done
	sums  []float64 // per row: two sums of a step
	fresh bool      // the step overwrites
	// bound and linear are where concretize puts its results.
	bound  []float64
	linear []DomainResult
	// cutting says that the pass is to be bounded in front of the first
	// nonlinear node it meets; atCut is then the bounds, per row.
	cutting bool
	atCut   []float64
	call    nn.Call[float64]
	// impact is the task's, or nil.
	impact [][]float64
	// tune holds the variables of an optimising method, or nil.
	tune *tuner
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
		for f := range k {
			out[d].Lower[f] = s.intervalBound(&q.Functions, f, d, 1)
			if q.Upper {
				out[d].Upper[f] = -s.intervalBound(&q.Functions, f, d, -1)
			}
		}
		if s.empty[d] {
			continue
		}
		only := s.domains[d].Only
		if only == nil {
			only = all
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

var passes = sync.Pool{New: func() any { return new(pass) }}

// run carries a block of rows back.
func (p *pass) run(ctx context.Context, s *state, rows []row, b block, t *task) {
	p.reset(s, rows[b.from:b.to], b.slim)
	if !b.slim {
		c := scratches.Get().(*scratch)
		defer c.giveBack()
		p.union = s.newUnion(p.rows, t.start, 1, c)
	}
	p.impact, p.cutting = t.impact, t.functions != nil
	start := t.start
	if t.functions != nil {
		p.startFunctions(t.functions, start)
	} else {
		start = p.startElements(start)
	}
	p.sweep(ctx, start)
	p.concretize(t.bound[b.from:b.to], t.linear)
	p.release(0)
	p.s, p.rows, p.view, p.union, p.impact = nil, nil, nil, nil, nil
}

// sweep carries the rows back from the start node to the input.
func (p *pass) sweep(ctx context.Context, start int) {
	for i := start; i > 0 && ctx.Err() == nil; i-- {
		if p.tune != nil {
			p.tune.inject(p, i)
		}
		if p.coef[i] == nil {
			continue
		}
		if p.cutting && !p.s.m.rules[i].linear() {
			p.cutting = false
			p.cut()
			if p.s.shallow {
				break
			}
		}
		p.s.m.rules[i].backward(p, i)
		if p.tune == nil || !p.tune.retain(p, i) {
			p.release(i)
		}
	}
}

// cut bounds the rows where the pass stands, by the intervals of the nodes that
// hold coefficients. In front of the last nonlinear node that is the interval
// bound of the functions, carried through the last affine layers.
func (p *pass) cut() {
	s := p.s
	p.atCut = grow(p.atCut, len(p.rows))
	steps := 2*len(s.m.nodes) + 4
	for r := range p.rows {
		d := p.rows[r].domain
		least, mass, err := p.value[r], p.mass[r], p.err[r]
		for j, coef := range p.coef {
			if coef == nil {
				continue
			}
			n := p.width(j)
			var live []int32
			if p.view != nil {
				live = p.view[j].live
			}
			sum, mag := minOverBox(coef[r*n:(r+1)*n], s.span(s.lower[j], j, d), s.span(s.upper[j], j, d), live)
			least += sum
			mass += math.Abs(sum) + math.Abs(least)
			err += gamma(n)*mag + tiny
		}
		v := least - err*(1+gamma(steps)) - gamma(steps)*(mass+err) - tiny
		if math.IsNaN(v) {
			v = math.Inf(-1)
		}
		p.atCut[r] = below(v)
	}
}

// reset prepares for new rows. With slim set they belong to one domain and are
// kept for its live neurons.
func (p *pass) reset(s *state, rows []row, slim bool) {
	for i := range p.coef {
		p.release(i)
	}
	p.s, p.rows, p.view, p.cutting, p.atCut = s, rows, nil, false, p.atCut[:0]
	if slim {
		p.view = s.views[rows[0].domain]
	}
	p.coef = grow(p.coef, len(s.m.nodes))
	clear(p.coef)
	p.value, p.mass, p.err, p.sums = grow(p.value, len(rows)), grow(p.mass, len(rows)), grow(p.err, len(rows)), grow(p.sums, 2*len(rows))
	clear(p.value)
	clear(p.mass)
	clear(p.err)
}

// width is how many elements of node i the rows keep.
func (p *pass) width(i int) int { return p.s.width(p.view, i) }

// at is what rows of domain d read of node i.
func (p *pass) at(i, d int) nodeView {
	s := p.s
	if p.view != nil && p.view[i].live != nil {
		return p.view[i]
	}
	var v nodeView
	if s.magnitude[i] != nil {
		v.magnitude = s.span(s.magnitude[i], i, d)
	}
	if ls := &s.lines[i]; ls.lowerSlope != nil {
		v.lines = blas.Lines{
			LowSlope: s.span(ls.lowerSlope, i, d), HighSlope: s.span(ls.upperSlope, i, d),
			Low: s.span(ls.lowerIntercept, i, d), High: s.span(ls.upperIntercept, i, d),
		}
	}
	if a, ok := s.m.rules[i].(*affine); ok {
		v.bias = a.bias
	}
	return v
}

// target is where the coefficients of node i are to go, and whether there are
// none yet, so that they must be overwritten.
func (p *pass) target(i int) (to []float64, fresh bool) {
	if p.coef[i] != nil {
		return p.coef[i], false
	}
	p.coef[i] = p.buffer(len(p.rows) * p.width(i))
	return p.coef[i], true
}

// coefOf is the coefficients of node i, zero if none have arrived.
func (p *pass) coefOf(i int) []float64 {
	to, fresh := p.target(i)
	if fresh {
		clear(to)
	}
	return to
}

// callFor is a call of node i's operator to carry its coefficients back, with
// the inputs' still to be set.
func (p *pass) callFor(i int) *nn.Call[float64] {
	c := &p.call
	*c = nn.Call[float64]{
		Batch: len(p.rows), InShapes: p.s.m.inShapes[i], OutShape: p.s.m.nodes[i].Shape, GradOut: p.coef[i],
		GradIn: c.GradIn[:0], In: c.In[:0],
	}
	return c
}

func (p *pass) buffer(n int) []float64 {
	for k := len(p.free) - 1; k >= 0; k-- {
		if cap(p.free[k]) >= n {
			b := p.free[k][:n]
			p.free[k] = p.free[len(p.free)-1]
			p.free = p.free[:len(p.free)-1]
			return b
		}
	}
	if len(p.free) > 4 {
		p.free = p.free[1:]
	}
	return make([]float64, n)
}

func (p *pass) release(i int) {
	if p.coef[i] != nil {
		p.free = append(p.free, p.coef[i])
		p.coef[i] = nil
	}
}

// addConst adds v to row r's constant.
func (p *pass) addConst(r int, v float64) {
	p.value[r] += v
	p.mass[r] += math.Abs(v) + math.Abs(p.value[r])
}

// startFunctions sets the rows to the query's functions.
func (p *pass) startFunctions(fn *Functions, start int) {
	m := p.s.m
	out := p.coefOf(start)
	for r, w := range p.rows {
		for j, v := range fn.Output[w.index*m.outputs : (w.index+1)*m.outputs] {
			out[r*m.outputs+j] += w.sign * v
		}
		if fn.Const != nil {
			p.addConst(r, w.sign*fn.Const[w.index])
		}
	}
	if fn.Input == nil {
		return
	}
	in := p.coefOf(0)
	g := gamma(m.arriving[0] + 2)
	for r, w := range p.rows {
		lo, up := p.s.span(p.s.lower[0], 0, w.domain), p.s.span(p.s.upper[0], 0, w.domain)
		for j, v := range fn.Input[w.index*m.inputs : (w.index+1)*m.inputs] {
			in[r*m.inputs+j] += w.sign * v
			p.err[r] += g * math.Abs(v) * max(-lo[j], up[j])
		}
	}
}

// startElements sets the rows to single elements of the start node and
// returns the node to go on from. Where the operator can write rows of its
// matrix, the first product is saved.
func (p *pass) startElements(start int) int {
	m := p.s.m
	a, ok := m.rules[start].(*affine)
	if !ok || a.rows == nil {
		c := p.coefOf(start)
		for r, w := range p.rows {
			c[r*m.size[start]+w.index] = w.sign
		}
		return start
	}
	j := m.nodes[start].Inputs[0]
	c, _ := p.target(j)
	n := p.width(j)
	if a.weight != nil {
		p.startRows(a.weight, j, c)
	} else {
		index := make([]int, len(p.rows))
		for r, w := range p.rows {
			index[r] = w.index
		}
		p.call = nn.Call[float64]{Batch: len(p.rows), InShapes: m.inShapes[start], OutShape: m.nodes[start].Shape, GradIn: [][]float64{c}}
		a.rows.Rows64(&p.call, index)
		for r, w := range p.rows {
			if w.sign < 0 {
				for k, v := range c[r*n : (r+1)*n] {
					c[r*n+k] = -v
				}
			}
		}
	}
	for r, w := range p.rows {
		if a.bias != nil {
			p.addConst(r, w.sign*a.bias[w.index])
		}
		if mag := p.s.magnitude[start]; mag != nil {
			// Rows and bias of a folded layer are themselves rounded.
			p.err[r] += a.backwardError * mag[w.domain*m.size[start]+w.index]
		}
	}
	return start - 1
}

// startRows writes rows of a matrix with their signs, for the elements that are
// kept of node j.
func (p *pass) startRows(weight []float64, j int, c []float64) {
	n, size := p.width(j), p.s.m.size[j]
	var live []int32
	if p.view != nil {
		live = p.view[j].live
	}
	for r, w := range p.rows {
		dst, row := c[r*n:(r+1)*n], weight[w.index*size:(w.index+1)*size]
		if r > 0 && w.sign < 0 && p.rows[r-1].index == w.index && p.rows[r-1].domain == w.domain && p.rows[r-1].sign > 0 {
			for k, v := range c[(r-1)*n : r*n] {
				dst[k] = -v
			}
			continue
		}
		pickRow(dst, row, live)
		if w.sign < 0 {
			for k, v := range dst {
				dst[k] = -v
			}
		}
	}
}

// stepper is one step of a pass for the rows from lo to hi, all of domain d and,
// with an optimiser, in successive places.
type stepper interface {
	step(p *pass, i, d, lo, hi int)
}

// spread takes a step at node i, for rows of so many elements; on all processors
// where that is worth it.
func (p *pass) spread(i, size int, s stepper) {
	if p.s.serial || len(p.rows)*size < 1<<16 {
		p.steps(i, 0, len(p.rows), s)
		return
	}
	parallel.For(len(p.rows), 1+(1<<15)/max(size, 1), func(from, to int) { p.steps(i, from, to, s) })
}

// steps cuts a range of rows by domains.
func (p *pass) steps(i, from, to int, s stepper) {
	for lo := from; lo < to; {
		hi := lo + 1
		for hi < to && p.rows[hi].domain == p.rows[lo].domain && (p.tune == nil || p.rows[hi].id == p.rows[hi-1].id+1) {
			hi++
		}
		s.step(p, i, p.rows[lo].domain, lo, hi)
		lo = hi
	}
}

// byRow is a step that takes one row at a time.
type byRow func(r int)

func (f byRow) step(_ *pass, _, _, lo, hi int) {
	for r := lo; r < hi; r++ {
		f(r)
	}
}

// parallelRows calls fn for each row.
func (p *pass) parallelRows(size int, fn func(r int)) { p.spread(0, size, byRow(fn)) }

// concretize turns the linear functions of the input into numbers.
func (p *pass) concretize(bound []float64, linear []DomainResult) {
	if len(p.atCut) > 0 && p.s.shallow {
		copy(bound, p.atCut)
		return
	}
	p.coefOf(0)
	p.bound, p.linear = bound, linear
	p.spread(0, p.s.m.inputs, overInput{})
	p.bound, p.linear = nil, nil
}

// overInput is the last step of a pass: the least value over the region.
type overInput struct{}

func (overInput) step(p *pass, _, d, lo, hi int) {
	s, n, coef := p.s, p.s.m.inputs, p.coef[0]
	blas.BoxRows(hi-lo, n, coef[lo*n:hi*n], s.span(s.lower[0], 0, d), s.span(s.upper[0], 0, d), s.span(s.magnitude[0], 0, d), p.sums[2*lo:2*hi])
	_, box := s.domains[d].Region.(spec.Box)
	for r := lo; r < hi; r++ {
		least := p.sums[2*r] - gamma(n)*p.sums[2*r+1] - tiny
		if !box {
			least = max(least, s.domains[d].Region.MinLinear(coef[r*n:(r+1)*n]))
		}
		p.bound[r] = p.total(r, least)
		if p.linear != nil && p.rows[r].sign > 0 {
			p.keepLinear(r, &p.linear[d], coef[r*n:(r+1)*n])
		}
	}
	if p.tune != nil {
		p.tune.keepMinimizers(d, lo, hi, coef)
	}
}

// slack bounds what rounding has done to the constant of row r.
func (p *pass) slack(r int) float64 {
	steps := gamma(2*len(p.s.m.nodes) + 4)
	return p.err[r]*(1+steps) + steps*p.mass[r] + gamma(4)*math.Abs(p.value[r]) + tiny
}

// total is the bound of row r whose part of the input is at least least.
func (p *pass) total(r int, least float64) float64 {
	slack := p.slack(r)
	v := p.value[r] - slack + least - gamma(4)*(math.Abs(p.value[r])+slack+math.Abs(least))
	if math.IsNaN(v) {
		v = math.Inf(-1)
	}
	v = below(v)
	if len(p.atCut) > 0 {
		v = max(v, p.atCut[r])
	}
	return v
}

// keepLinear hands the linear function of row r out.
func (p *pass) keepLinear(r int, o *DomainResult, a []float64) {
	k := p.rows[r].index
	copy(o.Coef[k*len(a):], a)
	if offset := below(p.value[r] - p.slack(r)); !math.IsNaN(offset) {
		o.Offset[k] = offset
	}
}

// minOverBox is the least value of a·x over the box, and the sum of the
// absolute values of its terms. The coefficients are those of the live elements,
// nil standing for all.
func minOverBox(a, lo, up []float64, live []int32) (sum, mag float64) {
	for j, v := range a {
		if live != nil {
			j = int(live[j])
		}
		t := max(v, 0)*lo[j] + min(v, 0)*up[j]
		sum += t
		mag += math.Abs(t)
	}
	return sum, mag
}

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
