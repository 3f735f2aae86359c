package qnn

import (
	"bytes"
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/spec"
)

// Zhang et al. 2022 (QVIP), figure 1: the running example of sections 2.2, 3.3
// and 3.7.
func paperNetwork(t testing.TB) *Network {
	t.Helper()
	c := Config{Bits: 6, Fraction: 4}
	w := Config{Signed: true, Bits: 6, Fraction: 4}
	n, err := NewFixedPoint(c, 2, []FixedPoint{
		{Weights: []int32{9, -20, 24, 17}, Bias: []int32{0, 0}, Weight: w, BiasConfig: w, Output: c},
		{Weights: []int32{-12, 10, 13, 7}, Bias: []int32{0, 0}, Weight: w, BiasConfig: w, Output: c},
	}, HalfUp)
	require.NoError(t, err)
	return n
}

func TestPaperExample(t *testing.T) {
	n := paperNetwork(t)
	trace := n.Trace([]int64{10, 2})
	assert.Equal(t, [][]int64{{10, 2}, {3, 17}, {8, 10}}, trace)
	ball, err := n.Ball(spec.LInf, []int64{10, 2}, 4)
	require.NoError(t, err)
	b, ok := n.Intervals(ball)
	require.True(t, ok)
	assert.Equal(t, []int64{0, 9}, b[0].Low)
	assert.Equal(t, []int64{8, 27}, b[0].High)
	assert.Equal(t, []int64{0, 4}, b[1].Low)
	assert.Equal(t, []int64{17, 18}, b[1].High)
	p := Robustness(ball, 1, 2)
	res, err := Verify(context.Background(), n, p, Options{})
	require.NoError(t, err)
	assert.Equal(t, exhaustive(n, p), res.Verdict)
}

// Halves of both signs, by every rule.
func TestTies(t *testing.T) {
	for tie, want := range map[Tie][]int64{
		HalfUp:   {-1, 0, 1, 2},
		HalfEven: {-2, 0, 0, 2},
		HalfAway: {-2, -1, 1, 2},
		Floor:    {-2, -1, 0, 1},
	} {
		s := ShiftStaircase(4, tie, -8, 7)
		for i, a := range []int64{-24, -8, 8, 24} {
			assert.Equal(t, want[i], s.Level(a), "%v of %d/16", tie, a)
			assert.Equal(t, float64(want[i]), tie.Round(float64(a)/16), "%v of %d/16", tie, a)
		}
	}
	assert.True(t, math.IsNaN(HalfUp.Round(math.NaN())))
	assert.InDelta(t, 0, HalfUp.Round(0.49999999999999994), 0)
}

// TestStaircase: Start is the least accumulator of its level, and steps enclose.
func TestStaircase(t *testing.T) {
	for tie := HalfUp; tie <= Floor; tie++ {
		for _, shift := range []int{-2, 0, 1, 2, 5} {
			for _, r := range [][2]int64{{-8, 7}, {0, 15}, {3, 9}} {
				s := ShiftStaircase(shift, tie, r[0], r[1])
				for a := int64(-700); a < 700; a++ {
					want := min(max(int64(tie.Round(math.Ldexp(float64(a), -shift))), r[0]), r[1])
					require.Equal(t, want, s.Level(a), "%v, shift %d, %d", tie, shift, a)
				}
				checkStarts(t, &s)
			}
		}
	}
}

func checkStarts(t *testing.T, s *Staircase) {
	t.Helper()
	base, width, slack := s.step()
	for level := s.Min + 1; level <= s.Max; level++ {
		a := s.Start(level)
		require.GreaterOrEqual(t, s.Level(a), level)
		require.Less(t, s.Level(a-1), level)
		line := base + float64(level-s.Min)*width
		require.LessOrEqual(t, line, float64(a))
		require.GreaterOrEqual(t, line+slack, float64(a))
	}
}

func TestConfig(t *testing.T) {
	c := Config{Signed: true, Bits: 6, Fraction: 4}
	assert.Equal(t, "<+-,6,4>", c.String())
	assert.Equal(t, []int64{-32, 31}, []int64{c.Min(), c.Max()})
	assert.Equal(t, int64(9), c.Quantize(0.55, HalfUp)) // section 2.2: 0.55·16 = 8.8
	assert.Equal(t, int64(31), c.Quantize(math.Inf(1), HalfUp))
	assert.Equal(t, int64(-32), c.Quantize(-1e300, HalfUp))
	v, inside := c.FakeQuantize(5, HalfUp)
	assert.InDelta(t, 31.0/16, v, 0)
	assert.False(t, inside)
	require.Error(t, Config{Bits: 17}.Validate())
	for _, top := range []float64{0, 0.1, 0.49, 0.5, 1, 3.7, 900} {
		f := fitFraction(top, true, 6)
		assert.LessOrEqual(t, math.Round(math.Ldexp(top, f)), 31.0)
	}
}

func TestJSONRoundTrip(t *testing.T) {
	n := paperNetwork(t)
	n.Name = "example"
	var b bytes.Buffer
	require.NoError(t, WriteJSON(&b, n))
	m, err := ReadJSON(&b)
	require.NoError(t, err)
	assert.Equal(t, n.Name, m.Name)
	each(&Network{Input: Config{Bits: 3}, Layers: n.Layers}, func(x []int64) {
		require.Equal(t, n.Run(x), m.Run(x))
	})
	for text, want := range map[string]string{
		`{`:                                    "byte",
		`{"tie":"up"}`:                         "tie",
		`{"input":{"bits":3,"max":7,"dim":1}}`: "no layers",
		`{"input":{"bits":3,"max":7,"dim":1},"layers":[{"in_dim":1,"out_dim":1,"W":[[1,2]],"b":[0]}]}`:               "layer 0: W: row 0",
		`{"input":{"bits":3,"max":7,"dim":1},"layers":[{"in_dim":1,"out_dim":1,"W":[[1]],"b":[0],"bias_shift":99}]}`: "bias_shift",
		`{"input":{"bits":16,"max":65535,"dim":1},"layers":[{"in_dim":1,"out_dim":1,"W":[[2147483647]],"b":[0]}]}`:   "accumulator of neuron 0",
	} {
		_, err := ReadJSON(bytes.NewBufferString(text))
		require.ErrorContains(t, err, want, text)
	}
}

func FuzzReadJSON(f *testing.F) {
	f.Add([]byte(`{"input":{"bits":3,"max":7,"dim":1},"layers":[{"in_dim":1,"out_dim":1,"out_max":3,"shift":1,"W":[[1]],"b":[0]}]}`))
	f.Add([]byte(`{"input":{"bits":3,"max":7,"dim":1},"layers":[{"in_dim":1,"out_dim":1,"out_max":1,"starts":[[4]],"W":[[1]],"b":[0]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := ReadJSON(bytes.NewReader(text))
		if err == nil {
			n.Run(make([]int64, n.Inputs()))
		}
	})
}
