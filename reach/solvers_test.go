package reach_test

import (
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/reach"
	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/simplex"
)

// liar is a solver whose answers are made up: points, duals and rays.
type liar struct {
	mu  *sync.Mutex
	rng *rand.Rand
}

func (s liar) Solve(_ context.Context, p *solver.Problem, _ solver.Options) (*solver.Solution, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	numbers := func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = s.rng.NormFloat64() * math.Pow(10, float64(s.rng.IntN(5)-2))
		}
		return x
	}
	a := &solver.Solution{Status: []solver.Status{solver.Optimal, solver.Infeasible, solver.Limit}[s.rng.IntN(3)]}
	switch a.Status {
	case solver.Optimal:
		a.X, a.RowDuals, a.Objective = numbers(len(p.Variables)), numbers(len(p.Rows)), s.rng.NormFloat64()
		a.Bound = a.Objective + 100
	case solver.Infeasible:
		a.FarkasRay = numbers(len(p.Rows))
	}
	return a, nil
}

// TestLyingSolver: whatever a solver answers, nothing false is proven.
func TestLyingSolver(t *testing.T) {
	for seed := range uint64(30) {
		net := tinyDense(t, seed, nn.ReLU{}, 2, 5, 5, 2)
		m, err := reach.Compile(net)
		require.NoError(t, err)
		rng := rand.New(rand.NewPCG(seed, 6))
		box := boxAround(t, rng, 2, 1)
		for method := reach.ApproxStar; method <= reach.AbsDom; method++ {
			o := reach.Options{Method: method, Solver: liar{new(sync.Mutex), rng}, NoPrefilter: seed%2 == 0, MaxStars: 3000}
			stars, err := m.Reach(bg, box, o)
			require.NoError(t, err)
			for range 20 {
				y, err := nn.Evaluate(net, inside(rng, box))
				require.NoError(t, err)
				in := false
				for _, s := range stars {
					lo, _, err := s.Minimum(bg, []float64{1, -0.5})
					require.NoError(t, err)
					up, _, err := s.Minimum(bg, []float64{-1, 0.5})
					require.NoError(t, err)
					v := y[0] - 0.5*y[1]
					in = in || v >= lo-1e-9 && v <= -up+1e-9
				}
				require.True(t, in, method)
			}
		}
	}
}

// plain is the embedded solver without sessions.
type plain struct{}

func (plain) Solve(ctx context.Context, p *solver.Problem, o solver.Options) (*solver.Solution, error) {
	return simplex.Solver{}.Solve(ctx, p, o)
}

// TestWithoutSessions: a solver that cannot re-solve gives the same ranges.
func TestWithoutSessions(t *testing.T) {
	net := tinyDense(t, 4, nn.ReLU{}, 3, 8, 8, 2)
	m, err := reach.Compile(net)
	require.NoError(t, err)
	box := boxAround(t, rand.New(rand.NewPCG(1, 1)), 3, 0.8)
	for _, method := range []reach.Method{reach.ApproxStar, reach.ExactStar} {
		a, err := m.Reach(bg, box, reach.Options{Method: method})
		require.NoError(t, err)
		b, err := m.Reach(bg, box, reach.Options{Method: method, Solver: plain{}})
		require.NoError(t, err)
		require.InDelta(t, len(a), len(b), 1)
		al, au := union(t, a)
		bl, bu := union(t, b)
		assert.InDeltaSlice(t, al, bl, 1e-7)
		assert.InDeltaSlice(t, au, bu, 1e-7)
	}
}
