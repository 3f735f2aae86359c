package solvertest

import (
	"fmt"
	"math"

	"github.com/vouchnn/vouch/solver"
)

// tolerance of points and signs, relative to the numbers involved.
const tolerance = 1e-7

// optimal lists what is wrong with an optimal solution, by itself.
func optimal(p *solver.Problem, s *solver.Solution, scale float64) []string {
	wrong := feasible(p, s)
	if len(wrong) > 0 {
		return wrong
	}
	if len(s.RowDuals) != len(p.Rows) || len(s.ReducedCosts) != len(p.Variables) {
		return []string{fmt.Sprintf("%d duals, %d reduced costs", len(s.RowDuals), len(s.ReducedCosts))}
	}
	d, size := make([]float64, len(p.Variables)), make([]float64, len(p.Variables))
	for j, v := range p.Variables {
		d[j], size[j] = v.Cost-s.ReducedCosts[j], math.Abs(v.Cost)+math.Abs(s.ReducedCosts[j])
	}
	gap, sign := 0.0, 1.0
	if p.Sense == solver.Maximize {
		sign = -1
	}
	for i, r := range p.Rows {
		for k, j := range r.Columns {
			d[j] -= s.RowDuals[i] * r.Values[k]
			size[j] += math.Abs(s.RowDuals[i] * r.Values[k])
		}
		gap += slack(sign*s.RowDuals[i], r.Activity(s.X), r.Lower, r.Upper)
	}
	for j, v := range p.Variables {
		if math.Abs(d[j]) > tolerance*(1+size[j]) {
			wrong = append(wrong, fmt.Sprintf("Cost − Aᵀy − d is %g at variable %d", d[j], j))
		}
		gap += slack(sign*s.ReducedCosts[j], s.X[j], v.Lower, v.Upper)
	}
	if !(gap <= tolerance*scale) {
		wrong = append(wrong, fmt.Sprintf("signs of duals leave a gap of %g", gap))
	}
	if s.Bound != s.Objective && !(math.Abs(s.Bound-s.Objective) <= tolerance*scale) {
		wrong = append(wrong, fmt.Sprintf("bound %g, objective %g", s.Bound, s.Objective))
	}
	return wrong
}

// slack is what the objective could gain over the distance to the bound that the
// sign of d points at.
func slack(d, v, lower, upper float64) float64 {
	end := lower
	if d < 0 {
		end = upper
	}
	if math.IsInf(end, 0) {
		return math.Abs(d) * max(1, math.Abs(v))
	}
	return math.Abs(d * (v - end))
}

// feasible lists what is wrong with a point.
func feasible(p *solver.Problem, s *solver.Solution) []string {
	if len(s.X) != len(p.Variables) {
		return []string{fmt.Sprintf("a point of %d coordinates", len(s.X))}
	}
	var wrong []string
	outside := func(v, lower, upper, size float64) bool {
		return !(v >= lower-tolerance*max(1, math.Abs(lower), size) && v <= upper+tolerance*max(1, math.Abs(upper), size))
	}
	for j, v := range p.Variables {
		if outside(s.X[j], v.Lower, v.Upper, 0) {
			wrong = append(wrong, fmt.Sprintf("x%d = %g is not in [%g, %g]", j, s.X[j], v.Lower, v.Upper))
		}
	}
	for i, r := range p.Rows {
		if a := r.Activity(s.X); outside(a, r.Lower, r.Upper, 0) {
			wrong = append(wrong, fmt.Sprintf("row %d = %g is not in [%g, %g]", i, a, r.Lower, r.Upper))
		}
	}
	if v := p.Value(s.X); v != s.Objective && !(math.Abs(v-s.Objective) <= tolerance*(1+math.Abs(v))) {
		wrong = append(wrong, fmt.Sprintf("objective %g of a point with value %g", s.Objective, v))
	}
	return wrong
}

// unbounded lists what is wrong with the proof of unboundedness, if there is one.
func unbounded(p *solver.Problem, s *solver.Solution) []string {
	if s.UnboundedRay == nil {
		return nil
	}
	wrong := feasible(p, s)
	ray := s.UnboundedRay
	if len(ray) != len(p.Variables) {
		return []string{fmt.Sprintf("a ray of %d coordinates", len(ray))}
	}
	size := 0.0
	for _, v := range ray {
		size = max(size, math.Abs(v))
	}
	leaves := func(v, size, lower, upper float64) bool {
		return v > tolerance*size && !math.IsInf(upper, 1) || v < -tolerance*size && !math.IsInf(lower, -1)
	}
	gain := 0.0
	for j, v := range p.Variables {
		gain -= v.Cost * ray[j]
		if leaves(ray[j], size, v.Lower, v.Upper) {
			wrong = append(wrong, fmt.Sprintf("the ray leaves the bounds of variable %d", j))
		}
	}
	for i, r := range p.Rows {
		size := 0.0
		for k, j := range r.Columns {
			size += math.Abs(r.Values[k] * ray[j])
		}
		if leaves(r.Activity(ray), size, r.Lower, r.Upper) {
			wrong = append(wrong, fmt.Sprintf("the ray leaves row %d", i))
		}
	}
	if p.Sense == solver.Maximize {
		gain = -gain
	}
	if !(gain > 0) {
		wrong = append(wrong, fmt.Sprintf("the ray gains %g", gain))
	}
	return wrong
}
