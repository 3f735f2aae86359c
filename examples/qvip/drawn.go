package main

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/vouchnn/vouch/internal/digits"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/qnn"
)

// The story without data: drawn digits, a float network of one hidden layer
// trained by plain gradient descent, and its post-training quantization.

const hidden = 24

// drawn is one float network, quantized with 4, 6 and 8 bits.
func drawn() ([]subject, error) {
	rng := rand.New(rand.NewPCG(1, 2))
	float, err := trained(rng)
	if err != nil {
		return nil, err
	}
	var inputs [][]int64
	var labels []int
	var samples [][]float64
	for range 400 {
		label := rng.IntN(digits.Classes)
		picture := digits.Draw(rng, label)
		x := make([]int64, len(picture))
		for i, v := range picture {
			x[i] = int64(math.Round(255 * v))
		}
		inputs, labels, samples = append(inputs, x), append(labels, label), append(samples, picture)
	}
	var out []subject
	for _, bits := range []int{4, 6, 8} {
		n, err := qnn.Quantize(float, qnn.QuantizeOptions{Bits: bits, InputScale: 256.0 / 255, Samples: samples[:100]})
		if err != nil {
			return nil, err
		}
		out = append(out, subject{name: fmt.Sprintf("digits, %d bits", bits), net: n, inputs: inputs, labels: labels})
	}
	return out, nil
}

// trained is a network for drawn digits.
func trained(rng *rand.Rand) (nn.Network, error) {
	draw := func(n int, scale float64) []float64 {
		w := make([]float64, n)
		for i := range w {
			w[i] = rng.NormFloat64() * scale
		}
		return w
	}
	w1, b1 := draw(hidden*digits.Pixels, 0.1), make([]float64, hidden)
	w2, b2 := draw(digits.Classes*hidden, 0.3), make([]float64, digits.Classes)
	h, y := make([]float64, hidden), make([]float64, digits.Classes)
	for step := range 12000 {
		rate := 0.05 * (1 - float64(step)/12000)
		label := rng.IntN(digits.Classes)
		x := digits.Draw(rng, label)
		layer(w1, b1, x, h)
		for j := range h {
			h[j] = max(h[j], 0)
		}
		layer(w2, b2, h, y)
		softmax(y)
		y[label]-- // the gradient of the cross-entropy
		back := make([]float64, hidden)
		for k, g := range y {
			for j := range h {
				back[j] += g * w2[k*hidden+j]
				w2[k*hidden+j] -= rate * g * h[j]
			}
			b2[k] -= rate * g
		}
		for j, g := range back {
			if h[j] <= 0 {
				continue
			}
			for i, v := range x {
				w1[j*len(x)+i] -= rate * g * v
			}
			b1[j] -= rate * g
		}
	}
	return network(w1, b1, w2, b2)
}

func layer(w, b, x, out []float64) {
	for j := range out {
		out[j] = b[j]
		for i, v := range x {
			out[j] += w[j*len(x)+i] * v
		}
	}
}

func softmax(y []float64) {
	top, sum := math.Inf(-1), 0.0
	for _, v := range y {
		top = max(top, v)
	}
	for k, v := range y {
		y[k] = math.Exp(v - top)
		sum += y[k]
	}
	for k := range y {
		y[k] /= sum
	}
}

func network(w1, b1, w2, b2 []float64) (nn.Network, error) {
	first, err := nn.NewDense(hidden, digits.Pixels, w1, b1)
	if err != nil {
		return nil, err
	}
	second, err := nn.NewDense(digits.Classes, hidden, w2, b2)
	if err != nil {
		return nil, err
	}
	b := nn.NewBuilder(nn.Shape{digits.Pixels})
	at := b.Add("hidden", first, b.Input())
	at = b.Add("relu", nn.ReLU{}, at)
	return b.Build(b.Add("scores", second, at))
}
