package bab_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// ordered is unsafe where output 0 is not the largest by gap: two conjunctions.
func ordered(box spec.Box, gap float64) *spec.Property {
	below := func(k int) spec.Conjunction {
		return spec.Conjunction{{Output: []spec.Term{{Index: 0, Coef: 1}, {Index: k, Coef: -1}}, Bound: gap}}
	}
	return &spec.Property{Inputs: len(box.Lower), Outputs: 3, Cases: []spec.Case{{Region: box, Unsafe: []spec.Conjunction{below(1), below(2)}}}}
}

// Conjunctions are taken as the option says, the statistics tell how, and
// nothing depends on it but the work.
func TestConjunctions(t *testing.T) {
	rng := rand.New(rand.NewPCG(41, 42))
	decided, apart := 0, 0
	for k := range rounds(60) {
		net := randomDense(t, rng, 8, nn.ReLU{})
		box := cube(t, 8, -0.5, 0.5)
		e := nn.NewEvaluator[float64](net)
		least := 1e9
		for range 300 {
			x := make([]float64, 8)
			for j := range x {
				x[j] = rng.Float64() - 0.5
			}
			y := e.Forward(x, 1)
			least = min(least, y[0]-y[1], y[0]-y[2])
		}
		prop := ordered(box, least-0.3*rng.Float64())
		seen := map[spec.Verdict]bool{}
		for _, c := range []bab.Conjunctions{bab.ConjunctionsAuto, bab.ConjunctionsTogether, bab.ConjunctionsApart} {
			res, err := bab.Verify(context.Background(), net, prop, bab.Options{Split: bab.SplitNeuron, Conjunctions: c, MaxDomains: 2000, NoAttack: true})
			require.NoError(t, err)
			seen[res.Verdict] = true
			if res.Verdict != spec.Unknown {
				decided++
			}
			switch got := res.Stats.Choices["conjunctions"]; c {
			case bab.ConjunctionsTogether:
				require.Equal(t, "together", got)
			case bab.ConjunctionsApart:
				if got == "apart" {
					apart++
				}
			}
		}
		require.False(t, seen[spec.Verified] && seen[spec.Falsified], "network %d", k)
	}
	t.Logf("%d decided, %d apart", decided, apart)
	require.Greater(t, decided, rounds(120))
	require.Positive(t, apart)
}
