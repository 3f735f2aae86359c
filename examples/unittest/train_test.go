package unittest

import (
	"flag"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/onnx"
)

// Where brake.onnx comes from: go test ./examples/unittest -run Train -train

var retrain = flag.Bool("train", false, "train anew and write brake.onnx")

// mustBrake is what the network is to learn: the distance is not enough to
// react and stop, with a fifth to spare.
func mustBrake(distance, speed, wetness float64) bool {
	const reaction, dry, wet = 0.5, 8.0, 4.0 // s, m/s²
	deceleration := dry + (wet-dry)*wetness
	return distance < 1.2*(speed*reaction+speed*speed/(2*deceleration))
}

// situation is a random one.
func situation(rng *rand.Rand) (distance, speed, wetness float64) {
	return 100 * rng.Float64(), 40 * rng.Float64(), rng.Float64()
}

// TestTrain holds brake.onnx to what it is to do, after training it if asked.
func TestTrain(t *testing.T) {
	if *retrain {
		require.NoError(t, onnx.WriteFile("brake.onnx", train(t), nil))
		t.Skip("brake.onnx is written; run again without -train")
	}
	net, err := Load()
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(2, 2))
	right, n := 0, 2000
	for range n {
		d, v, w := situation(rng)
		class, err := Decide(net, d, v, w)
		require.NoError(t, err)
		if (class == Brake) == mustBrake(d, v, w) {
			right++
		}
	}
	require.Greater(t, float64(right)/float64(n), 0.98)
}

// train fits a network of two hidden layers by stochastic gradient descent with
// momentum on the logistic loss.
func train(t *testing.T) *nn.Graph {
	const batch, steps = 64, 30000
	rng := rand.New(rand.NewPCG(1, 1))
	net := newNetwork(t, rng, 16, 16)
	var params []*nn.Param
	var values, momenta [][]float32
	grads := make([][][]float32, len(net.Nodes()))
	for i, node := range net.Nodes()[1:] {
		if _, dense := node.Op.(*nn.Dense); !dense {
			continue
		}
		for _, p := range node.Op.Params() {
			params = append(params, p)
			values = append(values, append([]float32(nil), p.Values32()...))
			momenta = append(momenta, make([]float32, len(p.Values32())))
			grads[i+1] = append(grads[i+1], make([]float32, len(p.Values32())))
		}
	}
	eval := nn.NewEvaluator[float32](net)
	x, gradient := make([]float32, 3*batch), make([]float32, Classes*batch)
	for step := range steps {
		for i := range batch {
			d, v, w := situation(rng)
			x[3*i], x[3*i+1], x[3*i+2] = float32(d), float32(v), float32(w)
			gradient[2*i] = -1
			if mustBrake(d, v, w) {
				gradient[2*i] = 1
			}
		}
		y := eval.Forward(x, batch)
		for i := range batch {
			sign := float64(gradient[2*i]) // of coasting's wrongness
			g := sign / (1 + math.Exp(-sign*float64(y[2*i]-y[2*i+1]))) / batch
			gradient[2*i], gradient[2*i+1] = float32(g), float32(-g)
		}
		eval.Backward(gradient, grads)
		rate := float32(0.5 * (1 - float64(step)/steps))
		k := 0
		for _, node := range grads {
			for _, g := range node {
				for j := range g {
					momenta[k][j] = 0.9*momenta[k][j] - 0.1*rate*g[j]
					values[k][j] += momenta[k][j]
					g[j] = 0
				}
				params[k].Set32(values[k])
				k++
			}
		}
	}
	return net
}

// newNetwork takes metres, metres per second and wetness.
func newNetwork(t *testing.T, rng *rand.Rand, widths ...int) *nn.Graph {
	scale, err := nn.NewConstArith(nn.ArithMul, []float64{1.0 / 64, 1.0 / 32, 1}, nn.Shape{3}, false)
	require.NoError(t, err)
	b := nn.NewBuilder(nn.Shape{3})
	at, in := b.Add("units", scale, b.Input()), 3
	for i, out := range append(widths, Classes) {
		weight := make([]float64, out*in)
		for k := range weight {
			weight[k] = float64(float32(rng.NormFloat64() * math.Sqrt(2/float64(in))))
		}
		dense, err := nn.NewDense(out, in, weight, make([]float64, out))
		require.NoError(t, err)
		if i > 0 {
			at = b.Add("", nn.ReLU{}, at)
		}
		at, in = b.Add("", dense, at), out
	}
	net, err := b.Build(at)
	require.NoError(t, err)
	return net
}
