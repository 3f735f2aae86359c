package blas

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	gonumblas "gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

// benchmarkShapes are m, n, k: a large square, a layer, a wide layer on a small
// batch, a small square, a tiny one, and skinny ones.
var benchmarkShapes = [][3]int{
	{1024, 1024, 1024},
	{256, 256, 784},
	{100, 1000, 1000},
	{256, 256, 256},
	{50, 50, 50},
	{1, 1000, 1000},
	{8, 1000, 1000},
	{1000, 10, 256},
}

// rivals are other libraries compared with ours; a build tag adds OpenBLAS.
var rivals = map[string]interface {
	gonumblas.Float32Level3
	gonumblas.Float64Level3
}{"gonum": gonum.Implementation{}}

func BenchmarkGemm(b *testing.B) {
	for _, s := range benchmarkShapes {
		for _, transposed := range []string{"NN", "NT", "TN"} {
			tA, tB := transposed[0] == 'T', transposed[1] == 'T'
			name := fmt.Sprintf("%dx%dx%d/%s/", s[0], s[1], s[2], transposed)
			benchmarkGemm[float32](b, name+"f32/", tA, tB, s)
			benchmarkGemm[float64](b, name+"f64/", tA, tB, s)
		}
	}
}

func benchmarkGemm[T Float](b *testing.B, name string, tA, tB bool, s [3]int) {
	g := newCase[T](rand.New(rand.NewPCG(1, 1)), tA, tB, s[0], s[1], s[2], 0, 1, 0)
	measure := func(name string, call func()) {
		b.Run(name, func(b *testing.B) {
			call()
			for b.Loop() {
				call()
			}
			work := 2 * float64(s[0]) * float64(s[1]) * float64(s[2]) * float64(b.N)
			b.ReportMetric(work/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
	before := active.Load()
	defer active.Store(before)
	for _, k := range availableKernels() {
		require.NoError(b, useKernel(k.name))
		measure(name+k.name, func() { g.run(g.c) })
	}
	require.NoError(b, useKernel("auto"))
	for rival, library := range rivals {
		Use32(library)
		Use64(library)
		measure(name+rival, func() { g.run(g.c) })
	}
	Reset()
}
