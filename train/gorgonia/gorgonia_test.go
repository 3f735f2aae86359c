package gorgonia

// Two engines that share no code: their gradients, and the networks that they
// train, agree.

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/train"
)

func networks(t *testing.T) map[string]*nn.Graph {
	relu := train.Activation{Op: nn.ReLU{}}
	out := map[string]*nn.Graph{}
	for name, l := range map[string]struct {
		input  nn.Shape
		layers []train.Layer
	}{
		"dense":   {nn.Shape{6}, []train.Layer{train.Dense{Out: 8}, relu, train.Dense{Out: 7}, relu, train.Dense{Out: 4}}},
		"smooth":  {nn.Shape{5}, []train.Layer{train.Dense{Out: 8}, train.Activation{Op: nn.Tanh{}}, train.Dense{Out: 6}, train.Activation{Op: nn.Sigmoid{}}, train.Dense{Out: 3}}},
		"conv":    {nn.Shape{2, 8, 8}, []train.Layer{train.Conv{Out: 3, Kernel: 4, Stride: 2, Pad: []int{1}}, relu, train.Conv{Out: 4, Kernel: 3}, relu, train.Dense{Out: 6}, relu, train.Dense{Out: 4}}},
		"maxpool": {nn.Shape{1, 8, 8}, []train.Layer{train.Conv{Out: 3, Kernel: 3, Pad: []int{1}}, relu, train.MaxPool{Kernel: 2, Stride: 2}, train.Dense{Out: 3}}},
	} {
		net, err := train.Stack(l.input, l.layers...)
		require.NoError(t, err)
		out[name] = net
	}
	m1, err := train.NewNetwork("M1")
	require.NoError(t, err)
	out["M1"] = m1
	for _, net := range out {
		train.Initialize(net, train.Torch, 1)
	}
	return out
}

func batch(net nn.Network, seed uint64, size int) train.Batch {
	rng := rand.New(rand.NewPCG(seed, 1))
	b := train.Batch{Size: size, X: make([]float32, size*nn.InputShape(net).Size()), Labels: make([]int, size)}
	for i := range b.X {
		b.X[i] = rng.Float32()
	}
	for i := range b.Labels {
		b.Labels[i] = rng.IntN(nn.OutputShape(net).Size())
	}
	return b
}

// losses is package train's, each but the first with a keeper behind it.
func losses() map[string]train.Loss {
	a := train.Attack{Epsilon: train.Constant(0.1), Steps: 2}
	keep := keeper{new([]float32)}
	return map[string]train.Loss{
		"ce":     train.CrossEntropy{},
		"madry":  train.Sum{{Loss: train.Madry{Attack: a}}, {Loss: keep}},
		"trades": append(train.NewTRADES(train.Constant(2), a), train.Term{Loss: keep}),
		"nbc":    append(train.NewNBC(train.Constant(1.5), a), train.Term{Loss: keep}),
	}
}

// keeper adds nothing; it copies the adversarial points of the term before it.
type keeper struct{ x *[]float32 }

func (keeper) Validate(nn.Network) error { return nil }

func (k keeper) Add(_ context.Context, s *train.Step, _ float64) (float64, error) {
	*k.x = append((*k.x)[:0], s.Adversarial().X()...)
	return 0, nil
}

func TestGradientsAgree(t *testing.T) {
	objectives := map[string]Objective{
		"ce": {CrossEntropy: 1}, "madry": {Adversarial: 1}, "trades": {CrossEntropy: 1, Divergence: 2}, "nbc": {CrossEntropy: 1, Consistency: -1.5},
	}
	for name, net := range networks(t) {
		b := batch(net, 2, 5)
		for kind, loss := range losses() {
			t.Run(name+"/"+kind, func(t *testing.T) {
				value, got, err := train.Gradients(context.Background(), net, loss, b, 0.5, 1)
				require.NoError(t, err)
				var near []float32
				if s, ok := loss.(train.Sum); ok {
					near = *s[len(s)-1].Loss.(keeper).x
				}
				want, err := Gradients(net, objectives[kind], b.X, near, b.Labels)
				require.NoError(t, err)
				assert.InDelta(t, want.Value, value, 1e-5)
				norm, off := 0.0, 0.0
				for i := range want.Params {
					for k := range want.Params[i] {
						for e, v := range want.Params[i][k] {
							norm += v * v
							off += (v - float64(got[i][k][e])) * (v - float64(got[i][k][e]))
						}
					}
				}
				require.Positive(t, norm)
				assert.LessOrEqual(t, math.Sqrt(off), 1e-5*math.Sqrt(norm))
				t.Logf("gradients differ by %.1e of their length", math.Sqrt(off/norm))
			})
		}
	}
}

// The gradient to the input, which attacks use, against nn's float64 one.
func TestInputGradientAgrees(t *testing.T) {
	for name, net := range networks(t) {
		t.Run(name, func(t *testing.T) {
			b := batch(net, 3, 4)
			res, err := Gradients(net, Objective{CrossEntropy: 4}, b.X, nil, b.Labels) // the sum over the batch
			require.NoError(t, err)
			x := make([]float64, len(b.X))
			for i, v := range b.X {
				x[i] = float64(v)
			}
			e := nn.NewEvaluator[float64](net)
			y := append([]float64(nil), e.Forward(x, 4)...)
			k := len(y) / 4
			for i, l := range b.Labels {
				sum := 0.0
				for j := range k {
					y[i*k+j] = math.Exp(y[i*k+j])
					sum += y[i*k+j]
				}
				for j := range k {
					y[i*k+j] /= sum
				}
				y[i*k+l]--
			}
			assert.InDeltaSlice(t, e.Backward(y, nil), res.Input, 1e-10)
		})
	}
}

// Both trainers, from the same weights, end with nearly the same network.
func TestTrainersAgree(t *testing.T) {
	for _, optimizer := range []train.Optimizer{train.SGD{Momentum: 0.9, Decay: 1e-4}, train.Adam{}} {
		ours, theirs := networks(t)["conv"], networks(t)["conv"]
		b := batch(ours, 4, 70)
		for i := range b.Labels { // something to learn: which of four pixels is the brightest
			for j, v := range b.X[i*128 : i*128+4] {
				if v > b.X[i*128+b.Labels[i]] {
					b.Labels[i] = j
				}
			}
		}
		data := &train.Samples{X: b.X, Labels: b.Labels}
		o := train.Options{Loss: train.CrossEntropy{}, Epochs: 6, Batch: 16, Optimizer: optimizer, Rate: train.Cosine(0.01, 0.001), Seed: 5}
		h1, err := train.Engine{}.Fit(context.Background(), ours, data, o)
		require.NoError(t, err)
		h2, err := Trainer{}.Fit(context.Background(), theirs, data, o)
		require.NoError(t, err)
		for i := range h1.Epochs {
			assert.InDelta(t, h1.Epochs[i].Loss, h2.Epochs[i].Loss, 1e-4)
		}
		assert.Less(t, h2.Epochs[5].Loss, h2.Epochs[0].Loss)
		for i, n := range ours.Nodes() {
			if n.Op == nil {
				continue
			}
			for k, p := range n.Op.Params() {
				assert.InDeltaSlice(t, p.Values(), theirs.Nodes()[i].Op.Params()[k].Values(), 1e-3)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	net := networks(t)["dense"]
	b := batch(net, 1, 8)
	data := &train.Samples{X: b.X, Labels: b.Labels}
	for _, o := range []train.Options{
		{Loss: train.L2{}, Epochs: 1},
		{Loss: train.CrossEntropy{}, Epochs: 1, ClipNorm: 1},
		{Loss: train.CrossEntropy{}, Epochs: 1, Checkpoint: "x"},
		{Loss: train.CrossEntropy{}},
	} {
		_, err := Trainer{}.Fit(context.Background(), net, data, o)
		var value *train.ValueError
		require.ErrorAs(t, err, &value)
	}
	norm, err := train.Stack(nn.Shape{4}, train.BatchNorm{}, train.Dense{Out: 2})
	require.NoError(t, err)
	_, err = Gradients(norm, Objective{CrossEntropy: 1}, make([]float32, 4), nil, []int{0})
	var lacking *nn.UnsupportedError
	require.ErrorAs(t, err, &lacking)
	assert.Equal(t, "norm1", lacking.Node)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Trainer{}.Fit(ctx, net, data, train.Options{Loss: train.CrossEntropy{}, Epochs: 1})
	require.ErrorIs(t, err, context.Canceled)
}
