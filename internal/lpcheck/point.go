package lpcheck

import (
	"math"

	"github.com/vouchnn/vouch/solver"
)

// Whether a point belongs to a problem.

const (
	// DefaultTolerance of feasibility and optimality.
	DefaultTolerance = 1e-9
	// DefaultIntegrality is how far from an integer an integer variable may be.
	DefaultIntegrality = 1e-6
	// TermError is the error of a sum, relative to the size of its terms.
	TermError = 1e-12
	// Dust is the size of a ray's entries, relative to the greatest, that are rounding
	// errors.
	Dust = 1e-11
)

// Allowed is how far beyond a bound a value may be.
func Allowed(tolerance, bound float64) float64 { return 10 * tolerance * max(1, math.Abs(bound)) }

// Within reports lower ≤ v ≤ upper up to the tolerance and rounding errors of
// terms of the given size.
func Within(v, lower, upper, size, tolerance float64) bool {
	return v >= lower-Allowed(tolerance, lower)-TermError*size && v <= upper+Allowed(tolerance, upper)+TermError*size
}

// FeasiblePoint judges x on the problem, integrality aside. x has a coordinate per
// variable.
func FeasiblePoint(p *solver.Problem, x []float64, tolerance float64) bool {
	for j, v := range x {
		if !Within(v, p.Variables[j].Lower, p.Variables[j].Upper, 0, tolerance) {
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
		if !Within(sum, p.Rows[i].Lower, p.Rows[i].Upper, size, tolerance) {
			return false
		}
	}
	return true
}

// Integral reports whether the integer variables are that close to integers.
func Integral(p *solver.Problem, x []float64, tolerance float64) bool {
	for j, v := range x {
		if p.Variables[j].Integer && !(math.Abs(v-math.Round(v)) <= tolerance) {
			return false
		}
	}
	return true
}

// Snap moves coordinates that are outside their bounds by no more than is allowed onto
// them.
func Snap(p *solver.Problem, x []float64, tolerance float64) {
	for j := range x {
		v := &p.Variables[j]
		if x[j] < v.Lower && x[j] >= v.Lower-Allowed(tolerance, v.Lower) {
			x[j] = v.Lower
		} else if x[j] > v.Upper && x[j] <= v.Upper+Allowed(tolerance, v.Upper) {
			x[j] = v.Upper
		}
	}
}
