package lpadapter

import (
	"math"

	"github.com/vouchnn/vouch/internal/lpcheck"
	"github.com/vouchnn/vouch/solver"
)

// Iterative refinement.
//
// A library's optimum may be right but for its precision, of badly scaled problems above
// all. With x and y as it gave them, s = Ax, d = c − Aᵀy and powers of two P and D, the
// problem of the corrections z and t
//
//	min Σ D·dⱼzⱼ + Σ D·yᵢtᵢ,  Az − t = 0,
//	P(lⱼ−xⱼ) ≤ zⱼ ≤ P(uⱼ−xⱼ),  P(Lᵢ−sᵢ) ≤ tᵢ ≤ P(Uᵢ−sᵢ)
//
// is the given one in other units: errors of x and y are about one in it, so a library
// that leaves an error of 1e−9 reduces them by that factor. x + z/P and y + ŷ/D, with ŷ
// the duals of its rows, are better. Gleixner, Steffy & Wolter 2016, "Iterative
// refinement for linear programming", INFORMS J. Comput. 28(3), Alg. 1; rows that are
// not equations get their slacks as variables.

const (
	refinements = 3
	mostScale   = 1 << 16 // lp_solve gives up on costs and bounds much beyond
)

// refined judges the optimum of a linear problem after making it more precise; nil if
// that fails.
func (r *referee) refined(out *Outcome) (*solver.Solution, error) {
	for range refinements {
		if len(out.X) != len(r.p.Variables) || len(out.RowDuals) != len(r.p.Rows) {
			return nil, nil
		}
		c := newCorrection(r.p, out)
		if c == nil {
			return nil, nil
		}
		better, err := r.ask(c.problem)
		if err != nil {
			return nil, err
		}
		r.iterations += better.Iterations
		if better.Status == solver.Limit {
			return r.limit(better), nil
		}
		if better.Status != solver.Optimal || len(better.X) < len(out.X) || len(better.RowDuals) != len(out.RowDuals) {
			return nil, nil
		}
		for j := range out.X {
			out.X[j] += better.X[j] / c.primal
		}
		for i := range out.RowDuals {
			out.RowDuals[i] += better.RowDuals[i] / c.dual
		}
		if a := r.optimal(out); a != nil {
			return a, nil
		}
	}
	return nil, nil
}

// correction is the problem of corrections.
type correction struct {
	problem      *solver.Problem
	primal, dual float64 // P and D
}

// newCorrection builds it for an outcome's point and duals; nil if they are not finite.
func newCorrection(p *solver.Problem, out *Outcome) *correction {
	sign := 1.0
	if p.Sense == solver.Maximize {
		sign = -1
	}
	d := lpcheck.ReducedCosts(p, out.RowDuals)
	q := &solver.Problem{Sense: p.Sense}
	primal, dual := 0.0, 0.0 // greatest errors
	line := func(v, lower, upper, cost float64) {
		primal = max(primal, lower-v, v-upper)
		if c := sign * cost; c > 0 && v-lower > c || c < 0 && upper-v > -c {
			dual = max(dual, math.Abs(c)) // not at its bound
		}
		q.AddVariable(lower-v, upper-v, cost)
	}
	for j, v := range p.Variables {
		line(out.X[j], v.Lower, v.Upper, d[j])
	}
	for i, row := range p.Rows {
		line(row.Activity(out.X), row.Lower, row.Upper, out.RowDuals[i])
		columns, values := append([]int{}, row.Columns...), append([]float64{}, row.Values...)
		q.AddEqual(0, append(columns, len(p.Variables)+i), append(values, -1))
	}
	c := &correction{problem: q, primal: scaleOf(primal), dual: scaleOf(dual)}
	for j := range q.Variables {
		v := &q.Variables[j]
		v.Lower, v.Upper, v.Cost = v.Lower*c.primal, v.Upper*c.primal, v.Cost*c.dual
	}
	if q.Validate() != nil {
		return nil
	}
	return c
}

// scaleOf is a power of two that makes an error about one.
func scaleOf(err float64) float64 {
	if !(err > 0) {
		return mostScale
	}
	_, exponent := math.Frexp(err)
	return max(1, min(mostScale, math.Ldexp(1, -exponent)))
}
