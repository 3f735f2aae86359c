package simplex_test

import (
	"context"
	"fmt"
	"math"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/simplex"
)

// Which items to take: a problem with integers, and its progress.
func ExampleSolver_Solve() {
	p := &solver.Problem{Sense: solver.Maximize}
	var items []int
	for _, value := range []float64{10, 13, 7, 8} {
		items = append(items, p.AddInteger(0, 1, value))
	}
	p.AddLessEqual(10, items, []float64{5, 6, 4, 3})
	s, err := simplex.Solver{}.Solve(context.Background(), p, solver.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Status, s.Objective, s.X, "at most", s.Bound)

	p.AddGreaterEqual(22, items, []float64{10, 13, 7, 8}) // better than the best
	if s, err = (simplex.Solver{}).Solve(context.Background(), p, solver.Options{}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Status)
	// Output:
	// optimal 21 [0 1 0 1] at most 21
	// infeasible
}

// A problem, its proof, and the same problem after a bound has changed.
func Example() {
	p := &solver.Problem{Sense: solver.Maximize}
	x := p.AddVariable(0, math.Inf(1), 3)
	y := p.AddVariable(0, math.Inf(1), 5)
	p.AddLessEqual(4, []int{x}, []float64{1})
	p.AddLessEqual(12, []int{y}, []float64{2})
	p.AddLessEqual(18, []int{x, y}, []float64{3, 2})

	session, err := simplex.Solver{}.Open(p, solver.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer session.Close()
	s, err := session.Solve(context.Background())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Status, s.Objective, s.X)
	fmt.Println("at most", solver.SafeBound(p, s.RowDuals), "whatever the solver did")

	if err := session.SetVariableBounds(y, 7, 9); err != nil { // 2y ≤ 12 contradicts
		fmt.Println(err)
		return
	}
	if s, err = session.Solve(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Status)
	// Output:
	// optimal 36 [2 6]
	// at most 36 whatever the solver did
	// infeasible
}
