package reach

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// denseNet is a network of vectors with random weights.
func denseNet(t *testing.T, rng *rand.Rand, act nn.Operator, widths ...int) *nn.Graph {
	b := nn.NewBuilder(nn.Shape{widths[0]})
	h := b.Input()
	for i, out := range widths[1:] {
		in := widths[i]
		w, c := make([]float64, in*out), make([]float64, out)
		for k := range w {
			w[k] = 1.4 * rng.NormFloat64() / math.Sqrt(float64(in))
		}
		for k := range c {
			c[k] = 0.3 * rng.NormFloat64()
		}
		d, err := nn.NewDense(out, in, w, c)
		require.NoError(t, err)
		if i > 0 {
			h = b.Add("", act, h)
		}
		h = b.Add("", d, h)
	}
	g, err := b.Build(h)
	require.NoError(t, err)
	return g
}

// TestAscendAgainstLP: on relaxed networks the bound by substitution is below the
// linear program's optimum and the ceiling above it; ascent closes most of the gap,
// and the point it returns is feasible.
func TestAscendAgainstLP(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	first, last := 0.0, 0.0
	for round := range 30 {
		act := []nn.Operator{nn.ReLU{}, nn.LeakyReLU{Slope: 0.1}, nn.Tanh{}}[round%3]
		widths := [][]int{{4, 12, 2}, {4, 10, 10, 2}}[round/3%2]
		m, err := Compile(denseNet(t, rng, act, widths...))
		require.NoError(t, err)
		lo, up := make([]float64, 4), make([]float64, 4)
		for i := range lo {
			lo[i] = rng.NormFloat64()
			up[i] = lo[i] + rng.Float64()
		}
		box, err := spec.NewBox(lo, up)
		require.NoError(t, err)
		o := Options{}.withDefaults()
		a, err := m.approximate(context.Background(), box, &o, true)
		require.NoError(t, err)
		img := newImage(a.p, a.forms[0], a.forms[m.output])
		q := spec.Inequality{Output: []spec.Term{{Index: 0, Coef: rng.NormFloat64()}, {Index: 1, Coef: rng.NormFloat64()}}, Bound: 1000}
		f := img.value(&q)
		sub := newSubstitution(a.p)
		copy(sub.coef, f.coef)
		plain := sub.finish(f.centre, f.slack, sub.least(f.mag, nil))
		found := &finding{bound: math.Inf(-1), values: []*functional{f}}
		_, err = img.solve(context.Background(), o.Solver, found)
		require.NoError(t, err)

		low := *f
		point := make([]float64, len(f.coef))
		// Shifted so that the optimum is just below zero: neither sign ends it early.
		shift := -1e-6 - found.bound
		low.centre += shift
		bound, ceiling := sub.ascend(context.Background(), &low, point)
		bound, ceiling = bound-shift, ceiling-shift
		require.GreaterOrEqual(t, bound, plain-1e-9)
		require.LessOrEqual(t, bound, found.bound+1e-9)
		require.GreaterOrEqual(t, ceiling, found.bound-1e-9)
		value := f.centre
		for j, c := range f.coef {
			value += c * point[j]
			require.True(t, point[j] >= a.p.box.lower[j] && point[j] <= a.p.box.upper[j])
		}
		if !math.IsInf(ceiling, 1) {
			require.InDelta(t, ceiling, value, 1e-9)
			for _, r := range a.p.problem().Rows {
				require.LessOrEqual(t, r.Activity(point), r.Upper+1e-9)
			}
		}
		first, last = first+found.bound-plain, last+found.bound-bound
	}
	t.Logf("gap %.4f by the first choice, %.4f after ascent", first, last)
	require.Positive(t, first)
	require.Less(t, last, 0.5*first)
}

// TestSubstitutionRanges: bounds by substitution hold at the network's own values.
func TestSubstitutionRanges(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	for range 20 {
		net := denseNet(t, rng, nn.ReLU{}, 3, 8, 8, 3)
		m, err := Compile(net)
		require.NoError(t, err)
		box, err := spec.NewBox([]float64{-1, -1, -1}, []float64{1, 0.5, 1})
		require.NoError(t, err)
		o := Options{}.withDefaults()
		a, err := m.approximate(context.Background(), box, &o, true)
		require.NoError(t, err)
		out := a.forms[m.output]
		sub := newSubstitution(a.p)
		for i := range 3 {
			row := out.row(i, &a.p.box)
			l, u := sub.lower(row), sub.upper(row)
			for range 50 {
				x := []float64{2*rng.Float64() - 1, 1.5*rng.Float64() - 1, 2*rng.Float64() - 1}
				y, err := nn.Evaluate(net, x)
				require.NoError(t, err)
				require.True(t, y[i] >= l-1e-12 && y[i] <= u+1e-12)
			}
		}
	}
}
