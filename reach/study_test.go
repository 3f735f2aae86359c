package reach_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/reach"
	"github.com/vouchnn/vouch/spec"
)

// studyNet is the network of the 45-network study with random weights: convolution
// 3×3 with 3 filters, batch normalisation, ReLU, average pooling 2×2, dense.
func studyNet(t testing.TB, seed uint64, size, classes int) *nn.Graph {
	rng := rand.New(rand.NewPCG(seed, 0))
	normal := func(n int, sd float64) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = float64(float32(sd * rng.NormFloat64()))
		}
		return x
	}
	conv, err := nn.NewConv(nn.ConvConfig{Kernel: []int{3, 3}}, 3, 1, normal(27, math.Sqrt(2./9)), normal(3, 0.1))
	require.NoError(t, err)
	norm, err := nn.NewBatchNorm(0, []float64{1, 0.8, 1.2}, normal(3, 0.2), normal(3, 0.2), []float64{0.3, 0.5, 0.2}, 1e-5)
	require.NoError(t, err)
	pool, err := nn.NewAveragePool(nn.PoolConfig{Kernel: []int{2, 2}, Stride: []int{2, 2}})
	require.NoError(t, err)
	n := 3 * ((size - 2) / 2) * ((size - 2) / 2)
	dense, err := nn.NewDense(classes, n, normal(classes*n, math.Sqrt(2/float64(n))), normal(classes, 0.1))
	require.NoError(t, err)
	b := nn.NewBuilder(nn.Shape{1, size, size})
	h := b.Add("conv", conv, b.Input())
	h = b.Add("norm", norm, h)
	h = b.Add("relu", nn.ReLU{}, h)
	h = b.Add("pool", pool, h)
	h = b.Add("flat", nn.NewReshape(nn.Shape{n}), h)
	g, err := b.Build(b.Add("dense", dense, h))
	require.NoError(t, err)
	return g
}

// blob is an image with a bright blot on black.
func blob(rng *rand.Rand, size int) []float64 {
	x := make([]float64, size*size)
	for range 3 {
		cy, cx, r := rng.Float64()*float64(size), rng.Float64()*float64(size), float64(size)/8*(1+rng.Float64())
		for i := range x {
			d := math.Hypot(float64(i/size)-cy, float64(i%size)-cx) / r
			x[i] = min(1, x[i]+math.Exp(-d*d*d))
		}
	}
	for i, v := range x {
		x[i] = math.Round(v*255) / 255
	}
	return x
}

func TestStudySpeed(t *testing.T) {
	for _, size := range []int{28, 64} {
		net := studyNet(t, 1, size, 10)
		m, err := reach.Compile(net)
		require.NoError(t, err)
		rng := rand.New(rand.NewPCG(5, 5))
		count := map[spec.Verdict]int{}
		worst := time.Duration(0)
		begin := time.Now()
		const images = 40
		for range images {
			x := blob(rng, size)
			y, err := nn.Evaluate(net, x)
			require.NoError(t, err)
			label := 0
			for i, v := range y {
				if v > y[label] {
					label = i
				}
			}
			lo, up := make([]float64, len(x)), make([]float64, len(x))
			for i, v := range x {
				lo[i], up[i] = max(0, v-3./255), min(1, v+3./255)
			}
			box, err := spec.NewBox(lo, up)
			require.NoError(t, err)
			prop := spec.Robustness(box, label, 10)
			r, err := m.Verify(context.Background(), &prop, reach.Options{})
			require.NoError(t, err)
			count[r.Verdict]++
			worst = max(worst, r.Stats.Elapsed)
			if r.Stats.Elapsed > 10*time.Millisecond || r.Verdict == spec.Unknown {
				t.Log(r.Verdict, r.Stats)
			}
		}
		t.Log(size, count, time.Since(begin)/images, worst)
	}
}
