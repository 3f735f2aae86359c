package solvertest

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/vouchnn/vouch/solver"
)

// latency is how long a cancelled solve may take to return: milliseconds, but also
// on a busy machine and with the race detector.
const latency = 5 * time.Second

// Bounded returns a random problem with variables in [−1, 1], about half of all
// entries, and a feasible box around zero: the problem of the benchmarks.
func Bounded(seed uint64, rows, variables int) *solver.Problem {
	rng := rand.New(rand.NewPCG(seed, 0xb0))
	p := &solver.Problem{}
	for range variables {
		p.AddVariable(-1, 1, rng.NormFloat64())
	}
	for range rows {
		var columns []int
		var values []float64
		for j := range variables {
			if rng.IntN(2) == 0 {
				columns, values = append(columns, j), append(values, rng.NormFloat64())
			}
		}
		p.AddLessEqual(1+rng.ExpFloat64(), columns, values)
	}
	return p
}

// hostile problems give typed errors.
func hostile(t *testing.T, s solver.Solver) {
	t.Helper()
	for _, c := range []struct {
		want   error
		change func(p *solver.Problem)
	}{
		{solver.ErrNaN, func(p *solver.Problem) { p.Variables[0].Cost = math.NaN() }},
		{solver.ErrInfinite, func(p *solver.Problem) { p.Rows[0].Values[0] = math.Inf(1) }},
		{solver.ErrReversedBounds, func(p *solver.Problem) { p.Variables[1].Lower = 2 }},
		{solver.ErrReversedBounds, func(p *solver.Problem) { p.Rows[1].Lower = 1e9 }},
		{solver.ErrDuplicate, func(p *solver.Problem) { p.Rows[0].Columns[1] = p.Rows[0].Columns[0] }},
		{solver.ErrIndex, func(p *solver.Problem) { p.Rows[0].Columns[0] = 99 }},
	} {
		p := Bounded(1, 5, 5)
		c.change(p)
		if _, err := s.Solve(context.Background(), p, solver.Options{}); !errors.Is(err, c.want) {
			t.Errorf("%v: got %v", c.want, err)
		}
		if i, ok := s.(solver.Incremental); ok {
			if _, err := i.Open(p, solver.Options{}); !errors.Is(err, c.want) {
				t.Errorf("Open, %v: got %v", c.want, err)
			}
		}
	}
	if _, err := s.Solve(context.Background(), Bounded(1, 2, 2), solver.Options{MaxNodes: -1}); err == nil {
		t.Error("bad options give no error")
	}
}

// limits are named, and claim nothing.
func limits(t *testing.T, s solver.Solver) {
	t.Helper()
	p := Bounded(1, 60, 60)
	got, err := s.Solve(context.Background(), p, solver.Options{MaxIterations: 2})
	if err != nil || got.Status != solver.Limit || got.Reason != solver.ReasonIterations {
		t.Errorf("two iterations: %+v, %v", got, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	got, err = s.Solve(ctx, p, solver.Options{})
	if err != nil || got.Status != solver.Limit || got.Reason != solver.ReasonCancelled {
		t.Errorf("cancelled before: %+v, %v", got, err)
	}
	got, err = s.Solve(context.Background(), p, solver.Options{TimeLimit: time.Nanosecond})
	if err != nil || got.Status != solver.Limit || got.Reason != solver.ReasonTimeout {
		t.Errorf("a nanosecond: %+v, %v", got, err)
	}
	if got != nil && (got.RowDuals != nil || got.FarkasRay != nil) {
		t.Error("a limit comes with a proof")
	}
}

// cancellation takes effect soon, in the middle of a large problem.
func cancellation(t *testing.T, s solver.Solver) {
	t.Helper()
	p := Bounded(3, 700, 700)
	for _, after := range []time.Duration{time.Millisecond, 30 * time.Millisecond, 100 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(context.Background(), after)
		start := time.Now()
		got, err := s.Solve(ctx, p, solver.Options{})
		took := time.Since(start)
		cancel()
		if err != nil {
			t.Errorf("after %v: %v", after, err)
			continue
		}
		if got.Status == solver.Limit && got.Reason != solver.ReasonTimeout || got.Status == solver.Infeasible {
			t.Errorf("after %v: %v, %v", after, got.Status, got.Reason)
		}
		if took > after+latency {
			t.Errorf("a solve stopped after %v took %v", after, took)
		}
	}
}

// concurrent use of one solver, on shared problems, gives what it gives alone.
func concurrent(t *testing.T, s solver.Solver) {
	t.Helper()
	const problems, workers = 8, 4
	want := make([]*solver.Solution, problems)
	input := make([]*solver.Problem, problems)
	for k := range input {
		input[k] = Bounded(uint64(k), 20, 15)
		var err error
		if want[k], err = s.Solve(context.Background(), input[k], solver.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for k, p := range input {
				got, err := s.Solve(context.Background(), p, solver.Options{})
				if err != nil || !reflect.DeepEqual(got, want[k]) {
					t.Errorf("problem %d: another answer than alone (%v)", k, err)
				}
			}
		})
	}
	group.Wait()
}
