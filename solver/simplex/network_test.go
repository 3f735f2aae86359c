package simplex

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/solvertest"
)

// Relaxed networks: both ways to keep T agree, warm and cold, and the duals prove the
// optimum.
func TestRelaxedNetworks(t *testing.T) {
	for seed := range uint64(3) {
		p := solvertest.Network(seed, 0.05, 15, 30, 30, 8)
		var sessions []solver.Session
		for keep := inFull; keep <= byFactors; keep++ {
			s, err := Solver{keep: keep}.Open(p, solver.Options{})
			require.NoError(t, err)
			sessions = append(sessions, s)
		}
		rng := rand.New(rand.NewPCG(seed, 1))
		for range 12 {
			var objectives []float64
			for _, s := range sessions {
				got, err := s.Solve(context.Background())
				require.NoError(t, err)
				require.Equal(t, solver.Optimal, got.Status)
				bound := solver.SafeBound(s.Problem(), got.RowDuals)
				require.InDelta(t, got.Objective, bound, 1e-8)
				objectives = append(objectives, got.Objective)
			}
			require.InDelta(t, objectives[0], objectives[1], 1e-8)
			changeNetwork(t, rng, sessions)
		}
	}
}

// changeNetwork does what verifiers do: another pair of outputs, or a split neuron.
func changeNetwork(t *testing.T, rng *rand.Rand, sessions []solver.Session) {
	p := sessions[0].Problem()
	n := len(p.Variables)
	if rng.IntN(2) == 0 {
		costs := make([]float64, n)
		costs[n-1-rng.IntN(4)], costs[n-5-rng.IntN(4)] = 1, -1
		for _, s := range sessions {
			require.NoError(t, s.SetObjective(solver.Minimize, costs, 0))
		}
		return
	}
	for _, i := range rng.Perm(len(p.Rows)) {
		if r := p.Rows[i]; len(r.Columns) == 2 { // a − z ≥ 0 or a − slope·z ≤ ...
			z := r.Columns[1]
			if v := p.Variables[z]; v.Lower < 0 && v.Upper > 0 {
				for _, s := range sessions {
					require.NoError(t, s.SetVariableBounds(z, v.Lower*0.9, v.Upper))
				}
				return
			}
		}
	}
}

// BenchmarkNetwork solves relaxed networks cold, for a new objective, and after a
// neuron has been split, kept both ways.
func BenchmarkNetwork(b *testing.B) {
	for _, widths := range [][]int{{20, 50, 50, 10}, {50, 100, 100, 100, 10}, {100, 200, 200, 200, 10}} {
		for keep := inFull; keep <= byFactors; keep++ {
			p := solvertest.Network(1, 2.5/float64(widths[0]), widths...)
			name := fmt.Sprintf("%dx%d/%s", len(p.Rows), len(p.Variables), []string{"", "dense", "factored"}[keep])
			b.Run(name, func(b *testing.B) { benchmarkNetwork(b, p, keep) })
		}
	}
}

func benchmarkNetwork(b *testing.B, p *solver.Problem, keep keeping) {
	var cold, objective, split times
	n := len(p.Variables)
	for b.Loop() {
		rng := rand.New(rand.NewPCG(1, 1))
		s, err := Solver{keep: keep}.Open(p, solver.Options{})
		require.NoError(b, err)
		cold.solve(b, s)
		for range 5 {
			costs := make([]float64, n)
			costs[n-1-rng.IntN(5)], costs[n-6-rng.IntN(5)] = 1, -1
			require.NoError(b, s.SetObjective(solver.Minimize, costs, 0))
			got := objective.solve(b, s)
			z := splitNeuron(p, got.X)
			v := p.Variables[z]
			require.NoError(b, s.SetVariableBounds(z, max(0, v.Lower), v.Upper))
			split.solve(b, s)
			require.NoError(b, s.SetVariableBounds(z, v.Lower, v.Upper))
		}
	}
	cold.report(b, "cold")
	objective.report(b, "objective")
	split.report(b, "split")
}

// splitNeuron is the pre-activation that the point is wrong about most.
func splitNeuron(p *solver.Problem, x []float64) int {
	worst, z := -1.0, 0
	for _, r := range p.Rows {
		if len(r.Columns) == 2 {
			if gap := x[r.Columns[0]] - max(0, x[r.Columns[1]]); gap > worst && x[r.Columns[1]] < 0 {
				worst, z = gap, r.Columns[1]
			}
		}
	}
	return z
}
