// Package unittest is a small classifier with unit tests that prove what it does.
//
// The classifier decides whether a car brakes, from the distance to what is in
// front of it, its speed, and how wet the road is. It stands for the reader's
// own: a network in a file beside the code that uses it. The story is in
// verify_test.go; train_test.go shows where brake.onnx comes from.
package unittest

import (
	"bytes"
	_ "embed" // brake.onnx

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/onnx"
)

// Classes, by the index of the network's output.
const (
	Coast = iota
	Brake
	Classes
)

//go:embed brake.onnx
var model []byte

// Load is the network: inputs are metres, metres per second, and wetness from 0
// to 1; the greater output is the class.
func Load() (*nn.Graph, error) {
	net, _, err := onnx.Read(bytes.NewReader(model), "brake.onnx", nil)
	return net, err
}

// Decide is the class of one situation.
func Decide(net nn.Network, distance, speed, wetness float64) (int, error) {
	y, err := nn.Evaluate(net, []float64{distance, speed, wetness})
	if err != nil {
		return 0, err
	}
	if y[Brake] > y[Coast] {
		return Brake, nil
	}
	return Coast, nil
}
