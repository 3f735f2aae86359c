package reach

import (
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// TestSliver: a neuron that may be beyond its side by a hair counts as being on it, and
// what that is wrong by is in the slack; ranges are not narrowed as if it were not.
func TestSliver(t *testing.T) {
	p := &predicate{}
	p.box.add(-1, 1)
	p.box.add(-1, 1)
	x := &form{shape: nn.Shape{2}, view: viewOf(nn.Shape{2}), centre: []float64{1, -1}, gens: generators{start: []int{0}}}
	x.gens.appendUnit(x.view, 0, 0, 1+1e-13)
	x.gens.appendUnit(x.view, 1, 1, 1+1e-13)
	for _, op := range []nn.Elementwise{nn.ReLU{}, nn.LeakyReLU{Slope: 0.5}} {
		s := &part{p: p, forms: []*form{x}}
		require.NoError(t, s.begin(op, x))
		require.Len(t, s.open, 2)
		d := &driver{t: &task{e: &exact{}}, s: s}
		for k, want := range []int8{1, -1} {
			side, over, empty, err := d.side(t.Context(), s.rows[k])
			require.NoError(t, err)
			require.False(t, empty)
			require.Equal(t, want, side)
			require.InDelta(t, 1e-13, over, 1e-14)
			s.sides[k], s.over[k] = side, over
		}
		r := spread{lower: []float64{-1e-13, -2}, upper: []float64{2, 1e-13}}
		s.impose(&r)
		require.Equal(t, -1e-13, r.lower[0])
		require.Equal(t, 1e-13, r.upper[1])
		y := s.straighten(op, x)
		for k := range 2 {
			require.GreaterOrEqual(t, y.slack[k], s.over[k])
			require.Less(t, y.slack[k], 1e-12)
		}
		s.over = make([]float64, 2)
		s.impose(&r)
		require.Equal(t, 0.0, r.lower[0])
		require.Equal(t, 0.0, r.upper[1])
	}
}

// TestScaledAt: the slack of a scaled element covers the rounding of the product.
func TestScaledAt(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	rounded := 0
	for range 200 {
		f := &form{centre: []float64{rng.NormFloat64()}}
		factor := rng.Float64()
		c, slack := f.scaledAt(0, factor, 1.01*max(f.centre[0], -f.centre[0]))
		exact := new(big.Float).SetPrec(200).Mul(big.NewFloat(factor), big.NewFloat(f.centre[0]))
		diff := new(big.Float).Sub(exact, big.NewFloat(c))
		if diff.Sign() != 0 {
			rounded++
		}
		require.LessOrEqual(t, diff.Abs(diff).Cmp(big.NewFloat(slack)), 0)
	}
	require.Positive(t, rounded)
}
