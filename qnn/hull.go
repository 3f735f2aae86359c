package qnn

import (
	"math"
	"slices"

	"github.com/vouchnn/vouch/internal/blas"
)

// The first stage's neurons over the whole box of inputs.
//
// The bound of dual.go knows of a first-stage neuron the range of its accumulator
// only: between the ends of the range every point of the staircase's hull counts as
// attainable, whatever the inputs are. Over a box of inputs that is too generous: an
// accumulator in the middle of its range leaves the inputs a choice, but the neuron's
// levels cannot be better than what some mixture of corners gives. The exact convex
// hull of {(x, q(w·x + b)) : x in the box} has exponentially many facets (Anderson et
// al. 2020, Math. Programming), and no linear program states it. A Lagrangian does:
// give every neuron its own copy xʲ of the inputs, at a price λ_j per unit and input,
//
//	max_x Σ_j ω_j·q_j(w_j·x + b_j)
//	    ≤  Σ_j max_{xʲ in box} (ω_j·q_j(w_j·xʲ + b_j) − λ_j·xʲ)  +  max_{x in box} (Σ_j λ_j)·x.
//
// For every λ that is a bound, the best one is the linear program over all hulls, and
// λ_j = v_j·w_j gives dual.go's, from which the descent starts. (De Palma et al. 2021,
// arXiv:2101.05844, optimise the same relaxation for ReLUs through its facets.)
//
// A neuron's own problem is solved in hull_neuron.go.
//
// Inputs are in units of half their range about the middle, so that prices cancel in
// everything but the sums of magnitudes: x = c + r∘s with s in [−1, 1].
//
// Rounding: every sum above is off by at most γ times the sum of its terms' magnitudes,
// which margin adds up.

// hullShape is what all domains of a region share.
type hullShape struct {
	m       *model
	columns []int       // inputs that vary
	w       [][]float64 // per first-stage neuron: weight times half range
	center  []float64   // per first-stage neuron: accumulator at the middle
	reach   []float64   // per neuron: Σ|w|
	x, r    []float64   // middles and half ranges of the columns
}

// newHullShape is nil if the region is not a box or nothing varies.
func newHullShape(m *model) *hullShape {
	st := &m.stages[0]
	if m.region.ball != nil || st.out == 0 {
		return nil
	}
	h := &hullShape{m: m, center: slices.Clone(st.b), reach: make([]float64, st.out)}
	for i := range st.in {
		low, high := m.region.low[i], m.region.high[i]
		for j := range st.out {
			h.center[j] += st.w[j*st.in+i] * (low + high) / 2
		}
		if high > low {
			h.columns = append(h.columns, i)
			h.x, h.r = append(h.x, (low+high)/2), append(h.r, (high-low)/2)
		}
	}
	for j := range st.out {
		row := make([]float64, len(h.columns))
		for k, i := range h.columns {
			row[k] = st.w[j*st.in+i] * h.r[k]
			h.reach[j] += math.Abs(row[k])
		}
		h.w = append(h.w, row)
	}
	if len(h.columns) == 0 {
		return nil
	}
	return h
}

// hull is the memory for bounding one domain.
type hull struct {
	*hullShape
	pass          *pass     // one slot, for the stages behind the first
	slot          *slot     // of the pass
	price         []float64 // neurons × columns: λ, in units of half ranges
	best          []float64 // the best prices so far
	first, second []float64 // averages of the subgradient and its square
	total         []float64 // Σ_j λ_j
	sign          []float64 // where the inputs are: −1 or 1
	neurons       []hullNeuron
	x             []float64 // the same as inputs of the network
}

func newHull(shape *hullShape) *hull {
	n, k := len(shape.w), len(shape.columns)
	matrix := func() []float64 { return make([]float64, n*k) }
	return &hull{
		hullShape: shape, pass: newPass(shape.m, 1),
		price: matrix(), best: matrix(), first: matrix(), second: matrix(),
		total: make([]float64, k), sign: make([]float64, k),
		neurons: make([]hullNeuron, n), x: make([]float64, shape.m.stages[0].in),
	}
}

// fits reports whether a domain can be bounded here.
func (h *hull) fits(d *domain) bool {
	if d.region != h.m.region {
		return false
	}
	for _, e := range h.m.rows[d.conj].e {
		if e != nil {
			return false
		}
	}
	return true
}

// load takes over a domain and starts from the best of three prices: its parent's,
// those of the first stage's multipliers (whose bound is dual.go's), and the parent's
// but for the neuron that was cut.
func (h *hull) load(d *domain) {
	p := h.pass
	p.adopt([]*domain{d})
	p.load(0, d)
	p.evaluate()
	h.slot = p.newSlot(0, d)
	p.setUnits(0, h.slot)
	for j := range h.neurons {
		h.neurons[j] = h.m.hullNeuron(d, j, p.omega[0][j])
	}
	clear(h.first)
	clear(h.second)
	if d.price == nil {
		h.fromMultipliers(0, len(h.neurons))
		return
	}
	if d.cut >= len(h.neurons) {
		h.fromParent(d)
		return
	}
	h.fromMultipliers(0, len(h.neurons))
	own := h.evaluate()
	h.fromParent(d)
	parent := h.evaluate()
	h.fromMultipliers(d.cut, d.cut+1)
	switch mixed := h.evaluate(); {
	case own < parent && own < mixed:
		h.fromMultipliers(0, len(h.neurons))
	case parent < mixed:
		h.fromParent(d)
	}
}

// fromMultipliers prices neurons as dual.go does.
func (h *hull) fromMultipliers(from, to int) {
	k := len(h.columns)
	clear(h.price[from*k : to*k])
	for j := from; j < to; j++ {
		blas.Axpy(h.pass.v[0][j], h.w[j], h.price[j*k:(j+1)*k])
	}
}

func (h *hull) fromParent(d *domain) {
	for i, v := range d.price {
		h.price[i] = float64(v)
	}
}

// finish leaves prices, narrower levels and the next cut in a domain that stays open.
func (h *hull) finish(d *domain) {
	copy(h.price, h.best)
	h.pass.load(0, d)
	value := h.evaluate()
	slack := value + 2*h.margin()
	d.price = make([]float32, len(h.price))
	for i, v := range h.price {
		d.price[i] = float32(v)
	}
	h.m.normalise(d)
	if !h.narrow(d, slack) {
		d.bound = math.Inf(-1)
		return
	}
	h.branch(d)
}

// narrow takes pieces away that no unsafe input can use: if the bound is slack ≥ 0,
// a piece that falls short of the chosen one by more. It reports false if nothing is
// left.
func (h *hull) narrow(d *domain, slack float64) bool {
	changed := false
	for j := range h.neurons {
		n := &h.neurons[j]
		if n.count < 2 || !(n.pieces[n.chosen].value-n.pieces[1-n.chosen].value > slack) {
			continue
		}
		first, last := d.first[j], d.last[j]
		switch outer := n.chosen == 0; {
		case outer && n.mirror > 0:
			last = first
		case outer:
			first = last
		case n.mirror > 0:
			first++
		default:
			last--
		}
		if !h.m.restrict(d, 0, j, first, last) {
			return false
		}
		changed = true
	}
	return !changed || h.m.propagate(d, 0)
}

// branch keeps the cut that dual.go's descent chose, which looks ahead at both parts.
// Where narrow has left nothing of it, the neuron is cut whose average level is best
// above what its average accumulator gives, and if the first stage has none, any.
func (h *hull) branch(d *domain) {
	if b := d.branch; b.neuron >= 0 && d.first[b.neuron] < b.level && b.level <= d.last[b.neuron] {
		return
	}
	d.branch = branch{neuron: -1}
	score := math.Inf(-1)
	for j := range h.neurons {
		n := &h.neurons[j]
		if d.first[j] == d.last[j] {
			continue
		}
		z := min(max(n.meanZ, d.low[j]), d.high[j])
		_, cut, upper := h.m.hullGap(0, j, d, n.mirror*n.omega, z)
		level := float64(h.m.stages[0].stair[j].Level(int64(math.Round(z))))
		if gap := n.omega * n.mirror * (n.mean - level); gap > score {
			score = gap
			d.branch = branch{neuron: j, level: cut, upper: upper}
		}
	}
	last := len(h.m.stages) - 1
	for k := len(h.neurons); k < h.m.total && d.branch.neuron < 0; k++ {
		if k >= h.m.offset[last] && !h.m.rows[d.conj].uses[k-h.m.offset[last]] {
			continue
		}
		if d.first[k] < d.last[k] {
			d.branch = branch{neuron: k, level: d.last[k]}
		}
	}
	if d.branch.neuron < 0 {
		d.x = slices.Clone(h.inputs())
	}
}
