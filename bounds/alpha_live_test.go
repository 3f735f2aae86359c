package bounds

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// Over live neurons alone, elements have the optimised bounds that they have
// over all neurons.
func TestAlphaOverLiveNeurons(t *testing.T) {
	left, all := 0, 0
	randomNets(t, 200, func(rng *rand.Rand, net *nn.Graph) {
		m := mustCompile(t, net)
		if !m.slim || !m.tunable {
			return
		}
		d := Domain{Region: randomBox(t, rng, m.inputs, 0.5)}
		refine := func(slim bool) [][]float64 {
			s := newState(m, []Domain{d}, nil)
			defer s.close()
			s.makeViews()
			var bounds [][]float64
			for i := 1; i < len(m.nodes); i++ {
				s.advance(i)
				if slim {
					left, all = left+s.width(s.views[0], i), all+m.size[i]
				}
				if rows := s.wantedRows(i); len(rows) > 0 {
					views := s.views
					if !slim {
						s.views = nil
					}
					b, err := s.refine(t.Context(), i, rows, &refinement{iterations: 5})
					s.views = views
					require.NoError(t, err)
					bounds = append(bounds, slices.Clone(b))
				}
			}
			return bounds
		}
		want, got := refine(false), refine(true)
		require.Len(t, got, len(want))
		for i := range want {
			require.InDeltaSlice(t, want[i], got[i], 1e-7)
		}
	})
	require.Less(t, left, all, "no neuron was left out")
}
