package bab_test

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/nn"
)

// The filter's choice is the best of the candidates that it is to look at, by scores
// that the twin finds one by one: the first few, and all of them where none of the
// first gains enough.
func TestFilterChoosesTheBestCandidate(t *testing.T) {
	rng := rand.New(rand.NewPCG(61, 62))
	sufficed, further := 0, 0
	for k := range rounds(60) {
		net := deepDense(t, rng, activations[k%2], 12, 70, 70, 70)
		box := cube(t, nn.InputShape(net).Size(), -1, 1)
		prop := marginBelow(box, sampledLeast(rng, net, box)-4*float64(k%7))
		l, err := bab.LookAtRoot(context.Background(), net, prop)
		require.NoError(t, err)
		if l == nil {
			continue
		}
		require.GreaterOrEqual(t, l.Chosen, 0)
		looked := l.Scores[:min(l.First, len(l.Scores))]
		switch best := slices.Max(looked); {
		case len(l.Scores) <= l.First:
		case math.Abs(best-l.Sufficient) < 1e-9*l.Sufficient: // too close to tell
			continue
		case best < l.Sufficient:
			looked = l.Scores
			further++
		default:
			sufficed++
		}
		require.InEpsilon(t, slices.Max(looked), l.Scores[l.Chosen], 1e-9)
	}
	t.Logf("the first sufficed %d times, more were looked at %d times", sufficed, further)
	if !testing.Short() {
		require.Greater(t, sufficed, 4)
		require.Greater(t, further, 4)
	}
}
