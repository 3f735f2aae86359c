package crosscheck

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/solvertest"
)

// solved is what a back-end says; nil if it does not support the problem.
func solved(t testing.TB, b backend, p *solver.Problem, opts solver.Options) *solver.Solution {
	t.Helper()
	got, err := b.solver.Solve(context.Background(), p, opts)
	var unsupported *solver.UnsupportedError
	if errors.As(err, &unsupported) {
		return nil
	}
	require.NoError(t, err, b.name)
	return got
}

// same compares two answers.
func same(t testing.TB, what string, want, got *solver.Solution) {
	t.Helper()
	require.Equal(t, want.Status, got.Status, what)
	if want.Status == solver.Optimal {
		require.InDelta(t, want.Objective, got.Objective, 1e-7*(1+math.Abs(want.Objective)), what)
	}
}

// agree solves a problem by all back-ends. It returns the first answer, or nil.
func agree(t testing.TB, p *solver.Problem) *solver.Solution {
	t.Helper()
	var first *solver.Solution
	for _, b := range backends {
		got := solved(t, b, p, solver.Options{Rays: true})
		if got == nil {
			continue
		}
		if first == nil {
			first = got
		}
		same(t, b.name, first, got)
		if got.FarkasRay != nil {
			require.True(t, solver.SafeInfeasible(p, got.FarkasRay), b.name)
		}
		if got.RowDuals != nil {
			bound := solver.SafeBound(p, got.RowDuals)
			require.InDelta(t, got.Objective, bound, 1e-6*(1+math.Abs(bound)), b.name)
		}
	}
	return first
}

func TestLinearProblemsAgree(t *testing.T) {
	for seed := range uint64(10) {
		agree(t, solvertest.Bounded(seed, 150, 100))
		agree(t, solvertest.Network(seed, 0.1, 10, 20, 20, 5))
		agree(t, starLP(seed, 0.05, 8, 15, 15))
	}
	seen := map[solver.Status]int{}
	for seed := range uint64(40) {
		p := mixed(seed, 20, 15)
		for j := range p.Variables {
			p.Variables[j].Integer = false
		}
		seen[agree(t, p).Status]++
	}
	require.Positive(t, seen[solver.Optimal])
	require.Positive(t, seen[solver.Infeasible])
}

// starLP asks for the least value of one neuron over a star set.
func starLP(seed uint64, radius float64, widths ...int) *solver.Problem {
	s := solvertest.Star(seed, radius, widths...)
	for j, c := range s.Objectives[0] {
		s.Problem.Variables[j].Cost = c
	}
	return s.Problem
}

func TestIntegerProblemsAgree(t *testing.T) {
	count := uint64(60)
	if testing.Short() {
		count = 15
	}
	seen := map[solver.Status]int{}
	for seed := range count {
		if first := agree(t, mixed(seed, 12, 10)); first != nil {
			seen[first.Status]++
		}
		agree(t, solvertest.Knapsack(seed, 6, 12))
	}
	if len(seen) > 0 {
		require.Positive(t, seen[solver.Optimal])
		require.Positive(t, seen[solver.Infeasible])
	}
}

// Quantised networks and ReLU networks with a binary per neuron: whoever finishes in time
// says the same, and so do both encodings of a network.
func TestNetworksAgree(t *testing.T) {
	seeds := uint64(8)
	if testing.Short() {
		seeds = 3
	}
	seen := map[solver.Status]int{}
	for seed := range seeds {
		answers := map[solver.Status]bool{}
		for _, e := range []solvertest.Encoding{solvertest.Direct, solvertest.Levels} {
			if first := finished(t, solvertest.Quantized(seed, e, 3, 4+3*int(seed), 8, 8, 4)); first != nil {
				answers[first.Status] = true
				seen[first.Status]++
			}
		}
		require.LessOrEqual(t, len(answers), 1, "seed %d: the encodings differ", seed)
		finished(t, solvertest.ReLUs(seed, 0.1, 8, 10, 10, 4))
	}
	require.Positive(t, seen[solver.Optimal])
	require.Positive(t, seen[solver.Infeasible])
}

// finished solves a problem by all back-ends. It returns the first answer of those that
// finish within patience, or nil, and fails if another differs.
func finished(t testing.TB, p *solver.Problem) *solver.Solution {
	t.Helper()
	var first *solver.Solution
	for _, b := range backends {
		got := solved(t, b, p, solver.Options{TimeLimit: patience})
		if got == nil || got.Status == solver.Limit {
			continue
		}
		if first == nil {
			first = got
		}
		same(t, b.name, first, got)
	}
	return first
}

// walk changes all back-ends' sessions alike; each has to agree with the first one's
// fresh solve after every change.
func TestSessionsAgree(t *testing.T) {
	for _, integers := range []bool{false, true} {
		for seed := range uint64(4) {
			walk(t, seed, integers)
		}
	}
}

func walk(t *testing.T, seed uint64, integers bool) {
	p := mixed(seed, 12, 10)
	if !integers {
		for j := range p.Variables {
			p.Variables[j].Integer = false
		}
	}
	var names []string
	var sessions []solver.Session
	for _, b := range backends {
		if solved(t, b, p, solver.Options{}) == nil {
			continue
		}
		s, err := b.solver.Open(p, solver.Options{})
		require.NoError(t, err)
		defer s.Close()
		names, sessions = append(names, b.name), append(sessions, s)
	}
	rng := rand.New(rand.NewPCG(seed, 3))
	for step := range 25 {
		if len(sessions) == 0 {
			return
		}
		cold := agree(t, sessions[0].Problem().Clone())
		for k, s := range sessions {
			warm, err := s.Solve(context.Background())
			require.NoError(t, err)
			same(t, fmt.Sprintf("%s, seed %d, step %d, integers %v", names[k], seed, step, integers), cold, warm)
		}
		change(t, rng, step, sessions)
	}
}

// change does the same to all sessions.
func change(t *testing.T, rng *rand.Rand, step int, sessions []solver.Session) {
	p := sessions[0].Problem()
	n, m := len(p.Variables), len(p.Rows)
	j, i := rng.IntN(n), rng.IntN(m)
	v, r := p.Variables[j], p.Rows[i].Clone()
	shift := float64(rng.IntN(5) - 2)
	costs := make([]float64, n)
	for k := range costs {
		costs[k] = float64(rng.IntN(21) - 10)
	}
	fresh := mixed(rng.Uint64(), n, 1).Rows[0]
	for _, s := range sessions {
		var err error
		switch step % 6 {
		case 0:
			err = s.SetVariableBounds(j, v.Lower+shift, v.Upper+shift)
		case 1:
			err = s.SetObjective(solver.Sense(step%2), costs, shift)
		case 2:
			err = s.SetRowBounds(i, math.Inf(-1), r.Upper+2)
		case 3:
			err = s.AddRow(fresh)
		case 4:
			err = s.RemoveRows(i)
		default:
			err = s.SetRowBounds(i, r.Lower-1, r.Upper+1)
		}
		require.NoError(t, err)
	}
}

// A cancelled mixed-integer search returns soon, with a limit and, if it has one, a
// feasible point.
func TestIntegerSearchStops(t *testing.T) {
	p := solvertest.Knapsack(1, 60, 120)
	for _, b := range backends {
		ctx, cancel := context.WithCancel(context.Background())
		timer := time.AfterFunc(200*time.Millisecond, cancel)
		start := time.Now()
		got, err := b.solver.Solve(ctx, p, solver.Options{})
		took := time.Since(start)
		timer.Stop()
		cancel()
		var unsupported *solver.UnsupportedError
		if errors.As(err, &unsupported) {
			continue
		}
		require.NoError(t, err, b.name)
		require.Equal(t, solver.Limit, got.Status, b.name)
		require.Equal(t, solver.ReasonCancelled, got.Reason, b.name)
		require.Less(t, took, 2*time.Second, b.name)
		for _, r := range p.Rows {
			if got.X != nil {
				require.LessOrEqual(t, r.Activity(got.X), r.Upper+1e-6, b.name)
			}
		}
		if got.X != nil {
			require.GreaterOrEqual(t, got.Bound, got.Objective-1e-6, b.name)
		}
	}
}
