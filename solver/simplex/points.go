package simplex

import (
	"math"

	"github.com/vouchnn/vouch/solver"
)

// Points of mixed-integer problems.
//
// A candidate has integers where integers are asked for, exactly, and is judged on the
// problem as the caller gave it: variables and rows within the tolerance that linear
// problems have. A row of integers with integer coefficients and ends gets none: its
// activity is exact. So a point that needed the tolerance to satisfy integer data is
// none.

const exactInteger = 0x1p50 // integers below this add up without rounding, a few at a time

// judge knows which rows allow no tolerance.
type referee struct {
	p         *solver.Problem
	exact     []bool
	tolerance float64
}

func newReferee(p *solver.Problem, tolerance float64) *referee {
	f := &referee{p: p, exact: make([]bool, len(p.Rows)), tolerance: tolerance}
	whole := func(v float64) bool { return math.IsInf(v, 0) || v == math.Trunc(v) && math.Abs(v) < exactInteger }
	for i := range p.Rows {
		r := &p.Rows[i]
		f.exact[i] = whole(r.Lower) && whole(r.Upper)
		for k, j := range r.Columns {
			f.exact[i] = f.exact[i] && whole(r.Values[k]) && p.Variables[j].Integer
		}
	}
	return f
}

// accepts judges a point.
func (f *referee) accepts(x []float64) bool {
	for j := range f.p.Variables {
		v := &f.p.Variables[j]
		if math.IsNaN(x[j]) || v.Integer && (x[j] != math.Trunc(x[j]) || x[j] < v.Lower || x[j] > v.Upper) {
			return false
		}
	}
	for i, exact := range f.exact {
		if !exact {
			continue
		}
		size := 0.0
		for k, j := range f.p.Rows[i].Columns {
			size += math.Abs(f.p.Rows[i].Values[k] * x[j])
		}
		if size >= 0x1p53 {
			continue
		}
		if a := f.p.Rows[i].Activity(x); a < f.p.Rows[i].Lower || a > f.p.Rows[i].Upper {
			return false
		}
	}
	return feasiblePoint(f.p, x, f.tolerance)
}

// roundedByRows rounds fractional integers the way in which no row objects; false if
// there is none. locks are from locksOf.
func roundedByRows(p *solver.Problem, x []float64, fractional []int, up, down []int) ([]float64, bool) {
	for _, j := range fractional {
		if up[j] > 0 && down[j] > 0 {
			return nil, false
		}
	}
	z := append([]float64{}, x...)
	for _, j := range fractional {
		if down[j] == 0 && (up[j] > 0 || p.Variables[j].Cost >= 0) {
			z[j] = math.Floor(z[j])
		} else {
			z[j] = math.Ceil(z[j])
		}
	}
	roundIntegers(p, z)
	return z, true
}

// roundIntegers makes near-integers integers.
func roundIntegers(p *solver.Problem, x []float64) {
	for j := range p.Variables {
		if v := &p.Variables[j]; v.Integer {
			x[j] = min(max(math.Round(x[j]), v.Lower), v.Upper)
		}
	}
}

// locksOf counts the rows that object to an increase and to a decrease.
func locksOf(p *solver.Problem) (up, down []int) {
	up, down = make([]int, len(p.Variables)), make([]int, len(p.Variables))
	for i := range p.Rows {
		r := &p.Rows[i]
		for k, j := range r.Columns {
			v := r.Values[k]
			if v != 0 && !math.IsInf(r.Upper, 1) {
				if v > 0 {
					up[j]++
				} else {
					down[j]++
				}
			}
			if v != 0 && !math.IsInf(r.Lower, -1) {
				if v > 0 {
					down[j]++
				} else {
					up[j]++
				}
			}
		}
	}
	return up, down
}
