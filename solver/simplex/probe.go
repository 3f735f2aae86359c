package simplex

import "context"

// Probing at the root.
//
// Each binary is set to zero and to one in turn, and the rows are propagated
// (Savelsbergh 1994, Sect. 1.3 and 3). If one value leaves nothing the other is taken for good, if
// both do the problem is infeasible, and otherwise every variable keeps to the bounds
// that hold in either case. So proofs that need one case distinction need no linear
// program: quantised networks, whose class no neuron's level can change, go this way.
//
// The work is bounded by a multiple of the matrix, and rounds end when one moves no
// bound.

const (
	probeRounds = 4
	probeWork   = 100     // entries of rows looked at, times the matrix's
	probeAtMost = 4000000 // entries
)

// probe tightens the box in place; false if it is empty. d is left as it may be.
func (s *search) probe(ctx context.Context, d *domains, lower, upper []float64) bool {
	p := probing{d: d, lower: lower, upper: upper}
	entries := 0
	for i := range s.p.Rows {
		entries += len(s.p.Rows[i].Columns)
	}
	most := d.work + min(probeWork*entries, probeAtMost)
	for range probeRounds {
		p.moved = false
		for _, j := range s.integers {
			if d.work > most || ctx.Err() != nil {
				return true
			}
			if p.upper[j]-p.lower[j] == 1 && !p.variable(j) {
				return false
			}
		}
		if !p.moved {
			break
		}
	}
	return true
}

// probing is a box that shrinks.
type probing struct {
	d            *domains
	lower, upper []float64
	below, above []float64 // bounds of the first case, for the variables it moved
	moved        bool
}

// variable tries both values of variable j; false if neither is possible.
func (p *probing) variable(j int) bool {
	d := p.d
	d.reset(p.lower, p.upper)
	d.work += len(p.lower)
	first := d.setUpper(j, p.lower[j]) && d.propagate()
	d.forget()
	moved := append([]int{}, d.touched...)
	p.below, p.above = append(p.below[:0], d.lower...), append(p.above[:0], d.upper...)

	d.reset(p.lower, p.upper)
	second := d.setLower(j, p.upper[j]) && d.propagate()
	d.forget()
	switch {
	case !first && !second:
		return false
	case !first:
		p.take(d.touched, d.lower, d.upper)
	case !second:
		p.take(moved, p.below, p.above)
	default:
		for _, i := range d.touched {
			p.below[i], p.above[i] = min(p.below[i], d.lower[i]), max(p.above[i], d.upper[i])
		}
		p.take(intersection(moved, d.touched), p.below, p.above)
	}
	return true
}

// take makes the bounds of some variables the box's.
func (p *probing) take(variables []int, lower, upper []float64) {
	for _, i := range variables {
		if lower[i] > p.lower[i] {
			p.lower[i], p.moved = lower[i], true
		}
		if upper[i] < p.upper[i] {
			p.upper[i], p.moved = upper[i], true
		}
	}
}

// intersection is what both lists have.
func intersection(a, b []int) []int {
	has := make(map[int]bool, len(a))
	for _, i := range a {
		has[i] = true
	}
	var both []int
	for _, i := range b {
		if has[i] {
			both = append(both, i)
		}
	}
	return both
}
