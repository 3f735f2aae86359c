package crosscheck

import (
	"math"
	"math/rand/v2"

	"github.com/vouchnn/vouch/solver"
)

// mixed is a random mixed-integer problem around a feasible point, bounded: half of the
// variables integer, rows of all kinds.
func mixed(seed uint64, variables, rows int) *solver.Problem {
	rng := rand.New(rand.NewPCG(seed, 0x313))
	p := &solver.Problem{Sense: solver.Sense(rng.IntN(2)), Offset: rng.NormFloat64()}
	inner := make([]float64, variables)
	for j := range inner {
		inner[j] = float64(rng.IntN(9) - 4)
		lower, upper := inner[j]-float64(rng.IntN(5)), inner[j]+float64(rng.IntN(5))
		if p.AddVariable(lower, upper, math.Round(8*rng.NormFloat64())); j%2 == 0 {
			p.Variables[j].Integer = true
		}
	}
	for range rows {
		var columns []int
		var values []float64
		for j := range inner {
			if rng.IntN(2) == 0 {
				columns, values = append(columns, j), append(values, float64(rng.IntN(13)-6))
			}
		}
		a := solver.Row{Columns: columns, Values: values}.Activity(inner)
		if rng.IntN(8) == 0 { // perhaps infeasible
			a += float64(rng.IntN(40) - 20)
		}
		switch rng.IntN(4) {
		case 0:
			p.AddLessEqual(a+float64(rng.IntN(4)), columns, values)
		case 1:
			p.AddGreaterEqual(a-float64(rng.IntN(4)), columns, values)
		case 2:
			p.AddRow(a-float64(rng.IntN(6)), a+float64(rng.IntN(6)), columns, values)
		default:
			p.AddRow(a-0.5, a+0.5, columns, values)
		}
	}
	return p
}
