package simplex

import (
	"context"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/solvertest"
)

func TestIntegersAgainstExactArithmetic(t *testing.T) {
	count := integerProblems
	if testing.Short() {
		count = 300
	}
	both(t, func(t *testing.T, keep keeping) { solvertest.TwinInteger(t, Solver{keep: keep}, 1, count) })
}

func TestIntegerConformance(t *testing.T) {
	both(t, func(t *testing.T, keep keeping) {
		solvertest.RunInteger(t, func() solver.Solver { return Solver{keep: keep} })
	})
}

// Any number of workers takes the same path.
func TestWorkersDoNotChangeThePath(t *testing.T) {
	for name, p := range map[string]*solver.Problem{
		"knapsack":  solvertest.Knapsack(2, 30, 30),
		"networks":  solvertest.ReLUs(1, 0.1, 10, 15, 15, 5),
		"quantised": solvertest.Quantized(5, solvertest.Direct, 4, 12, 20, 12, 8),
	} {
		var want *solver.Solution
		for _, workers := range []int{1, 2, 5} {
			got, err := Solver{}.Solve(context.Background(), p, solver.Options{Workers: workers})
			require.NoError(t, err)
			if want == nil {
				want = got
			}
			require.True(t, reflect.DeepEqual(want, got) || got.X == nil && want.Status == got.Status && want.Nodes == got.Nodes,
				"%s: %+v with %d workers, %+v with one", name, got, workers, want)
		}
	}
}

// Both encodings of a quantised network are the same question.
func TestEncodingsAgree(t *testing.T) {
	seen := map[solver.Status]int{}
	for seed := range uint64(12) {
		var status []solver.Status
		for _, e := range []solvertest.Encoding{solvertest.Direct, solvertest.Levels} {
			p := solvertest.Quantized(seed, e, 3, 6+int(seed), 8, 8, 4)
			got, err := Solver{}.Solve(context.Background(), p, solver.Options{TimeLimit: time.Minute})
			require.NoError(t, err)
			status = append(status, got.Status)
			if got.X != nil {
				require.True(t, newReferee(p, defaultTolerance).accepts(got.X))
			}
		}
		require.Equal(t, status[0], status[1], "seed %d", seed)
		seen[status[0]]++
	}
	require.Positive(t, seen[solver.Optimal])
	require.Positive(t, seen[solver.Infeasible])
}

// box enumerates the integer points of a small problem's box.
func box(p *solver.Problem, visit func(x []float64)) {
	x := make([]float64, len(p.Variables))
	var walk func(j int)
	walk = func(j int) {
		if j == len(x) {
			visit(x)
			return
		}
		for v := math.Ceil(p.Variables[j].Lower); v <= p.Variables[j].Upper; v++ {
			x[j] = v
			walk(j + 1)
		}
	}
	walk(0)
}

// random is a small problem of integers with small integer data.
func random(rng *rand.Rand) *solver.Problem {
	p := &solver.Problem{Sense: solver.Sense(rng.IntN(2))}
	n := 2 + rng.IntN(4)
	for range n {
		low := float64(rng.IntN(5) - 3)
		p.AddInteger(low, low+float64(rng.IntN(4)), float64(rng.IntN(9)-4))
	}
	for range 1 + rng.IntN(5) {
		var columns []int
		var values []float64
		for j := range n {
			if v := rng.IntN(13) - 6; v != 0 {
				columns, values = append(columns, j), append(values, float64(v)*[]float64{1, 2, 0.5}[rng.IntN(3)])
			}
		}
		low, high := float64(rng.IntN(30)-20), float64(rng.IntN(30)-4)
		switch rng.IntN(3) {
		case 0:
			p.AddLessEqual(high, columns, values)
		case 1:
			p.AddGreaterEqual(low, columns, values)
		default:
			p.AddRow(min(low, high), max(low, high), columns, values)
		}
	}
	return p
}

// The reduced problem has a point exactly where the original has, up to points that
// fixing by costs makes superfluous; its optimum is the same; and enumeration agrees.
func TestReductionsKeepTheOptimum(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 1))
	reduced := 0
	for range 3000 {
		p := random(rng)
		sign := 1.0
		if p.Sense == solver.Maximize {
			sign = -1
		}
		want := math.Inf(1)
		referee := newReferee(p, defaultTolerance)
		box(p, func(x []float64) {
			if referee.accepts(x) {
				want = min(want, sign*p.Value(x))
			}
		})
		r := reduceIntegers(p)
		got := math.Inf(1)
		if r != nil {
			inner := newReferee(r.p, defaultTolerance)
			box(r.p, func(x []float64) {
				if inner.accepts(x) {
					full := r.lift(x)
					require.True(t, referee.accepts(full))
					require.InDelta(t, sign*p.Value(full), r.p.Value(x), 1e-9)
					got = min(got, r.p.Value(x))
				}
			})
			if len(r.p.Variables) < len(p.Variables) || len(r.p.Rows) < len(p.Rows) {
				reduced++
			}
		}
		require.Equal(t, want, got, "%+v\nreduced %+v", p, r)
	}
	require.Greater(t, reduced, 500)
}

// The quick certificate never says more than the tight one, up to its last bits, and
// about as much.
func TestCertificateAgreesWithSafeBound(t *testing.T) {
	for seed := range uint64(20) {
		p := solvertest.Bounded(seed, 30, 20)
		got, err := Solver{}.Solve(context.Background(), p, solver.Options{})
		require.NoError(t, err)
		var c certificate
		tight := solver.SafeBound(p, got.RowDuals)
		quick := c.box(p, got.RowDuals, 1)
		require.LessOrEqual(t, quick, tight)
		require.InDelta(t, tight, quick, 1e-10)
	}
}

func TestIntegerSessions(t *testing.T) {
	p := solvertest.Knapsack(1, 10, 12)
	s, err := Solver{}.Open(p, solver.Options{})
	require.NoError(t, err)
	first, err := s.Solve(context.Background())
	require.NoError(t, err)
	require.Equal(t, solver.Optimal, first.Status)
	require.NoError(t, s.SetVariableBounds(0, 1-first.X[0], 1-first.X[0]))
	second, err := s.Solve(context.Background())
	require.NoError(t, err)
	require.LessOrEqual(t, second.Objective, first.Objective)
	cold, err := Solver{}.Solve(context.Background(), s.Problem(), solver.Options{})
	require.NoError(t, err)
	require.InDelta(t, cold.Objective, second.Objective, 1e-9)
	require.NoError(t, s.Close())
}

// Progress goes one way: bounds rise to the optimum, incumbents fall to it.
func TestProgress(t *testing.T) {
	var steps []solver.Progress
	p := solvertest.Knapsack(3, 30, 40)
	got, err := Solver{}.Solve(context.Background(), p, solver.Options{Progress: func(p solver.Progress) { steps = append(steps, p) }})
	require.NoError(t, err)
	require.Greater(t, len(steps), 3)
	for k, s := range steps {
		require.GreaterOrEqual(t, s.Bound, got.Objective)
		if k > 0 {
			require.LessOrEqual(t, s.Bound, steps[k-1].Bound)
			require.GreaterOrEqual(t, s.Nodes, steps[k-1].Nodes)
		}
		if !math.IsNaN(s.Incumbent) {
			require.LessOrEqual(t, s.Incumbent, got.Objective)
		}
	}
}

// Open nodes count against the memory; what is known then is still a bound.
func TestOpenNodesTakeMemory(t *testing.T) {
	p := solvertest.Knapsack(4, 80, 60)
	got, err := Solver{}.Solve(context.Background(), p, solver.Options{MaxMemory: 100_000})
	require.NoError(t, err)
	require.Equal(t, solver.Limit, got.Status)
	require.Equal(t, solver.ReasonMemory, got.Reason)
	require.Positive(t, got.Nodes)
	require.NotNil(t, got.X)
	require.GreaterOrEqual(t, got.Bound, got.Objective)

	small := solvertest.Knapsack(2, 30, 30)
	want, err := Solver{}.Solve(context.Background(), small, solver.Options{})
	require.NoError(t, err)
	got, err = Solver{}.Solve(context.Background(), small, solver.Options{MaxMemory: 60_000}) // bases are dropped
	require.NoError(t, err)
	require.Equal(t, want.Status, got.Status, "%v", got.Reason)
	require.InDelta(t, want.Objective, got.Objective, 1e-9)
}
