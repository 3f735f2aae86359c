package reach_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/reach"
	"github.com/vouchnn/vouch/spec"
)

// studyNet is the network of the 45-network study (imagestar-recipe) with random
// weights: convolution 3×3 with 3 filters, batch normalisation, ReLU, average pooling
// 2×2, dense.
func studyNet(t testing.TB, seed uint64, size, classes int) *nn.Graph {
	m := newNet(t, seed, nn.Shape{1, size, size})
	m.conv(3, nn.ConvConfig{Kernel: []int{3, 3}})
	m.norm(0)
	m.add(nn.ReLU{})
	m.averagePool(nn.PoolConfig{Kernel: []int{2, 2}, Stride: []int{2, 2}})
	m.flatten()
	m.dense(classes)
	return m.build()
}

// blob is an image with bright blots on black, in grey levels of 1/255.
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

// robustness asks whether the class of image x stays within ε on every pixel.
func robustness(t testing.TB, net nn.Network, x []float64, eps float64) *spec.Property {
	y, err := nn.Evaluate(net, x)
	require.NoError(t, err)
	lo, up := make([]float64, len(x)), make([]float64, len(x))
	for i, v := range x {
		lo[i], up[i] = max(0, v-eps), min(1, v+eps)
	}
	box, err := spec.NewBox(lo, up)
	require.NoError(t, err)
	p := spec.Robustness(box, label(y), len(y))
	return &p
}

// TestStudy: the study's question on random networks: answers stand a check, none
// contradicts another method's, and the first set needs no linear program.
func TestStudy(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	count := map[string]int{}
	for seed := range uint64(3) {
		net := studyNet(t, seed, 28, 10)
		m, err := reach.Compile(net)
		require.NoError(t, err)
		for range 6 {
			prop := robustness(t, net, blob(rng, 28), 3./255)
			claim := spec.Unknown
			for _, o := range []reach.Options{{}, {Method: reach.RelaxStar, RelaxFactor: 0.5}, {Method: reach.Zono}, {Method: reach.AbsDom}} {
				r, err := m.Verify(bg, prop, o)
				require.NoError(t, err)
				checkAnswer(t, rng, net, prop, r)
				count[o.Method.String()+" "+r.Verdict.String()]++
				if r.Verdict != spec.Unknown {
					require.True(t, claim == spec.Unknown || claim == r.Verdict)
					claim = r.Verdict
				}
			}
		}
	}
	t.Log(count)
	require.Positive(t, count["approx-star verified"])
	require.Positive(t, count["approx-star falsified"])
}

// BenchmarkStudy is one image of the study, on random networks: MNIST's size and
// MedNIST's.
func BenchmarkStudy(b *testing.B) {
	for _, size := range []int{28, 64} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			net := studyNet(b, 1, size, 10)
			m, err := reach.Compile(net)
			require.NoError(b, err)
			rng := rand.New(rand.NewPCG(5, 5))
			var props []*spec.Property
			for range 16 {
				props = append(props, robustness(b, net, blob(rng, size), 3./255))
			}
			decided := 0
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				r, err := m.Verify(bg, props[i%len(props)], reach.Options{})
				require.NoError(b, err)
				if r.Verdict != spec.Unknown {
					decided++
				}
			}
			b.ReportMetric(float64(decided)/float64(b.N), "decided/image")
		})
	}
}
