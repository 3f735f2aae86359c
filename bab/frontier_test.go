package bab

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFrontierOrder(t *testing.T) {
	var f frontier
	require.True(t, math.IsInf(f.least(), 1))
	for k, b := range []float64{-1, -5, -3, -5, -2} {
		f.push(&domain{bound: b, depth: k})
	}
	require.Equal(t, -5.0, f.least())
	got := f.pop(2, false)
	require.Equal(t, []int{1, 3}, []int{got[0].depth, got[1].depth}, "the oldest of equals first")
	got = f.pop(1, true)
	require.Equal(t, 4, got[0].depth)
	require.Equal(t, -3.0, f.least())
	got = f.pop(9, false)
	require.Len(t, got, 2)
	require.Equal(t, -3.0, got[0].bound)
	require.Zero(t, f.len())
	require.Zero(t, f.bytes)
}
