package crosscheck

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/vouchnn/vouch/solver"
)

// knapsack fills rows capacities with items, each all or nothing, of the greatest value.
// One weight in so many is not zero; those and the values are integers up to 100. A
// capacity is half of its row's weight.
func knapsack(seed uint64, items, rows, oneIn int) *solver.Problem {
	rng := rand.New(rand.NewPCG(seed, 0x4a9))
	p := &solver.Problem{Sense: solver.Maximize}
	for range items {
		p.AddInteger(0, 1, float64(1+rng.IntN(100)))
	}
	for range rows {
		var columns []int
		var values []float64
		sum := 0.0
		for j := range items {
			if rng.IntN(oneIn) == 0 {
				columns, values = append(columns, j), append(values, float64(1+rng.IntN(100)))
				sum += values[len(values)-1]
			}
		}
		p.AddLessEqual(math.Floor(sum/2), columns, values)
	}
	return p
}

// starSet is the predicate of a star set (Tran et al. 2019, "Star-based reachability
// analysis of deep neural networks") after some layers of an approximate analysis:
// predicate variables of the input in [−1, 1], and one more per relaxed neuron with its
// three rows; centre and generators of a neuron are dense over the variables so far.
// What is asked of it is the range of one neuron after another: the same rows, another
// objective.
type starSet struct {
	p          *solver.Problem
	objectives [][]float64 // to be minimised and maximised in turn
}

func newStarSet(seed uint64, inputs, relaxed, ranges int) *starSet {
	rng := rand.New(rand.NewPCG(seed, 0x57a))
	s := &starSet{p: &solver.Problem{}}
	for range inputs {
		s.p.AddVariable(-1, 1, 0)
	}
	reach := make([]float64, inputs, inputs+relaxed) // greatest size of each variable
	for j := range reach {
		reach[j] = 1
	}
	generators := func(n int) (columns []int, values []float64) {
		for j := range n {
			columns, values = append(columns, j), append(values, rng.NormFloat64()/math.Sqrt(float64(n))/reach[j])
		}
		return columns, values
	}
	for range relaxed { // y = max(0, x), x = c + v·α in [l, u]
		columns, values := generators(len(s.p.Variables))
		centre, most := rng.NormFloat64()/4, 0.0
		for k, j := range columns {
			most += math.Abs(values[k]) * reach[j]
		}
		l, u := centre-most, centre+most
		if l >= 0 || u <= 0 {
			centre, l, u = 0, -most, most
		}
		y := s.p.AddVariable(0, u, 0)
		reach = append(reach, u)
		slope := u / (u - l)
		var below, above []float64
		for _, v := range values {
			below, above = append(below, -v), append(above, -slope*v)
		}
		columns = append(columns, y)
		s.p.AddGreaterEqual(centre, columns, append(below, 1))                      // y ≥ x
		s.p.AddLessEqual(slope*(centre-l), slices.Clone(columns), append(above, 1)) // y ≤ slope·(x − l)
	}
	for range ranges {
		_, values := generators(len(s.p.Variables))
		s.objectives = append(s.objectives, values)
	}
	return s
}

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
