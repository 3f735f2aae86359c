//go:build lpsolve

package lpsolve

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/internal/lpadapter"
	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/solvertest"
)

func TestKindsOfRows(t *testing.T) {
	inf := math.Inf(1)
	require.Equal(t, open, kindOf(-inf, inf))
	require.Equal(t, atMost, kindOf(-inf, 1))
	require.Equal(t, atLeast, kindOf(1, inf))
	require.Equal(t, ranged, kindOf(0, 1))
	require.Equal(t, equal, kindOf(1, 1))
}

// Two rows, two columns; row 1 and column 2 (number 4) are basic.
func TestBasesAreMapped(t *testing.T) {
	basis := []int{-1, -4, -2, 3}
	require.Equal(t, []int{-1, -5, -3, -2, 4}, withRow(basis, 2))
	require.Equal(t, []int{-3, -1, 2}, withoutRows(basis, []bool{true, false}))
	require.Nil(t, withoutRows(basis, []bool{false, true}), "a row that is not basic")
	require.Equal(t, basis, withoutRows(withRow(basis, 2), []bool{false, false, true}))
}

// The basis survives a loading: the last optimum needs no pivot.
func TestBasisIsLoaded(t *testing.T) {
	p := solvertest.Bounded(1, 40, 30)
	e, err := newEngine()
	require.NoError(t, err)
	defer e.Free()
	run := func(caution int) *lpadapter.Outcome {
		require.NoError(t, e.Load(p, &solver.Options{}, caution))
		out, err := e.Run(&lpadapter.Limits{Context: context.Background()})
		require.NoError(t, err)
		require.Equal(t, solver.Optimal, out.Status)
		return out
	}
	require.Greater(t, run(1).Iterations, 10)
	require.LessOrEqual(t, run(0).Iterations, 1)
	require.Greater(t, run(1).Iterations, 10, "caution 1 starts from scratch")
}
