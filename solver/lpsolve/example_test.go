//go:build lpsolve

package lpsolve_test

import (
	"context"
	"fmt"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/lpsolve"
)

// A mixed-integer problem, and the same after a row has been added.
func Example() {
	p := &solver.Problem{Sense: solver.Maximize}
	x := p.AddInteger(0, 10, 3)
	y := p.AddVariable(0, 10, 2)
	p.AddLessEqual(7.5, []int{x, y}, []float64{2, 1})

	session, err := lpsolve.Solver{}.Open(p, solver.Options{})
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
	fmt.Printf("%v %.3f at %.3f\n", s.Status, s.Objective, s.X)

	if err := session.AddRow(solver.Row{Lower: 2, Upper: 9, Columns: []int{x}, Values: []float64{1}}); err != nil {
		fmt.Println(err)
		return
	}
	if s, err = session.Solve(context.Background()); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%v %.3f at %.3f\n", s.Status, s.Objective, s.X)
	// Output:
	// optimal 15.000 at [0.000 7.500]
	// optimal 13.000 at [2.000 3.500]
}
