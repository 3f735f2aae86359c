package bab_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// rule is a Branching that rewrites the impact of neurons.
type rule struct {
	asked   int
	rewrite func(scores [][]float64) [][]float64
	err     error
}

func (r *rule) Score(_ context.Context, _ spec.Region, _ []bounds.Split, b *bounds.DomainResult) ([][]float64, error) {
	r.asked++
	scores := make([][]float64, len(b.Impact))
	for i, s := range b.Impact {
		scores[i] = slices.Clone(s)
	}
	if r.rewrite != nil {
		scores = r.rewrite(scores)
	}
	return scores, r.err
}

// each replaces every score.
func each(f func(v float64) float64) func([][]float64) [][]float64 {
	return func(scores [][]float64) [][]float64 {
		for _, s := range scores {
			for k, v := range s {
				s[k] = f(v)
			}
		}
		return scores
	}
}

// TestBranchingNeverFlipsAVerdict: whatever a rule says, and if it says nothing that
// makes sense, the verdict is that of the default wherever both decide.
func TestBranchingNeverFlipsAVerdict(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 6))
	rules := map[string]*rule{
		"impact":   {},
		"random":   {rewrite: each(func(float64) float64 { return rng.Float64() })},
		"reversed": {rewrite: each(func(v float64) float64 { return 1 / (1 + v) })},
		"nothing":  {rewrite: each(func(float64) float64 { return 0 })},
		"nonsense": {rewrite: each(func(float64) float64 { return []float64{math.NaN(), math.Inf(1), -1, 3}[rng.IntN(4)] })},
		"too much": {rewrite: func(s [][]float64) [][]float64 {
			for i := range s {
				s[i] = append(s[i], 9, 9)
			}
			return append(s, []float64{9, 9, 9})
		}},
		"none": {rewrite: func([][]float64) [][]float64 { return nil }},
	}
	decided := 0
	for k := range rounds(16) {
		net := randomDense(t, rng, 3, activations[k%2])
		if k%3 == 2 {
			net = randomConv(t, rng, nn.ReLU{}, false)
		}
		box := cube(t, nn.InputShape(net).Size(), -0.4, 0.4)
		prop := marginBelow(box, sampledLeast(rng, net, box)-0.05)
		opts := bab.Options{Split: bab.SplitNeuron, NoAttack: true, MaxDomains: 120}
		want := verify(t, net, prop, opts)
		for name, r := range rules {
			o := opts
			o.Branching = r
			got := verify(t, net, prop, o)
			if name == "impact" {
				require.Equal(t, want.Stats.Domains, got.Stats.Domains, "the impact is the default")
			}
			if got.Verdict != spec.Unknown && want.Verdict != spec.Unknown {
				require.Equal(t, want.Verdict, got.Verdict, name)
				decided++
			}
		}
	}
	for name, r := range rules {
		require.Positive(t, r.asked, name)
	}
	require.Greater(t, decided, rounds(48))
}

func TestBranchingFails(t *testing.T) {
	net, prop := hard(t)
	broken := errors.New("broken rule")
	_, err := bab.Verify(t.Context(), net, prop, bab.Options{Split: bab.SplitNeuron, Branching: &rule{err: broken}})
	require.ErrorIs(t, err, broken)
}
