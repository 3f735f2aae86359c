package simplex

import (
	"math"

	"github.com/vouchnn/vouch/internal/lpcheck"
	"github.com/vouchnn/vouch/solver"
)

// Answers in the original space, and whether they stand.
//
// Points, duals and rays are computed from the dictionary, freed of scaling, and
// then judged on the problem as the caller gave it, by internal/lpcheck.

const dust = lpcheck.Dust

var (
	reducedCosts     = lpcheck.ReducedCosts
	within           = lpcheck.Within
	feasiblePoint    = lpcheck.FeasiblePoint
	smallGap         = lpcheck.SmallGap
	signsFit         = lpcheck.SignsFit
	provesInfeasible = lpcheck.ProvesInfeasible
	provesUnbounded  = lpcheck.ProvesUnbounded
)

// point is the current values of the structural variables. What is outside its
// bounds by no more than the tolerance is moved onto them.
func (e *engine) point(p *solver.Problem) []float64 {
	x := make([]float64, e.n)
	for i, z := range e.basic {
		if z < e.n {
			v := &p.Variables[z]
			x[z] = e.xb[i] * e.scale.column[z]
			if x[z] < v.Lower && x[z] >= v.Lower-lpcheck.Allowed(e.feasible, v.Lower) {
				x[z] = v.Lower
			} else if x[z] > v.Upper && x[z] <= v.Upper+lpcheck.Allowed(e.feasible, v.Upper) {
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
