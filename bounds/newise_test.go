package bounds

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// monotoneNet is a random network for which NeWise's lines are the tightest: the
// columns of the first layer have one sign each, later weights are not negative.
func monotoneNet(t *testing.T, rng *rand.Rand, hidden int) *nn.Graph {
	t.Helper()
	b := nn.NewBuilder(nn.Shape{3})
	at, in := b.Input(), 3
	for l := range hidden + 1 {
		out := 4
		if l == hidden {
			out = 2
		}
		w, bias := make([]float64, out*in), make([]float64, out)
		for k := range w {
			w[k] = math.Abs(rng.NormFloat64())
			if l == 0 && k%in == 1 {
				w[k] = -w[k]
			}
		}
		for k := range bias {
			bias[k] = rng.NormFloat64() - 1
		}
		d, err := nn.NewDense(out, in, w, bias)
		require.NoError(t, err)
		at, in = b.Add("", d, at), out
		if l < hidden {
			at = b.Add("", []nn.Operator{nn.Sigmoid{}, nn.Tanh{}, nn.Arctan{}}[rng.IntN(3)], at)
		}
	}
	net, err := b.Build(at)
	require.NoError(t, err)
	return net
}

// Zhang et al. 2022, §4: on monotone networks no linear relaxation bounds the
// output better than the neuron-wise one.
func TestNeWiseIsTightestOnMonotoneNetworks(t *testing.T) {
	for seed := range 60 {
		rng := rand.New(rand.NewPCG(uint64(seed), 33))
		m := mustCompile(t, monotoneNet(t, rng, 1+seed%3))
		require.True(t, m.Monotone())
		q := &Query{
			Domains:   []Domain{{Region: randomBox(t, rng, m.inputs, 1.5)}},
			Functions: Functions{Output: []float64{1, 0, 0, 1}}, Upper: true,
		}
		best := mustBound(t, NeWise{}, m, q)[0]
		for _, r := range relaxers {
			other := mustBound(t, Crown{Relaxer: r.r}, m, q)[0]
			requireNested(t, &best, &other, r.name)
		}
		tuned := mustBound(t, Alpha{Iterations: 10}, m, q)[0]
		requireNested(t, &best, &tuned, "α")
	}
}

// One hidden layer: the optimised bound is as good as that of a fine grid of
// tangent points, the dumb twin.
func TestNeWiseEqualsAGridOnOneHiddenLayer(t *testing.T) {
	for seed := range 20 {
		rng := rand.New(rand.NewPCG(uint64(seed), 35))
		mk := newNetMaker(t, rng, nn.Shape{2}, nn.Sigmoid{}, nn.Tanh{}, nn.Arctan{})
		mk.dense(2)
		mk.activation()
		mk.dense(1)
		m := mustCompile(t, mk.build())
		q := &Query{
			Domains:   []Domain{{Region: randomBox(t, rng, 2, 2)}},
			Functions: Functions{Output: []float64{1}, Const: []float64{-100}}, Upper: true, // never positive: to the end
		}
		got := mustBound(t, NeWise{}, m, q)[0]
		lower, upper := math.Inf(-1), math.Inf(1)
		const steps = 24
		for a := range steps + 1 {
			for b := range steps + 1 {
				g := &gridRelaxer{points: []float64{float64(a) / steps, float64(b) / steps}}
				r := mustBound(t, Crown{Relaxer: g}, m, q)[0]
				lower, upper = max(lower, r.Lower[0]), min(upper, r.Upper[0])
			}
		}
		width := upper - lower
		assert.GreaterOrEqual(t, got.Lower[0], lower-0.01*width, "seed %d", seed)
		assert.LessOrEqual(t, got.Upper[0], upper+0.01*width, "seed %d", seed)
	}
}

// gridRelaxer touches at a share of the sound points, for each neuron its own, on
// both sides of the curve alike.
type gridRelaxer struct {
	points []float64
	next   int
}

func (g *gridRelaxer) Relax(f nn.Elementwise, over Range, _ *Range) (Lines, bool) {
	share := g.points[g.next%len(g.points)]
	g.next++
	return relaxCurve(f, over, func(a *arc) (float64, float64) {
		upper, lower := a.tangentPoints()
		at := func(r Range) float64 { return r.Lower + share*(r.Upper-r.Lower) }
		return at(upper), at(lower)
	})
}

func TestMonotone(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 37))
	found := 0
	for range 30 {
		if mustCompile(t, randomDense(t, rng, nn.Tanh{})).Monotone() {
			found++
		}
	}
	assert.Zero(t, found, "random networks are not monotone")

	mk := newNetMaker(t, rng, nn.Shape{1, 6, 6})
	mk.conv(2, 3, 1, 1)
	mk.add(nn.Sigmoid{})
	mk.averagePool(2, 2)
	net := mk.build()
	conv := net.Nodes()[1].Op.(*nn.Conv)
	assert.False(t, mustCompile(t, net).Monotone())
	w := append([]float64(nil), conv.Weight().Values()...)
	for k := range w {
		w[k] = -math.Abs(w[k])
	}
	conv.Weight().Set(w)
	assert.True(t, mustCompile(t, net).Monotone(), "first weights of one sign, then an average")
}
