package solver

import (
	"context"
	"fmt"
	"math"
	"time"
)

// Solver solves linear problems, and mixed-integer problems if it can.
type Solver interface {
	// Solve answers p. An error means that p or opts are malformed, that the
	// solver does not support p (*UnsupportedError) or that it broke; every
	// other outcome is a Status. When ctx ends, Solve soon returns Limit. It
	// neither changes nor keeps p. Safe for concurrent use.
	Solve(ctx context.Context, p *Problem, opts Options) (*Solution, error)
}

// Incremental is implemented by solvers that can re-solve a changed problem from
// where they were.
type Incremental interface {
	Solver
	// Open starts a session on a copy of p, which it does not solve yet.
	Open(p *Problem, opts Options) (Session, error)
}

// Session is a problem that changes and is solved again and again, each time
// from the last basis. A method that returns an error has changed nothing. Not
// safe for concurrent use; two sessions are independent.
type Session interface {
	// Solve answers the problem as it is now.
	Solve(ctx context.Context) (*Solution, error)
	// SetVariableBounds changes the bounds of variable j.
	SetVariableBounds(j int, lower, upper float64) error
	// SetRowBounds changes the bounds of row i.
	SetRowBounds(i int, lower, upper float64) error
	// SetObjective changes every coefficient, the sense and the offset. It does
	// not keep costs.
	SetObjective(sense Sense, costs []float64, offset float64) error
	// AddRow appends a row, which becomes the last. It does not keep r's slices.
	AddRow(r Row) error
	// RemoveRows drops the rows of these indices, each given once; those behind
	// move up.
	RemoveRows(indices ...int) error
	// Problem is the problem as it is now, for SafeBound and the like. It belongs
	// to the session: not to be changed, and valid until the next call.
	Problem() *Problem
	// Close frees what the session holds. It may be called twice.
	Close() error
}

// Extensible is implemented by sessions that take new variables, too.
type Extensible interface {
	Session
	// AddVariable appends v, with the entry values[k] in row rows[k]; each row is given
	// at most once. It does not keep the slices.
	AddVariable(v Variable, rows []int, values []float64) error
}

// Options of a solver. The zero value works.
type Options struct {
	// FeasibilityTolerance is by how much X may violate a bound or a row, relative
	// to the greater of one and the bound's size, in (0, 1e-3]. Default 0: 1e-9.
	FeasibilityTolerance float64
	// OptimalityTolerance is by how much a reduced cost may have the wrong sign,
	// relative to the greatest cost, in (0, 1e-3]. Default 0: 1e-9.
	OptimalityTolerance float64
	// IntegralityTolerance is how far from an integer an integer variable may be,
	// in (0, 0.1]. Default 0: 1e-6.
	IntegralityTolerance float64
	// RelativeGap ends a mixed-integer search when incumbent and bound differ by
	// no more than that share of the incumbent, in [0, 1]. Default 0: 0.
	RelativeGap float64
	// MaxIterations ends a solve after so many simplex iterations. Default 0: no
	// limit but the solver's guard against cycling.
	MaxIterations int
	// MaxNodes ends a mixed-integer search after so many nodes. Default 0: none.
	MaxNodes int
	// MaxMemory, in bytes, bounds a solver's matrices and, in the embedded one, the open
	// nodes of a mixed-integer search, each by itself. Default 0: 1 GiB.
	MaxMemory int64
	// TimeLimit ends a solve after so long. Default 0: the context's alone.
	TimeLimit time.Duration
	// Rays asks for FarkasRay and UnboundedRay.
	Rays bool
	// Seed of perturbations. Same seed, same options: same answer.
	Seed uint64
	// Workers is how many goroutines a mixed-integer search may use. Default 0:
	// GOMAXPROCS. Of the embedded solver it changes the time only.
	Workers int
	// Progress, if set, is called now and then during a mixed-integer search, by
	// one goroutine at a time; it should be quick. Solvers that cannot tell do not
	// call it.
	Progress func(Progress)
}

// Progress is where a mixed-integer search stands.
type Progress struct {
	Nodes      int     // of branch and bound so far
	Open       int     // nodes left
	Iterations int     // of the simplex method so far
	Incumbent  float64 // the best point's objective; NaN if there is none
	Bound      float64 // as Solution.Bound
}

// Validate names the field that is out of range.
func (o *Options) Validate() error {
	for _, f := range []struct {
		name       string
		value, max float64
	}{
		{"FeasibilityTolerance", o.FeasibilityTolerance, 1e-3},
		{"OptimalityTolerance", o.OptimalityTolerance, 1e-3},
		{"IntegralityTolerance", o.IntegralityTolerance, 0.1},
		{"RelativeGap", o.RelativeGap, 1},
	} {
		if !(f.value >= 0 && f.value <= f.max) {
			return fmt.Errorf("solver: Options.%s = %g is not in [0, %g]", f.name, f.value, f.max)
		}
	}
	switch {
	case o.MaxIterations < 0:
		return fmt.Errorf("solver: Options.MaxIterations = %d is negative", o.MaxIterations)
	case o.MaxNodes < 0:
		return fmt.Errorf("solver: Options.MaxNodes = %d is negative", o.MaxNodes)
	case o.MaxMemory < 0:
		return fmt.Errorf("solver: Options.MaxMemory = %d is negative", o.MaxMemory)
	case o.Workers < 0:
		return fmt.Errorf("solver: Options.Workers = %d is negative", o.Workers)
	case o.TimeLimit < 0:
		return fmt.Errorf("solver: Options.TimeLimit = %v is negative", o.TimeLimit)
	}
	return nil
}

// Worst is the bound that says nothing: −Inf when minimising, +Inf when
// maximising.
func (s Sense) Worst() float64 {
	if s == Maximize {
		return math.Inf(1)
	}
	return math.Inf(-1)
}
