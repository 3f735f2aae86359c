package lpcheck

import (
	"math"

	"github.com/vouchnn/vouch/solver"
)

// Neglect is the share of its terms that a library may leave of a coefficient that ought
// to be zero.
const Neglect = 100 * Dust

// Whether a ray proves that there is no feasible point, or no best one.

// ProvesInfeasible judges a Farkas ray in floating point: the least value of
// Σ yᵢsᵢ − (Aᵀy)ⱼxⱼ over all bounds has to be positive beyond rounding. A coefficient of a
// variable without a bound on its side is neglected up to the share neglect of the terms
// that it is the sum of, and what is neglected may be what a proof lacks: where rows are
// parallel but for 1e-9, feasible problems have such rays. So Neglect needs a library's
// word or solver.SafeInfeasible beside it; TermError, by itself, errs on few.
func ProvesInfeasible(p *solver.Problem, y []float64, neglect float64) bool {
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
		if math.IsInf(end, 0) && math.Abs(v) <= neglect*size[j] || v == 0 {
			continue
		}
		total += v * end
		terms += math.Abs(v * end)
	}
	return total > TermError*terms && !math.IsInf(total, 1)
}

// ProvesUnbounded judges a direction: along it no bound and no row stops, and the
// objective improves.
func ProvesUnbounded(p *solver.Problem, ray []float64) bool {
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
		if sum > 10*TermError*size && !math.IsInf(p.Rows[i].Upper, 1) || sum < -10*TermError*size && !math.IsInf(p.Rows[i].Lower, -1) {
			return false
		}
	}
	return gain > Dust*size
}

// Clean is a ray without the entries that are rounding errors; nil stays nil.
func Clean(ray []float64) []float64 {
	most := 0.0
	for _, v := range ray {
		most = max(most, math.Abs(v))
	}
	for i, v := range ray {
		if math.Abs(v) <= Dust*most {
			ray[i] = 0
		}
	}
	return ray
}
