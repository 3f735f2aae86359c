package conv_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/internal/blas"
	"github.com/vouchnn/vouch/internal/conv"
)

// randomSpec draws a valid convolution.
func randomSpec(r *rand.Rand) *conv.Spec {
	for {
		groups := 1 + r.IntN(3)
		s := &conv.Spec{
			Channels: groups * (1 + r.IntN(3)), Height: 1 + r.IntN(11), Width: 1 + r.IntN(11),
			OutChannels: groups * (1 + r.IntN(4)), KernelH: 1 + r.IntN(4), KernelW: 1 + r.IntN(4),
			StrideH: 1 + r.IntN(3), StrideW: 1 + r.IntN(3), DilationH: 1 + r.IntN(2), DilationW: 1 + r.IntN(2),
			PadTop: r.IntN(4), PadLeft: r.IntN(4), PadBottom: r.IntN(4), PadRight: r.IntN(4), Groups: groups,
		}
		switch r.IntN(6) {
		case 0: // pointwise
			s.KernelH, s.KernelW, s.StrideH, s.StrideW = 1, 1, 1, 1
			s.PadTop, s.PadLeft, s.PadBottom, s.PadRight = 0, 0, 0, 0
		case 1: // one-dimensional
			s.Height, s.KernelH, s.PadTop, s.PadBottom, s.Width = 1, 1, 0, 0, 40+r.IntN(60)
		}
		if s.Validate() == nil {
			return s
		}
	}
}

// sizes are the numbers of elements of an input and output sample and of the
// weights.
func sizes(s *conv.Spec) (in, out, weights int) {
	return s.Channels * s.Height * s.Width, s.OutChannels * s.OutHeight() * s.OutWidth(),
		s.OutChannels * s.Channels / s.Groups * s.KernelH * s.KernelW
}

// products calls f for every product of the definition of a convolution, with
// the indices of the input, weight and output element.
func products(s *conv.Spec, batch int, f func(x, w, y, channel int)) {
	height, width, depth, share := s.OutHeight(), s.OutWidth(), s.Channels/s.Groups, s.OutChannels/s.Groups
	for n := range batch {
		for o := range s.OutChannels {
			for oh := range height {
				for ow := range width {
					y := ((n*s.OutChannels+o)*height+oh)*width + ow
					f(-1, -1, y, o)
					for c := range depth {
						for kh := range s.KernelH {
							for kw := range s.KernelW {
								ih := oh*s.StrideH - s.PadTop + kh*s.DilationH
								iw := ow*s.StrideW - s.PadLeft + kw*s.DilationW
								if ih < 0 || ih >= s.Height || iw < 0 || iw >= s.Width {
									continue
								}
								x := ((n*s.Channels+o/share*depth+c)*s.Height+ih)*s.Width + iw
								f(x, ((o*depth+c)*s.KernelH+kh)*s.KernelW+kw, y, o)
							}
						}
					}
				}
			}
		}
	}
}

// integers returns n small integers, whose sums of products are exact.
func integers[T blas.Float](r *rand.Rand, n int) []T {
	x := make([]T, n)
	for i := range x {
		x[i] = T(r.IntN(9) - 4)
	}
	return x
}

// TestAgainstDefinition compares with the definition, on integers, exactly.
func TestAgainstDefinition(t *testing.T) {
	t.Run("float32", testDefinition[float32])
	t.Run("float64", testDefinition[float64])
}

func testDefinition[T blas.Float](t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 150 {
		s := randomSpec(r)
		batch := []int{0, 1, 2, 3, 5, 16, 21, 37}[r.IntN(8)]
		in, out, weights := sizes(s)
		x, w, b := integers[T](r, batch*in), integers[T](r, weights), integers[T](r, s.OutChannels)
		gy := integers[T](r, batch*out)
		wantY, wantX := make([]T, batch*out), integers[T](r, batch*in)
		wantW, wantB := integers[T](r, weights), integers[T](r, s.OutChannels)
		y, gx, gw, gb := integers[T](r, batch*out), slices.Clone(wantX), slices.Clone(wantW), slices.Clone(wantB)
		products(s, batch, func(i, j, k, channel int) {
			if i < 0 {
				wantY[k] += b[channel]
				wantB[channel] += gy[k]
				return
			}
			wantY[k] += x[i] * w[j]
			wantX[i] += gy[k] * w[j]
			wantW[j] += gy[k] * x[i]
		})
		conv.Forward(s, batch, x, w, b, y)
		require.Equal(t, wantY, y, "%+v batch %d", *s, batch)
		conv.InputGrad(s, batch, gy, w, gx)
		require.Equal(t, wantX, gx, "%+v batch %d", *s, batch)
		set, fromZero := integers[T](r, batch*in), make([]T, batch*in)
		conv.SetInputGrad(s, batch, gy, w, set)
		conv.InputGrad(s, batch, gy, w, fromZero)
		require.Equal(t, fromZero, set, "%+v batch %d", *s, batch)
		conv.WeightGrad(s, batch, x, gy, gw, gb)
		require.Equal(t, wantW, gw, "%+v batch %d", *s, batch)
		require.Equal(t, wantB, gb, "%+v batch %d", *s, batch)
		conv.WeightGrad(s, batch, x, gy, nil, nil)
	}
}

func dot(x, y []float64) float64 { return blas.Dot(x, y) }

// TestAdjoint checks <gy, conv(x)> = <InputGrad(gy), x> = <WeightGrad(x, gy), w>,
// on sizes that take several strips and blocks.
func TestAdjoint(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	normal := func(n int) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = r.NormFloat64()
		}
		return x
	}
	for _, s := range []conv.Spec{
		{Channels: 16, Height: 14, Width: 14, OutChannels: 32, KernelH: 4, KernelW: 4, StrideH: 2, StrideW: 2, DilationH: 1, DilationW: 1, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1, Groups: 1},
		{Channels: 3, Height: 32, Width: 32, OutChannels: 8, KernelH: 3, KernelW: 3, StrideH: 1, StrideW: 1, DilationH: 2, DilationW: 1, PadTop: 1, PadLeft: 0, PadBottom: 2, PadRight: 3, Groups: 1},
		{Channels: 8, Height: 9, Width: 9, OutChannels: 8, KernelH: 3, KernelW: 3, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Groups: 8},
		{Channels: 2, Height: 1, Width: 500, OutChannels: 4, KernelH: 1, KernelW: 9, StrideH: 1, StrideW: 2, DilationH: 1, DilationW: 3, PadLeft: 5, Groups: 1},
	} {
		for _, batch := range []int{1, 40, 300} {
			in, out, weights := sizes(&s)
			x, w, gy := normal(batch*in), normal(weights), normal(batch*out)
			y, gx, gw := normal(batch*out), make([]float64, batch*in), make([]float64, weights)
			conv.Forward(&s, batch, x, w, nil, y)
			conv.InputGrad(&s, batch, gy, w, gx)
			conv.WeightGrad(&s, batch, x, gy, gw, nil)
			want, size := dot(gy, y), dot(y, y)+dot(gy, gy)
			assert.InDelta(t, want, dot(gx, x), 1e-12*size)
			assert.InDelta(t, want, dot(gw, w), 1e-12*size)
		}
	}
}

// mnist are the two convolutions of a common network for 28×28 images.
var mnist = []conv.Spec{
	{Channels: 1, Height: 28, Width: 28, OutChannels: 16, KernelH: 4, KernelW: 4, StrideH: 2, StrideW: 2, DilationH: 1, DilationW: 1, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1, Groups: 1},
	{Channels: 16, Height: 14, Width: 14, OutChannels: 32, KernelH: 4, KernelW: 4, StrideH: 2, StrideW: 2, DilationH: 1, DilationW: 1, PadTop: 1, PadLeft: 1, PadBottom: 1, PadRight: 1, Groups: 1},
}

func TestSameBitsForAnyNumberOfProcessorsAndBatch(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	r := rand.New(rand.NewPCG(5, 6))
	s, batch := &mnist[1], 70
	in, out, weights := sizes(s)
	normal := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(r.NormFloat64())
		}
		return x
	}
	x, w, b, gy := normal(batch*in), normal(weights), normal(s.OutChannels), normal(batch*out)
	var all [][]float32
	for _, processors := range []int{1, 2, 3, 4, 5} {
		runtime.GOMAXPROCS(processors)
		y, gx, gw, gb := make([]float32, batch*out), make([]float32, batch*in), make([]float32, weights), make([]float32, s.OutChannels)
		conv.Forward(s, batch, x, w, b, y)
		conv.InputGrad(s, batch, gy, w, gx)
		conv.WeightGrad(s, batch, x, gy, gw, gb)
		all = append(all, slices.Concat(y, gx, gw, gb))
		one := make([]float32, out)
		for n := range batch {
			conv.Forward(s, 1, x[n*in:(n+1)*in], w, b, one)
			require.Equal(t, y[n*out:(n+1)*out], one, "sample %d alone", n)
		}
	}
	for _, other := range all[1:] {
		assert.Equal(t, all[0], other)
	}
}

func TestDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector empties pools")
	}
	for _, batch := range []int{1, 40} {
		s := &mnist[1]
		in, out, weights := sizes(s)
		x, y, w, b := make([]float64, batch*in), make([]float64, batch*out), make([]float64, weights), make([]float64, s.OutChannels)
		assert.Zero(t, testing.AllocsPerRun(10, func() { conv.Forward(s, batch, x, w, b, y) }))
		assert.Zero(t, testing.AllocsPerRun(10, func() { conv.InputGrad(s, batch, y, w, x) }))
		assert.Zero(t, testing.AllocsPerRun(10, func() { conv.WeightGrad(s, batch, x, y, w, b) }))
	}
}

func TestValidate(t *testing.T) {
	require.NoError(t, mnist[0].Validate())
	assert.Equal(t, []int{14, 14}, []int{mnist[0].OutHeight(), mnist[0].OutWidth()})
	for field, change := range map[string]func(s *conv.Spec){
		"Channels": func(s *conv.Spec) { s.Channels = 0 },
		"StrideH":  func(s *conv.Spec) { s.StrideH = 0 },
		"PadLeft":  func(s *conv.Spec) { s.PadLeft = -1 },
		"Groups":   func(s *conv.Spec) { s.Groups = 3 },
		"fit":      func(s *conv.Spec) { s.KernelW = 31 },
	} {
		s := mnist[1]
		s.Width = 28
		change(&s)
		assert.ErrorContains(t, s.Validate(), field)
	}
	assert.Panics(t, func() {
		conv.Forward(&mnist[0], 1, make([]float64, 783), make([]float64, 256), nil, make([]float64, 16*196))
	})
}

func BenchmarkConv(b *testing.B) {
	for layer := range mnist {
		for _, batch := range []int{1, 128, 2048} {
			benchmarkConv[float32](b, layer, batch, "f32")
			benchmarkConv[float64](b, layer, batch, "f64")
		}
	}
}

func benchmarkConv[T blas.Float](b *testing.B, layer, batch int, kind string) {
	s := &mnist[layer]
	in, out, weights := sizes(s)
	x, y, w, bias := make([]T, batch*in), make([]T, batch*out), make([]T, weights), make([]T, s.OutChannels)
	depth := weights / s.OutChannels
	measure := func(name string, call func()) {
		b.Run(fmt.Sprintf("layer%d/batch%d/%s/%s", layer+1, batch, kind, name), func(b *testing.B) {
			call()
			for b.Loop() {
				call()
			}
			b.ReportMetric(2*float64(batch)*float64(out)*float64(depth)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
	measure("forward", func() { conv.Forward(s, batch, x, w, bias, y) })
	measure("inputgrad", func() { conv.InputGrad(s, batch, y, w, x) })
	measure("weightgrad", func() { conv.WeightGrad(s, batch, x, y, w, bias) })
	// The matrix product of the forward pass alone, on patches in cache.
	n := 1024
	patches, result := make([]T, depth*n), make([]T, s.OutChannels*n)
	rounds := max(1, batch*s.OutHeight()*s.OutWidth()/n)
	b.Run(fmt.Sprintf("layer%d/batch%d/%s/gemm", layer+1, batch, kind), func(b *testing.B) {
		for b.Loop() {
			for range rounds {
				blas.GemmSerial(false, false, s.OutChannels, n, depth, 1, w, depth, patches, n, 0, result, n)
			}
		}
		b.ReportMetric(2*float64(rounds*n)*float64(s.OutChannels*depth)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
	})
}
