package nn

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestParamKeepsBothPrecisions(t *testing.T) {
	p := NewParam("weight", Shape{2}, []float64{0.1, -2})
	assert.Equal(t, []float32{0.1, -2}, p.Values32())
	assert.Equal(t, []float64{0.1, 2}, p.abs())
	p.Set([]float64{0.3, -4})
	assert.Equal(t, []float32{0.3, -4}, p.Values32())
	assert.Equal(t, []float64{0.3, 4}, p.abs(), "Set renews the magnitudes")
	p.Set32([]float32{0.1, -1})
	assert.Equal(t, []float64{float64(float32(0.1)), -1}, p.Values(), "exactly the float32")
	assert.Equal(t, []float64{float64(float32(0.1)), 1}, p.abs())
	p.Set32([]float32{0.1, 5})
	p.Set([]float64{0.1, 0.3})
	assert.Equal(t, []float64{0.1, 0.3}, p.Values(), "not rounded")
	assert.Panics(t, func() { NewParam("weight", Shape{3}, []float64{1}) })
}

// TestParamValuesAtOnce: several goroutines may be the first to ask for float64 values.
func TestParamValuesAtOnce(t *testing.T) {
	p := NewParam("weight", Shape{1000}, make([]float64, 1000))
	values := make([]float32, 1000)
	for k := range 100 {
		for i := range values {
			values[i] = float32(k)
		}
		p.Set32(values)
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				for _, v := range p.Values() {
					if v != float64(k) {
						t.Errorf("%v, want %d", v, k)
						return
					}
				}
			})
		}
		wait.Wait()
	}
}
