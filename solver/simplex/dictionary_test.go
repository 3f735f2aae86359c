package simplex

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver/solvertest"
)

// randomPivots makes pivots that a basis change could ask for.
func randomPivots(e *engine, rng *rand.Rand, count int) {
	for range count {
		r, q := rng.IntN(e.m), rng.IntN(e.n)
		if math.Abs(e.row(r)[q]) > 0.1 {
			e.gather(q)
			e.pivot(r, q)
		}
	}
}

// Whatever the pivots, the dictionary's points satisfy the rows.
func TestPivotsKeepTheRows(t *testing.T) {
	both(t, func(t *testing.T, keep keeping) {
		rng := rand.New(rand.NewPCG(1, 1))
		for seed := range uint64(20) {
			e := newEngine(solvertest.Bounded(seed, 12, 9), keep)
			randomPivots(e, rng, 200)
			require.Positive(t, e.age)
			for c := range e.xn {
				e.xn[c] = rng.NormFloat64()
			}
			e.values()
			require.Less(t, e.drift(), 1e-11)
		}
	})
}

// rebuild gives the same dictionary as the pivots that led there, up to the order
// of rows and columns.
func TestRebuildIsTheSameDictionary(t *testing.T) {
	both(t, func(t *testing.T, keep keeping) {
		rng := rand.New(rand.NewPCG(2, 1))
		for seed := range uint64(20) {
			e := newEngine(solvertest.Bounded(seed, 10, 8), keep)
			randomPivots(e, rng, 40)
			before := entries(e)
			require.Equal(t, done, e.restore(context.Background()))
			require.Zero(t, e.age)
			after := entries(e)
			require.Len(t, after, len(before))
			for key, v := range before {
				require.Contains(t, after, key, "another basis")
				require.InDelta(t, v, after[key], 1e-9)
			}
		}
	})
}

// entries is T by its variables.
func entries(e *engine) map[[2]int]float64 {
	all := map[[2]int]float64{}
	for i, z := range e.basic {
		for c, w := range e.nonbasic {
			all[[2]int{z, w}] = e.row(i)[c]
		}
	}
	return all
}

// Two equal columns cannot both be basic: one is put back.
func TestRebuildRepairsSingularBases(t *testing.T) {
	p := solvertest.Bounded(1, 4, 4)
	for i := range p.Rows {
		p.Rows[i].Columns, p.Rows[i].Values = []int{0, 1, 2}, []float64{float64(i + 1), float64(i + 1), 1}
	}
	both(t, func(t *testing.T, keep keeping) { repairsSingular(t, newEngine(p, keep)) })
}

func repairsSingular(t *testing.T, e *engine) {
	e.basic = []int{0, 1, 6, 7}
	e.nonbasic = []int{2, 3, 4, 5}
	require.Equal(t, done, e.restore(context.Background()))
	structural := 0
	seen := map[int]bool{}
	for _, z := range append(append([]int{}, e.basic...), e.nonbasic...) {
		require.False(t, seen[z])
		seen[z] = true
	}
	for _, z := range e.basic {
		if z < e.n {
			structural++
		}
	}
	require.Equal(t, 1, structural)
}

func TestRebuildStopsWithAUsableDictionary(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	e := newEngine(solvertest.Bounded(1, 12, 9), inFull)
	randomPivots(e, rng, 60)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.Equal(t, stopped, e.restore(ctx))
	for c := range e.xn {
		e.xn[c] = rng.NormFloat64()
	}
	e.values()
	require.Less(t, e.drift(), 1e-12)
}

// A pivot there and back leaves the matrix.
func TestPivotIsItsOwnInverse(t *testing.T) {
	both(t, func(t *testing.T, keep keeping) {
		e := newEngine(solvertest.Bounded(4, 6, 5), keep)
		before := entries(e)
		r, q := 2, 0
		for e.row(r)[q] == 0 {
			q++
		}
		for range 2 {
			e.gather(q)
			e.pivot(r, q)
		}
		after := entries(e)
		for key, v := range before {
			require.InDelta(t, v, after[key], 1e-13)
		}
	})
}
