package qnn

import "math"

// A domain is a sub-problem of branch and bound: a conjunction, a range of
// accumulators for every neuron, cut at ends of levels, possibly fewer inputs,
// and the multipliers with which its parent was bounded.

type domain struct {
	conj        int       // index into model.rows
	low, high   []float64 // accumulators of all stages
	first, last []int32   // their levels
	v           []float64 // multipliers of all stages
	mu          []float64 // multipliers of the conjunction's rows
	price       []float32 // of hull.go, shared with the parts; nil: none yet
	cut         int       // the neuron whose cut made this domain
	basis       []int32   // of simplex.go, shared with the parts; nil: none yet
	region      *region
	bound       float64 // of the greatest least d − c·y: the domain is safe if it is below 0
	depth       int
	branch      branch    // chosen when the domain was bounded
	x           []float64 // where no level is open: the last input that the bound named
}

// branch is where a domain is to be cut: neuron < 0 asks for an input.
type branch struct {
	neuron int // among all stages
	level  int32
	upper  bool       // the part from level on is searched first
	step   [2]float64 // changes of the neuron's multiplier in the parts below and above
}

// newDomain is the whole region for conjunction k, nil if that cannot happen.
func (m *model) newDomain(k int) *domain {
	d := m.newBare()
	d.conj = k
	rows := len(m.rows[k].d)
	for range rows {
		d.mu = append(d.mu, 1/float64(rows))
	}
	last := len(m.stages) - 1
	for _, l := range m.rows[k].limits {
		n := m.offset[last] + l.output
		if first, end := max(l.first, d.first[n]), min(l.last, d.last[n]); first > end || !m.restrict(d, last, l.output, first, end) {
			return nil
		}
	}
	if !m.propagateRows(d) {
		return nil
	}
	return d
}

// clone is a copy that shares the region only, in the memory of old if given.
func (d *domain) clone(old *domain) *domain {
	if old == nil {
		old = &domain{}
	}
	c := *d
	c.x = nil
	c.low, c.high = append(old.low[:0], d.low...), append(old.high[:0], d.high...)
	c.first, c.last = append(old.first[:0], d.first...), append(old.last[:0], d.last...)
	c.v, c.mu = append(old.v[:0], d.v...), append(old.mu[:0], d.mu...)
	return &c
}

// restrict cuts neuron j of stage s to levels first to last and reports whether
// anything is left. Accumulators shrink to those of the levels.
func (m *model) restrict(d *domain, s, j int, first, last int32) bool {
	st := m.stages[s].stair[j]
	k := m.offset[s] + j
	if first > d.first[k] {
		d.low[k] = max(d.low[k], float64(st.Start(int64(first))))
	}
	if last < d.last[k] {
		d.high[k] = min(d.high[k], float64(st.Start(int64(last)+1)-1))
	}
	return m.relevel(d, s, j)
}

// relevel derives the levels of a neuron from its accumulators.
func (m *model) relevel(d *domain, s, j int) bool {
	st := m.stages[s].stair[j]
	k := m.offset[s] + j
	if d.low[k] > d.high[k] {
		return false
	}
	d.first[k], d.last[k] = int32(st.Level(int64(d.low[k]))), int32(st.Level(int64(d.high[k])))
	return true
}

// propagate carries narrower levels through the stages behind s by interval
// arithmetic, and through the rows of the conjunction back to the outputs. It
// reports whether the domain can still hold a point.
func (m *model) propagate(d *domain, s int) bool {
	for k := s + 1; k < len(m.stages); k++ {
		st := &m.stages[k]
		first, last := d.first[m.offset[k-1]:m.offset[k]], d.last[m.offset[k-1]:m.offset[k]]
		for j := range st.out {
			if k == len(m.stages)-1 && !m.rows[d.conj].uses[j] {
				continue
			}
			a, b := st.b[j], st.b[j]
			for i, w := range st.w[j*st.in : (j+1)*st.in] {
				p, q := w*float64(first[i]), w*float64(last[i])
				a += min(p, q)
				b += max(p, q)
			}
			n := m.offset[k] + j
			if a > d.low[n] || b < d.high[n] {
				d.low[n], d.high[n] = max(d.low[n], a), min(d.high[n], b)
				if !m.relevel(d, k, j) {
					return false
				}
			}
		}
	}
	return m.propagateRows(d)
}

// propagateRows narrows outputs by each row d − c·y − e·x ≥ 0.
func (m *model) propagateRows(d *domain) bool {
	q := &m.rows[d.conj]
	last := len(m.stages) - 1
	o := m.offset[last]
	n := m.stages[last].out
	for r := range q.d {
		c := q.c[r*n : (r+1)*n]
		top := q.d[r] + m.gamma*q.size[r]
		for i, e := range q.e[r] {
			top += max(-e*d.region.low[i], -e*d.region.high[i])
		}
		for j, v := range c {
			top += max(-v*float64(d.first[o+j]), -v*float64(d.last[o+j]))
		}
		if top < 0 {
			return false
		}
		for j, v := range c {
			first, end := d.first[o+j], d.last[o+j]
			switch {
			case v > 0: // y large costs
				for end > first && top-v*float64(end-first) < 0 {
					end--
				}
			case v < 0:
				for end > first && top+v*float64(end-first) < 0 {
					first++
				}
			}
			if (first != d.first[o+j] || end != d.last[o+j]) && !m.restrict(d, last, j, first, end) {
				return false
			}
		}
	}
	return true
}

// cut splits d's neuron at the start of a level: the parts below and from there.
func (m *model) cut(d *domain, spare func() *domain) (below, above *domain) {
	s := m.stageOf(d.branch.neuron)
	j := d.branch.neuron - m.offset[s]
	below, above = d.clone(spare()), d.clone(spare())
	below.depth, above.depth = d.depth+1, d.depth+1
	k := d.branch.neuron
	below.cut, above.cut = k, k
	below.v[k] += d.branch.step[0]
	above.v[k] += d.branch.step[1]
	if !m.restrict(below, s, j, d.first[k], d.branch.level-1) || !m.propagate(below, s) {
		below = nil
	}
	if !m.restrict(above, s, j, d.branch.level, d.last[k]) || !m.propagate(above, s) {
		above = nil
	}
	return below, above
}

func (m *model) stageOf(neuron int) int {
	s := len(m.offset) - 1
	for m.offset[s] > neuron {
		s--
	}
	return s
}

// cutInput halves the range of input i.
func (m *model) cutInput(d *domain, i int) (below, above *domain) {
	low, high := d.region.low[i], d.region.high[i]
	mid := low + float64(int64(high-low)/2)
	return m.inputPart(d, i, low, mid), m.inputPart(d, i, mid+1, high)
}

func (m *model) inputPart(d *domain, i int, low, high float64) *domain {
	reg, ok := d.region.within(i, low, high)
	if !ok {
		return nil
	}
	c := d.clone(nil)
	c.region = reg
	c.depth++
	if !m.narrowFirst(c) || !m.propagate(c, 0) {
		return nil
	}
	return c
}

// narrowFirst bounds the first stage anew, over the domain's own inputs.
func (m *model) narrowFirst(d *domain) bool {
	st := &m.stages[0]
	for j := range st.out {
		a, b := st.b[j], st.b[j]
		for i, w := range st.w[j*st.in : (j+1)*st.in] {
			p, q := w*d.region.low[i], w*d.region.high[i]
			a += min(p, q)
			b += max(p, q)
		}
		d.low[j], d.high[j] = max(d.low[j], a), min(d.high[j], b)
		if !m.relevel(d, 0, j) {
			return false
		}
	}
	return true
}

// normalise scales d's multipliers, prices and bound such that the share of its linear
// function of accumulators is one. The bound is as valid at any scale, but a descent that
// may shrink them all would bring it near zero and never below. Where the last stage's
// multipliers have left the share behind, because what the conjunction demands decides,
// they stay.
func (m *model) normalise(d *domain) {
	if m.rows[d.conj].acc == nil || m.demanding(d.mu[0], d.v[m.offset[len(m.stages)-1]:]) {
		return
	}
	f := 1 / d.mu[0]
	d.mu[0] = 1
	for j := range d.v {
		d.v[j] *= f
	}
	for i := range d.price {
		d.price[i] *= float32(f)
	}
	d.bound *= f
}

// demanding reports whether the last stage's multipliers v are for the most part those of
// ranges, not of a linear function with share mu and coefficients −1 to 1.
func (m *model) demanding(mu float64, v []float64) bool {
	for _, y := range v {
		if math.Abs(y) > 1.5*mu {
			return true
		}
	}
	return mu < 0.02
}
