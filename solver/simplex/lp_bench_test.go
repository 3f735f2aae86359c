package simplex

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/optimize/convex/lp"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/solvertest"
)

// The LPs of the benchmark: 200 of 100 variables and 150 rows, about half of all
// entries nonzero. Each is solved cold, after one bound change that cuts off the
// optimum, and after a new random objective.

const benchmarkProblems = 200

// times collects milliseconds and iterations.
type times struct {
	ms         []float64
	iterations int
}

func (s *times) solve(tb testing.TB, session solver.Session) *solver.Solution {
	start := time.Now()
	got, err := session.Solve(context.Background())
	s.ms = append(s.ms, float64(time.Since(start))/1e6)
	require.NoError(tb, err)
	require.Equal(tb, solver.Optimal, got.Status)
	s.iterations += got.Iterations
	return got
}

func (s *times) report(b *testing.B, name string) {
	slices.Sort(s.ms)
	b.ReportMetric(s.ms[len(s.ms)/2], name+"-ms")
	b.ReportMetric(float64(s.iterations)/float64(len(s.ms)), name+"-pivots")
}

func BenchmarkLP100x150(b *testing.B) {
	var cold, bound, objective times
	for b.Loop() {
		for seed := range uint64(benchmarkProblems) {
			measure(b, seed, &cold, &bound, &objective)
		}
	}
	cold.report(b, "cold")
	bound.report(b, "bound")
	objective.report(b, "objective")
}

// measure solves one problem the three ways.
func measure(b *testing.B, seed uint64, cold, bound, objective *times) {
	p := solvertest.Bounded(seed, 150, 100)
	session, err := Solver{}.Open(p, solver.Options{})
	require.NoError(b, err)
	got := cold.solve(b, session)
	rng := rand.New(rand.NewPCG(seed, 1))
	j := rng.IntN(len(got.X))
	require.NoError(b, session.SetVariableBounds(j, -1, max(-1, got.X[j]-0.3)))
	bound.solve(b, session)
	costs := make([]float64, len(got.X))
	for j := range costs {
		costs[j] = rng.NormFloat64()
	}
	require.NoError(b, session.SetObjective(solver.Minimize, costs, 0))
	objective.solve(b, session)
}

// BenchmarkGonum solves two of the same problems, in gonum's standard form.
func BenchmarkGonum(b *testing.B) {
	var ms []float64
	for b.Loop() {
		for seed := range uint64(2) {
			p := solvertest.Bounded(seed, 150, 100)
			want, err := Solver{}.Solve(context.Background(), p, solver.Options{})
			require.NoError(b, err)
			c, a, rhs, shift := standard(p)
			start := time.Now()
			optimum, _, err := lp.Simplex(c, a, rhs, 0, nil)
			ms = append(ms, float64(time.Since(start))/1e6)
			require.NoError(b, err)
			require.InDelta(b, want.Objective, optimum+shift, 1e-6)
		}
	}
	slices.Sort(ms)
	b.ReportMetric(ms[len(ms)/2], "cold-ms")
}

// standard is p as min c·z, a·z = rhs, z ≥ 0, where x = lower + z and every row
// and upper bound has a slack; shift is the objective at z = 0.
func standard(p *solver.Problem) (c []float64, a *mat.Dense, rhs []float64, shift float64) {
	m, n := len(p.Rows), len(p.Variables)
	a = mat.NewDense(m+n, 2*n+m, nil)
	c, rhs = make([]float64, 2*n+m), make([]float64, m+n)
	for j, v := range p.Variables {
		c[j] = v.Cost
		shift += v.Cost * v.Lower
		a.Set(m+j, j, 1)
		a.Set(m+j, n+m+j, 1)
		rhs[m+j] = v.Upper - v.Lower
	}
	for i, r := range p.Rows {
		rhs[i] = r.Upper
		for k, j := range r.Columns {
			a.Set(i, j, r.Values[k])
			rhs[i] -= r.Values[k] * p.Variables[j].Lower
		}
		a.Set(i, n+i, 1)
	}
	return c, a, rhs, shift
}

// BenchmarkSafeBound is the price of a proof on the same problems.
func BenchmarkSafeBound(b *testing.B) {
	p := solvertest.Bounded(1, 150, 100)
	got, err := Solver{}.Solve(context.Background(), p, solver.Options{})
	require.NoError(b, err)
	for b.Loop() {
		if bound := solver.SafeBound(p, got.RowDuals); math.Abs(bound-got.Objective) > 1e-8 {
			b.Fatal(bound, got.Objective)
		}
	}
}
