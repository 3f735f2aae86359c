package lpcheck

import (
	"math"

	"github.com/vouchnn/vouch/solver"
)

// Whether duals prove a point optimal, in floating point.

// ReducedCosts is Cost − Aᵀy.
func ReducedCosts(p *solver.Problem, y []float64) []float64 {
	d := make([]float64, len(p.Variables))
	for j := range d {
		d[j] = p.Variables[j].Cost
	}
	for i := range p.Rows {
		if y[i] != 0 {
			for k, j := range p.Rows[i].Columns {
				d[j] -= y[i] * p.Rows[i].Values[k]
			}
		}
	}
	return d
}

// SmallGap judges optimality: what the objective at X could still gain by the
// signs of RowDuals and ReducedCosts.
func SmallGap(p *solver.Problem, s *solver.Solution, tolerance float64) bool {
	sign := 1.0
	if p.Sense == solver.Maximize {
		sign = -1
	}
	gap, size := 0.0, math.Abs(s.Objective)
	for j, d := range s.ReducedCosts {
		v := &p.Variables[j]
		gap += slack(sign*d, s.X[j], v.Lower, v.Upper)
		size += math.Abs(v.Cost * s.X[j])
	}
	for i, y := range s.RowDuals {
		if y != 0 {
			r := &p.Rows[i]
			a := r.Activity(s.X)
			gap += slack(sign*y, a, r.Lower, r.Upper)
			size += math.Abs(y * a)
		}
	}
	return gap <= 10*tolerance*(1+math.Abs(s.Objective))+TermError*size
}

// SignsFit reports whether every reduced cost that needs a bound which its variable does
// not have is zero but for rounding: no more than the tolerance of the terms that it is
// the sum of. SmallGap compares with the whole objective and so passes over directions
// that gain little, along which the problem may be unbounded.
func SignsFit(p *solver.Problem, s *solver.Solution, tolerance float64) bool {
	sign := 1.0
	if p.Sense == solver.Maximize {
		sign = -1
	}
	var size []float64
	for j, d := range s.ReducedCosts {
		v := &p.Variables[j]
		if !(sign*d > 0 && math.IsInf(v.Lower, -1) || sign*d < 0 && math.IsInf(v.Upper, 1)) {
			continue
		}
		if size == nil {
			size = termSizes(p, s.RowDuals)
		}
		if math.Abs(d) > tolerance*size[j] {
			return false
		}
	}
	return true
}

// termSizes adds up the sizes of the terms of Cost − Aᵀy.
func termSizes(p *solver.Problem, y []float64) []float64 {
	size := make([]float64, len(p.Variables))
	for j := range size {
		size[j] = math.Abs(p.Variables[j].Cost)
	}
	for i := range p.Rows {
		if y[i] != 0 {
			for k, j := range p.Rows[i].Columns {
				size[j] += math.Abs(y[i] * p.Rows[i].Values[k])
			}
		}
	}
	return size
}

// slack is d times the distance of v from the bound that d's sign points at. For
// an infinite bound a small d counts by its own size.
func slack(d, v, lower, upper float64) float64 {
	bound := lower
	if d < 0 {
		bound = upper
	}
	if math.IsInf(bound, 0) {
		return math.Abs(d) * max(1, math.Abs(v))
	}
	return math.Abs(d * (v - bound))
}
