package solvertest

import (
	"math"

	"github.com/vouchnn/vouch/solver"
)

// Known returns small problems from the literature and the corners of the
// definition, with their answers.
func Known() []Case {
	inf := math.Inf(1)
	free := func() *solver.Problem {
		p := &solver.Problem{}
		p.AddVariable(-inf, inf, 1)
		return p
	}
	var cases []Case
	add := func(name string, p *solver.Problem, status solver.Status, objective float64) {
		cases = append(cases, Case{name, p, status, objective, math.Abs(objective) + 1})
	}

	add("empty", &solver.Problem{Offset: 3}, solver.Optimal, 3)
	p := &solver.Problem{}
	p.AddRow(-1, 1, nil, nil)
	add("no variables", p, solver.Optimal, 0)
	p = &solver.Problem{}
	p.AddRow(1, 2, nil, nil)
	add("no variables, infeasible", p, solver.Infeasible, 0)
	add("no rows, free", free(), solver.Unbounded, 0)
	p = &solver.Problem{}
	p.AddVariable(-2, 3, 1)
	p.AddVariable(-2, 3, -1)
	p.AddVariable(5, 5, 2)
	add("no rows, boxed", p, solver.Optimal, 5)
	p = free()
	p.AddGreaterEqual(2, []int{0}, []float64{4})
	add("one row", p, solver.Optimal, 0.5)
	p = free()
	p.AddRow(-inf, inf, []int{0}, []float64{1})
	add("a row without bounds", p, solver.Unbounded, 0)
	p = free()
	p.Variables[0].Cost = 0
	add("free without cost", p, solver.Optimal, 0)
	p = free()
	p.AddEqual(1, []int{0}, []float64{1})
	p.AddEqual(2, []int{0}, []float64{1})
	add("contradiction", p, solver.Infeasible, 0)
	p = free()
	p.AddEqual(1, []int{0}, []float64{0})
	add("a row of zeros, infeasible and unbounded", p, solver.Infeasible, 0)

	add("Chvátal 1983, p. 13", chvatal(), solver.Optimal, 13)
	add("Beale 1955, cycles under the greatest coefficient", beale(), solver.Optimal, -0.05)
	add("Klee & Minty 1972, 10 dimensions", kleeMinty(10), solver.Optimal, math.Pow(5, 10))
	add("assignment, all costs equal", assignment(8, func(int, int) float64 { return 1 }), solver.Optimal, 8)
	add("assignment, (i+j) mod n", assignment(8, func(i, j int) float64 { return float64((i + j) % 8) }), solver.Optimal, 0)
	return cases
}

func chvatal() *solver.Problem {
	p := &solver.Problem{Sense: solver.Maximize}
	for _, c := range []float64{5, 4, 3} {
		p.AddVariable(0, math.Inf(1), c)
	}
	p.AddLessEqual(5, []int{0, 1, 2}, []float64{2, 3, 1})
	p.AddLessEqual(11, []int{0, 1, 2}, []float64{4, 1, 2})
	p.AddLessEqual(8, []int{0, 1, 2}, []float64{3, 4, 2})
	return p
}

func beale() *solver.Problem {
	p := &solver.Problem{}
	for _, c := range []float64{-0.75, 150, -0.02, 6} {
		p.AddVariable(0, math.Inf(1), c)
	}
	all := []int{0, 1, 2, 3}
	p.AddLessEqual(0, all, []float64{0.25, -60, -0.04, 9})
	p.AddLessEqual(0, all, []float64{0.5, -90, -0.02, 3})
	p.AddLessEqual(1, []int{2}, []float64{1})
	return p
}

// kleeMinty is the cube of which the simplex method may visit every corner.
func kleeMinty(n int) *solver.Problem {
	p := &solver.Problem{Sense: solver.Maximize}
	for j := range n {
		p.AddVariable(0, math.Inf(1), math.Exp2(float64(n-1-j)))
		columns, values := []int{j}, []float64{1}
		for k := range j {
			columns, values = append(columns, k), append(values, math.Exp2(float64(j-k+1)))
		}
		p.AddLessEqual(math.Pow(5, float64(j+1)), columns, values)
	}
	return p
}

// assignment is highly degenerate.
func assignment(n int, cost func(i, j int) float64) *solver.Problem {
	p := &solver.Problem{}
	ones := make([]float64, n)
	for i := range ones {
		ones[i] = 1
	}
	for i := range n {
		for j := range n {
			p.AddVariable(0, math.Inf(1), cost(i, j))
		}
	}
	for i := range n {
		row, column := make([]int, n), make([]int, n)
		for j := range n {
			row[j], column[j] = i*n+j, j*n+i
		}
		p.AddEqual(1, row, ones)
		p.AddEqual(1, column, ones)
	}
	return p
}
