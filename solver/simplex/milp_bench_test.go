package simplex

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/solvertest"
)

// The mixed-integer problems of the benchmarks are solvertest's, so that other solvers
// can be measured on the same ones.

// benchmarkIntegers solves every problem and reports the median time and the nodes.
func benchmarkIntegers(b *testing.B, problems []*solver.Problem) {
	var ms []float64
	nodes := 0
	for b.Loop() {
		for _, p := range problems {
			start := time.Now()
			got, err := Solver{}.Solve(context.Background(), p, solver.Options{TimeLimit: time.Minute})
			ms = append(ms, float64(time.Since(start))/1e6)
			require.NoError(b, err)
			require.NotEqual(b, solver.Numerical, got.Status)
			nodes += got.Nodes
		}
	}
	slices.Sort(ms)
	b.ReportMetric(ms[len(ms)/2], "median-ms")
	b.ReportMetric(ms[len(ms)-1], "worst-ms")
	b.ReportMetric(float64(nodes)/float64(len(ms)), "nodes")
}

func BenchmarkKnapsack(b *testing.B) {
	var problems []*solver.Problem
	for seed := range uint64(10) {
		problems = append(problems, solvertest.Knapsack(seed, 80, 60))
	}
	benchmarkIntegers(b, problems)
}

func BenchmarkReLUMILP(b *testing.B) {
	var problems []*solver.Problem
	for seed := range uint64(5) {
		problems = append(problems, solvertest.ReLUs(seed, 0.1, 20, 30, 30, 5))
	}
	benchmarkIntegers(b, problems)
}

func BenchmarkQuantized(b *testing.B) {
	for e, name := range []string{"direct", "levels"} {
		b.Run(name, func(b *testing.B) {
			var problems []*solver.Problem
			for seed := range uint64(8) {
				problems = append(problems, solvertest.Quantized(seed, solvertest.Encoding(e), 4, 8, 20, 12, 10))
			}
			benchmarkIntegers(b, problems)
		})
	}
}

// BenchmarkCuts solves problems with the cuts that pay, without any, and with all that are
// found, in turns; <cuts>-ms and <cuts>-nodes are sums over the problems.
func BenchmarkCuts(b *testing.B) {
	names := []string{"default", "none", "all"} // by cutting
	for _, c := range []struct {
		name    string
		seeds   uint64
		problem func(seed uint64) *solver.Problem
	}{
		{"knapsack/tenth", 10, func(seed uint64) *solver.Problem { return solvertest.SparseKnapsack(seed, 80, 60, 10) }},
		{"knapsack/quarter", 5, func(seed uint64) *solver.Problem { return solvertest.SparseKnapsack(seed, 30, 40, 4) }},
		{"knapsack/half", 5, func(seed uint64) *solver.Problem { return solvertest.SparseKnapsack(seed, 30, 40, 2) }},
		{"relus/20-30-30-5", 10, func(seed uint64) *solver.Problem { return solvertest.ReLUs(seed, 0.1, 20, 30, 30, 5) }},
		{"relus/20-40-40-5", 5, func(seed uint64) *solver.Problem { return solvertest.ReLUs(seed, 0.1, 20, 40, 40, 5) }},
		{"relus/20-60-60-5", 3, func(seed uint64) *solver.Problem { return solvertest.ReLUs(seed, 0.1, 20, 60, 60, 5) }},
		{"quantized/direct", 20, func(seed uint64) *solver.Problem {
			return solvertest.Quantized(seed, solvertest.Direct, 4, 8, 20, 12, 10)
		}},
		{"quantized/levels", 20, func(seed uint64) *solver.Problem {
			return solvertest.Quantized(seed, solvertest.Levels, 4, 8, 20, 12, 10)
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			ms, nodes := make([]float64, len(names)), make([]float64, len(names))
			for b.Loop() {
				for seed := range c.seeds {
					p := c.problem(seed)
					for cuts := range names {
						start := time.Now()
						got, err := Solver{cuts: cutting(cuts)}.Solve(context.Background(), p, solver.Options{Workers: 1})
						require.NoError(b, err)
						ms[cuts] += float64(time.Since(start)) / 1e6
						nodes[cuts] += float64(got.Nodes)
					}
				}
			}
			for cuts, name := range names {
				b.ReportMetric(ms[cuts]/float64(b.N), name+"-ms")
				b.ReportMetric(nodes[cuts]/float64(b.N), name+"-nodes")
			}
		})
	}
}

// BenchmarkStarSequence asks for the ranges of all neurons of a layer over one star
// set, in one session.
func BenchmarkStarSequence(b *testing.B) {
	for _, widths := range [][]int{{5, 30, 30, 30}, {20, 50, 50, 50}} {
		s := solvertest.Star(1, 0.05, widths...)
		b.Run(fmt.Sprintf("%dx%d", len(s.Problem.Rows), len(s.Problem.Variables)), func(b *testing.B) {
			var lp times
			for b.Loop() {
				session, err := Solver{}.Open(s.Problem, solver.Options{})
				require.NoError(b, err)
				for _, costs := range s.Objectives {
					for _, sense := range []solver.Sense{solver.Minimize, solver.Maximize} {
						require.NoError(b, session.SetObjective(sense, costs, 0))
						lp.solve(b, session)
					}
				}
			}
			lp.report(b, "lp")
		})
	}
}
