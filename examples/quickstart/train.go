package main

// A plain trainer: cross-entropy, Adam, nothing else.
//
// All that training needs of vouch is nn.Evaluator, which computes values and
// the gradients of parameters on a batch. Adam is Algorithm 1 of Kingma and Ba
// 2014, arXiv:1412.6980, with its usual constants.

import (
	"math"
	"math/rand/v2"

	"github.com/vouchnn/vouch/internal/digits"
	"github.com/vouchnn/vouch/nn"
)

// dataset is pictures with their labels.
type dataset struct {
	images []float32 // [len(labels) × digits.Pixels]
	labels []int
}

func newDataset(seed uint64, n int) dataset {
	images, labels := digits.Set(seed, n)
	return dataset{images: float32s(images), labels: labels}
}

// image is picture i.
func (d dataset) image(i int) []float32 {
	return d.images[i*digits.Pixels : (i+1)*digits.Pixels]
}

// newNetwork is a network of dense layers of the given widths with ReLU
// between them, its weights drawn from He's normal distribution.
func newNetwork(rng *rand.Rand, widths ...int) (*nn.Graph, error) {
	b := nn.NewBuilder(nn.Shape{widths[0]})
	at := b.Input()
	for i := 1; i < len(widths); i++ {
		in, out := widths[i-1], widths[i]
		weight := make([]float64, out*in)
		for k := range weight {
			weight[k] = rng.NormFloat64() * math.Sqrt(2/float64(in))
		}
		dense, err := nn.NewDense(out, in, weight, make([]float64, out))
		if err != nil {
			return nil, err
		}
		if i > 1 {
			at = b.Add("", nn.ReLU{}, at)
		}
		at = b.Add("", dense, at)
	}
	return b.Build(at)
}

// parameter is one tensor of the network in training, with Adam's moments.
type parameter struct {
	*nn.Param
	value, grad, mean, square []float32
}

// train fits net to data.
func train(net *nn.Graph, data dataset, epochs int, rng *rand.Rand) {
	const batch, rate = 50, 3e-3
	var params []parameter
	grads := make([][][]float32, len(net.Nodes()))
	for i, node := range net.Nodes()[1:] {
		for _, p := range node.Op.Params() {
			n := len(p.Values32())
			q := parameter{p, append([]float32(nil), p.Values32()...), make([]float32, n), make([]float32, n), make([]float32, n)}
			params = append(params, q)
			grads[i+1] = append(grads[i+1], q.grad)
		}
	}

	eval := nn.NewEvaluator[float32](net)
	x := make([]float32, batch*digits.Pixels)
	labels := make([]int, batch)
	steps := epochs * (len(data.labels) / batch)
	for step, order := 0, []int(nil); step < steps; step++ {
		if len(order) < batch {
			order = rng.Perm(len(data.labels))
		}
		for i, k := range order[:batch] {
			copy(x[i*digits.Pixels:], data.image(k))
			labels[i] = data.labels[k]
		}
		order = order[batch:]

		for _, p := range params {
			clear(p.grad)
		}
		y := eval.Forward(x, batch)
		eval.Backward(crossEntropy(y, labels), grads)
		for _, p := range params {
			p.adam(step+1, rate*(1-float64(step)/float64(steps)))
		}
	}
}

// crossEntropy is the gradient, with respect to the logits y, of the mean over
// the batch of −log softmax(y)[label]. It overwrites y.
func crossEntropy(y []float32, labels []int) []float32 {
	classes := len(y) / len(labels)
	for i, label := range labels {
		row := y[i*classes : (i+1)*classes]
		top, sum := row[nn.ArgMax(row)], float32(0)
		for k, v := range row {
			row[k] = float32(math.Exp(float64(v - top)))
			sum += row[k]
		}
		for k := range row {
			row[k] /= sum * float32(len(labels))
		}
		row[label] -= 1 / float32(len(labels))
	}
	return y
}

// adam makes step number t, counted from 1.
func (p *parameter) adam(t int, rate float64) {
	const beta1, beta2, epsilon = 0.9, 0.999, 1e-8
	rate *= math.Sqrt(1-math.Pow(beta2, float64(t))) / (1 - math.Pow(beta1, float64(t)))
	for i, g := range p.grad {
		p.mean[i] += (1 - beta1) * (g - p.mean[i])
		p.square[i] += (1 - beta2) * (g*g - p.square[i])
		p.value[i] -= float32(rate * float64(p.mean[i]) / (math.Sqrt(float64(p.square[i])) + epsilon))
	}
	p.Set32(p.value)
}

// accuracy is the share of data that net classifies as labelled.
func accuracy(net nn.Network, data dataset) float64 {
	y := nn.NewEvaluator[float32](net).Forward(data.images, len(data.labels))
	classes, right := len(y)/len(data.labels), 0
	for i, label := range data.labels {
		if nn.ArgMax(y[i*classes:(i+1)*classes]) == label {
			right++
		}
	}
	return float64(right) / float64(len(data.labels))
}
