package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/examples/unittest"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

func TestStory(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, compare(t.Context(), &out, []float64{30, 43}))
	assert.Equal(t, len(ways), strings.Count(out.String(), "verified"))
	assert.Equal(t, len(ways), strings.Count(out.String(), "falsified"))
}

// randomBox is a region of situations.
func randomBox(t *testing.T, rng *rand.Rand) spec.Box {
	lower, upper := make([]float64, 3), make([]float64, 3)
	for j, most := range []float64{100, 40, 1} {
		a, b := most*rng.Float64(), most*rng.Float64()
		lower[j], upper[j] = min(a, b), max(a, b)
	}
	box, err := spec.NewBox(lower, upper)
	require.NoError(t, err)
	return box
}

// TestDrawProof: there is a picture, and the boxes in it fill the region.
func TestDrawProof(t *testing.T) {
	file := filepath.Join(t.TempDir(), "proof.svg")
	require.NoError(t, drawProof(t.Context(), file, 42))
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Contains(t, string(content), "distance, m")

	net, err := unittest.Load()
	require.NoError(t, err)
	box, err := spec.NewBox([]float64{0, 20, 0}, []float64{42, 40, 1})
	require.NoError(t, err)
	property := spec.Robustness(box, unittest.Brake, unittest.Classes)
	var proved []spec.Box
	_, err = verify(t.Context(), net, &property, watcher{bounds.Crown{}, &proved}, widest)
	require.NoError(t, err)
	volume := 0.0
	for _, b := range proved {
		volume += (b.Upper[0] - b.Lower[0]) * (b.Upper[1] - b.Lower[1]) * (b.Upper[2] - b.Lower[2])
	}
	assert.InDelta(t, 42*20, volume, 1e-9)
}

// TestAgrees: on random questions the own loop says what bab.Verify says.
func TestAgrees(t *testing.T) {
	net, err := unittest.Load()
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(1, 2))
	count := map[spec.Verdict]int{}
	for range 200 {
		box := randomBox(t, rng)
		property := spec.Robustness(box, rng.IntN(2), unittest.Classes)
		want, err := bab.Verify(t.Context(), net, &property, bab.Options{})
		require.NoError(t, err)
		for _, split := range []rule{widest, steepest} {
			got, err := verify(t.Context(), net, &property, cascade{}, split)
			require.NoError(t, err)
			require.Equal(t, want.Verdict, got.Verdict, box)
			if got.Verdict == spec.Falsified {
				_, _, unsafe := property.Check(got.Counterexample.Input, got.Counterexample.Output)
				require.True(t, unsafe)
			}
		}
		count[want.Verdict]++
	}
	assert.Greater(t, count[spec.Verified], 10)
	assert.Greater(t, count[spec.Falsified], 10)
}

// TestCascadeHolds: points of a domain stay inside the cascade's bounds.
func TestCascadeHolds(t *testing.T) {
	net, err := unittest.Load()
	require.NoError(t, err)
	model, err := bounds.Compile(net)
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		box := randomBox(t, rng)
		r, err := cascade{}.Bound(t.Context(), model, &bounds.Query{
			Domains: []bounds.Domain{{Region: box}}, Functions: bounds.Functions{Output: []float64{-1, 1}},
		})
		require.NoError(t, err)
		for range 50 {
			x := make([]float64, 3)
			for j := range x {
				x[j] = box.Lower[j] + rng.Float64()*(box.Upper[j]-box.Lower[j])
			}
			y, err := nn.Evaluate(net, x)
			require.NoError(t, err)
			require.LessOrEqual(t, r[0].Lower[0], y[1]-y[0])
		}
	}
}

func TestRefuses(t *testing.T) {
	net, err := unittest.Load()
	require.NoError(t, err)
	box, err := spec.NewBox([]float64{0, 0, 0}, []float64{1, 1, 1})
	require.NoError(t, err)
	p := spec.Robustness(box, 0, 2)
	p.Cases = append(p.Cases, p.Cases[0])
	_, err = verify(t.Context(), net, &p, cascade{}, widest)
	require.ErrorContains(t, err, "one case")
}
