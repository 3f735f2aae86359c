package reach_test

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/reach"
	"github.com/vouchnn/vouch/spec"
)

// TestHoldsOverTheReals: ranges hold for the function in 300-bit arithmetic with no
// tolerance, where weights cancel so that float64 evaluation is far off.
func TestHoldsOverTheReals(t *testing.T) {
	off := 0
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 9))
		m := newNet(t, seed, nn.Shape{3})
		widths := []int{3, 8, 8, 2}
		for i, out := range widths[1:] {
			in := widths[i]
			w, b := make([]float64, out*in), make([]float64, out)
			for k := range w {
				w[k] = float64(float32(rng.NormFloat64() * math.Pow(10, float64(rng.IntN(7)))))
			}
			for k := range b {
				b[k] = float64(float32(rng.NormFloat64() * 1e3))
			}
			d, err := nn.NewDense(out, in, w, b)
			require.NoError(t, err)
			if i > 0 {
				m.add(nn.ReLU{})
			}
			m.add(d)
		}
		net := m.build()
		l := layersOf(net)
		c, err := reach.Compile(net)
		require.NoError(t, err)
		// A box of a few units in the last place, and one that is a point.
		lo, up := make([]float64, 3), make([]float64, 3)
		for i := range lo {
			lo[i] = rng.NormFloat64()
			up[i] = lo[i] + math.Abs(lo[i])*0x1p-50*float64(rng.IntN(3))
		}
		box, err := spec.NewBox(lo, up)
		require.NoError(t, err)
		for _, o := range []reach.Options{{}, {Method: reach.Zono}, {Method: reach.AbsDom}, {Method: reach.ExactStar}} {
			stars, err := c.Reach(bg, box, o)
			require.NoError(t, err)
			for range 10 {
				x := inside(rng, box)
				y := l.real(x)
				for i, v := range y {
					in := false
					for _, s := range stars {
						l, u, err := s.Range(bg, i)
						require.NoError(t, err)
						in = in || v.Cmp(big.NewFloat(l)) >= 0 && v.Cmp(big.NewFloat(u)) <= 0
					}
					require.True(t, in, "%v: output %d at %v", o.Method, i, x)
					if rounded, _ := v.Float64(); true {
						got, err := nn.Evaluate(net, x)
						require.NoError(t, err)
						if got[i] != rounded {
							off++
						}
					}
				}
			}
		}
	}
	require.Positive(t, off, "nothing was rounded")
}

// real evaluates a ReLU network without rounding to speak of.
func (l *layers) real(x []float64) []*big.Float {
	num := func(v float64) *big.Float { return new(big.Float).SetPrec(300).SetFloat64(v) }
	at := make([]*big.Float, len(x))
	for i, v := range x {
		at[i] = num(v)
	}
	for k := range l.w {
		next := make([]*big.Float, len(l.w[k]))
		for i, row := range l.w[k] {
			next[i] = num(l.b[k][i])
			for j, v := range row {
				next[i].Add(next[i], new(big.Float).SetPrec(300).Mul(num(v), at[j]))
			}
			if k < len(l.w)-1 && next[i].Sign() < 0 {
				next[i] = num(0)
			}
		}
		at = next
	}
	return at
}

// TestCancellation: the difference of two neurons that are nearly equal and huge, so
// that all of the output is what rounding has left; ranges hold over the reals, at a
// point and over a small box.
func TestCancellation(t *testing.T) {
	wrong := 0
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 9))
		first := make([]float64, 6)
		for i := range 3 {
			first[i] = 1e6 * (1 + rng.Float64())
			first[3+i] = first[i] * (1 + 0x1p-30*rng.Float64())
		}
		second := []float64{1, -1, 1 / 3., -1 / 3.}
		m := newNet(t, seed, nn.Shape{3})
		a, err := nn.NewDense(2, 3, first, []float64{0.1, 0.1})
		require.NoError(t, err)
		b, err := nn.NewDense(2, 2, second, []float64{0, 0})
		require.NoError(t, err)
		m.add(a)
		m.add(nn.ReLU{})
		m.add(b)
		net := m.build()
		l := layersOf(net)
		c, err := reach.Compile(net)
		require.NoError(t, err)
		lo, up := make([]float64, 3), make([]float64, 3)
		for i := range lo {
			lo[i] = 0.1 + rng.Float64()
			up[i] = lo[i] * (1 + 0x1p-50*float64(seed%2))
		}
		box, err := spec.NewBox(lo, up)
		require.NoError(t, err)
		for method := reach.ApproxStar; method <= reach.Zono; method++ {
			stars, err := c.Reach(bg, box, reach.Options{Method: method})
			require.NoError(t, err)
			lower, upper := union(t, stars)
			for range 4 {
				x := inside(rng, box)
				got, err := nn.Evaluate(net, x)
				require.NoError(t, err)
				for i, v := range l.real(x) {
					require.True(t, v.Cmp(big.NewFloat(lower[i])) >= 0 && v.Cmp(big.NewFloat(upper[i])) <= 0, "%v: output %d", method, i)
					if rounded, _ := v.Float64(); math.Abs(got[i]-rounded) > 1e-12*math.Abs(rounded) {
						wrong++
					}
				}
			}
		}
	}
	require.Greater(t, wrong, 100, "nothing cancelled")
}
