package lpadapter

import (
	"math"

	"github.com/vouchnn/vouch/solver"
)

// Linear problems that decide what an answer without a ray leaves open.
//
// The elastic problem pays for leaving a row:
//
//	min Σ sᵢ + tᵢ,  Lᵢ ≤ (Ax)ᵢ + wᵢsᵢ − wᵢtᵢ ≤ Uᵢ,  x within its bounds,  s, t ≥ 0.
//
// It is feasible and bounded whatever the problem. Its optimum is positive if and only if
// the problem's relaxation is infeasible, and then its duals are a Farkas ray: they bound
// the constant 0 by a positive number. wᵢ is about the row's greatest coefficient, so
// that rows of all sizes pay alike. Phase 1 of the simplex method, Chvátal 1983, ch. 8.
//
// The recession problem looks for the steepest direction r, |rⱼ| ≤ 1, along which
// neither bounds nor rows stop. Its optimum is negative if and only if the relaxation, if
// feasible, is unbounded.

// elastic is the elastic problem of p's relaxation. The first variables are p's.
func elastic(p *solver.Problem) *solver.Problem {
	q := &solver.Problem{}
	for _, v := range p.Variables {
		q.AddVariable(v.Lower, v.Upper, 0)
	}
	inf := math.Inf(1)
	for _, r := range p.Rows {
		columns, values := append([]int{}, r.Columns...), append([]float64{}, r.Values...)
		most := 0.0
		for _, v := range values {
			most = max(most, math.Abs(v))
		}
		w := 1.0
		if most > 0 {
			_, exponent := math.Frexp(most)
			w = math.Ldexp(1, exponent)
		}
		if !math.IsInf(r.Lower, -1) {
			columns, values = append(columns, q.AddVariable(0, inf, 1)), append(values, w)
		}
		if !math.IsInf(r.Upper, 1) {
			columns, values = append(columns, q.AddVariable(0, inf, 1)), append(values, -w)
		}
		q.AddRow(r.Lower, r.Upper, columns, values)
	}
	return q
}

// recession is the recession problem of p's relaxation.
func recession(p *solver.Problem) *solver.Problem {
	cone := func(lower, upper, most float64) (float64, float64) {
		if !math.IsInf(lower, -1) {
			lower = 0
		} else {
			lower = -most
		}
		if !math.IsInf(upper, 1) {
			upper = 0
		} else {
			upper = most
		}
		return lower, upper
	}
	q := &solver.Problem{Sense: p.Sense}
	for _, v := range p.Variables {
		lower, upper := cone(v.Lower, v.Upper, 1)
		q.AddVariable(lower, upper, v.Cost)
	}
	for _, r := range p.Rows {
		if lower, upper := cone(r.Lower, r.Upper, math.Inf(1)); lower == 0 || upper == 0 {
			q.AddRow(lower, upper, r.Columns, r.Values)
		}
	}
	return q
}

// anywhere is p without its objective.
func anywhere(p *solver.Problem) *solver.Problem {
	q := &solver.Problem{Rows: p.Rows, Variables: append([]solver.Variable{}, p.Variables...)}
	for j := range q.Variables {
		q.Variables[j].Cost = 0
	}
	return q
}

// fixed is p with its integer variables at their values in x and continuous then.
func fixed(p *solver.Problem, x []float64) *solver.Problem {
	q := &solver.Problem{Sense: p.Sense, Rows: p.Rows, Variables: append([]solver.Variable{}, p.Variables...)}
	for j := range q.Variables {
		if v := &q.Variables[j]; v.Integer {
			v.Integer, v.Lower, v.Upper = false, x[j], x[j]
		}
	}
	return q
}
