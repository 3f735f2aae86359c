package lpadapter

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/simplex"
	"github.com/vouchnn/vouch/solver/solvertest"
)

// library is an engine on the embedded solver, which has no rays and may lie: tamper
// changes what it says. Edits of rows make it stale.
type library struct {
	p      *solver.Problem
	opts   solver.Options
	alive  *atomic.Int64
	loads  *atomic.Int64
	tamper func(out *Outcome)
}

func (l *library) Load(p *solver.Problem, opts *solver.Options, _ int) error {
	l.p, l.opts = p, *opts
	l.opts.Rays = false
	l.loads.Add(1)
	return nil
}
func (l *library) VariableBounds(int, float64, float64) bool { return true }
func (l *library) RowBounds(int, float64, float64) bool      { return true }
func (l *library) Objective() bool                           { return true }
func (l *library) AddRow(*solver.Row) bool                   { return false }
func (l *library) RemoveRows([]bool) bool                    { return false }
func (l *library) Free()                                     { l.alive.Add(-1) }

func (l *library) Run(limits *Limits) (*Outcome, error) {
	l.opts.MaxIterations = limits.MaxIterations
	s, err := simplex.Solver{}.Solve(limits.Context, l.p, l.opts)
	if err != nil {
		return nil, err
	}
	out := &Outcome{
		Status: s.Status, Reason: s.Reason, X: s.X, RowDuals: s.RowDuals,
		Bound: math.NaN(), Iterations: s.Iterations,
	}
	if l.tamper != nil {
		l.tamper(out)
	}
	return out, nil
}

// tampered is a solver on such engines, and the counts of engines alive and of loads.
func tampered(tamper func(out *Outcome)) (a *Adapter, alive, loads *atomic.Int64) {
	alive, loads = new(atomic.Int64), new(atomic.Int64)
	return &Adapter{Name: "library", Fresh: func() (Engine, error) {
		alive.Add(1)
		return &library{alive: alive, loads: loads, tamper: tamper}, nil
	}}, alive, loads
}

// Without a ray of the library's own every claim goes through the auxiliary problems.
func TestConformance(t *testing.T) {
	a, alive, _ := tampered(nil)
	solvertest.Run(t, func() solver.Solver { return a })
	require.Eventually(t, func() bool { // some sessions are left open
		runtime.GC()
		return alive.Load() == 0
	}, 10*time.Second, 10*time.Millisecond, "engines that nobody freed")
}

// A library that says "infeasible or unbounded" of everything without an optimum.
func TestUndecided(t *testing.T) {
	a, _, _ := tampered(func(out *Outcome) {
		if out.Status != solver.Optimal {
			out.Status, out.X = solver.Unknown, nil
		}
	})
	solvertest.Twin(t, a, 5, 500)
}

// Whatever a library says that is not so, no wrong status comes of it.
func TestLiesAreFoundOut(t *testing.T) {
	noise := rand.New(rand.NewPCG(1, 1))
	lies := map[string]func(out *Outcome){
		"optimal is infeasible": func(out *Outcome) {
			if out.Status == solver.Optimal {
				out.Status, out.FarkasRay = solver.Infeasible, append([]float64{}, out.RowDuals...)
			}
		},
		"all is infeasible": func(out *Outcome) { out.Status = solver.Infeasible },
		"all is unbounded": func(out *Outcome) {
			out.Status, out.UnboundedRay = solver.Unbounded, append([]float64{}, out.X...)
		},
		"all fails": func(out *Outcome) { out.Status = solver.Numerical },
		"points are elsewhere": func(out *Outcome) {
			for j := range out.X {
				out.X[j] += noise.NormFloat64()
			}
		},
		"duals are others": func(out *Outcome) {
			for i := range out.RowDuals {
				out.RowDuals[i] += noise.NormFloat64()
			}
		},
		"points are not numbers": func(out *Outcome) {
			for j := range out.X {
				out.X[j] = math.NaN()
			}
		},
		"points are missing": func(out *Outcome) { out.X = nil },
	}
	for name, tamper := range lies {
		a, alive, _ := tampered(tamper)
		for _, c := range solvertest.Generated(3, 4) {
			got, err := a.Solve(context.Background(), c.Problem, solver.Options{})
			require.NoError(t, err)
			if got.Status == solver.Numerical {
				continue
			}
			require.Equal(t, c.Status, got.Status, "%s: %s", name, c.Name)
			if got.Status == solver.Optimal {
				require.InDelta(t, c.Objective, got.Objective, 1e-6*c.Scale, "%s: %s", name, c.Name)
			}
		}
		require.Zero(t, alive.Load())
	}
}

// Points and duals that are off by a millionth are refined, those of the problem of
// corrections alike.
func TestRefinement(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	a, _, _ := tampered(func(out *Outcome) {
		for j := range out.X {
			out.X[j] += 1e-6 * rng.NormFloat64()
		}
		for i := range out.RowDuals {
			out.RowDuals[i] += 1e-6 * rng.NormFloat64()
		}
	})
	for seed := range uint64(10) {
		p := solvertest.Bounded(seed, 30, 20)
		want, err := simplex.Solver{}.Solve(context.Background(), p, solver.Options{})
		require.NoError(t, err)
		got, err := a.Solve(context.Background(), p, solver.Options{})
		require.NoError(t, err)
		require.Equal(t, solver.Optimal, got.Status)
		require.InDelta(t, want.Objective, got.Objective, 1e-8)
		require.InDelta(t, want.Objective, solver.SafeBound(p, got.RowDuals), 1e-8)
	}
}

// Edits that the engine follows do not load the problem again.
func TestSessionLoadsOnce(t *testing.T) {
	a, alive, loads := tampered(nil)
	p := solvertest.Bounded(1, 10, 8)
	s, err := a.Open(p, solver.Options{})
	require.NoError(t, err)
	solve := func() {
		got, err := s.Solve(context.Background())
		require.NoError(t, err)
		require.Equal(t, solver.Optimal, got.Status)
	}
	solve()
	require.NoError(t, s.SetVariableBounds(0, -0.5, 0.5))
	require.NoError(t, s.SetRowBounds(0, math.Inf(-1), 3))
	require.NoError(t, s.SetObjective(solver.Maximize, make([]float64, 8), 1))
	solve()
	require.EqualValues(t, 1, loads.Load())
	require.NoError(t, s.RemoveRows(2, 3))
	solve()
	require.EqualValues(t, 2, loads.Load())
	require.NoError(t, s.Close())
	require.Zero(t, alive.Load())
	_, err = s.Solve(context.Background())
	require.ErrorIs(t, err, errClosed)
	require.Error(t, s.SetVariableBounds(0, 0, 1))
}

// Problems without rows, with integers and without.
func TestTrivial(t *testing.T) {
	inf := math.Inf(1)
	a, _, _ := tampered(nil)
	solve := func(build func(p *solver.Problem)) *solver.Solution {
		p := &solver.Problem{}
		build(p)
		got, err := a.Solve(context.Background(), p, solver.Options{Rays: true})
		require.NoError(t, err)
		return got
	}
	got := solve(func(p *solver.Problem) { p.AddInteger(-1.5, 2.5, 1); p.AddInteger(-1.5, 2.5, -1) })
	require.Equal(t, []float64{-1, 2}, got.X)
	got = solve(func(p *solver.Problem) { p.AddInteger(0.25, 0.75, 0) })
	require.Equal(t, solver.Infeasible, got.Status)
	got = solve(func(p *solver.Problem) { p.AddInteger(0.5, inf, -1) })
	require.Equal(t, solver.Unbounded, got.Status)
	require.Equal(t, []float64{1}, got.X)
	got = solve(func(p *solver.Problem) { p.AddRow(-3, -2, nil, nil) })
	require.Equal(t, solver.Infeasible, got.Status)
	require.Equal(t, []float64{-1}, got.FarkasRay)
}

// Bounds of integers are rounded inwards, but for errors.
func TestBoundsOfIntegers(t *testing.T) {
	lower, upper := Bounds(&solver.Variable{Lower: 0.2, Upper: 3 - 1e-12, Integer: true})
	require.Equal(t, []float64{1, 3}, []float64{lower, upper})
	lower, upper = Bounds(&solver.Variable{Lower: math.Inf(-1), Upper: math.Inf(1), Integer: true})
	require.Equal(t, []float64{math.Inf(-1), math.Inf(1)}, []float64{lower, upper})
	require.True(t, withoutInteger(&solver.Problem{Variables: []solver.Variable{{Lower: 0.2, Upper: 0.8, Integer: true}}}))
}

// A memory limit is named.
func TestMemoryLimit(t *testing.T) {
	a, _, loads := tampered(nil)
	got, err := a.Solve(context.Background(), solvertest.Bounded(1, 10, 10), solver.Options{MaxMemory: 1000})
	require.NoError(t, err)
	require.Equal(t, solver.ReasonMemory, got.Reason)
	require.Zero(t, loads.Load())
}
