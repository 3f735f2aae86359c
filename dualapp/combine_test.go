package dualapp_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/dualapp"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// Combinations are never looser than what they start from, hold at sampled points,
// and hand out linear bounds that do.
func TestCombinationsAreSoundAndTighter(t *testing.T) {
	gains := map[string]float64{}
	for seed := range seeds(18) {
		rng := rand.New(rand.NewPCG(uint64(seed), 30))
		m := compile(t, someNet(t, rng, seed))
		x := center(rng, m)
		region := cube(t, x, 0.15*rng.Float64(), nil)
		k := nn.OutputShape(m.Network()).Size()
		f := bounds.Functions{Output: make([]float64, k*k)}
		for i := range k {
			f.Output[i*k+i], f.Output[i*k+(i+1)%k] = 1, -1
		}
		q := &bounds.Query{
			Domains:   []bounds.Domain{{Region: region, Under: under(t, dualapp.MonteCarlo{Samples: 100}, m, x, region)}},
			Functions: f, Upper: true, Linear: true,
		}
		dual := bound(t, bounds.Crown{Relaxer: dualapp.Dual{}}, m, q)
		for name, b := range map[string]bounds.Bounder{
			"best": dualapp.Best{}, "aimed": dualapp.Aimed{}, "aimed and optimised": dualapp.Aimed{Iterations: 4},
			"two": dualapp.Best{Relaxers: []bounds.Relaxer{dualapp.Dual{}, bounds.DeepPolyLines{}}},
		} {
			got := bound(t, b, m, q)
			for i := range dual.Lower {
				require.GreaterOrEqual(t, got.Lower[i], dual.Lower[i]-1e-12, name)
				require.LessOrEqual(t, got.Upper[i], dual.Upper[i]+1e-12, name)
				gains[name] += got.Lower[i] - dual.Lower[i]
			}
			requireInside(t, rng, m, q, &got, region, name)
		}
		plain := *q
		plain.Linear = false
		require.Nil(t, bound(t, dualapp.Aimed{}, m, &plain).Coef)
		only := *q // what is not asked for is not looked at
		only.Domains = []bounds.Domain{q.Domains[0]}
		only.Domains[0].Only = []int{1}
		require.GreaterOrEqual(t, bound(t, dualapp.Aimed{}, m, &only).Lower[1], dual.Lower[1]-1e-12)
		only.Domains[0].Only = []int{}
		bound(t, dualapp.Aimed{}, m, &only)
	}
	for name, g := range gains {
		assert.Positive(t, g, name)
	}
}

func bound(t *testing.T, b bounds.Bounder, m *bounds.Model, q *bounds.Query) bounds.DomainResult {
	t.Helper()
	r, err := b.Bound(t.Context(), m, q)
	require.NoError(t, err)
	require.Len(t, r, 1)
	return r[0]
}

// requireInside checks nodes, functions and linear bounds at random points and
// corners.
func requireInside(t *testing.T, rng *rand.Rand, m *bounds.Model, q *bounds.Query, r *bounds.DomainResult, box spec.Box, what string) {
	t.Helper()
	e := nn.NewEvaluator[float64](m.Network())
	x := make([]float64, len(box.Lower))
	const tol = 1e-10
	for trial := range 25 {
		for i := range x {
			s := rng.Float64()
			if trial%2 == 0 {
				s = float64(rng.IntN(2))
			}
			x[i] = box.Lower[i] + s*(box.Upper[i]-box.Lower[i])
		}
		y := e.Forward(x, 1)
		for i := range r.Nodes {
			for k, v := range e.Value(i) {
				require.GreaterOrEqual(t, v, r.Nodes[i].Lower[k]-tol, what)
				require.LessOrEqual(t, v, r.Nodes[i].Upper[k]+tol, what)
			}
		}
		for k := range r.Lower {
			v, low := 0.0, r.Offset[k]
			for j, c := range q.Functions.Output[k*len(y) : (k+1)*len(y)] {
				v += c * y[j]
			}
			for j, c := range r.Coef[k*len(x) : (k+1)*len(x)] {
				low += c * x[j]
			}
			require.GreaterOrEqual(t, v, r.Lower[k]-tol, what)
			require.LessOrEqual(t, v, r.Upper[k]+tol, what)
			require.LessOrEqual(t, low, v+tol, what)
		}
	}
}
