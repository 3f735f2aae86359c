package solvertest_test

import (
	"context"
	"fmt"
	"log"
	"math"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/simplex"
	"github.com/vouchnn/vouch/solver/solvertest"
)

// The literature's traps, posed to a solver outside of a test; in one, solvertest.Run
// does this and more.
func ExampleKnown() {
	s := simplex.Solver{}
	right := 0
	cases := solvertest.Known()
	for _, c := range cases {
		got, err := s.Solve(context.Background(), c.Problem, solver.Options{})
		if err != nil {
			log.Fatal(err)
		}
		if got.Status == c.Status && !(math.Abs(got.Objective-c.Objective) > 1e-7*c.Scale) {
			right++
		}
		if c.Status == solver.Optimal && c.Objective > 1000 {
			fmt.Println(c.Name, "-", got.Status, got.Objective)
		}
	}
	fmt.Println(right == len(cases))
	// Output:
	// Klee & Minty 1972, 10 dimensions - optimal 9.765625e+06
	// true
}

// The exact optimum, as a fraction, while rows are added.
func ExampleExact() {
	p := &solver.Problem{Sense: solver.Maximize}
	p.AddVariable(0, math.Inf(1), 1)
	p.AddVariable(0, math.Inf(1), 1)
	p.AddLessEqual(1, []int{0, 1}, []float64{3, 1})
	p.AddLessEqual(1, []int{0, 1}, []float64{1, 3})
	fmt.Println(solvertest.Exact(p))
	p.AddLessEqual(1, []int{0}, []float64{7})
	fmt.Println(solvertest.Exact(p))
	p.AddGreaterEqual(1, []int{1}, []float64{2})
	fmt.Println(solvertest.Exact(p))
	// Output:
	// optimal 1/2
	// optimal 3/7
	// infeasible <nil>
}

// The best of three things to carry, cut into parts and whole.
func ExampleExactInteger() {
	p := &solver.Problem{Sense: solver.Maximize}
	for _, worth := range []float64{60, 100, 120} {
		p.AddInteger(0, 1, worth)
	}
	p.AddLessEqual(50, []int{0, 1, 2}, []float64{10, 20, 30})
	fmt.Println(solvertest.Exact(p))
	fmt.Println(solvertest.ExactInteger(p, 100))
	// Output:
	// optimal 240/1
	// optimal 220/1
}
