package qdq

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/qnn"
	"github.com/vouchnn/vouch/spec"
)

// example is a convolution with a scale per channel, padding and a ReLU, and a
// dense layer with a scale per channel, in the numbers that a plain evaluation
// needs.
type example struct {
	conv, dense           []int8 // 2×1×2×2 filters; 3×8 weights
	convScale, denseScale []float32
	convBias, denseBias   []int32
	x, h, y               float32 // scales
	zx, zh                uint8
	zy                    int8
}

func newExample(rng *rand.Rand) *example {
	e := &example{x: 0.017, h: 0.03, y: 0.021, zx: uint8(rng.IntN(256)), zh: uint8(rng.IntN(200)), zy: int8(rng.IntN(40) - 20)}
	weights := func(n int) []int8 {
		w := make([]int8, n)
		for i := range w {
			w[i] = int8(rng.IntN(255) - 127)
		}
		return w
	}
	e.conv, e.dense = weights(2*4), weights(3*8)
	e.convScale, e.denseScale = []float32{0.011, 0.0072}, []float32{0.004, 0.009, 0.0061}
	e.convBias = []int32{int32(rng.IntN(400) - 200), int32(rng.IntN(400) - 200)}
	e.denseBias = []int32{int32(rng.IntN(900) - 450), 12, -77}
	return e
}

// scaleOf is the scale that tools give a bias: a product rounded to float32.
func scaleOf(x float32, w []float32) []float32 {
	out := make([]float32, len(w))
	for i, s := range w {
		out[i] = x * s
	}
	return out
}

func (e *example) model() []byte {
	m := &builder{}
	m.port(11, "image", 1, 1, 3, 3)
	m.floats("x_scale", []float32{e.x})
	m.uint8("x_zero", e.zx)
	m.node("QuantizeLinear", "xq", []string{"image", "x_scale", "x_zero"})
	m.node("DequantizeLinear", "xr", []string{"xq", "x_scale", "x_zero"})
	m.int8s("w1", e.conv, 2, 1, 2, 2)
	m.floats("w1_scale", e.convScale, 2)
	m.node("DequantizeLinear", "w1r", []string{"w1", "w1_scale"}, attribute("axis", 0))
	m.int32s("b1", e.convBias, 2)
	m.floats("b1_scale", scaleOf(e.x, e.convScale), 2)
	m.node("DequantizeLinear", "b1r", []string{"b1", "b1_scale"}, attribute("axis", 0))
	m.node("Conv", "c", []string{"xr", "w1r", "b1r"}, attribute("pads", 1, 0, 0, 0), attribute("strides", 2, 1))
	m.node("Relu", "r", []string{"c"})
	m.floats("h_scale", []float32{e.h})
	m.uint8("h_zero", e.zh)
	m.node("QuantizeLinear", "hq", []string{"r", "h_scale", "h_zero"})
	m.node("DequantizeLinear", "hr", []string{"hq", "h_scale", "h_zero"})
	m.node("Flatten", "flat", []string{"hr"})
	m.int8s("w2", e.dense, 3, 8)
	m.floats("w2_scale", e.denseScale, 3)
	m.node("DequantizeLinear", "w2r", []string{"w2", "w2_scale"}, attribute("axis", 0))
	m.int32s("b2", e.denseBias, 3)
	m.floats("b2_scale", scaleOf(e.h, e.denseScale), 3)
	m.node("DequantizeLinear", "b2r", []string{"b2", "b2_scale"}, attribute("axis", 0))
	m.node("Gemm", "g", []string{"flat", "w2r", "b2r"}, attribute("transB", 1))
	m.floats("y_scale", []float32{e.y})
	m.int8s("y_zero", []int8{e.zy})
	m.node("QuantizeLinear", "yq", []string{"g", "y_scale", "y_zero"})
	m.node("DequantizeLinear", "out", []string{"yq", "y_scale", "y_zero"})
	m.port(12, "out", 1, 3)
	return m.bytes()
}

// run evaluates the operators one by one in float64; sure is false where a number
// came too near to a half.
func (e *example) run(x []int64) (y []int64, sure bool) {
	sure = true
	quantize := func(v float64, scale float32, zero, low, high int64) float64 {
		v /= float64(scale)
		if f := v - math.Floor(v); math.Abs(f-0.5) < 1e-6 {
			sure = false
		}
		return float64(min(max(int64(math.RoundToEven(v))+zero, low), high))
	}
	pixel := func(i, j int) float64 { // the padded image
		if i < 0 {
			return 0
		}
		return float64(x[i*3+j]-int64(e.zx)) * float64(e.x)
	}
	var h []float64
	for f := range 2 {
		for i := range 2 {
			for j := range 2 {
				sum := float64(e.convBias[f]) * float64(scaleOf(e.x, e.convScale)[f])
				for a := range 2 {
					for b := range 2 {
						sum += float64(e.conv[f*4+a*2+b]) * float64(e.convScale[f]) * pixel(2*i+a-1, j+b)
					}
				}
				q := quantize(max(sum, 0), e.h, int64(e.zh), 0, 255)
				h = append(h, (q-float64(e.zh))*float64(e.h))
			}
		}
	}
	for k := range 3 {
		sum := float64(e.denseBias[k]) * float64(scaleOf(e.h, e.denseScale)[k])
		for i, v := range h {
			sum += float64(e.dense[k*8+i]) * float64(e.denseScale[k]) * v
		}
		y = append(y, int64(quantize(sum, e.y, int64(e.zy), -128, 127)))
	}
	return y, sure
}

func TestReadComputesWhatTheFileStates(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	compared := 0
	for range 40 {
		e := newExample(rng)
		n, info, err := Read(bytes.NewReader(e.model()), "model")
		require.NoError(t, err)
		require.Equal(t, "9:8:3 <+,8,0>", n.String())
		assert.Equal(t, &Info{InputScale: float64(e.x), OutputScale: float64(e.y), InputZero: int64(e.zx), OutputZero: int64(e.zy)}, info)
		for range 50 {
			x := make([]int64, 9)
			for i := range x {
				x[i] = rng.Int64N(256)
			}
			if want, sure := e.run(x); sure {
				require.Equal(t, want, n.Run(x))
				compared++
			}
		}
		var b bytes.Buffer
		require.NoError(t, qnn.WriteJSON(&b, n))
		again, err := qnn.ReadJSON(&b)
		require.NoError(t, err)
		x := []int64{1, 200, 3, 40, 5, 255, 7, 0, 9}
		require.Equal(t, n.Run(x), again.Run(x))
	}
	assert.Greater(t, compared, 1900)
}

// Networks with tables of starts go through the verifier: against enumeration of
// two varying inputs.
func TestVerifyOfWhatWasRead(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	seen := map[spec.Verdict]int{}
	for k := range 30 {
		n, _, err := Read(bytes.NewReader(newExample(rng).model()), "model")
		require.NoError(t, err)
		low, high := make([]float64, 9), make([]float64, 9)
		x := make([]int64, 9)
		for i := range low {
			x[i] = rng.Int64N(256)
			low[i], high[i] = float64(x[i]), float64(x[i])
		}
		reach := float64(1 + k)
		low[4], high[4] = max(low[4]-reach, 0), min(high[4]+reach, 255)
		low[7], high[7] = max(low[7]-reach, 0), min(high[7]+reach, 255)
		label := n.Classify(x)
		want := spec.Verified
		for a := low[4]; a <= high[4]; a++ {
			for b := low[7]; b <= high[7]; b++ {
				z := append([]int64(nil), x...)
				z[4], z[7] = int64(a), int64(b)
				if n.Classify(z) != label {
					want = spec.Falsified
				}
			}
		}
		res, err := qnn.Verify(context.Background(), n, qnn.Robustness(spec.Box{Lower: low, Upper: high}, label, 3), qnn.Options{NoAttack: k%2 == 0})
		require.NoError(t, err)
		require.Equal(t, want, res.Verdict)
		seen[want]++
	}
	assert.Len(t, seen, 2)
}

func TestReadRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		make func(m *builder)
		want string
	}{
		"an operator without integers": {func(m *builder) { m.node("Sigmoid", "out", []string{"image"}) }, "no integer form"},
		"a scale of zero": {func(m *builder) {
			m.floats("s", []float32{0})
			m.node("QuantizeLinear", "out", []string{"image", "s"})
		}, "scale 0 is 0"},
		"nothing but the input": {func(m *builder) {
			m.floats("s", []float32{1})
			m.node("QuantizeLinear", "out", []string{"image", "s"})
		}, "not what the last QuantizeLinear makes"},
	} {
		m := &builder{}
		m.port(11, "image", 1, 2)
		c.make(m)
		m.port(12, "out", 1, 2)
		_, _, err := Read(bytes.NewReader(m.bytes()), "model")
		require.ErrorContains(t, err, c.want, name)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(newExample(rand.New(rand.NewPCG(3, 3))).model())
	f.Add(newRequantized(rand.New(rand.NewPCG(3, 3))).model())
	f.Fuzz(func(t *testing.T, text []byte) {
		n, _, err := Read(bytes.NewReader(text), "model")
		if err == nil {
			n.Run(make([]int64, n.Inputs()))
		}
	})
}
