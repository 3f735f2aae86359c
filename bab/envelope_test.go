package bab_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// smallKernel is one convolution with a kernel of 2×2, pooled.
func smallKernel(tb testing.TB, rng *rand.Rand) *nn.Graph {
	b := nn.NewBuilder(nn.Shape{1, 7, 7})
	c, err := nn.NewConv(nn.ConvConfig{Kernel: []int{2, 2}}, 8, 1, normals(rng, 32, 0.8), normals(rng, 8, 0.2))
	require.NoError(tb, err)
	h := b.Add("relu", nn.ReLU{}, b.Add("conv", c, b.Input()))
	pool, err := nn.NewAveragePool(nn.PoolConfig{Kernel: []int{3, 3}, Stride: []int{3, 3}})
	require.NoError(tb, err)
	h = b.Add("flat", nn.Flatten{}, b.Add("pool", pool, h))
	d, err := nn.NewDense(3, 32, normals(rng, 96, 0.5), normals(rng, 3, 0.3))
	require.NoError(tb, err)
	return build(tb, b, b.Add("out", d, h))
}

// TestEnvelopes: thresholds between what α-CROWN proves and what joint envelopes of
// neurons that read the same inputs prove take no split, where without them there are
// dozens to thousands; thresholds beyond take fewer sub-problems.
func TestEnvelopes(t *testing.T) {
	proven, together, apart := 0, 0, 0
	for seed := range 12 {
		rng := rand.New(rand.NewPCG(uint64(seed), 51))
		net := smallKernel(t, rng)
		box := cube(t, 49, -0.1, 0.1)
		model, err := bounds.Compile(net)
		require.NoError(t, err)
		// Far below zero, so that the optimisers do not stop at a proof.
		q := &bounds.Query{Domains: []bounds.Domain{{Region: box}}, Functions: bounds.Functions{Output: []float64{1, -1, 0}, Const: []float64{-10}}}
		least := func(b bounds.Bounder) float64 {
			r, err := b.Bound(t.Context(), model, q)
			require.NoError(t, err)
			return r[0].Lower[0] + 10
		}
		alpha, envelope := least(bounds.AlphaBeta{Intermediate: 10}), least(bounds.Envelope{Iterations: 1000})
		require.Greater(t, envelope, alpha)
		for _, f := range []float64{0.5, 1.1} {
			prop := marginBelow(box, alpha+f*(envelope-alpha))
			opts := bab.Options{Split: bab.SplitNeuron, MaxDomains: 500}
			with := verify(t, net, prop, opts)
			opts.Bounder = bounds.AlphaBeta{Intermediate: 10}
			without := verify(t, net, prop, opts)
			if f < 1 {
				require.Equal(t, spec.Verified, with.Verdict, "seed %d", seed)
				require.Zero(t, with.Stats.Splits, "seed %d", seed)
				require.Positive(t, without.Stats.Splits, "seed %d", seed)
			}
			if with.Verdict != spec.Unknown && without.Verdict != spec.Unknown {
				require.Equal(t, without.Verdict, with.Verdict, "seed %d", seed)
			}
			if with.Verdict == spec.Verified {
				proven++
				together, apart = together+with.Stats.Domains, apart+without.Stats.Domains
			}
		}
	}
	t.Logf("%d proven with %d sub-problems, or %d and more without envelopes", proven, together, apart)
	require.Greater(t, proven, 12)
	require.Less(t, 5*together, apart)
}

// TestEnvelopesAreLeftOut: where they do nothing at the root the search goes on without.
func TestEnvelopesAreLeftOut(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 52))
	net := randomDense(t, rng, 8, nn.Sigmoid{})
	box := cube(t, 8, -1, 1)
	res := verify(t, net, marginBelow(box, sampledLeast(rng, net, box)-0.01), bab.Options{Split: bab.SplitNeuron, MaxDomains: 40})
	require.Positive(t, res.Stats.Splits)
	require.Equal(t, "off", res.Stats.Choices["envelopes"])
}
