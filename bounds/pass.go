package bounds

// One backward pass: the coefficients of a block of rows on their way from a
// node to the input, and the buffers that they live in.

import (
	"context"
	"math"
	"sync"

	"github.com/vouchnn/vouch/internal/blas"
	"github.com/vouchnn/vouch/internal/parallel"
	"github.com/vouchnn/vouch/nn"
)

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
	spaces []Halfspace // the task's, or nil
	// cutting says that the pass is to be bounded in front of the first
	// nonlinear node it meets; atCut is then the bounds, per row.
	cutting bool
	atCut   []float64
	call    nn.Call[float64]
	// impact is the task's, or nil.
	impact [][]float64
	// window is where rows of the input are not zero, or nil (window.go).
	window *windows
	// tune holds the variables of an optimising method, or nil.
	tune *tuner
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
	p.impact, p.cutting, p.spaces = t.impact, t.functions != nil, t.spaces
	start := t.start
	if t.functions != nil {
		p.startFunctions(t.functions, start)
	} else {
		start = p.startElements(start)
	}
	p.sweep(ctx, start)
	p.concretize(t.bound[b.from:b.to], t.linear)
	p.release(0)
	p.s, p.rows, p.view, p.union, p.impact, p.spaces, p.window = nil, nil, nil, nil, nil, nil, nil
}

// sweep carries the rows back from the start node to the input.
func (p *pass) sweep(ctx context.Context, start int) { p.sweepTo(ctx, start, 0) }

// sweepTo carries the rows back from the start node until they are in front of all
// nodes behind the end node.
func (p *pass) sweepTo(ctx context.Context, start, end int) {
	for i := start; i > end && ctx.Err() == nil; i-- {
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

// reset prepares for new rows. With slim set they belong to one domain and are
// kept for its live neurons.
func (p *pass) reset(s *state, rows []row, slim bool) {
	for i := range p.coef {
		p.release(i)
	}
	p.s, p.rows, p.view, p.window, p.cutting, p.atCut = s, rows, nil, nil, false, p.atCut[:0]
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

// stepper is one step of a pass for the rows from lo to hi, all of domain d and,
// with an optimiser, in successive places or all in one (p.stride).
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
		for hi < to && p.rows[hi].domain == p.rows[lo].domain && (p.tune == nil || p.rows[hi].id == p.rows[hi-1].id+p.stride(lo)) {
			hi++
		}
		s.step(p, i, p.rows[lo].domain, lo, hi)
		lo = hi
	}
}

// stride is by how many places the variables of the row after row r are behind its
// own, in one step: 0 where rows have forked (halves.go), otherwise 1.
func (p *pass) stride(r int) int {
	if r+1 < len(p.rows) && p.rows[r+1].id == p.rows[r].id {
		return 0
	}
	return 1
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

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
