package solver_test

import (
	"fmt"
	"strings"

	"github.com/vouchnn/vouch/solver"
)

// x + y ≤ 1 and x − y ≥ 2 with y ≥ 0: the second row minus the first says −2y ≥ 1.
// Multipliers of the rows prove it, whoever found them; wrong ones prove nothing.
func ExampleSafeInfeasible() {
	p := &solver.Problem{}
	x := p.AddVariable(-10, 10, 0)
	y := p.AddVariable(0, 10, 0)
	p.AddLessEqual(1, []int{x, y}, []float64{1, 1})
	p.AddGreaterEqual(2, []int{x, y}, []float64{1, -1})
	fmt.Println(solver.SafeInfeasible(p, []float64{-1, 1}), solver.SafeInfeasible(p, []float64{1, 1}))
	// Output: true false
}

// A problem that another program wrote.
func ExampleReadLP() {
	p, err := solver.ReadLP(strings.NewReader(`Maximize
 obj: 3 x + 5 y
Subject To
 c1: 3 x + 2 y <= 18
Bounds
 x <= 4
 y <= 6
General
 y
End
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(p.Variables), "variables,", len(p.Rows), "row, integers:", p.HasIntegers(), "value at (2, 6):", p.Value([]float64{2, 6}))
	// Output: 2 variables, 1 row, integers: true value at (2, 6): 36
}
