package solver

import "math"

// Bounds that rows imply.
//
// In a row with finite upper bound u, whose other variables have a finite least
// activity m, a·x ≤ u − m bounds x. Only infinite bounds are replaced: that is
// all that safe bounds need, and it costs a pass over the rows per layer of
// definitions rather than a fixed point. Everything is rounded outward.

// implyRounds bounds the passes over the rows.
const implyRounds = 64

// imply replaces infinite entries of lower and upper by bounds that every point
// satisfies that satisfies the others and p's rows.
func imply(p *Problem, lower, upper []float64) {
	for range implyRounds {
		changed := false
		for i := range p.Rows {
			r := &p.Rows[i]
			// a·x ≤ Upper, and −a·x ≤ −Lower.
			changed = implyRow(r, 1, r.Upper, lower, upper) || changed
			changed = implyRow(r, -1, -r.Lower, lower, upper) || changed
		}
		if !changed {
			return
		}
	}
}

// implyRow uses Σ sign·Values[k]·x ≤ most to bound each variable that has no
// bound on the side that the row closes. The others' least activity has to be
// finite: at most one contribution may be infinite, and then only that variable
// can be bounded.
func implyRow(r *Row, sign, most float64, lower, upper []float64) bool {
	if math.IsInf(most, 1) {
		return false
	}
	open := -1 // the entry whose least contribution is infinite
	for k, j := range r.Columns {
		if math.IsInf(leastEnd(sign*r.Values[k], lower[j], upper[j]), 0) {
			if open >= 0 {
				return false
			}
			open = k
		}
	}
	changed := false
	for k, j := range r.Columns {
		a := sign * r.Values[k]
		if open >= 0 && k != open ||
			!(a > 0 && math.IsInf(upper[j], 1) || a < 0 && math.IsInf(lower[j], -1)) {
			continue
		}
		most := restOf(r, sign, most, k, lower, upper)
		if a > 0 {
			changed = lowerTo(upper, j, math.Nextafter(most/a, math.Inf(1))) || changed
		} else {
			changed = raiseTo(lower, j, math.Nextafter(most/a, math.Inf(-1))) || changed
		}
	}
	return changed
}

// leastEnd is the bound at which a·x is least; 0 if a is.
func leastEnd(a, lower, upper float64) float64 {
	switch {
	case a > 0:
		return lower
	case a < 0:
		return upper
	}
	return 0
}

// restOf is at least most minus the least activity of all entries but one.
func restOf(r *Row, sign, most float64, but int, lower, upper []float64) float64 {
	rest := enclosure{sum: most}
	for k, j := range r.Columns {
		if a := sign * r.Values[k]; k != but {
			rest.addProduct(-a, leastEnd(a, lower[j], upper[j]))
		}
	}
	_, high := rest.bounds()
	return high
}

// lowerTo sets an infinite upper bound.
func lowerTo(upper []float64, j int, v float64) bool {
	if !math.IsInf(upper[j], 1) || math.IsInf(v, 0) || math.IsNaN(v) {
		return false
	}
	upper[j] = v
	return true
}

// raiseTo sets an infinite lower bound.
func raiseTo(lower []float64, j int, v float64) bool {
	if !math.IsInf(lower[j], -1) || math.IsInf(v, 0) || math.IsNaN(v) {
		return false
	}
	lower[j] = v
	return true
}
