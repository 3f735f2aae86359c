package solvertest

import (
	"math/rand/v2"

	"github.com/vouchnn/vouch/solver"
)

// Knapsack returns a random multi-dimensional knapsack problem: maximise the value of
// the items, binary variables, within rows capacities. About half of all weights are
// zero, the others and the values integers from 1 to 100; each capacity is half of the
// row's weight. It is the integer problem of the benchmarks.
func Knapsack(seed uint64, rows, items int) *solver.Problem {
	return SparseKnapsack(seed, rows, items, 2)
}

// SparseKnapsack is Knapsack with one weight in oneIn that is not zero.
func SparseKnapsack(seed uint64, rows, items, oneIn int) *solver.Problem {
	rng := rand.New(rand.NewPCG(seed, 0x4a9))
	p := &solver.Problem{Sense: solver.Maximize}
	for range items {
		p.AddInteger(0, 1, float64(1+rng.IntN(100)))
	}
	for range rows {
		var columns []int
		var values []float64
		total := 0
		for j := range items {
			if rng.IntN(oneIn) == 0 {
				w := 1 + rng.IntN(100)
				columns, values = append(columns, j), append(values, float64(w))
				total += w
			}
		}
		p.AddLessEqual(float64(total/2), columns, values)
	}
	return p
}
