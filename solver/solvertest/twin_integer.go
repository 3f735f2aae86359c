package solvertest

import (
	"context"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/vouchnn/vouch/solver"
)

// exactNodes is how many nodes the twin may take before a problem is skipped.
const exactNodes = 400

// TwinInteger compares s with ExactInteger on count random small mixed-integer
// problems: no wrong status, no objective off by more than 1e-7 of its size, no point
// that violates anything, no Bound beyond the exact optimum by more than 1e-6. Same
// seed, same problems.
func TwinInteger(t *testing.T, s solver.Solver, seed uint64, count int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0x1717))
	seen := map[solver.Status]int{}
	for k := 0; k < count; {
		p := smallInteger(rng)
		if rng.IntN(6) == 0 {
			p = smallChoices(rng)
		}
		status, optimum := ExactInteger(p, exactNodes)
		if status == solver.Unknown {
			continue
		}
		k++
		seen[status]++
		got, err := s.Solve(context.Background(), p, solver.Options{Rays: true})
		if err != nil {
			t.Fatalf("problem %d: %v\n%s", k, err, describe(p))
		}
		if got.Status != status {
			t.Fatalf("problem %d: %v, exactly %v\n%s", k, got.Status, status, describe(p))
		}
		if status == solver.Optimal {
			checkInteger(t, p, got, optimum)
		}
	}
	t.Logf("%d optimal, %d infeasible, %d unbounded", seen[solver.Optimal], seen[solver.Infeasible], seen[solver.Unbounded])
}

// checkInteger compares an answer with the exact optimum.
func checkInteger(t *testing.T, p *solver.Problem, got *solver.Solution, optimum *big.Rat) {
	t.Helper()
	want, _ := optimum.Float64()
	if !(math.Abs(got.Objective-want) <= 1e-7*max(1, math.Abs(want))) {
		t.Fatalf("objective %.17g, exactly %.17g\n%s", got.Objective, want, describe(p))
	}
	if v := (got.Bound - want) * float64(passed(p.Sense)); !(v <= 1e-6*max(1, math.Abs(want))) {
		t.Fatalf("bound %.17g passes the optimum %.17g\n%s", got.Bound, want, describe(p))
	}
	for _, wrong := range feasible(p, got) {
		t.Fatalf("%s\n%s", wrong, describe(p))
	}
}

// smallInteger is a random problem of up to six variables and seven rows, most of them
// integer and mostly bounded.
func smallInteger(rng *rand.Rand) *solver.Problem {
	p := small(rng)
	share := rng.IntN(4) // of continuous variables
	open := rng.IntN(6) == 0
	for j := range p.Variables {
		v := &p.Variables[j]
		if v.Integer = rng.IntN(4) >= share; !v.Integer {
			continue
		}
		if rng.IntN(3) == 0 {
			v.Lower, v.Upper = 0, 1
		}
		if !open {
			if math.IsInf(v.Lower, -1) {
				v.Lower = min(v.Upper, 0) - float64(rng.IntN(6))
			}
			if math.IsInf(v.Upper, 1) {
				v.Upper = max(v.Lower, 0) + float64(rng.IntN(6))
			}
		}
		if rng.IntN(3) == 0 { // fractional bounds are legal
			v.Lower -= 0.25
			v.Upper += 0.5
		}
	}
	return p
}

// smallChoices is a random problem of two or three choices, Σ b = 1 over binaries, and
// two more variables. Some of the choices stand for an integer, a variable of its own.
func smallChoices(rng *rand.Rand) *solver.Problem {
	p := &solver.Problem{Sense: solver.Sense(rng.IntN(2))}
	p.AddInteger(-2, float64(rng.IntN(4)), float64(rng.IntN(9)-4))
	p.AddVariable(-1, float64(rng.IntN(4)), float64(rng.IntN(9)-4)/2)
	for range 2 + rng.IntN(2) {
		var columns []int
		var ones, values []float64
		for v := range 2 + rng.IntN(3) {
			columns = append(columns, p.AddInteger(0, 1, float64(rng.IntN(9)-4)))
			ones, values = append(ones, 1), append(values, float64(v))
		}
		p.AddEqual(1, columns, ones)
		if rng.IntN(2) == 0 {
			y := p.AddInteger(0, float64(len(columns)), float64(rng.IntN(5)-2))
			p.AddEqual(0, append([]int{y}, columns...), append([]float64{-1}, values...))
		}
	}
	for range 1 + rng.IntN(4) {
		var columns []int
		var values []float64
		for j := range p.Variables {
			if v := rng.IntN(17) - 8; v != 0 && rng.IntN(3) > 0 {
				columns, values = append(columns, j), append(values, float64(v)*[]float64{1, 0.5, 0.375}[rng.IntN(3)])
			}
		}
		end := float64(rng.IntN(20)-6) / 2
		switch rng.IntN(3) {
		case 0:
			p.AddLessEqual(end, columns, values)
		case 1:
			p.AddGreaterEqual(-end, columns, values)
		default:
			p.AddRow(-end-4, max(end, -end-4), columns, values)
		}
	}
	return p
}
