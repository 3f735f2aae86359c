package solvertest

import (
	"context"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/vouchnn/vouch/solver"
)

// Twin compares s with Exact on count random small problems: no wrong status, no
// objective off by more than 1e-7 of its size, no SafeBound beyond the exact
// optimum, no ray that SafeInfeasible refuses. Same seed, same problems.
func Twin(t *testing.T, s solver.Solver, seed uint64, count int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0x7717))
	seen := map[solver.Status]int{}
	rays, bounds := 0, 0
	for k := range count {
		p := small(rng)
		status, optimum := Exact(p)
		seen[status]++
		got, err := s.Solve(context.Background(), p, solver.Options{Rays: true})
		if err != nil {
			t.Fatalf("problem %d: %v\n%s", k, err, describe(p))
		}
		if got.Status != status {
			t.Fatalf("problem %d: %v, exactly %v\n%s", k, got.Status, status, describe(p))
		}
		if status == solver.Optimal {
			if checkOptimum(t, p, got, optimum) {
				bounds++
			}
		}
		if got.FarkasRay != nil {
			rays++
			if status != solver.Infeasible || !solver.SafeInfeasible(p, got.FarkasRay) {
				t.Fatalf("problem %d: the ray proves nothing\n%s", k, describe(p))
			}
		}
	}
	t.Logf("%d optimal (%d with safe bound), %d infeasible (%d with ray), %d unbounded",
		seen[solver.Optimal], bounds, seen[solver.Infeasible], rays, seen[solver.Unbounded])
}

// checkOptimum compares an answer with the exact optimum. It reports whether the
// safe bound says something.
func checkOptimum(t *testing.T, p *solver.Problem, got *solver.Solution, optimum *big.Rat) bool {
	t.Helper()
	want, _ := optimum.Float64()
	if !(math.Abs(got.Objective-want) <= 1e-7*max(1, math.Abs(want))) {
		t.Fatalf("objective %.17g, exactly %.17g\n%s", got.Objective, want, describe(p))
	}
	bound := solver.SafeBound(p, got.RowDuals)
	if math.IsNaN(bound) {
		t.Fatalf("SafeBound is NaN\n%s", describe(p))
	}
	if bound == p.Sense.Worst() {
		return false
	}
	if math.IsInf(bound, 0) || number(bound).Cmp(optimum) == passed(p.Sense) {
		t.Fatalf("SafeBound %.17g passes the optimum %.17g\n%s", bound, want, describe(p))
	}
	return true
}

// passed is the sign of bound − optimum of a wrong bound.
func passed(s solver.Sense) int {
	if s == solver.Maximize {
		return -1
	}
	return 1
}

// small is a random problem of up to six variables and seven rows: often
// degenerate, infeasible or unbounded.
func small(rng *rand.Rand) *solver.Problem {
	p := &solver.Problem{Sense: solver.Sense(rng.IntN(2)), Offset: float64(rng.IntN(3))}
	draw := func() float64 { return float64(rng.IntN(7) - 3) }
	if rng.IntN(3) == 0 {
		draw = func() float64 { return math.Round(rng.NormFloat64()*1024) / 1024 } // activities stay exact
	}
	boxed := rng.IntN(3) == 0
	inner := make([]float64, rng.IntN(7)) // rows are mostly chosen around this point
	for j := range inner {
		inner[j] = draw()
		lower, upper := interval(rng, inner[j], boxed)
		cost := draw()
		if rng.IntN(4) == 0 {
			cost = 0
		}
		p.AddVariable(lower, upper, cost)
	}
	for range rng.IntN(8) {
		var columns []int
		var values []float64
		activity := 0.0
		for j := range inner {
			if v := draw(); rng.IntN(3) > 0 {
				columns, values = append(columns, j), append(values, v)
				activity += v * inner[j]
			}
		}
		if rng.IntN(6) == 0 {
			activity += draw()
		}
		lower, upper := interval(rng, activity, false)
		p.AddRow(lower, upper, columns, values)
	}
	return p
}

// interval is one around v, of any kind.
func interval(rng *rand.Rand, v float64, boxed bool) (lower, upper float64) {
	kind := rng.IntN(10)
	if boxed {
		kind = 9
	}
	below, above := v-float64(rng.IntN(3)), v+float64(rng.IntN(3))
	switch {
	case kind < 1:
		return math.Inf(-1), math.Inf(1)
	case kind < 4:
		return below, math.Inf(1)
	case kind < 7:
		return math.Inf(-1), above
	case kind < 8:
		return v, v
	}
	return below, above
}
