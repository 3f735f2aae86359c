package solvertest

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/vouchnn/vouch/solver"
)

// Wild asks s count random small problems that floating point is not made for: numbers of
// up to nine orders of magnitude on either side of one, rows parallel but for 1e-9, free
// and fixed variables, equations only, activities that rounding leaves just inside or
// outside. Tolerances decide many of them, so no status is demanded; but a Farkas ray is
// never given for a problem that has a point, SafeBound never passes the exact optimum,
// optimal points are feasible, all but a twentieth are answered, and all but a hundredth
// not contrarily. Run asks no such problems.
func Wild(t *testing.T, s solver.Solver, seed uint64, count int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 0x311d))
	seen := map[solver.Status]int{}
	contrary := 0 // one of optimal, infeasible without a ray, unbounded for another, but for what tolerances admit
	for k := range count {
		p := wildProblem(rng)
		status, optimum := Exact(p)
		got, err := s.Solve(context.Background(), p, solver.Options{Rays: k%2 == 0})
		if err != nil {
			t.Fatalf("problem %d: %v\n%s", k, err, describe(p))
		}
		seen[got.Status]++
		switch got.Status {
		case solver.Infeasible:
			if got.FarkasRay != nil && (status != solver.Infeasible || !solver.SafeInfeasible(p, got.FarkasRay)) {
				t.Fatalf("problem %d: a ray, exactly %v\n%s", k, status, describe(p))
			}
		case solver.Optimal:
			if !nearlyFeasible(p, got.X) {
				t.Fatalf("problem %d: the point is not feasible\n%s", k, describe(p))
			}
			bound := solver.SafeBound(p, got.RowDuals)
			if math.IsNaN(bound) || status == solver.Optimal && !math.IsInf(bound, 0) && number(bound).Cmp(optimum) == passed(p.Sense) {
				t.Fatalf("problem %d: SafeBound %g passes the optimum\n%s", k, bound, describe(p))
			}
		case solver.Limit, solver.Unknown:
			t.Fatalf("problem %d: %v without a limit\n%s", k, got.Status, describe(p))
		}
		if status != solver.Infeasible && got.Status != status && got.Status != solver.Numerical {
			contrary++
		}
	}
	if seen[solver.Numerical] > 1+count/20 || contrary > 1+count/100 {
		t.Errorf("of %d problems %d are not answered, %d contrarily", count, seen[solver.Numerical], contrary)
	}
	t.Logf("%d optimal, %d infeasible, %d unbounded, %d numerical, %d contrary", seen[solver.Optimal],
		seen[solver.Infeasible], seen[solver.Unbounded], seen[solver.Numerical], contrary)
}

// nearlyFeasible allows for tolerances and, in rows, for the rounding of great terms.
func nearlyFeasible(p *solver.Problem, x []float64) bool {
	inside := func(v, lower, upper, size float64) bool {
		return v >= lower-1e-8*max(1, math.Abs(lower))-1e-11*size && v <= upper+1e-8*max(1, math.Abs(upper))+1e-11*size
	}
	for j, v := range p.Variables {
		if !inside(x[j], v.Lower, v.Upper, 0) {
			return false
		}
	}
	for _, r := range p.Rows {
		size := 0.0
		for k, j := range r.Columns {
			size += math.Abs(r.Values[k] * x[j])
		}
		if !inside(r.Activity(x), r.Lower, r.Upper, size) {
			return false
		}
	}
	return true
}

// wildProblem has up to seven variables and rows around a point.
func wildProblem(rng *rand.Rand) *solver.Problem {
	w := wilderness{rng: rng, spread: []float64{0, 2, 4, 6, 9}[rng.IntN(5)]}
	p := &solver.Problem{Sense: solver.Sense(rng.IntN(2))}
	n, m := 1+rng.IntN(7), rng.IntN(8)
	equations := rng.IntN(5) == 0
	if equations {
		m = 1 + rng.IntN(n)
	}
	inner := make([]float64, n)
	for j := range inner {
		inner[j] = w.number()
		lower, upper := w.around(inner[j])
		p.AddVariable(lower, upper, w.number())
	}
	for range m {
		columns, values := w.row(p)
		activity := 0.0
		for k, j := range columns {
			activity += values[k] * inner[j]
		}
		lower, upper := w.around(activity)
		switch {
		case equations:
			lower, upper = activity, activity
		case rng.IntN(5) == 0: // anywhere
			lower = activity + w.number()
			upper = lower + w.size()
		}
		p.AddRow(lower, upper, columns, values)
	}
	return p
}

type wilderness struct {
	rng    *rand.Rand
	spread float64 // orders of magnitude
}

func (w *wilderness) size() float64 { return math.Pow(10, w.spread*(2*w.rng.Float64()-1)) }

// number is zero now and then.
func (w *wilderness) number() float64 {
	if w.rng.IntN(4) == 0 {
		return 0
	}
	return w.rng.NormFloat64() * w.size()
}

// around is an interval of any kind with v in it.
func (w *wilderness) around(v float64) (lower, upper float64) {
	switch w.rng.IntN(5) {
	case 0:
		return math.Inf(-1), math.Inf(1)
	case 1:
		return v, math.Inf(1)
	case 2:
		return math.Inf(-1), v
	case 3:
		return v, v
	}
	return v - w.size(), v + w.size()
}

// row is random, or an earlier row times a factor that is not quite the same everywhere.
func (w *wilderness) row(p *solver.Problem) (columns []int, values []float64) {
	if len(p.Rows) > 0 && w.rng.IntN(6) == 0 {
		r := p.Rows[w.rng.IntN(len(p.Rows))].Clone()
		factor := w.rng.NormFloat64() * w.size()
		for k := range r.Values {
			r.Values[k] *= factor * (1 + 1e-9*float64(w.rng.IntN(3)-1))
		}
		return r.Columns, r.Values
	}
	for j := range p.Variables {
		if w.rng.IntN(3) == 0 {
			continue
		}
		v := float64(w.rng.IntN(5) - 2)
		if w.rng.IntN(2) == 0 {
			v = w.rng.NormFloat64() * w.size()
		}
		columns, values = append(columns, j), append(values, v)
	}
	return columns, values
}
