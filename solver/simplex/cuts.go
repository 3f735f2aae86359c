package simplex

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/vouchnn/vouch/solver"
)

// Cuts at the root.
//
// Rows that no point with integers violates, but the linear program's point does, are
// added in rounds (Cornuéjols 2008, "Valid inequalities for mixed integer linear
// programs", Math. Program. 112): covers of the rows' knapsacks (covers.go) and, for a few
// rounds, Gomory's mixed-integer cuts (mir.go). Of those found the most violated are taken
// that do not run beside each other; at the end those that bind stay, as rows like any
// other, for propagation too. All hold over the real numbers, so what branch and bound
// proves with them is proved.
//
// Where they pay was measured (docs/solvers.md). Covers do on knapsacks, the more so the
// sparser they are, and are not found elsewhere. Gomory's cuts halve the tree of networks
// with a binary for each ReLU in two rounds, and more rounds only make nodes dearer; on
// knapsacks they bring nothing, and in questions without an objective they lead the search
// for points astray. So they are made for objectives over integers and reals.

// cutting says which cuts are made.
type cutting int

const (
	cutsWhereTheyPay cutting = iota
	cutsNever
	cutsAlways // also Gomory's of all problems, in every round; for tests
)

const (
	cutRounds    = 20
	gomoryRounds = 2
	cutStalls    = 3    // rounds in a row that bring less than
	cutGain      = 1e-3 // of what all have brought
	cutEfficacy  = 1e-4 // distance of the point from the cut's side
	cutParallel  = 0.9  // cosine of the angle between two cuts
	cutFraction  = 5e-3 // distance from integers of what Gomory's cuts start from
)

// cut is a row with what to judge it by.
type cut struct {
	solver.Row
	efficacy, norm float64
}

// cutter adds cuts to the root's linear program.
type cutter struct {
	*tree
	w     *worker
	given []solver.Row
	found []cut
	dense []float64 // scratch
}

// cutRoot strengthens the root, which is solved, and n's bound. The verdict is that of
// the last linear program.
func (t *tree) cutRoot(ctx context.Context, w *worker, n *node) verdict {
	if t.cuts == cutsNever {
		return relaxed
	}
	c := &cutter{tree: t, w: w, given: t.p.Rows, dense: make([]float64, len(t.p.Variables))}
	before, stalls := n.bound, 0
	v := relaxed
	for round := 0; round < cutRounds && stalls < cutStalls && v == relaxed; round++ {
		c.separate(round)
		if c.choose(); len(c.found) == 0 || !c.fits() {
			break
		}
		last := n.bound
		if v = c.add(ctx); v != relaxed {
			break
		}
		n.bound = max(n.bound, w.r.bound)
		if stalls++; n.bound-last > cutGain*(n.bound-before) {
			stalls = 0
		}
	}
	switch {
	case v == empty, v == cutOff, v == halted, len(w.r.s.p.Rows) == len(c.given):
		return v
	case v == relaxed:
		return c.settle(ctx, n)
	}
	return c.restart(ctx, n, c.given, nil)
}

// separate lists cuts that the point violates.
func (c *cutter) separate(round int) {
	c.found = c.found[:0]
	p, x := c.w.r.s.p, c.w.r.x
	if len(c.w.fractions(c.integers, c.near)) == 0 {
		return
	}
	for i := range c.given {
		for _, upper := range [...]bool{false, true} {
			if k, ok := knapsackOf(p, i, upper, c.lower, c.upper, x); ok {
				c.offer(k.cover())
			}
		}
	}
	mixed := len(c.integers) < len(p.Variables)
	if c.cuts == cutsAlways || mixed && !c.lent && round < gomoryRounds {
		c.gomory()
	}
}

// offer takes a cut, if it is one, that the point violates enough.
func (c *cutter) offer(row solver.Row, ok bool) {
	if !ok || len(row.Columns) == 0 {
		return
	}
	norm := 0.0
	for _, v := range row.Values {
		norm += v * v
	}
	norm = math.Sqrt(norm)
	if e := (row.Activity(c.w.r.x) - row.Upper) / norm; e > cutEfficacy {
		c.found = append(c.found, cut{row, e, norm})
	}
}

// gomory cuts by the rows of T whose variable should have an integer and has none. In
// such a row the entries of rows' logicals are the weights of these rows.
func (c *cutter) gomory() {
	e, p, x := c.w.r.s.e, c.w.r.s.p, c.w.r.x
	r := newRounder(p, c.lower, c.upper)
	var rows []weighted
	for i, z := range e.basic {
		if z >= e.n || !p.Variables[z].Integer || math.Abs(x[z]-math.Round(x[z])) < cutFraction {
			continue
		}
		rows = rows[:0]
		most := 0.0
		t := e.row(i)
		for q, s := range e.nonbasic {
			if s < e.n || t[q] == 0 {
				continue
			}
			y := e.scale.column[z] * t[q] * e.scale.row[s-e.n]
			rows = append(rows, weighted{s - e.n, y, e.at[q] == atUpper})
			most = max(most, math.Abs(y))
		}
		rows = slices.DeleteFunc(rows, func(w weighted) bool { return math.Abs(w.y) < mirTinyWeight*most })
		if most <= mirWeights && len(rows) > 0 {
			c.offer(r.round(rows, x))
		}
	}
}

// choose leaves the most violated of the cuts found that differ.
func (c *cutter) choose() {
	slices.SortStableFunc(c.found, func(a, b cut) int { return cmp.Compare(b.efficacy, a.efficacy) })
	most := 10 + len(c.given)/2
	chosen := c.found[:0]
	for _, k := range c.found {
		if len(chosen) < most && c.differs(k, chosen) {
			chosen = append(chosen, k)
		}
	}
	c.found = chosen
}

// differs reports whether k is parallel to none of the others.
func (c *cutter) differs(k cut, others []cut) bool {
	for i, j := range k.Columns {
		c.dense[j] = k.Values[i]
	}
	ok := true
	for _, o := range others {
		dot := 0.0
		for i, j := range o.Columns {
			dot += o.Values[i] * c.dense[j]
		}
		if ok = dot <= cutParallel*k.norm*o.norm; !ok {
			break
		}
	}
	for _, j := range k.Columns {
		c.dense[j] = 0
	}
	return ok
}

// add appends the chosen cuts and solves.
func (c *cutter) add(ctx context.Context) verdict {
	s, stale := c.w.r.s, false
	for _, k := range c.found {
		s.p.Rows = append(s.p.Rows, k.Row)
		stale = !s.e.appendRow(&s.p.Rows[len(s.p.Rows)-1]) || stale
	}
	if stale && s.e.restore(ctx) != done {
		return halted
	}
	v := c.w.r.solve(ctx, c.cutoff(), c.allowance())
	c.iterations = c.w.r.total
	return v
}

// fits reports whether the memory allowed has room for the chosen cuts' rows, kept as the
// rows so far.
func (c *cutter) fits() bool {
	s := c.w.r.s
	nonzeros := 0
	for i := range s.p.Rows {
		nonzeros += len(s.p.Rows[i].Columns)
	}
	for _, k := range c.found {
		nonzeros += len(k.Columns)
	}
	keep := s.keep.resolve(len(s.p.Rows)+len(c.found), len(s.p.Variables), nonzeros, s.memory())
	return keep == s.keeping()
}

// settle keeps the cuts that bind, and goes on from the basis.
func (c *cutter) settle(ctx context.Context, n *node) verdict {
	places := c.w.r.s.e.places()
	first := len(c.p.Variables) + len(c.given) // of the cuts' logicals
	rows, basis := slices.Clone(c.given), slices.Clone(places[:first])
	for i, at := range places[first:] {
		if at != inBasis {
			rows, basis = append(rows, c.w.r.s.p.Rows[len(c.given)+i]), append(basis, at)
		}
	}
	return c.restart(ctx, n, rows, basis)
}

// restart makes these the problem's rows and solves the root again, from a basis if there
// is one.
func (c *cutter) restart(ctx context.Context, n *node, rows []solver.Row, basis []place) verdict {
	t, total := c.tree, c.w.r.total
	t.p.Rows = rows
	t.index()
	*c.w = *t.newWorker()
	c.w.r.total = total
	if !c.w.ready { // no worker has the memory, which the tasks find out
		return vague
	}
	c.w.d.reset(t.lower, t.upper)
	c.w.r.setBounds(t.lower, t.upper)
	if basis != nil && !c.w.r.load(ctx, basis) {
		return halted
	}
	v := c.w.r.solve(ctx, t.cutoff(), t.allowance())
	t.iterations = c.w.r.total
	if v == relaxed {
		n.bound = max(n.bound, c.w.r.bound)
		t.basis = c.w.r.s.e.places()
	}
	return v
}
