package solver_test

import (
	"fmt"
	"math"
	"os"

	"github.com/vouchnn/vouch/solver"
)

// A problem in the format of other programs.
func ExampleWriteLP() {
	p := &solver.Problem{Sense: solver.Maximize}
	x := p.AddVariable(0, 4, 3)
	y := p.AddInteger(0, math.Inf(1), 5)
	p.AddRow(1, 18, []int{x, y}, []float64{3, 2})
	if err := solver.WriteLP(os.Stdout, p); err != nil {
		fmt.Println(err)
	}
	// Output:
	// Maximize
	//  obj: + 3 x0 + 5 x1
	// Subject To
	//  r0: 1 <= + 3 x0 + 2 x1 <= 18
	// Bounds
	//  0 <= x0 <= 4
	//  0 <= x1 <= inf
	// General
	//  x1
	// End
}

// Duals from anywhere give a bound that holds over the real numbers; bad ones give
// a weak bound, never a wrong one.
func ExampleSafeBound() {
	p := &solver.Problem{}
	x := p.AddVariable(0, math.Inf(1), 2)
	y := p.AddVariable(0, math.Inf(1), 3)
	p.AddGreaterEqual(4, []int{x, y}, []float64{1, 1})
	fmt.Println(solver.SafeBound(p, []float64{2}), solver.SafeBound(p, []float64{1.5}), solver.SafeBound(p, []float64{-9}))
	// Output:
	// 8 6 0
}
