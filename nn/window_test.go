package nn

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestWindowOutputs counts windows one by one: with ceil_mode up to the first
// that reaches the end of the padded axis, less the last if it starts behind
// the axis.
func TestWindowOutputs(t *testing.T) {
	for n := 1; n < 9; n++ {
		for code := range 4 * 4 * 3 * 4 * 4 {
			w := window{kernel: 1 + code%4, stride: 1 + code/4%4, dilation: 1 + code/16%3, before: code / 48 % 4, after: code / 192 % 4}
			extent := (w.kernel-1)*w.dilation + 1
			floor, ceil := 0, 0
			for start := -w.before; start+extent <= n+w.after; start += w.stride {
				floor++
			}
			if ceil = floor; floor > 0 {
				last := -w.before + (floor-1)*w.stride
				if last+extent < n+w.after {
					ceil, last = ceil+1, last+w.stride
				}
				if last >= n {
					ceil--
				}
			}
			assert.Equal(t, floor, w.outputs(n, false), "%+v of %d", w, n)
			assert.Equal(t, ceil, w.outputs(n, true), "%+v of %d", w, n)
		}
	}
}

// TestPoolTable holds pooling to hand-computed values. The ceil_mode rows are
// the definition in ONNX's AveragePool-19: the last window averages over what
// lies on the (padded) axis.
func TestPoolTable(t *testing.T) {
	x := []float64{1, 2, 3, 4, 5}
	for _, c := range []struct {
		name         string
		config       PoolConfig
		average, max []float64
	}{
		{"floor", PoolConfig{Kernel: []int{2}, Stride: []int{2}}, []float64{1.5, 3.5}, []float64{2, 4}},
		{"ceil", PoolConfig{Kernel: []int{2}, Stride: []int{2}, CeilMode: true}, []float64{1.5, 3.5, 5}, []float64{2, 4, 5}},
		{"dilated", PoolConfig{Kernel: []int{2}, Dilation: []int{3}}, []float64{2.5, 3.5}, []float64{4, 5}},
		{"padded", PoolConfig{Kernel: []int{3}, Stride: []int{2}, Pad: []int{1, 1}}, []float64{1.5, 3, 4.5}, []float64{2, 4, 5}},
		{"padding counts", PoolConfig{Kernel: []int{3}, Stride: []int{2}, Pad: []int{1, 1}, CountIncludePad: true}, []float64{1, 3, 3}, []float64{2, 4, 5}},
		{"ceil beyond padding", PoolConfig{Kernel: []int{3}, Stride: []int{3}, Pad: []int{1, 0}, CeilMode: true, CountIncludePad: true}, []float64{1, 4}, []float64{2, 5}},
		{"ceil hangs over", PoolConfig{Kernel: []int{3}, Stride: []int{3}, CeilMode: true, CountIncludePad: true}, []float64{2, 4.5}, []float64{3, 5}},
		{"ceil starts in padding", PoolConfig{Kernel: []int{1}, Stride: []int{3}, Pad: []int{0, 2}, CeilMode: true}, []float64{1, 4}, []float64{1, 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			average := chain(t, Shape{5}, must(NewAveragePool(c.config)))
			assert.InDeltaSlice(t, c.average, must(Evaluate(average, x)), 1e-15)
			maximum := chain(t, Shape{5}, must(NewMaxPool(c.config)))
			assert.Equal(t, c.max, must(Evaluate(maximum, x)))
		})
	}
}

func TestMaxPoolWindows(t *testing.T) {
	m := must(NewMaxPool(PoolConfig{Kernel: []int{2, 2}, Stride: []int{1, 2}, Pad: []int{1, 0, 0, 0}}))
	start, index, err := m.Windows(Shape{2, 2, 2})
	require.NoError(t, err)
	assert.Equal(t, []int{0, 2, 6, 8, 12}, start)
	assert.Equal(t, []int{0, 1, 0, 1, 2, 3, 4, 5, 4, 5, 6, 7}, index)
	_, _, err = m.Windows(Shape{1})
	var s *ShapeError
	require.ErrorAs(t, err, &s)
}

func TestMaxPoolGradientGoesToTheFirstMaximum(t *testing.T) {
	g := chain(t, Shape{4}, must(NewMaxPool(PoolConfig{Kernel: []int{2}, Stride: []int{2}})))
	e := NewEvaluator[float64](g)
	e.Forward([]float64{3, 3, 1, 2}, 1)
	assert.Equal(t, []float64{5, 0, 0, 7}, e.Backward([]float64{5, 7}, nil))
}
