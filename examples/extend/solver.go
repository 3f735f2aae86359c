package main

// A solver of one's own: the embedded one, and a count of what it is asked.
//
// A solver.Solver answers problems, and whatever asks checks its answers by their
// duals. One that implements solver.Incremental too is asked through sessions, which
// keep a basis from problem to problem. solver/solvertest is the test that every solver
// has to pass, and main_test.go holds this one to it.

import (
	"context"
	"sync/atomic"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/simplex"
)

// counting counts programs and pivots.
type counting struct {
	simplex.Solver
	programs, pivots *atomic.Int64
}

var _ solver.Incremental = counting{}

func newCounting() counting { return counting{programs: new(atomic.Int64), pivots: new(atomic.Int64)} }

// Solve implements solver.Solver.
func (c counting) Solve(ctx context.Context, p *solver.Problem, opts solver.Options) (*solver.Solution, error) {
	return c.count(c.Solver.Solve(ctx, p, opts))
}

// Open implements solver.Incremental.
func (c counting) Open(p *solver.Problem, opts solver.Options) (solver.Session, error) {
	s, err := c.Solver.Open(p, opts)
	if err != nil {
		return nil, err
	}
	return countingSession{s, c}, nil
}

type countingSession struct {
	solver.Session
	of counting
}

// Solve implements solver.Session.
func (s countingSession) Solve(ctx context.Context) (*solver.Solution, error) {
	return s.of.count(s.Session.Solve(ctx))
}

func (c counting) count(s *solver.Solution, err error) (*solver.Solution, error) {
	if err == nil {
		c.programs.Add(1)
		c.pivots.Add(int64(s.Iterations))
	}
	return s, err
}
