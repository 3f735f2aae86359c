package crosscheck

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/solvertest"
)

const (
	randomProblems = 200
	starSets       = 3
)

// medians collects milliseconds of processor time per back-end and task.
type medians struct {
	tasks []string
	ms    map[string]map[string][]float64 // by back-end and task
}

func newMedians(tasks ...string) *medians {
	m := &medians{tasks: tasks, ms: map[string]map[string][]float64{}}
	for _, b := range backends {
		m.ms[b.name] = map[string][]float64{}
	}
	return m
}

// time runs solve as a task of a back-end and returns the answer.
func (m *medians) time(b testing.TB, name, task string, solve func() (*solver.Solution, error)) *solver.Solution {
	start := processorTime()
	got, err := solve()
	took := float64(processorTime()-start) / 1e6
	require.NoError(b, err, name)
	m.ms[name][task] = append(m.ms[name][task], took)
	return got
}

// report gives <back-end>-<task>-ms and, against the first, <back-end>-<task>-ratio: that
// of the medians.
func (m *medians) report(b *testing.B) {
	first := map[string]float64{}
	for _, s := range backends {
		for _, task := range m.tasks {
			ms := slices.Clone(m.ms[s.name][task])
			if len(ms) == 0 {
				continue
			}
			slices.Sort(ms)
			v := ms[len(ms)/2]
			b.ReportMetric(v, s.name+"-"+task+"-ms")
			if s.name == backends[0].name {
				first[task] = v
			} else if first[task] > 0 {
				b.ReportMetric(v/first[task], s.name+"-"+task+"-ratio")
			}
		}
	}
	b.ReportMetric(0, "ns/op") // says nothing here
}

// BenchmarkRandom is 200 dense-ish bounded problems of 100 variables and 150 rows:
// cold, after a bound that cuts off the optimum, and after a new objective.
func BenchmarkRandom(b *testing.B) {
	m := newMedians("cold", "bound", "objective")
	for b.Loop() {
		for seed := range uint64(randomProblems) {
			m.random(b, seed)
		}
	}
	m.report(b)
}

func (m *medians) random(b *testing.B, seed uint64) {
	p := solvertest.Bounded(seed, 150, 100)
	sessions := make([]solver.Session, len(backends))
	answers := make([]*solver.Solution, len(backends))
	solve := func(task string) {
		for k, s := range backends {
			answers[k] = m.time(b, s.name, task, func() (*solver.Solution, error) { return sessions[k].Solve(context.Background()) })
			same(b, s.name, answers[0], answers[k])
		}
	}
	for k, s := range backends {
		var err error
		sessions[k], err = s.solver.Open(p, solver.Options{})
		require.NoError(b, err)
		defer sessions[k].Close()
	}
	solve("cold")
	rng := rand.New(rand.NewPCG(seed, 1))
	j := rng.IntN(len(p.Variables))
	upper := max(-1, answers[0].X[j]-0.3)
	for _, s := range sessions {
		require.NoError(b, s.SetVariableBounds(j, -1, upper))
	}
	solve("bound")
	costs := make([]float64, len(p.Variables))
	for j := range costs {
		costs[j] = rng.NormFloat64()
	}
	for _, s := range sessions {
		require.NoError(b, s.SetObjective(solver.Minimize, costs, 0))
	}
	solve("objective")
}

// BenchmarkStar is the ranges of neurons over star sets: the same rows, one objective
// after another, each minimised and maximised.
func BenchmarkStar(b *testing.B) {
	for _, widths := range [][]int{{20, 50, 20}, {30, 100, 20}, {30, 200, 20}, {5, 30, 30, 20}, {20, 50, 50, 20}, {20, 60, 60, 60, 20}, {150, 30, 20}} {
		s := solvertest.Star(1, 0.05, widths...)
		b.Run(fmt.Sprintf("%dx%d", len(s.Problem.Rows), len(s.Problem.Variables)), func(b *testing.B) {
			m := newMedians("cold", "range")
			for b.Loop() {
				for seed := range uint64(starSets) {
					m.sequence(b, solvertest.Star(seed, 0.05, widths...))
				}
			}
			m.report(b)
		})
	}
}

func (m *medians) sequence(b *testing.B, s solvertest.StarSequence) {
	sessions := make([]solver.Session, len(backends))
	for k, e := range backends {
		var err error
		sessions[k], err = e.solver.Open(s.Problem, solver.Options{})
		require.NoError(b, err)
		defer sessions[k].Close()
	}
	for at, costs := range s.Objectives {
		for _, sense := range []solver.Sense{solver.Minimize, solver.Maximize} {
			task := "range"
			if at == 0 && sense == solver.Minimize {
				task = "cold"
			}
			var first *solver.Solution
			for k, e := range backends {
				got := m.time(b, e.name, task, func() (*solver.Solution, error) {
					if err := sessions[k].SetObjective(sense, costs, 0); err != nil {
						return nil, err
					}
					return sessions[k].Solve(context.Background())
				})
				if first == nil {
					first = got
				}
				same(b, e.name, first, got)
			}
		}
	}
}

// BenchmarkNetwork is relaxed networks: cold, then pairs of outputs one after another.
func BenchmarkNetwork(b *testing.B) {
	m := newMedians("cold", "range")
	for b.Loop() {
		for seed := range uint64(5) {
			s := solvertest.StarSequence{Problem: solvertest.Network(seed, 0.1, 20, 50, 50, 10)}
			n := len(s.Problem.Variables)
			for k := range 9 {
				costs := make([]float64, n)
				costs[n-1], costs[n-2-k] = 1, -1
				s.Objectives = append(s.Objectives, costs)
			}
			m.sequence(b, s)
		}
	}
	m.report(b)
}
