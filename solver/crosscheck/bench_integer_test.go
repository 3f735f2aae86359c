package crosscheck

import (
	"context"
	"testing"
	"time"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/solvertest"
)

// patience is what a solver may take of the clock for a mixed-integer problem.
const patience = 10 * time.Second

// integers times all back-ends on mixed-integer problems. What is not solved in time counts
// with the time it took; <back-end>-solved is the share that is.
func integers(b *testing.B, problems []*solver.Problem) {
	m := newMedians("solve")
	solvedBy := map[string]int{}
	runs := 0
	for b.Loop() {
		for _, p := range problems {
			m.integer(b, p, solvedBy)
			runs++
		}
	}
	m.report(b)
	for _, s := range backends {
		b.ReportMetric(float64(solvedBy[s.name])/float64(runs), s.name+"-solved")
	}
}

func (m *medians) integer(b *testing.B, p *solver.Problem, solvedBy map[string]int) {
	var first *solver.Solution
	for _, s := range backends {
		got := m.time(b, s.name, "solve", func() (*solver.Solution, error) {
			return s.solver.Solve(context.Background(), p, solver.Options{TimeLimit: patience})
		})
		if got.Status == solver.Limit {
			continue
		}
		solvedBy[s.name]++
		if first == nil {
			first = got
		}
		same(b, s.name, first, got)
	}
}

// generated is a problem per seed.
func generated(count uint64, make func(seed uint64) *solver.Problem) []*solver.Problem {
	var problems []*solver.Problem
	for seed := range count {
		problems = append(problems, make(seed))
	}
	return problems
}

// BenchmarkKnapsack is 60 binaries in 80 rows, with a tenth or half of all weights.
func BenchmarkKnapsack(b *testing.B) {
	for name, oneIn := range map[string]int{"tenth": 10, "half": 2} {
		b.Run(name, func(b *testing.B) {
			integers(b, generated(5, func(seed uint64) *solver.Problem { return solvertest.SparseKnapsack(seed, 80, 60, oneIn) }))
		})
	}
}

// BenchmarkReLUs is the least difference of two outputs of a ReLU network, exactly.
func BenchmarkReLUs(b *testing.B) {
	integers(b, generated(5, func(seed uint64) *solver.Problem { return solvertest.ReLUs(seed, 0.1, 20, 30, 30, 5) }))
}

// BenchmarkQuantized is whether a quantised network's class can change, in both
// encodings.
func BenchmarkQuantized(b *testing.B) {
	for e, name := range []string{"direct", "levels"} {
		b.Run(name, func(b *testing.B) {
			integers(b, generated(8, func(seed uint64) *solver.Problem {
				return solvertest.Quantized(seed, solvertest.Encoding(e), 4, 8, 20, 12, 10)
			}))
		})
	}
}
