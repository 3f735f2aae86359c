package bounds

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// TestEnvelopeOfConcaveFunctions: where all neurons stand behind negative coefficients
// the function is concave in the inputs and least at a corner of the box, which the
// bound reaches. α has nothing to choose there, so that without envelopes it stays behind.
func TestEnvelopeOfConcaveFunctions(t *testing.T) {
	closer := 0
	const cases = 60
	for seed := range cases {
		rng := rand.New(rand.NewPCG(uint64(seed), 31))
		inputs := 1 + rng.IntN(6)
		act := []nn.Operator{nn.ReLU{}, nn.LeakyReLU{Slope: 0.25}}[seed%2]
		k := newNetMaker(t, rng, nn.Shape{inputs}, act)
		width, e := 3+rng.IntN(20), Envelope{Iterations: 5000}
		if seed%4 == 0 { // ReLUs, by patterns
			width, e.Inputs = 1+rng.IntN(together), 1
		}
		hidden := k.dense(width)
		k.activation()
		net := k.build()
		m := mustCompile(t, net)
		f := Functions{Output: make([]float64, m.outputs), Input: k.normals(inputs, 1)}
		for i := range f.Output {
			f.Output[i] = -rng.Float64()
		}
		require.Equal(t, m.size[hidden], m.outputs)
		box := randomBox(t, rng, inputs, 2)
		least := math.Inf(1)
		x := make([]float64, inputs)
		for corner := range 1 << inputs {
			for i := range x {
				x[i] = box.Lower[i]
				if corner>>i&1 == 1 {
					x[i] = box.Upper[i]
				}
			}
			y, err := nn.Evaluate(net, x)
			require.NoError(t, err)
			least = min(least, f.at(m, x, y)[0])
		}
		// Shifted, so that the ascent does not stop at a proof.
		f.Const = []float64{-least - 1}
		q := &Query{Domains: []Domain{{Region: box}}, Functions: f}
		plain, got := mustBound(t, AlphaBeta{}, m, q)[0].Lower[0], mustBound(t, e, m, q)[0].Lower[0]
		require.LessOrEqual(t, got, -1+1e-9, "seed %d", seed)
		require.InDelta(t, -1, got, 0.02*(1+math.Abs(plain+1)), "seed %d: without envelopes %v", seed, plain)
		if got > plain+1e-6 {
			closer++
		}
	}
	require.Greater(t, closer, cases/3)
}

// TestEnvelopeRaisesBounds: behind a small kernel it gains much, and it never loses.
func TestEnvelopeRaisesBounds(t *testing.T) {
	raised := 0
	const cases = 20
	for seed := range cases {
		rng := rand.New(rand.NewPCG(uint64(seed), 32))
		k := newNetMaker(t, rng, nn.Shape{1, 7, 7}, nn.ReLU{})
		k.conv(6, 2, 1, 0)
		k.activation()
		k.averagePool(3, 3)
		k.dense(3)
		m := mustCompile(t, k.build())
		q := &Query{Domains: []Domain{{Region: randomBox(t, rng, m.inputs, 1)}}, Functions: randomFunctions(rng, m)}
		plain, got := mustBound(t, AlphaBeta{}, m, q)[0], mustBound(t, Envelope{}, m, q)[0]
		for f, v := range plain.Lower {
			require.GreaterOrEqual(t, got.Lower[f], v)
			if v <= 0 && got.Lower[f] > v+0.01*math.Abs(v) {
				raised++
				break
			}
		}
	}
	require.Greater(t, raised, cases/3)
}

// TestEnvelopeGoesOn: in parts of a domain the bounds hold on points, few steps from the
// groups and lines of the whole are better than without envelopes, and neurons that have
// changed sides or come to matter are taken in.
func TestEnvelopeGoesOn(t *testing.T) {
	better, parts := 0, 0
	for seed := range 60 {
		rng := rand.New(rand.NewPCG(uint64(seed), 35))
		k := newNetMaker(t, rng, nn.Shape{2, 6, 6}, nn.ReLU{})
		k.conv(6, 2, 2, 0)
		k.activation()
		k.add(nn.Flatten{})
		k.dense(6)
		k.activation()
		k.dense(3)
		m := mustCompile(t, k.build())
		box := randomBox(t, rng, m.inputs, 1)
		q := &Query{Domains: []Domain{{Region: box}}, Functions: randomFunctions(rng, m), Upper: true}
		e := Envelope{Parts: true, Inputs: []int{8, 3}[seed%2]}
		r := mustBound(t, e, m, q)[0]
		eval := nn.NewEvaluator[float64](m.net)
		for range 4 { // down a path of splits
			if r.Infeasible || r.Warm == nil {
				break
			}
			d := Domain{Region: box, Known: slices.Clone(r.Nodes), Splits: q.Domains[0].Splits, Warm: r.Warm}
			split := false
			for _, j := range m.Preactivations() {
				at := rng.IntN(m.size[j])
				if lo, up := d.Known[j].Lower[at], d.Known[j].Upper[at]; lo < 0 && up > 0 && !split {
					split = true
					n := Interval{slices.Clone(d.Known[j].Lower), slices.Clone(d.Known[j].Upper)}
					c := Split{Node: j, Index: at, Below: rng.IntN(2) == 0}
					if c.Below {
						n.Upper[at] = 0
					} else {
						n.Lower[at] = 0
					}
					d.Known[j], d.Splits = n, append(slices.Clone(d.Splits), c)
				}
			}
			if !split {
				continue
			}
			q.Domains[0] = d
			plain := mustBound(t, AlphaBeta{}, m, q)[0]
			r = mustBound(t, e, m, q)[0]
			for f, v := range plain.Lower {
				require.GreaterOrEqual(t, r.Lower[f], v-1e-9*(1+math.Abs(v)))
				if v <= 0 && !r.Infeasible {
					parts++
					if r.Lower[f] > v+1e-3*math.Abs(v) {
						better++
					}
				}
			}
			for _, x := range points(rng, m, box, &q.Functions, 40) {
				eval.Forward(x, 1)
				if satisfies(eval, d.Known) {
					requireInside(t, m, eval, &q.Functions, &r, x, "part")
				}
			}
		}
	}
	t.Logf("better in %d of %d", better, parts)
	require.Greater(t, parts, 100)
	require.Greater(t, better, parts/2)
}

// TestEnvelopeOfAnotherNetwork: what another network's bounds left behind moves lines
// about, and no bound rests on it.
func TestEnvelopeOfAnotherNetwork(t *testing.T) {
	for seed := range 20 {
		rng := rand.New(rand.NewPCG(uint64(seed), 36))
		var models []*Model
		for range 2 {
			k := newNetMaker(t, rng, nn.Shape{1, 4, 4}, nn.ReLU{})
			k.conv(4, 2, 1, 0)
			k.activation()
			k.add(nn.Flatten{})
			k.dense(2)
			models = append(models, mustCompile(t, k.build()))
		}
		m := models[1]
		box := randomBox(t, rng, m.inputs, 1)
		q := &Query{Domains: []Domain{{Region: box}}, Functions: randomFunctions(rng, m), Upper: true}
		q.Domains[0].Warm = mustBound(t, Envelope{}, models[0], q)[0].Warm
		r := mustBound(t, Envelope{Parts: true}, m, q)[0]
		eval := nn.NewEvaluator[float64](m.net)
		for _, x := range points(rng, m, box, &q.Functions, 40) {
			requireInside(t, m, eval, &q.Functions, &r, x, "other")
		}
	}
}

// TestEnvelopeKeepsRows: parts of a domain share its neurons' rows, a larger domain gets
// its own, since what rounding may have done grows with the inputs.
func TestEnvelopeKeepsRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 37))
	m := wildConv(t, rng)
	q := &Query{Domains: make([]Domain, 1), Functions: randomFunctions(rng, m), Upper: true}
	bound := func(width float64, warm *Warm) *patchRows {
		lo, up := repeat(-width, m.inputs), repeat(width, m.inputs)
		box, err := spec.NewBox(lo, up)
		require.NoError(t, err)
		q.Domains[0] = Domain{Region: box, Warm: warm}
		r := mustBound(t, Envelope{Parts: true}, m, q)[0]
		require.NotNil(t, r.Warm.rows)
		q.Domains[0].Warm = r.Warm
		return r.Warm.rows
	}
	whole := bound(1, nil)
	warm := q.Domains[0].Warm
	require.Same(t, whole, bound(0.9, warm))
	require.NotSame(t, whole, bound(1.1, warm))
}

// TestEnvelopeLeavesOthersAlone: networks that it is not for get the other bounder's
// numbers, and so do parts of domains bounded before.
func TestEnvelopeLeavesOthersAlone(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 34))
	wide := randomDense(t, rng, nn.ReLU{})
	curved := randomDense(t, rng, nn.Sigmoid{})
	for _, tc := range []struct {
		net   nn.Network
		e     Envelope
		parts bool
	}{{curved, Envelope{}, false}, {wide, Envelope{}, true}} {
		m := mustCompile(t, tc.net)
		q := &Query{Domains: []Domain{{Region: randomBox(t, rng, m.inputs, 1)}}, Functions: randomFunctions(rng, m)}
		if tc.parts {
			r := mustBound(t, AlphaBeta{}, m, q)[0]
			q.Domains[0].Known, q.Domains[0].Warm = r.Nodes, r.Warm
		}
		require.Equal(t, mustBound(t, AlphaBeta{}, m, q)[0].Lower, mustBound(t, tc.e, m, q)[0].Lower)
	}
	m := mustCompile(t, wide)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Envelope{Bounder: IBP{}}.Bound(ctx, m, &Query{Domains: []Domain{{Region: randomBox(t, rng, m.inputs, 1)}}, Functions: randomFunctions(rng, m)})
	require.ErrorIs(t, err, context.Canceled)
}
