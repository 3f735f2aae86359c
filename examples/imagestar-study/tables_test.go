package main

import (
	"io"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/train/dataset"
)

// The paper's tables as it prints them: 300 images a network, in one row 299.
func TestPaperTables(t *testing.T) {
	for data, want := range map[string][3]int{"mnist": {13422, 77, 1}, "mednist": {12489, 1008, 2}} {
		table, err := paperTable(data)
		require.NoError(t, err)
		require.Len(t, table, 45)
		var sum [3]int
		odd := 0
		for _, o := range table {
			sum[0], sum[1], sum[2] = sum[0]+o.robust, sum[1]+o.unknown, sum[2]+o.not
			if o.robust+o.unknown+o.not != 300 {
				odd++
			}
		}
		assert.Equal(t, want, sum, data)
		assert.LessOrEqual(t, odd, 1)
		s, err := settingsOf(data, false)
		require.NoError(t, err)
		for _, c := range s.cells() {
			assert.True(t, slices.ContainsFunc(table, func(o outcome) bool { return o.cell == c }), "%v", c)
		}
	}
	// By hand from Table 2: the 15 pairs of narrow-normal against he.
	table, err := paperTable("mnist")
	require.NoError(t, err)
	st := study{settings: settings{Seeds: 5}}
	got := st.factors()[0].compare(table, "narrow-normal", "he")
	assert.Equal(t, 15, got.pairs)
	assert.Equal(t, got.more, st.factors()[0].compare(table, "he", "narrow-normal").fewer)
}

// The blocks of the real data sets have the recipe's numbers, and the pool is not what is
// trained on.
func TestBlocks(t *testing.T) {
	for data, want := range map[string][3]int{"mnist": {25000, 5000, 10000}, "mednist": {2142, 432, 858}} {
		if _, err := dataset.Open(data, dataset.Test, root()); err != nil {
			t.Skip("no data: ", err)
		}
		t.Setenv("VOUCH_DATA", filepath.Dir(root()))
		s, err := settingsOf(data, false)
		require.NoError(t, err)
		st, err := openStudy(s, t.TempDir(), io.Discard)
		require.NoError(t, err)
		assert.Equal(t, want, [3]int{st.training.Len(), st.valid.Len(), st.pool.Len()})
		seen := map[string]bool{}
		for i := range st.training.Len() {
			seen[string(st.training.set.Image(i))] = true
		}
		twice := 0 // MedNIST holds some images more than once
		for i := range min(st.pool.Len(), 400) {
			if seen[string(st.pool.set.Image(i))] {
				twice++
			}
		}
		assert.Equal(t, map[string]int{"mnist": 0, "mednist": 2}[data], twice, data)
		prop, err := st.property(0)
		require.NoError(t, err)
		box := prop.Cases[0].Region.Box()
		unit := 255.0
		if data == "mednist" {
			unit = 1
			assert.Equal(t, slices.Repeat([]uint8{0}, 71), st.pool.set.Labels[:71])
		}
		for k, p := range st.pool.set.Image(0) {
			require.InDelta(t, max(float64(p)-3, 0)/unit, box.Lower[k], 1e-12)
			require.InDelta(t, min(float64(p)+3, 255)/unit, box.Upper[k], 1e-12)
		}
	}
}
