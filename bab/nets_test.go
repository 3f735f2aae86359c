package bab_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// Random small networks with three outputs, and properties planted by
// sampling, for tests in which no exact answer is at hand.

// rounds is how often a random test runs: n times, or with -short (the race
// detector) an eighth of it.
func rounds(n int) int {
	if testing.Short() {
		return n / 8
	}
	return n
}

func normals(rng *rand.Rand, n int, scale float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(float32(scale * rng.NormFloat64()))
	}
	return x
}

func randomDense(tb testing.TB, rng *rand.Rand, inputs int, act nn.Operator) *nn.Graph {
	b := nn.NewBuilder(nn.Shape{inputs})
	h, width := b.Input(), inputs
	for _, next := range []int{6, 5, 3} {
		d, err := nn.NewDense(next, width, normals(rng, next*width, 1.5/math.Sqrt(float64(width))), normals(rng, next, 0.3))
		require.NoError(tb, err)
		h = b.Add("dense", d, h)
		if next != 3 {
			h = b.Add("act", act, h)
		}
		width = next
	}
	return build(tb, b, h)
}

// randomConv has a convolution, batch normalisation, a residual sum and
// pooling.
func randomConv(tb testing.TB, rng *rand.Rand, act nn.Operator, maxPool bool) *nn.Graph {
	b := nn.NewBuilder(nn.Shape{1, 4, 4})
	conv := func(out, in int) nn.Operator {
		c, err := nn.NewConv(nn.ConvConfig{Kernel: []int{3, 3}, Pad: []int{1, 1, 1, 1}}, out, in, normals(rng, out*in*9, 0.5), normals(rng, out, 0.2))
		require.NoError(tb, err)
		return c
	}
	h := b.Add("conv", conv(2, 1), b.Input())
	norm, err := nn.NewBatchNorm(0, []float64{1.1, 0.9}, []float64{0.1, -0.2}, []float64{0.05, 0.1}, []float64{1.2, 0.8}, 1e-5)
	require.NoError(tb, err)
	h = b.Add("norm", norm, h)
	h = b.Add("act", act, h)
	h = b.Add("sum", nn.Add{}, b.Add("conv2", conv(2, 2), h), h)
	h = b.Add("act2", act, h)
	pool := nn.PoolConfig{Kernel: []int{2, 2}, Stride: []int{2, 2}}
	var op nn.Operator
	if maxPool {
		op, err = nn.NewMaxPool(pool)
	} else {
		op, err = nn.NewAveragePool(pool)
	}
	require.NoError(tb, err)
	h = b.Add("flat", nn.Flatten{}, b.Add("pool", op, h))
	d, err := nn.NewDense(3, 8, normals(rng, 24, 0.6), normals(rng, 3, 0.3))
	require.NoError(tb, err)
	return build(tb, b, b.Add("out", d, h))
}

func build(tb testing.TB, b *nn.Builder, out int) *nn.Graph {
	g, err := b.Build(out)
	require.NoError(tb, err)
	return g
}

func cube(tb testing.TB, n int, lo, up float64) spec.Box {
	l, u := make([]float64, n), make([]float64, n)
	for i := range l {
		l[i], u[i] = lo, up
	}
	b, err := spec.NewBox(l, u)
	require.NoError(tb, err)
	return b
}

// sampledLeast is the least y0 − y1 over many points of the box, an upper
// bound of the true minimum.
func sampledLeast(rng *rand.Rand, net nn.Network, box spec.Box) float64 {
	e := nn.NewEvaluator[float64](net)
	n := len(box.Lower)
	least := math.Inf(1)
	x := make([]float64, 256*n)
	for range 20 {
		for i := range x {
			f := rng.Float64()
			if rng.IntN(2) == 0 {
				f = math.Round(f)
			}
			x[i] = box.Lower[i%n] + f*(box.Upper[i%n]-box.Lower[i%n])
		}
		y := e.Forward(x, 256)
		for p := range 256 {
			least = min(least, y[3*p]-y[3*p+1])
		}
	}
	return least
}

// marginBelow is the property that y0 − y1 ≤ bound never happens.
func marginBelow(region spec.Region, bound float64) *spec.Property {
	return &spec.Property{Inputs: region.Dim(), Outputs: 3, Cases: []spec.Case{{
		Region: region, Unsafe: []spec.Conjunction{{output(bound, spec.Term{Index: 0, Coef: 1}, spec.Term{Index: 1, Coef: -1})}},
	}}}
}

func verify(tb testing.TB, net nn.Network, prop *spec.Property, opts bab.Options) *spec.Result {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	res, err := bab.Verify(ctx, net, prop, opts)
	require.NoError(tb, err)
	requireConsistent(tb, net, prop, res)
	return res
}

// requireConsistent checks what every result promises.
func requireConsistent(tb testing.TB, net nn.Network, prop *spec.Property, res *spec.Result) {
	tb.Helper()
	require.Equal(tb, res.Verdict == spec.Falsified, res.Counterexample != nil)
	require.Equal(tb, res.Verdict == spec.Unknown, res.Reason != spec.ReasonNone)
	if c := res.Counterexample; c != nil {
		require.True(tb, prop.Cases[c.Case].Region.Contains(c.Input))
		y, err := nn.Evaluate(net, c.Input)
		require.NoError(tb, err)
		require.Equal(tb, y, c.Output)
		require.True(tb, prop.Cases[c.Case].Unsafe[c.Conjunction].Holds(c.Input, y))
		x32 := make([]float32, len(c.Input))
		for i, v := range c.Input {
			x32[i] = float32(v)
			require.Equal(tb, v, float64(x32[i]), "coordinate %d is not a float32", i)
		}
	}
}
