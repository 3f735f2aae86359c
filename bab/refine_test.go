package bab_test

import (
	"context"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// deepDense is a random network with ReLUs, or LeakyReLUs, behind all layers but
// the last, which has three outputs.
func deepDense(tb testing.TB, rng *rand.Rand, act nn.Operator, sizes ...int) *nn.Graph {
	b := nn.NewBuilder(nn.Shape{sizes[0]})
	h := b.Input()
	for l, next := range append(sizes[1:], 3) {
		d, err := nn.NewDense(next, sizes[l], normals(rng, next*sizes[l], 1.5/math.Sqrt(float64(sizes[l]))), normals(rng, next, 0.2))
		require.NoError(tb, err)
		h = b.Add("dense", d, h)
		if l < len(sizes)-1 {
			h = b.Add("act", act, h)
		}
	}
	return build(tb, b, h)
}

// valuesAt is the values of all nodes of a chain of layers at x.
func valuesAt(tb testing.TB, net nn.Network, x []float64) [][]float64 {
	nodes := net.Nodes()
	out := make([][]float64, len(nodes))
	for i := range nodes {
		y, err := nn.Evaluate(upTo(nodes[:i+1]), x)
		require.NoError(tb, err)
		out[i] = y
	}
	return out
}

// upTo is a network that ends at its last node.
type upTo []nn.Node

func (p upTo) Nodes() []nn.Node { return p }
func (p upTo) Output() int      { return len(p) - 1 }

// Values that neurons take at sampled points, at corners, and at the ends of
// descents stay in their refined intervals, which are within the ones before. The
// points are of the root's box, which is cut down to where the property can fail.
func TestRefinedIntervalsHold(t *testing.T) {
	rng := rand.New(rand.NewPCG(51, 52))
	tighter, refined := 0, 0
	for k := range rounds(16) {
		act := activations[k%2]
		net := deepDense(t, rng, act, 5, 8, 8, 6)
		box := cube(t, 5, -0.4, 0.4)
		prop := marginBelow(box, sampledLeast(rng, net, box)-0.01)
		r, err := bab.RefineRoot(context.Background(), net, prop, false, 1+k%3)
		require.NoError(t, err)
		if r == nil {
			continue
		}
		refined++
		require.Equal(t, []int{3}, r.Layers) // the second of three: the last is left out
		z, was := r.After[3], r.Before[3]
		for e := range z.Lower {
			require.GreaterOrEqual(t, z.Lower[e], was.Lower[e])
			require.LessOrEqual(t, z.Upper[e], was.Upper[e])
			if z.Upper[e]-z.Lower[e] < 0.9*(was.Upper[e]-was.Lower[e]) {
				tighter++
			}
		}
		x, in := make([]float64, 5), r.After[0]
		for point := range 332 {
			for j := range x {
				f := rng.Float64()
				if point < 32 {
					f = float64(point >> j & 1)
				}
				x[j] = min(max(in.Lower[j]+f*(in.Upper[j]-in.Lower[j]), in.Lower[j]), in.Upper[j])
			}
			for i, y := range valuesAt(t, net, x) {
				requireInside(t, r.After[i], y)
			}
		}
		all := []int{0, 1, 2, 3, 4, 5, 6, 7}
		for e, v := range bab.Attained(upTo(net.Nodes()[:4]), in, all) {
			require.LessOrEqual(t, z.Lower[e], v.Lower+1e-9)
			require.GreaterOrEqual(t, z.Upper[e], v.Upper-1e-9)
		}
	}
	t.Logf("%d networks, %d intervals a tenth tighter", refined, tighter)
	require.Greater(t, refined, rounds(10))
	require.Greater(t, tighter, rounds(32))
}

func requireInside(t *testing.T, z bounds.Interval, y []float64) {
	t.Helper()
	for e := range z.Lower {
		require.LessOrEqual(t, z.Lower[e], y[e]+1e-9) // of the evaluation
		require.GreaterOrEqual(t, z.Upper[e], y[e]-1e-9)
	}
}

// ranges are the exact intervals of t's outputs over a box in the square.
func (t *tiny) ranges(in bounds.Interval) (least, most []*big.Rat) {
	one, zero := rat(1), rat(0)
	box := []half{
		{one, zero, rat(in.Upper[0])},
		{rat(-1), zero, rat(-in.Lower[0])},
		{zero, one, rat(in.Upper[1])},
		{zero, rat(-1), rat(-in.Lower[1])},
	}
	n := len(t.weights[len(t.weights)-1])
	least, most = make([]*big.Rat, n), make([]*big.Rat, n)
	t.patterns(func(side []half, out []affine2) {
		for _, v := range vertices(append(box, side...)) {
			for k := range out {
				y := value(out[k], v)
				if least[k] == nil || y.Cmp(least[k]) < 0 {
					least[k] = y
				}
				if most[k] == nil || y.Cmp(most[k]) > 0 {
					most[k] = y
				}
			}
		}
	})
	return least, most
}

// The twin knows the exact interval of every neuron of the second layer. The
// refined one contains it, in rational arithmetic, and decides what is decided by
// a margin.
func TestRefinedIntervalsAgainstTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(53, 54))
	box := cube(t, 2, -1, 1)
	refined, undecided, missed := 0, 0, 0
	for range rounds(64) {
		net := randomTinyOf(rng, 2, 4, 3, 2)
		at, _ := net.least(1, -1).Float64()
		prop := &spec.Property{Inputs: 2, Outputs: 2, Cases: []spec.Case{{Region: box, Unsafe: []spec.Conjunction{
			{output(at-0.01, spec.Term{Index: 0, Coef: 1}, spec.Term{Index: 1, Coef: -1})},
		}}}}
		r, err := bab.RefineRoot(context.Background(), net.graph(t), prop, false, 3)
		require.NoError(t, err)
		if r == nil {
			continue
		}
		refined++
		require.Equal(t, []int{3}, r.Layers)
		z, was := r.After[3], r.Before[3]
		least, most := (&tiny{net.weights[:2], net.biases[:2]}).ranges(r.After[0])
		require.Len(t, z.Lower, len(least))
		for k := range least {
			require.LessOrEqual(t, rat(z.Lower[k]).Cmp(least[k]), 0)
			require.GreaterOrEqual(t, rat(z.Upper[k]).Cmp(most[k]), 0)
			require.LessOrEqual(t, z.Upper[k]-z.Lower[k], was.Upper[k]-was.Lower[k])
			lo, _ := least[k].Float64()
			up, _ := most[k].Float64()
			if was.Lower[k] < 0 && was.Upper[k] > 0 && (lo > 0.1 || up < -0.1) {
				undecided++
				if z.Lower[k] < 0 && z.Upper[k] > 0 {
					missed++
				}
			}
		}
	}
	t.Logf("%d networks, %d neurons to decide, %d missed", refined, undecided, missed)
	require.Greater(t, refined, rounds(24))
	require.GreaterOrEqual(t, undecided, rounds(8))
	require.LessOrEqual(t, missed, undecided/3) // neurons that cost the root nothing are left alone
}

// Refining changes the work, never the verdict, and the statistics tell of it.
func TestRefineNeverFlipsAVerdict(t *testing.T) {
	rng := rand.New(rand.NewPCG(55, 56))
	decided, on := 0, 0
	for k := range rounds(16) {
		net := deepDense(t, rng, activations[k%2], 6, 7, 7, 6)
		box := cube(t, 6, -0.3, 0.3)
		least := sampledLeast(rng, net, box)
		for _, shift := range []float64{-0.3, -0.05, 0.02} {
			seen := map[spec.Verdict]bool{}
			for _, how := range []bab.Refinement{bab.RefineOff, bab.RefineOn} {
				opts := bab.Options{Split: bab.SplitNeuron, Refine: how, NoAttack: true, MaxDomains: 2000, Seed: uint64(k)}
				res := verify(t, net, marginBelow(box, least+shift), opts)
				require.False(t, shift > 0 && res.Verdict == spec.Verified, "a sample violates the property")
				seen[res.Verdict] = true
				if res.Verdict != spec.Unknown {
					decided++
				}
				choice := res.Stats.Choices["refine"]
				require.False(t, how == bab.RefineOff && choice != "off")
				if strings.HasPrefix(choice, "on ") {
					on++
				}
			}
			require.False(t, seen[spec.Verified] && seen[spec.Falsified], "network %d, shift %g", k, shift)
		}
	}
	t.Logf("%d decided, %d refined", decided, on)
	require.Greater(t, decided, rounds(60))
	require.Greater(t, on, rounds(16))
}

// Without being asked, a search that does not end soon is refined, and the limits
// hold while it is: of domains, of memory, of time.
func TestRefineKeepsLimits(t *testing.T) {
	rng := rand.New(rand.NewPCG(57, 58))
	net := deepDense(t, rng, nn.ReLU{}, 66, 30, 30, 30, 24)
	box := cube(t, 66, -0.35, 0.35)
	prop := marginBelow(box, sampledLeast(rng, net, box)-2)

	res := verify(t, net, prop, bab.Options{NoAttack: true, MaxDomains: 1500})
	require.Equal(t, spec.ReasonNodeLimit, res.Reason)
	require.LessOrEqual(t, res.Stats.Domains, 1500+600) // and a batch
	require.Equal(t, "on 1", res.Stats.Choices["refine"])

	res = verify(t, net, prop, bab.Options{NoAttack: true, MaxMemory: 1 << 20, MaxDomains: 3000, Refine: bab.RefineOn})
	require.Contains(t, []spec.Reason{spec.ReasonMemory, spec.ReasonNodeLimit}, res.Reason)

	for _, after := range []time.Duration{50 * time.Millisecond, 300 * time.Millisecond} {
		ctx, cancel := context.WithTimeout(context.Background(), after)
		start := time.Now()
		res, err := bab.Verify(ctx, net, prop, bab.Options{NoAttack: true, Refine: bab.RefineOn})
		cancel()
		require.NoError(t, err)
		require.Equal(t, spec.ReasonTimeout, res.Reason)
		require.Less(t, time.Since(start), after+2*time.Second)
		require.False(t, math.IsNaN(res.LowerBound) || res.LowerBound > 0)
	}
}

// Descents end at values that the network takes in the box.
func TestAttainedIsAttained(t *testing.T) {
	rng := rand.New(rand.NewPCG(59, 60))
	for range 10 {
		net := deepDense(t, rng, nn.ReLU{}, 4, 6, 6)
		box := cube(t, 4, -0.5, 0.5)
		r := bab.Attained(net, bounds.Interval{Lower: box.Lower, Upper: box.Upper}, []int{2, 0})
		middle, err := nn.Evaluate(net, make([]float64, 4))
		require.NoError(t, err)
		res, err := bounds.IBP{}.Bound(context.Background(), compile(t, net), &bounds.Query{Domains: []bounds.Domain{{Region: box}}})
		require.NoError(t, err)
		all := res[0].Nodes[len(res[0].Nodes)-1]
		for k, e := range []int{2, 0} {
			require.LessOrEqual(t, r[k].Lower, middle[e])
			require.GreaterOrEqual(t, r[k].Upper, middle[e])
			require.Less(t, r[k].Lower, r[k].Upper)
			require.GreaterOrEqual(t, r[k].Lower, all.Lower[e])
			require.LessOrEqual(t, r[k].Upper, all.Upper[e])
		}
	}
}

func compile(tb testing.TB, net nn.Network) *bounds.Model {
	m, err := bounds.Compile(net)
	require.NoError(tb, err)
	return m
}
