package bounds

// The pass of halves.go: rows that fork in front of the activations whose inputs are cut.

import (
	"context"
	"math"
	"slices"
)

// halves is one call of AlphaBeta.Halves for some domains.
type halves struct {
	s    *state
	q    *Query
	cuts [][]Cut
	out  [][]Halves
}

// halfPass is a pass whose rows fork.
type halfPass struct {
	*halves
	p      *pass
	half   []int  // per row of the pass: twice the place of its cut, 1 more above it; −1: the whole
	forked []bool // per node
	held   []float64
}

// run carries a block of rows back.
func (h *halves) run(ctx context.Context, p *pass, rows []row, slim bool) {
	s, start := h.s, h.s.m.output
	x := &halfPass{halves: h, p: p, half: make([]int, len(rows)), forked: make([]bool, len(s.m.nodes))}
	for r := range rows {
		rows[r].id, x.half[r] = r, -1
	}
	scratch := scratches.Get().(*scratch)
	defer scratch.giveBack()
	p.reset(s, rows, slim)
	var u *tuner
	if s.m.tunable {
		u = newTuner(s, rows, slim, &task{start: start, functions: &h.q.Functions})
		p.tune = u
	}
	if !slim {
		p.union = s.newUnion(rows, start, s.forkedRows(rows, h.cuts)/len(rows), scratch)
	}
	p.cutting = true
	p.startFunctions(&h.q.Functions, start)
	for i := start; i > 0 && ctx.Err() == nil; i-- {
		x.step(i)
	}
	p.tune = nil
	if ctx.Err() == nil {
		bound := scratch.floats(len(p.rows))
		p.concretize(bound, nil)
		x.keep(bound)
	}
	if u != nil {
		u.scratch.giveBack()
	}
	for i := range p.coef {
		p.release(i)
	}
	p.s, p.rows, p.view, p.union = nil, nil, nil, nil
}

// step takes the rows through node i; where the node's input is cut they fork.
func (x *halfPass) step(i int) {
	p := x.p
	if p.tune != nil {
		p.tune.inject(p, i)
	}
	if p.coef[i] == nil {
		return
	}
	r := p.s.m.rules[i]
	if p.cutting && !r.linear() {
		p.cutting = false
		p.cut()
	}
	if e, ok := r.(elementwise); ok {
		x.fork(p.s.m.nodes[i].Inputs[0])
		x.take(i)
		r.backward(p, i)
		x.add(e, i)
		if p.tune != nil && p.tune.chosen[i] != nil {
			p.free, p.tune.chosen[i] = append(p.free, p.tune.chosen[i]), nil
		}
	} else {
		r.backward(p, i)
	}
	p.release(i)
}

// fork makes rows for the halves of node j's cuts, next to the rows that they come
// from. A row of which no more halves are to come is dropped.
func (x *halfPass) fork(j int) {
	p := x.p
	if x.forked[j] {
		return
	}
	x.forked[j] = true
	var from, half []int
	forks := false
	for r, w := range p.rows {
		if x.half[r] >= 0 {
			from, half = append(from, r), append(half, x.half[r])
			continue
		}
		more := false
		at := len(from)
		for k, c := range x.cuts[w.domain] {
			if c.Node == j {
				from, half, forks = append(from, r, r), append(half, 2*k, 2*k+1), true
			}
			more = more || !x.forked[c.Node]
		}
		if more {
			from, half = slices.Insert(from, at, r), slices.Insert(half, at, -1)
		}
	}
	if !forks {
		return
	}
	rows := make([]row, len(from))
	for r, o := range from {
		rows[r] = p.rows[o]
	}
	for i, coef := range p.coef {
		if coef == nil {
			continue
		}
		n := p.width(i)
		to := p.buffer(len(rows) * n)
		for r, o := range from {
			copy(to[r*n:(r+1)*n], coef[o*n:(o+1)*n])
		}
		p.free, p.coef[i] = append(p.free, coef), to
	}
	p.rows, x.half = rows, half
	p.value, p.mass, p.err, p.atCut = picked(p.value, from), picked(p.mass, from), picked(p.err, from), picked(p.atCut, from)
	p.sums = grow(p.sums, 2*len(rows))
}

// picked is a new slice; an empty one stays empty.
func picked(x []float64, from []int) []float64 {
	if len(x) == 0 {
		return x
	}
	return pick(x, from)
}

// cutOf is the cut of row r and its place among the elements that are kept of node
// i, whose input is cut; ok is false if the row goes through as the whole.
func (x *halfPass) cutOf(i, r int) (c Cut, at int, ok bool) {
	p := x.p
	if x.half[r] < 0 {
		return c, 0, false
	}
	c = x.cuts[p.rows[r].domain][x.half[r]/2]
	if c.Node != p.s.m.nodes[i].Inputs[0] {
		return c, 0, false
	}
	if p.view == nil || p.view[i].live == nil {
		return c, c.Index, true
	}
	at, ok = slices.BinarySearch(p.view[i].live, int32(c.Index))
	return c, at, ok
}

// take holds the coefficients of cut neurons back.
func (x *halfPass) take(i int) {
	p, n := x.p, x.p.width(i)
	x.held = grow(x.held, len(p.rows))
	for r := range p.rows {
		if _, at, ok := x.cutOf(i, r); ok {
			x.held[r], p.coef[i][r*n+at] = p.coef[i][r*n+at], 0
		}
	}
}

// add takes them through the lines of their halves.
func (x *halfPass) add(e elementwise, i int) {
	p, s := x.p, x.p.s
	j, n := s.m.nodes[i].Inputs[0], p.width(i)
	g := gamma(s.m.size[i] + 4 + s.m.arriving[j])
	for r, w := range p.rows {
		c, at, ok := x.cutOf(i, r)
		if !ok {
			continue
		}
		over := s.side(c, w.domain, x.half[r]%2 == 1)
		if over.Lower > over.Upper {
			continue // nothing is there
		}
		l, a := e.choose(s.relaxer, over, nil), x.held[r]
		slope, intercept := l.LowerSlope, l.LowerIntercept
		if a < 0 {
			slope, intercept = l.UpperSlope, l.UpperIntercept
		}
		p.coef[j][r*n+at] += a * slope
		p.addConst(r, a*intercept)
		p.err[r] += g * math.Abs(a) * (math.Abs(slope)*max(-over.Lower, over.Upper) + math.Abs(intercept))
	}
}

// keep hands the bounds out. Halves for which no row has forked, since no function
// depends on the cut neuron or it goes into an operator of another kind, get the
// bounds of the whole.
func (x *halfPass) keep(bound []float64) {
	for r, w := range x.p.rows {
		if x.half[r] >= 0 {
			x.keepHalf(w, x.half[r], bound[r])
			continue
		}
		for k, c := range x.cuts[w.domain] {
			if !x.forked[c.Node] {
				x.keepHalf(w, 2*k, bound[r])
				x.keepHalf(w, 2*k+1, bound[r])
			}
		}
	}
}

func (x *halfPass) keepHalf(w row, half int, bound float64) {
	s, above := x.p.s, half%2 == 1
	if over := s.side(x.cuts[w.domain][half/2], w.domain, above); over.Lower > over.Upper {
		bound = math.Inf(1)
	}
	to, at := x.out[w.domain][half/2].Below, w.index
	if above {
		to = x.out[w.domain][half/2].Above
	}
	if only := s.domains[w.domain].Only; only != nil {
		at = slices.Index(only, w.index)
	}
	to[at] = bound
}

// side is the interval of a cut element in one half of domain d.
func (s *state) side(c Cut, d int, above bool) Range {
	lo, up := s.span(s.lower[c.Node], c.Node, d)[c.Index], s.span(s.upper[c.Node], c.Node, d)[c.Index]
	if above {
		return Range{max(lo, c.Point), up}
	}
	return Range{lo, min(up, c.Point)}
}
