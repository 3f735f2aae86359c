package simplex

import (
	"math"

	"github.com/vouchnn/vouch/solver"
)

// Answers in the original space, and whether they stand.
//
// Points, duals and rays are computed from the dictionary, freed of scaling, and
// then judged on the problem as the caller gave it: bounds and rows for a point,
// the gap between primal and dual objective for optimality, the sign of a sum
// for a proof of infeasibility. All comparisons are written so that NaN fails.

const (
	termError = 1e-12 // of a sum, relative to the size of its terms
	dust      = 1e-11 // entries of a ray, relative to the greatest, that are rounding errors
)

// point is the current values of the structural variables. What is outside its
// bounds by no more than the tolerance is moved onto them.
func (e *engine) point(p *solver.Problem) []float64 {
	x := make([]float64, e.n)
	for i, z := range e.basic {
		if z < e.n {
			v := &p.Variables[z]
			x[z] = e.xb[i] * e.scale.column[z]
			if x[z] < v.Lower && x[z] >= v.Lower-allowed(e.feasible, v.Lower) {
				x[z] = v.Lower
			} else if x[z] > v.Upper && x[z] <= v.Upper+allowed(e.feasible, v.Upper) {
				x[z] = v.Upper
			}
		}
	}
	for c, z := range e.nonbasic {
		if z < e.n {
			switch v := &p.Variables[z]; e.at[c] {
			case atUpper:
				x[z] = v.Upper
			case atZero:
				x[z] = 0
			default:
				x[z] = v.Lower
			}
		}
	}
	return x
}

func allowed(tolerance, bound float64) float64 { return 10 * tolerance * max(1, math.Abs(bound)) }

// duals are the row duals of the true objective.
func (e *engine) duals() []float64 {
	y := make([]float64, e.m)
	for c, z := range e.nonbasic {
		if z >= e.n && e.at[c] != atZero {
			y[z-e.n] = e.d[c] * e.scale.row[z-e.n] / e.costBy
		}
	}
	return y
}

// reducedCosts is Cost − Aᵀy.
func reducedCosts(p *solver.Problem, y []float64) []float64 {
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

// within reports lower ≤ v ≤ upper up to the tolerance and rounding errors of
// terms of the given size.
func within(v, lower, upper, size, tolerance float64) bool {
	return v >= lower-allowed(tolerance, lower)-termError*size && v <= upper+allowed(tolerance, upper)+termError*size
}

// feasiblePoint judges x on the original problem.
func feasiblePoint(p *solver.Problem, x []float64, tolerance float64) bool {
	for j, v := range x {
		if !within(v, p.Variables[j].Lower, p.Variables[j].Upper, 0, tolerance) {
			return false
		}
	}
	for i := range p.Rows {
		sum, size := 0.0, 0.0
		for k, j := range p.Rows[i].Columns {
			term := p.Rows[i].Values[k] * x[j]
			sum += term
			size += math.Abs(term)
		}
		if !within(sum, p.Rows[i].Lower, p.Rows[i].Upper, size, tolerance) {
			return false
		}
	}
	return true
}

// smallGap judges optimality: what the objective at x could still gain by the
// signs of the dual values.
func smallGap(p *solver.Problem, s *solver.Solution, tolerance float64) bool {
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
	return gap <= 10*tolerance*(1+math.Abs(s.Objective))+termError*size
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

// farkasRay frees the proof of scaling and drops what is only rounding.
func (e *engine) farkasRay() []float64 {
	y := make([]float64, e.m)
	most := 0.0
	for i := range y {
		most = max(most, math.Abs(e.farkas[e.n+i]))
	}
	for i := range y {
		if v := e.farkas[e.n+i]; math.Abs(v) > dust*most {
			y[i] = v * e.scale.row[i]
		}
	}
	return y
}

// provesInfeasible judges a Farkas ray in floating point: the least value of
// Σ yᵢsᵢ − (Aᵀy)ⱼxⱼ over all bounds has to be positive beyond rounding.
func provesInfeasible(p *solver.Problem, y []float64) bool {
	g, size := make([]float64, len(p.Variables)), make([]float64, len(p.Variables))
	total, terms := 0.0, 0.0
	for i, v := range y {
		if v == 0 {
			continue
		}
		r := &p.Rows[i]
		for k, j := range r.Columns {
			t := v * r.Values[k]
			g[j] -= t
			size[j] += math.Abs(t)
		}
		end := r.Lower
		if v < 0 {
			end = r.Upper
		}
		total += v * end
		terms += math.Abs(v * end)
	}
	for j, v := range g {
		end := p.Variables[j].Lower
		if v < 0 {
			end = p.Variables[j].Upper
		}
		if math.IsInf(end, 0) && math.Abs(v) <= 100*dust*size[j] || v == 0 {
			continue
		}
		total += v * end
		terms += math.Abs(v * end)
	}
	return total > termError*terms && !math.IsInf(total, 1)
}

// direction frees the unbounded ray of scaling.
func (e *engine) direction() []float64 {
	x := make([]float64, e.n)
	most := 0.0
	for _, v := range e.ray[:e.n] {
		most = max(most, math.Abs(v))
	}
	for j := range x {
		if v := e.ray[j]; math.Abs(v) > dust*most {
			x[j] = v * e.scale.column[j]
		}
	}
	return x
}

// provesUnbounded judges a direction: along it no bound and no row stops, and the
// objective improves.
func provesUnbounded(p *solver.Problem, ray []float64) bool {
	gain, size := 0.0, 0.0
	for j, v := range ray {
		variable := &p.Variables[j]
		if v > 0 && !math.IsInf(variable.Upper, 1) || v < 0 && !math.IsInf(variable.Lower, -1) || math.IsNaN(v) {
			return false
		}
		gain += variable.Cost * v
		size += math.Abs(variable.Cost * v)
	}
	if p.Sense == solver.Minimize {
		gain = -gain
	}
	for i := range p.Rows {
		sum, size := 0.0, 0.0
		for k, j := range p.Rows[i].Columns {
			term := p.Rows[i].Values[k] * ray[j]
			sum += term
			size += math.Abs(term)
		}
		if sum > 100*dust*size && !math.IsInf(p.Rows[i].Upper, 1) || sum < -100*dust*size && !math.IsInf(p.Rows[i].Lower, -1) {
			return false
		}
	}
	return gain > dust*size
}
