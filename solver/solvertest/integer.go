package solvertest

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/vouchnn/vouch/solver"
)

// RunInteger holds a solver of mixed-integer problems to the contract of package
// solver, beyond what Run asks. fresh returns a new one. It takes some seconds.
func RunInteger(t *testing.T, fresh func() solver.Solver) {
	t.Helper()
	t.Run("known", func(t *testing.T) { integerAnswers(t, fresh(), KnownInteger()) })
	t.Run("exact twin", func(t *testing.T) { TwinInteger(t, fresh(), 2, 300) })
	t.Run("hostile", func(t *testing.T) { hostileIntegers(t, fresh()) })
	t.Run("limits", func(t *testing.T) { integerLimits(t, fresh()) })
}

// KnownInteger returns small mixed-integer problems with their answers.
func KnownInteger() []Case {
	inf := math.Inf(1)
	var cases []Case
	add := func(name string, p *solver.Problem, status solver.Status, objective float64) {
		cases = append(cases, Case{name, p, status, objective, math.Abs(objective) + 1})
	}
	one := func(lower, upper, cost float64) *solver.Problem {
		p := &solver.Problem{}
		p.AddInteger(lower, upper, cost)
		return p
	}
	add("one variable, fractional bounds", one(0.5, 3.5, 1), solver.Optimal, 1)
	add("no integer between the bounds", one(0.25, 0.75, 1), solver.Infeasible, 0)
	add("unbounded", one(-inf, 0, 1), solver.Unbounded, 0)
	add("free without cost", one(-inf, inf, 0), solver.Optimal, 0)
	p := one(-inf, inf, 1)
	p.AddGreaterEqual(7, []int{0}, []float64{2})
	add("a row rounds", p, solver.Optimal, 4)
	p = one(0, 10, 1)
	p.AddRow(-inf, inf, []int{0}, []float64{1})
	p.AddRow(0, 0, nil, nil)
	add("rows that say nothing", p, solver.Optimal, 0)
	p = one(0, 10, 1)
	p.AddRow(1, 2, nil, nil)
	add("an empty row that cannot be", p, solver.Infeasible, 0)

	add("equality knapsack, no sum fits", equalityKnapsack(17, 6, 10, 15, 22, 38), solver.Infeasible, 0)
	add("equality knapsack, by divisors", equalityKnapsack(1e6+1, 2, 4, 6, 8), solver.Infeasible, 0)
	add("equality knapsack", equalityKnapsack(53, 6, 10, 15), solver.Optimal, 6) // 15 + 2·10 + 3·6
	add("Wolsey 1998, two integers", wolsey(), solver.Optimal, 7)
	add("badly scaled", badlyScaled(), solver.Optimal, -1e6-1e-3)
	add("fixed charge", fixedCharge(), solver.Optimal, 11)
	add("parity, no vertex is near", parity(6), solver.Infeasible, 0)
	p = &solver.Problem{Sense: solver.Maximize}
	p.AddInteger(0, inf, 1)
	p.AddVariable(0, inf, 0)
	p.AddEqual(0.5, []int{0, 1}, []float64{1, -1})
	add("unbounded along integers and reals", p, solver.Unbounded, 0)
	p = &solver.Problem{Sense: solver.Maximize}
	p.AddInteger(0, 1, 0)
	p.AddVariable(0, inf, 1)
	p.AddEqual(0.5, []int{0}, []float64{1})
	add("unbounded relaxation, no integer point", p, solver.Infeasible, 0)
	return cases
}

// equalityKnapsack asks for Σ weights·x = sum over x from 0 to sum, with as few as can
// be.
func equalityKnapsack(sum float64, weights ...float64) *solver.Problem {
	p := &solver.Problem{}
	var columns []int
	for range weights {
		columns = append(columns, p.AddInteger(0, sum, 1))
	}
	p.AddEqual(sum, columns, weights)
	return p
}

// wolsey is max 4x − y, 7x − 2y ≤ 14, y ≤ 3, 2x − 2y ≤ 3, an example of Wolsey 1998,
// "Integer Programming"; by enumeration 7 at (2, 1).
func wolsey() *solver.Problem {
	p := &solver.Problem{Sense: solver.Maximize}
	x, y := p.AddInteger(0, math.Inf(1), 4), p.AddInteger(0, math.Inf(1), -1)
	p.AddLessEqual(14, []int{x, y}, []float64{7, -2})
	p.AddLessEqual(3, []int{y}, []float64{1})
	p.AddLessEqual(3, []int{x, y}, []float64{2, -2})
	return p
}

// badlyScaled has costs and coefficients of many sizes: at most one of two, and a
// continuous rest.
func badlyScaled() *solver.Problem {
	p := &solver.Problem{}
	a, b := p.AddInteger(0, 1, -1e6), p.AddInteger(0, 1, -1e5)
	z := p.AddVariable(0, 1e3, -1e-6)
	p.AddLessEqual(1e-4, []int{a, b}, []float64{1e-4, 1e-4})
	p.AddLessEqual(1e7, []int{z, a}, []float64{1e4, 1e-3})
	p.Rows[1].Upper = 1e7 + 1e-3
	return p
}

// fixedCharge is two sources with fixed costs 5 and 3 and unit costs 1 and 2, of at most
// 6 and 4, for a demand of 6: the first alone costs 5 + 6 = 11, and the second alone
// does not suffice.
func fixedCharge() *solver.Problem {
	p := &solver.Problem{}
	on1, on2 := p.AddInteger(0, 1, 5), p.AddInteger(0, 1, 3)
	f1, f2 := p.AddVariable(0, 6, 1), p.AddVariable(0, 4, 2)
	p.AddGreaterEqual(6, []int{f1, f2}, []float64{1, 1})
	p.AddLessEqual(0, []int{f1, on1}, []float64{1, -6})
	p.AddLessEqual(0, []int{f2, on2}, []float64{1, -4})
	return p
}

// parity is Σ 2x = n+1 for even n, hidden behind two rows: Σx = y, 2y = n+1.
func parity(n int) *solver.Problem {
	p := &solver.Problem{}
	y := p.AddVariable(0, float64(n), 0)
	columns, values := []int{y}, []float64{-1}
	for range n {
		columns, values = append(columns, p.AddInteger(0, 1, 0)), append(values, 1)
	}
	p.AddEqual(0, columns, values)
	p.AddEqual(float64(n+1), []int{y}, []float64{2})
	return p
}

// integerAnswers compares with what is known.
func integerAnswers(t *testing.T, s solver.Solver, cases []Case) {
	t.Helper()
	for _, c := range cases {
		got, err := s.Solve(context.Background(), c.Problem, solver.Options{TimeLimit: time.Minute})
		switch {
		case err != nil:
			t.Errorf("%s: %v", c.Name, err)
			continue
		case got.Status != c.Status:
			t.Errorf("%s: %v", c.Name, got.Status)
			continue
		}
		switch c.Status {
		case solver.Optimal:
			if !(math.Abs(got.Objective-c.Objective) <= 1e-7*c.Scale) {
				t.Errorf("%s: objective %.12g, not %.12g", c.Name, got.Objective, c.Objective)
			}
			if !(math.Abs(got.Bound-c.Objective) <= 1e-6*c.Scale) {
				t.Errorf("%s: bound %.12g of optimum %.12g", c.Name, got.Bound, c.Objective)
			}
			for _, v := range feasible(c.Problem, got) {
				t.Errorf("%s: %s", c.Name, v)
			}
		case solver.Infeasible:
			if got.X != nil || !math.IsNaN(got.Objective) {
				t.Errorf("%s: a point of an infeasible problem", c.Name)
			}
		}
	}
}

// hostileIntegers give typed errors.
func hostileIntegers(t *testing.T, s solver.Solver) {
	t.Helper()
	for _, c := range []struct {
		want   error
		change func(p *solver.Problem)
	}{
		{solver.ErrNaN, func(p *solver.Problem) { p.Variables[0].Upper = math.NaN() }},
		{solver.ErrInfinite, func(p *solver.Problem) { p.Rows[0].Values[0] = math.Inf(-1) }},
		{solver.ErrReversedBounds, func(p *solver.Problem) { p.Variables[1].Lower = 2 }},
		{solver.ErrDuplicate, func(p *solver.Problem) { p.Rows[0].Columns[1] = p.Rows[0].Columns[0] }},
		{solver.ErrIndex, func(p *solver.Problem) { p.Rows[0].Columns[0] = -1 }},
	} {
		p := Knapsack(1, 5, 8)
		c.change(p)
		if _, err := s.Solve(context.Background(), p, solver.Options{}); !errors.Is(err, c.want) {
			t.Errorf("%v: got %v", c.want, err)
		}
	}
}

// integerLimits are named, and their bounds are bounds.
func integerLimits(t *testing.T, s solver.Solver) {
	t.Helper()
	p := Knapsack(4, 80, 60) // takes far more than any of the limits
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		name   string
		ctx    context.Context
		opts   solver.Options
		reason solver.Reason
	}{
		{"nodes", context.Background(), solver.Options{MaxNodes: 3}, solver.ReasonNodes},
		{"cancelled before", ctx, solver.Options{}, solver.ReasonCancelled},
		{"time", context.Background(), solver.Options{TimeLimit: 30 * time.Millisecond}, solver.ReasonTimeout},
	} {
		start := time.Now()
		got, err := s.Solve(c.ctx, p, c.opts)
		if err != nil || got.Status != solver.Limit || got.Reason != c.reason {
			t.Errorf("%s: %+v, %v", c.name, got, err)
			continue
		}
		if c.opts.TimeLimit > 0 && time.Since(start) > c.opts.TimeLimit+latency {
			t.Errorf("%s: took %v", c.name, time.Since(start))
		}
		if got.X != nil && got.Objective > got.Bound+1e-6 {
			t.Errorf("%s: objective %g beyond the bound %g", c.name, got.Objective, got.Bound)
		}
		for _, wrong := range feasible(p, &solver.Solution{X: got.X, Objective: got.Objective}) {
			if got.X != nil {
				t.Errorf("%s: %s", c.name, wrong)
			}
		}
	}
}
