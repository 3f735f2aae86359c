package nn

import (
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
	assert.Panics(t, func() { NewParam("weight", Shape{3}, []float64{1}) })
}
