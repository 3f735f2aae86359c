package simplex

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// randomColumns is a sparse square matrix with a nonzero diagonal in some order of
// rows, by columns.
func randomColumns(rng *rand.Rand, m int, density float64) *list {
	var b list
	b.reset()
	perm := rng.Perm(m)
	for j := range m {
		for i := range m {
			if i == perm[j] {
				b.add(i, 1+rng.Float64())
			} else if rng.Float64() < density {
				b.add(i, rng.NormFloat64())
			}
		}
		b.end()
	}
	return &b
}

// Forward and backward solves satisfy their equations.
func TestLUSolves(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for k := range 200 {
		m := 1 + rng.IntN(40)
		b := randomColumns(rng, m, []float64{0, 0.02, 0.1, 0.5}[k%4])
		order, rowCount := orderColumns(b, m)
		require.Len(t, order, m)
		f := newLU(m)
		if failed := f.factor(b, order, rowCount); len(failed) > 0 {
			continue // singular by chance
		}
		f.finish(nil)
		x, c := make([]float64, m), make([]float64, m)
		rhs := make([]float64, m) // B·x
		for j := range x {
			if rng.IntN(3) > 0 {
				x[j] = rng.NormFloat64()
			}
			for p := b.start[j]; p < b.start[j+1]; p++ {
				rhs[b.index[p]] += b.value[p] * x[j]
			}
		}
		got := make([]float64, m)
		f.forward(rhs, got)
		require.InDeltaSlice(t, x, got, 1e-6)

		y := make([]float64, m) // c = Bᵀ·y
		for i := range y {
			y[i] = rng.NormFloat64()
		}
		for j := range c {
			for p := b.start[j]; p < b.start[j+1]; p++ {
				c[j] += b.value[p] * y[b.index[p]]
			}
		}
		f.backward(c, got)
		require.InDeltaSlice(t, y, got, 1e-6)
	}
}

// A triangular matrix in disorder is all singletons: no open choice, no fill.
func TestOrderFindsTriangles(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	const m = 30
	rows, columns := rng.Perm(m), rng.Perm(m)
	entries := make([][]int, m)
	for j := range m {
		for i := range j + 1 {
			if i == j || rng.IntN(3) == 0 {
				entries[columns[j]] = append(entries[columns[j]], rows[i])
			}
		}
	}
	var b list
	b.reset()
	for _, e := range entries {
		for _, i := range e {
			b.add(i, 1)
		}
		b.end()
	}
	order, rowCount := orderColumns(&b, m)
	f := newLU(m)
	require.Empty(t, f.factor(&b, order, rowCount))
	for _, o := range order {
		require.GreaterOrEqual(t, o.row, 0)
	}
	require.Empty(t, f.lower.index)
	require.Len(t, f.upper.index, len(b.index)-m)
}

// Columns that depend on others are returned, and logicals take their place.
func TestLULeavesOutDependentColumns(t *testing.T) {
	var b list
	b.reset()
	for range 3 {
		b.add(0, 1)
		b.add(2, 2)
		b.end()
	}
	order, rowCount := orderColumns(&b, 3)
	f := newLU(3)
	require.Len(t, f.factor(&b, order, rowCount), 2)
	f.finish(func(row int) int { return row })
	require.Len(t, f.row, 3)
}
