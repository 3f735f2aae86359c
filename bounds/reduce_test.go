package bounds

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// A reduced network gives the bounds of the whole one, with fewer neurons.
func TestReducedNetworksGiveTheSameBounds(t *testing.T) {
	left, all := 0, 0
	randomNets(t, 200, func(rng *rand.Rand, net *nn.Graph) {
		m := mustCompile(t, net)
		s := crownState(t, m, rng)
		r := newReducer(m, s.upper)
		for i := 1; i < len(m.nodes); i++ {
			if len(m.feeds[i]) == 0 && i != m.output {
				continue
			}
			reduced := r.upTo(s, i)
			rows := everyElement(m.size[i])
			want, got := task{start: i, bound: make([]float64, len(rows))}, task{start: i, bound: make([]float64, len(rows))}
			require.NoError(t, s.carry(t.Context(), rows, &want))
			require.NoError(t, reduced.carry(t.Context(), rows, &got))
			require.InDeltaSlice(t, want.bound, got.bound, 1e-10, "node %d", i)
			left += reduced.m.size[i-1]
			all += m.size[i-1]
		}
	})
	require.Less(t, left, all, "no network was reduced")
}

// What was found for a domain of the whole network serves its parts in the
// reduced one.
func TestReducedResults(t *testing.T) {
	randomNets(t, 200, func(rng *rand.Rand, net *nn.Graph) {
		m := mustCompile(t, net)
		q := &Query{Domains: []Domain{{Region: randomBox(t, rng, m.inputs, 0.5)}}, Functions: randomFunctions(rng, m), Impact: true}
		whole := mustBound(t, AlphaBeta{Iterations: 3}, m, q)[0]
		smaller := m.Reduce(whole.Nodes)
		reduced := smaller.Result(&whole)
		for i, n := range reduced.Nodes {
			require.Len(t, n.Lower, smaller.Model.size[i])
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
}

func everyElement(n int) []row {
	var rows []row
	for e := range n {
		rows = append(rows, row{index: e, sign: 1}, row{index: e, sign: -1})
	}
	return rows
}

// crownState is the state that Crown's bounds of a random box leave.
func crownState(t *testing.T, m *Model, rng *rand.Rand) *state {
	d := Domain{Region: randomBox(t, rng, m.inputs, 0.5)}
	f := Functions{Output: identity(m.outputs)}
	d.Known = mustBound(t, Crown{}, m, &Query{Domains: []Domain{d}, Functions: f})[0].Nodes
	s := newState(m, []Domain{d}, nil)
	for i := 1; i < len(m.nodes); i++ {
		m.rules[i].interval(s, i)
		s.intersect(i)
		m.rules[i].relax(s, i)
	}
	return s
}
