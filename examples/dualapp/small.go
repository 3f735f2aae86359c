package main

// The network of -quick: tanh, two hidden layers that are drawn and stay as they
// are, and a last layer that is fitted to drawn digits by gradient steps on the
// cross-entropy. Random features are enough for digits this simple.

import (
	"math"
	"math/rand/v2"

	"github.com/vouchnn/vouch/internal/digits"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/train/dataset"
)

const (
	firstWidth, secondWidth = 40, 30
	trainingDigits          = 1500
	epochs                  = 30
)

func smallNetwork(seed uint64, images int) (subject, error) {
	rng := rand.New(rand.NewPCG(seed, 11))
	b := nn.NewBuilder(nn.Shape{digits.Pixels})
	at, in := b.Input(), digits.Pixels
	for _, out := range []int{firstWidth, secondWidth} {
		d, err := nn.NewDense(out, in, normals(rng, out*in, 2/math.Sqrt(float64(in))), normals(rng, out, 0.2))
		if err != nil {
			return subject{}, err
		}
		at, in = b.Add("", nn.Tanh{}, b.Add("", d, at)), out
	}
	last, err := nn.NewDense(digits.Classes, in, make([]float64, digits.Classes*in), make([]float64, digits.Classes))
	if err != nil {
		return subject{}, err
	}
	net, err := b.Build(b.Add("", last, at))
	if err != nil {
		return subject{}, err
	}
	fit(net, at, last, rng, seed)

	test, labels := digits.Set(seed+1, 4*images+10)
	set := &dataset.Set{Shape: []int{1, digits.Size, digits.Size}, Classes: digits.Classes}
	for _, v := range test {
		set.Pixels = append(set.Pixels, uint8(math.Round(255*v)))
	}
	for _, l := range labels {
		set.Labels = append(set.Labels, uint8(l))
	}
	return newSubject("small_tanh_40_30", net, set, seed, images)
}

func normals(rng *rand.Rand, n int, scale float64) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = scale * rng.NormFloat64()
	}
	return x
}

// fit trains the last layer on the values of the node in front of it.
func fit(net nn.Network, node int, last *nn.Dense, rng *rand.Rand, seed uint64) {
	x, labels := digits.Set(seed, trainingDigits)
	e := nn.NewEvaluator[float64](net)
	e.Forward(x, trainingDigits)
	features := append([]float64(nil), e.Value(node)...)
	weight, bias := make([]float64, digits.Classes*secondWidth), make([]float64, digits.Classes)
	y := make([]float64, digits.Classes)
	for epoch := range epochs {
		rate := 0.1 / float64(1+epoch)
		for _, i := range rng.Perm(trainingDigits) {
			f := features[i*secondWidth : (i+1)*secondWidth]
			sum := 0.0
			for k := range y {
				y[k] = bias[k]
				for j, v := range f {
					y[k] += weight[k*secondWidth+j] * v
				}
				y[k] = math.Exp(y[k])
				sum += y[k]
			}
			for k := range y {
				step := rate * y[k] / sum
				if k == labels[i] {
					step -= rate
				}
				bias[k] -= step
				for j, v := range f {
					weight[k*secondWidth+j] -= step * v
				}
			}
		}
	}
	last.Weight().Set(weight)
	last.Bias().Set(bias)
}
