package qnn

import (
	"math"
	"slices"

	"github.com/vouchnn/vouch/spec"
)

// What is unsafe, as the model sees it.
//
// A conjunction is a set of rows d − c·y − e·x ≥ 0 over outputs and inputs. Most
// properties have a single row about one output, y_i ≥ t, or about two,
// y_g ≤ y_i + B (beats). There the outputs' rounding and clamps need no
// relaxation:
//
//	y_i ≥ t           is the same as    A_i ≥ start_i(t)
//	y_g ≤ y_i + B     implies           A_i − A_g ≥ κ,
//	                  or y_i ≥ max_g − B                (A_g is free)
//	                  or y_g ≤ min_i + B                (A_i is free)
//
// with κ = min_t start_i(t) − start_g(t+B+1) + 1, since with y_i = t the level of
// y_g is at most t+B. For two outputs of one shift that is 1 if i comes after g
// and 1 − 2^e if before, and the two other cases are ties at a clamp; in the first,
// y_i is above its clamp and y_g below its own, or B would not let them meet. So one row
// becomes up to three conjunctions, each bounded by a linear function of
// accumulators beside the ranges that the limits demand (moveShare weighs one against
// the other). The rows themselves stay, to propagate levels and to judge
// inputs.

// conjunction is rows over the last stage and the inputs, unsafe where all of
// d − c·y − e·x ≥ 0.
type conjunction struct {
	index int // in the case's Unsafe
	c     []float64
	d     []float64
	e     [][]float64 // inputs, nil where a row has none
	uses  []bool      // outputs of the last stage that occur
	size  []float64   // per row: bounds |d| + |c|·|y| + |e|·|x|

	// acc, if not nil, are coefficients of the last stage's accumulators: unsafe
	// inputs have acc·A + constant ≥ 0, and that is bounded instead of the rows.
	acc      []float64
	constant float64
	limits   []limit
	implied  bool // the limits alone imply the rows
}

// limit is a range of levels of an output that the conjunction demands.
type limit struct {
	output      int
	first, last int32
}

// addConjunction states what is unsafe over the last stage; nothing is added if
// intervals alone show that it cannot happen.
func (m *model) addConjunction(index int, unsafe spec.Conjunction) {
	s := &m.stages[len(m.stages)-1]
	position := make(map[int]int, s.out)
	for k, j := range s.orig {
		position[j] = k
	}
	q := conjunction{index: index, uses: make([]bool, s.out)}
	for _, in := range unsafe {
		if !m.addRow(&q, in, position) {
			return
		}
	}
	if len(unsafe) == 1 && q.e[0] == nil {
		if m.addOne(q) || m.addPair(q) {
			return
		}
	}
	m.rows = append(m.rows, q)
}

// addRow reports false if the row cannot hold.
func (m *model) addRow(q *conjunction, in spec.Inequality, position map[int]int) bool {
	s := &m.stages[len(m.stages)-1]
	c := make([]float64, s.out)
	d, size := in.Bound, math.Abs(in.Bound)
	best := 0.0
	for _, t := range in.Output {
		if s.isFixed[t.Index] {
			d -= t.Coef * float64(s.fixed[t.Index])
			size += math.Abs(t.Coef * float64(s.fixed[t.Index]))
			continue
		}
		k := position[t.Index]
		c[k] += t.Coef
		q.uses[k] = q.uses[k] || t.Coef != 0
		size += math.Abs(t.Coef) * max(math.Abs(float64(s.first[k])), math.Abs(float64(s.last[k])))
		best += max(-t.Coef*float64(s.first[k]), -t.Coef*float64(s.last[k]))
	}
	var e []float64
	if len(in.Input) > 0 {
		e = make([]float64, len(m.region.low))
		for _, t := range in.Input {
			e[t.Index] += t.Coef
			low, high := t.Coef*m.region.low[t.Index], t.Coef*m.region.high[t.Index]
			size += max(math.Abs(low), math.Abs(high))
			best += max(-low, -high)
		}
	}
	if d+best < -m.gamma*size {
		return false
	}
	q.c, q.d, q.e, q.size = append(q.c, c...), append(q.d, d), append(q.e, e), append(q.size, size)
	return true
}

// addOne handles a row about a single output that still varies.
func (m *model) addOne(q conjunction) bool {
	s := &m.stages[len(m.stages)-1]
	var k, count int
	for j, used := range q.uses {
		if used {
			k = j
			count++
		}
	}
	if count != 1 {
		return false
	}
	c := q.c[k]
	t := q.d[0] / c // y ≤ t or, with c < 0, y ≥ t
	switch {
	case t != math.Trunc(t) || t*c != q.d[0]: // the rows will do
		return false
	case c > 0:
		m.addLevel(q, k, s.first[k], int32(min(t, float64(s.last[k]))))
	default:
		m.addLevel(q, k, int32(max(t, float64(s.first[k]))), s.last[k])
	}
	return true
}

// addLevel adds q for an output that has to lie between two levels, one of which
// is an end of its range.
func (m *model) addLevel(q conjunction, k int, first, last int32) {
	s := &m.stages[len(m.stages)-1]
	if first > last || first > s.last[k] || last < s.first[k] {
		return
	}
	q.acc = make([]float64, s.out)
	switch {
	case first > s.first[k]:
		q.acc[k], q.constant = 1, -float64(s.stair[k].Start(int64(first)))
	case last < s.last[k]:
		q.acc[k], q.constant = -1, float64(s.stair[k].Start(int64(last)+1)-1)
	default:
		q.acc = nil
	}
	q.limits = append(q.limits, limit{k, first, last})
	if q.implied && slices.ContainsFunc(m.rows, func(r conjunction) bool { return r.implied && slices.Equal(r.limits, q.limits) }) {
		return
	}
	m.rows = append(m.rows, q)
}

// addPair handles a row y_g − y_i ≤ B.
func (m *model) addPair(q conjunction) bool {
	g, i := -1, -1
	for j, c := range q.c {
		switch {
		case c == 1 && g < 0:
			g = j
		case c == -1 && i < 0:
			i = j
		case c != 0:
			return false
		}
	}
	b := q.d[0]
	if g < 0 || i < 0 || b != math.Trunc(b) || math.Abs(b) > 1<<30 {
		return false
	}
	m.addPairOf(q, g, i, int64(b))
	return true
}

func (m *model) addPairOf(q conjunction, g, i int, b int64) {
	s := &m.stages[len(m.stages)-1]
	kappa, least, most := int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MinInt64)
	free := int64(math.MaxInt64) // the least level of i that leaves g free
	for t := int64(s.first[i]); t <= int64(s.last[i]); t++ {
		top := t + b // the greatest level that g may have
		switch {
		case top < int64(s.first[g]):
		case top >= s.stair[g].Max:
			free = min(free, t)
		case t == s.stair[i].Min:
			low := q // whatever y_i is, and so for many i the same
			low.implied = true
			m.addLevel(low, g, s.first[g], int32(min(top, int64(s.last[g]))))
		default:
			kappa = min(kappa, s.stair[i].Start(t)-s.stair[g].Start(top+1)+1)
			least, most = min(least, t), max(most, t)
		}
	}
	if least <= most {
		a := q
		a.limits = []limit{
			{i, int32(least), s.last[i]},
			{g, s.first[g], int32(min(most+b, int64(s.last[g])))},
		}
		a.acc = make([]float64, s.out)
		a.acc[i], a.acc[g] = 1, -1
		a.constant = -float64(kappa)
		m.rows = append(m.rows, a)
	}
	if free <= int64(s.last[i]) {
		m.addLevel(q, i, int32(free), s.last[i])
	}
}
