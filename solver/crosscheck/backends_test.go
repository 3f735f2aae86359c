// Package crosscheck holds tests and benchmarks only: the solvers of this module side by
// side, on the same problems, in the same run.
//
//	go test ./solver/crosscheck                                          simplex by itself
//	go test -tags 'highs lpsolve' ./solver/crosscheck                    all three
//	go test -tags 'highs lpsolve' -run '^$' -bench . ./solver/crosscheck
//
// A solver that does not support a problem (*solver.UnsupportedError) sits it out.
// Benchmarks report medians of milliseconds of processor time per solver, on all its
// threads, and their ratio to simplex; the solvers take turns on each problem, so that a
// busy machine slows all alike. The problems are solver/solvertest's.
//
//	agree_test.go       status and objective agree, warm = cold, safe bounds hold
//	problems_test.go    small mixed-integer problems
//	recorded_test.go    what reach, bab and qnn ask about a network trained here
//	published_test.go   robustness of published quantized networks, from $VOUCH_DATA
//	bench_test.go       the benchmarks of linear problems
//	bench_integer_test.go  those of mixed-integer ones
//	clock_*_test.go     processor time
//	highs_test.go, lpsolve_test.go, register_test.go  with their tags
package crosscheck

import (
	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/simplex"
)

// backend is a solver by its name.
type backend struct {
	name   string
	solver solver.Incremental
}

// backends are those that were compiled in; simplex is the first.
var backends = []backend{{"simplex", simplex.Solver{}}}
