package bounds

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// What was found for a domain of the whole network serves its parts in the
// reduced one.
func TestReducedResults(t *testing.T) {
	left, all := 0, 0
	randomNets(t, 200, func(rng *rand.Rand, net *nn.Graph) {
		m := mustCompile(t, net)
		q := &Query{Domains: []Domain{{Region: randomBox(t, rng, m.inputs, 0.5)}}, Functions: randomFunctions(rng, m), Impact: true}
		whole := mustBound(t, AlphaBeta{Iterations: 3}, m, q)[0]
		smaller := m.Reduce(whole.Nodes)
		reduced := smaller.Result(&whole)
		for i, n := range reduced.Nodes {
			require.Len(t, n.Lower, smaller.Model.size[i])
			left, all = left+len(n.Lower), all+m.size[i]
		}
		for i, v := range reduced.Impact {
			if v != nil {
				require.Len(t, v, smaller.Model.size[i])
			}
		}
		part, partReduced := *q, *q
		d := q.Domains[0]
		d.Known, d.Warm = whole.Nodes, whole.Warm
		part.Domains = []Domain{d}
		d.Known, d.Warm = reduced.Nodes, reduced.Warm
		partReduced.Domains = []Domain{d}
		for _, b := range []Bounder{CrownIBP{}, Crown{}, AlphaBeta{Iterations: 1}} {
			want, got := mustBound(t, b, m, &part)[0], mustBound(t, b, smaller.Model, &partReduced)[0]
			require.InDeltaSlice(t, want.Lower, got.Lower, 1e-9)
		}
	})
	require.Less(t, left, all, "no network was reduced")
}
