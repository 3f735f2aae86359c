package bab_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// TestCounterexampleAtTheEdgeIsNeverLost plants a violation at the very corner
// of the region, and makes it as small as float64 evaluation can tell: the
// threshold is the network's value there plus a few roundings. No option may
// then yield Verified. (It need not be Falsified either: that takes a violation
// in float32 too, for which a little more room is left the second time.)
func TestCounterexampleAtTheEdgeIsNeverLost(t *testing.T) {
	rng := rand.New(rand.NewPCG(21, 22))
	falsified := 0
	for k := range rounds(240) {
		net := randomDense(t, rng, 3, activations[k%len(activations)])
		box := cube(t, 3, -0.5, 0.25)
		e := nn.NewEvaluator[float64](net)
		least := math.Inf(1)
		x := make([]float64, 3)
		for corner := range 8 {
			for j := range x {
				x[j] = box.Lower[j]
				if corner>>j&1 == 1 {
					x[j] = box.Upper[j]
				}
			}
			y := e.Forward(x, 1)
			least = min(least, y[0]-y[1])
		}
		opts := bab.Options{Split: bab.SplitInput, NoAttack: k%3 > 0, MaxDomains: 2000, Seed: uint64(k)}
		if k%2 == 1 {
			opts.Split, opts.MaxDomains, opts.Refine = bab.SplitNeuron, 300, bab.Refinement(k/2%2)
		}
		for _, room := range []float64{1e-12, 1e-5} {
			res := verify(t, net, marginBelow(box, least+room*(1+math.Abs(least))), opts)
			require.NotEqual(t, spec.Verified, res.Verdict, "network %d", k)
			if room > 1e-6 && res.Verdict == spec.Falsified {
				falsified++
			}
		}
	}
	t.Logf("%d of 240 falsified", falsified)
	require.Greater(t, falsified, rounds(232))
}
