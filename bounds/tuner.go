package bounds

// The variables of rows that are being optimised (alphabeta.go): where they
// start, how they enter a backward pass, and which of them are kept.

import (
	"math"

	"github.com/vouchnn/vouch/internal/blas"
	"github.com/vouchnn/vouch/spec"
)

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

// slopes is the lower slopes of node i for row r of the pass and those after.
func (u *tuner) slopes(p *pass, i, r int) []float64 {
	return u.alpha[i][p.rows[r].id*p.width(i):]
}

// reached is the best bound of row r so far.
func (u *tuner) reached(r int) float64 { return max(u.bound[r], u.cut[r]) }

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
