package dualapp_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/dualapp"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

var methods = map[string]dualapp.UnderApproximator{
	"Monte Carlo": dualapp.MonteCarlo{Samples: 150}, "gradient": dualapp.Gradient{},
}

func under(t testing.TB, u dualapp.UnderApproximator, m *bounds.Model, x []float64, region spec.Region) []bounds.Interval {
	t.Helper()
	l, err := u.For(m).At(t.Context(), x)
	require.NoError(t, err)
	got, err := l.Under(t.Context(), region)
	require.NoError(t, err)
	return got
}

// Values that occur lie within bounds of what occurs, up to single precision.
func TestUnderLiesWithinOver(t *testing.T) {
	for seed := range seeds(24) {
		rng := rand.New(rand.NewPCG(uint64(seed), 1))
		m := compile(t, someNet(t, rng, seed))
		x := center(rng, m)
		radius := math.Pow(10, -3+2.5*rng.Float64())
		ball, err := spec.NewBall(spec.L2, x, radius, nil)
		require.NoError(t, err)
		for what, region := range map[string]spec.Region{"cube": cube(t, x, radius, nil), "clipped": cube(t, x, radius, unit(len(x))), "L2": ball} {
			res, err := bounds.Crown{}.Bound(t.Context(), m, &bounds.Query{
				Domains:   []bounds.Domain{{Region: region}},
				Functions: bounds.Functions{Output: make([]float64, nn.OutputShape(m.Network()).Size())},
			})
			require.NoError(t, err)
			for name, u := range methods {
				got := under(t, u, m, x, region)
				for i := range got {
					wanted := false
					for _, j := range m.Preactivations() {
						wanted = wanted || i == j
					}
					require.Equal(t, wanted, got[i].Lower != nil)
					for k, lo := range got[i].Lower {
						up, over := got[i].Upper[k], res[0].Nodes[i]
						require.LessOrEqual(t, lo, up)
						require.GreaterOrEqual(t, lo, over.Lower[k]-2e-5*(1+math.Abs(lo)), "%s %s node %d", name, what, i)
						require.LessOrEqual(t, up, over.Upper[k]+2e-5*(1+math.Abs(up)), "%s %s node %d", name, what, i)
					}
				}
			}
		}
	}
}

// The dumb twin of both algorithms, straight from the paper and in float64: draw
// or step, evaluate everything, take extremes.
func TestMonteCarloFindsWhatItsSamplesDo(t *testing.T) {
	for seed := range 12 {
		rng := rand.New(rand.NewPCG(uint64(seed), 2))
		m := compile(t, someNet(t, rng, seed))
		x, radius := center(rng, m), 0.2*rng.Float64()
		got := under(t, dualapp.MonteCarlo{Samples: 20, Seed: 5}, m, x, cube(t, x, radius, nil))
		// The same directions, drawn again.
		draw := rand.New(rand.NewPCG(5, 0x6475616c))
		want := make([]bounds.Interval, len(got))
		e := nn.NewEvaluator[float64](m.Network())
		y := make([]float64, len(x))
		for s := range 21 {
			for i, c := range x {
				y[i] = c
				if s > 0 {
					y[i] += radius * float64(2*draw.Float32()-1)
				}
			}
			e.Forward(y, 1)
			widen(want, m, e)
		}
		requireClose(t, m, want, got)
	}
}

func widen(x []bounds.Interval, m *bounds.Model, e *nn.Evaluator[float64]) {
	for _, i := range m.Preactivations() {
		v := e.Value(i)
		if x[i].Lower == nil {
			x[i] = bounds.Interval{Lower: append([]float64(nil), v...), Upper: append([]float64(nil), v...)}
		}
		for k, v := range v {
			x[i].Lower[k], x[i].Upper[k] = min(x[i].Lower[k], v), max(x[i].Upper[k], v)
		}
	}
}

func requireClose(t *testing.T, m *bounds.Model, want, got []bounds.Interval) {
	t.Helper()
	for _, i := range m.Preactivations() {
		for k := range want[i].Lower {
			require.InDelta(t, want[i].Lower[k], got[i].Lower[k], 3e-5, "node %d element %d", i, k)
			require.InDelta(t, want[i].Upper[k], got[i].Upper[k], 3e-5, "node %d element %d", i, k)
		}
	}
}

func TestGradientStepsWhereTheGradientPoints(t *testing.T) {
	for seed := range 12 {
		rng := rand.New(rand.NewPCG(uint64(seed), 3))
		m := compile(t, someNet(t, rng, 3*seed+1)) // dense: every node can be an output
		x, radius := center(rng, m), 0.2*rng.Float64()
		clip := unit(len(x))
		got := under(t, dualapp.Gradient{Step: 0.6}, m, x, cube(t, x, radius, clip))
		want := make([]bounds.Interval, len(got))
		nodes := m.Network().Nodes()
		for _, i := range m.Preactivations() {
			want[i] = bounds.Interval{Lower: make([]float64, nodes[i].Shape.Size()), Upper: make([]float64, nodes[i].Shape.Size())}
			part := upTo(t, m.Network(), i)
			e := nn.NewEvaluator[float64](part)
			for k := range want[i].Lower {
				row := make([]float64, nodes[i].Shape.Size())
				row[k] = 1
				e.Forward(x, 1)
				g := append([]float64(nil), e.Backward(row, nil)...)
				var ends [2]float64
				for s, sign := range []float64{1, -1} {
					y := make([]float64, len(x))
					for j := range y {
						y[j] = x[j] + sign*0.6*radius*sgn(g[j])
						y[j] = min(max(y[j], x[j]-radius, clip.Lower[j]), x[j]+radius, clip.Upper[j])
					}
					ends[s] = e.Forward(y, 1)[k]
				}
				want[i].Lower[k], want[i].Upper[k] = min(ends[0], ends[1]), max(ends[0], ends[1])
			}
		}
		requireClose(t, m, want, got)
	}
}

func sgn(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// upTo is the part of a network that ends at node i.
func upTo(t *testing.T, net nn.Network, i int) *nn.Graph {
	t.Helper()
	nodes := net.Nodes()
	b := nn.NewBuilder(nodes[0].Shape)
	for _, n := range nodes[1 : i+1] {
		b.Add(n.Name, n.Op, n.Inputs...)
	}
	g, err := b.Build(i)
	require.NoError(t, err)
	return g
}

// Unstable neurons are unstable: there are inputs on both sides.
func TestUnstable(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 4))
	m := compile(t, denseNet(t, rng, nn.ReLU{}, 6, 20, 20, 3))
	x := center(rng, m)
	got := under(t, dualapp.MonteCarlo{}, m, x, cube(t, x, 0.3, nil))
	marks := dualapp.Unstable(m, got)
	res, err := bounds.Crown{}.Bound(t.Context(), m, &bounds.Query{
		Domains: []bounds.Domain{{Region: cube(t, x, 0.3, nil)}}, Functions: bounds.Functions{Output: []float64{1, 0, 0}},
	})
	require.NoError(t, err)
	unstable, undecided := 0, 0
	for i, mark := range marks {
		for k, u := range mark {
			open := res[0].Nodes[i].Lower[k] < 0 && res[0].Nodes[i].Upper[k] > 0
			if u {
				unstable++
				require.True(t, open, "a neuron with values on both sides cannot be decided")
			}
			if open {
				undecided++
			}
		}
	}
	assert.Positive(t, unstable)
	assert.Greater(t, undecided, unstable)
	assert.Empty(t, unmarked(dualapp.Unstable(compile(t, denseNet(t, rng, nn.Tanh{}, 3, 4, 2)), nil)))
}

func unmarked(marks [][]bool) (out [][]bool) {
	for _, m := range marks {
		if m != nil {
			out = append(out, m)
		}
	}
	return out
}

func TestUnderEndsWithItsContext(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 6))
	m := compile(t, denseNet(t, rng, nn.Tanh{}, 6, 20, 20, 3))
	x := center(rng, m)
	for name, u := range methods {
		l, err := u.For(m).At(t.Context(), x)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = l.Under(ctx, cube(t, x, 0.1, nil))
		require.ErrorIs(t, err, context.Canceled, name)
	}
}
