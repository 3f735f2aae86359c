package keras_test

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/qnn/keras"
)

// Files that are written here, so that no data is needed.

func small() []layerWeights {
	return []layerWeights{
		{"dense", []float32{0.5, -0.25, 0.125, -0.5, 0.25, 0.875}, []float32{0, 0.25, -0.5}},
		{"dense_1", []float32{0.75, -0.75, 0.125, 0.375, -0.25, 0.25}, []float32{0.25, -0.25}},
	}
}

// Weights that fit are kept, in the order that the network wants.
func TestReadWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "weights.h5")
	require.NoError(t, writeWeights(file, small()))
	net, err := keras.ReadFile(file, &keras.Options{Bits: 8})
	require.NoError(t, err)
	require.Len(t, net.Layers, 2)
	for k, l := range small() {
		in, out := len(l.kernel)/len(l.bias), len(l.bias)
		require.Equal(t, []int{in, out}, []int{net.Layers[k].In, net.Layers[k].Out})
		for i := range in {
			for j := range out {
				assert.InDelta(t, 128*l.kernel[i*out+j], net.Layers[k].Weights[j*in+i], 0)
			}
		}
	}
}

// forms are the ways to write the same weights.
func forms() map[string]*hdf5 {
	return map[string]*hdf5{
		"links":             {},
		"symbol tables":     {symbols: true, split: true},
		"texts in a heap":   {variable: true, symbols: true},
		"newer headers":     {newer: true, split: true},
		"chunks":            {chunks: true},
		"inflated":          {chunks: true, filters: []uint16{2, 1, 3}},
		"checked, inflated": {chunks: true, filters: []uint16{3, 2, 1}, newer: true},
		"LZF":               {chunks: true, filters: []uint16{2, 32000}},
	}
}

// All forms hold the same network.
func TestReadForms(t *testing.T) {
	file := filepath.Join(t.TempDir(), "weights.h5")
	require.NoError(t, writeWeights(file, small()))
	want, err := keras.ReadFile(file, &keras.Options{Bits: 8})
	require.NoError(t, err)
	for name, f := range forms() {
		require.NoError(t, os.WriteFile(file, f.weights(small()), 0o600))
		net, err := keras.ReadFile(file, &keras.Options{Bits: 8})
		require.NoError(t, err, name)
		assert.Equal(t, want, net, name)
	}
}

// A file cut off anywhere is an error, and so is one that is not of dense layers.
func TestReadRefusesWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "weights.h5")
	require.NoError(t, writeWeights(file, small()))
	whole, err := os.ReadFile(file)
	require.NoError(t, err)
	for n := 0; n < len(whole); n += 5 {
		require.NoError(t, os.WriteFile(file, whole[:n], 0o600))
		_, err := keras.ReadFile(file, nil)
		var refused *keras.FileError
		require.ErrorAs(t, err, &refused, "%d of %d bytes", n, len(whole))
	}
	for says, spoil := range map[string]func(*[]layerWeights){
		"no layer has weights":   func(l *[]layerWeights) { *l = nil },
		"value 1 is NaN":         func(l *[]layerWeights) { (*l)[0].kernel[1] = float32(math.NaN()) },
		"2 inputs after a layer": func(l *[]layerWeights) { (*l)[1].kernel = (*l)[1].kernel[:4] },
	} {
		layers := small()
		spoil(&layers)
		require.NoError(t, writeWeights(file, layers))
		_, err := keras.ReadFile(file, nil)
		require.ErrorContains(t, err, says)
	}
	for _, bits := range []int{-1, 2, 99} {
		_, err := keras.ReadFile(file, &keras.Options{Bits: bits})
		require.ErrorContains(t, err, "bits, want 3 to")
	}
}
