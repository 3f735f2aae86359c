package bounds

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// randomWindow is the bounds of a window's elements, often with ties.
func randomWindow(rng *rand.Rand) (window []int, lo, up []float64) {
	n := 1 + rng.IntN(6)
	lo, up = make([]float64, n), make([]float64, n)
	tied, sized := rng.IntN(3) == 0, rng.IntN(4) == 0
	for i := range n {
		window = append(window, i)
		a, b := rng.NormFloat64(), rng.NormFloat64()
		if tied {
			a, b = float64(rng.IntN(4)), float64(rng.IntN(4))
		}
		if sized {
			a, b = randomEnd(rng), randomEnd(rng)
		}
		lo[i], up[i] = min(a, b), max(a, b)
	}
	rng.Shuffle(n, func(i, j int) { window[i], window[j] = window[j], window[i] })
	return window, lo, up
}

// The maximum is convex and the upper line linear, so that the line is above
// if it is at every corner. Zero tolerance, in exact arithmetic.
func TestWindowLinesAreExactlySound(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	decided := 0
	for range 20_000 {
		window, lo, up := randomWindow(rng)
		l := relaxWindow(window, lo, up)
		c := contend(window, lo, up)
		if c.decided {
			decided++
			require.Equal(t, 1.0, l.slope)
			require.Zero(t, l.intercept)
		}
		x := make([]float64, len(lo))
		for corner := range 1 << len(lo) {
			top := math.Inf(-1)
			for i := range x {
				x[i] = [2]float64{lo[i], up[i]}[corner>>i&1]
				top = max(top, x[i])
			}
			require.LessOrEqual(t, x[l.lower], top)
			v := new(big.Float).SetPrec(4400).Mul(bigOf(l.slope), bigOf(x[l.upper]))
			v.Add(v, bigOf(l.intercept))
			require.GreaterOrEqual(t, v.Cmp(bigOf(top)), 0, "%v in [%v, %v]: %+v", x, lo, up, l)
		}
	}
	assert.Greater(t, decided, 1000)
}

// The upper line's mean over the window's box is the least that any line with
// non-negative coefficients has; it is one of those of the family in maxpool.go.
func TestWindowUpperLineIsTight(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 5_000 {
		n := 1 + rng.IntN(6)
		lo, up := make([]float64, n), make([]float64, n)
		window := make([]int, n)
		for i := range n {
			a, b := rng.NormFloat64(), rng.NormFloat64()
			lo[i], up[i], window[i] = min(a, b), max(a, b), i
		}
		l := relaxWindow(window, lo, up)
		got := l.intercept + l.slope*(lo[l.upper]+up[l.upper])/2
		if contend(window, lo, up).decided {
			continue
		}
		least, most := math.Inf(-1), math.Inf(-1)
		for i := range n {
			least, most = max(least, lo[i]), max(most, up[i])
		}
		for k := range 101 {
			c := least + (most-least)*float64(k)/100
			mean := c
			for i := range n {
				mean += max(up[i]-c, 0) / 2
			}
			require.LessOrEqual(t, got, mean+1e-12)
		}
	}
}

func TestMaxPoolBoundsOfOneWindowAreExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	pool, err := nn.NewMaxPool(nn.PoolConfig{Kernel: []int{2}, Stride: []int{1}, Pad: []int{1, 0}})
	require.NoError(t, err)
	b := nn.NewBuilder(nn.Shape{3})
	g, err := b.Build(b.Add("", pool, b.Input()))
	require.NoError(t, err)
	m := mustCompile(t, g)
	for range 100 {
		box := randomBox(t, rng, 3, 1)
		for name, bounder := range bounders {
			r := mustBound(t, bounder, m, &Query{Domains: []Domain{{Region: box}}, Functions: Functions{Output: identity(3)}, Upper: true})[0]
			for o := range 3 {
				first := max(o-1, 0) // before it lies padding
				assert.Equal(t, max(box.Lower[first], box.Lower[o]), r.Nodes[1].Lower[o], name)
				assert.Equal(t, max(box.Upper[first], box.Upper[o]), r.Nodes[1].Upper[o], name)
			}
		}
	}
}
