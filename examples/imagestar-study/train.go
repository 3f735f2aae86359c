package main

// Training: one convolution of 3 filters 3×3, batch normalisation, ReLU, average pooling
// 2×2, a dense layer. Descent with momentum, the best validation loss is kept; for
// Jacobian networks the best validation accuracy, and they have no weight decay.
//
// Departures from the paper, which used MATLAB's trainNetwork and a loop of its own:
// validation after each epoch, not after every 50 steps or each; statistics of the
// normalisation are running means, not taken over all training images at the end; the
// Jacobian is that of the network with these statistics, without dropout. Seeds are
// independent, whereas the paper's code trains each Jacobian network on from the one of
// the seed before, which is what -chain does.

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/onnx"
	"github.com/vouchnn/vouch/train"
)

// trained is the record of a network.
type trained struct {
	Cell     cell
	Accuracy float64   // on the test images
	Wrong    []int     // images of the pool that are misclassified
	Measured []float64 // on the validation images, after each epoch
	Best     int       // epoch that was kept, from 1
	Seconds  float64   // wall time
}

// train trains the networks that are not there yet, so many at a time.
func (st *study) train(ctx context.Context, jobs int) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	queue := make(chan []cell)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first error
	for range jobs {
		wg.Go(func() {
			for group := range queue {
				for _, c := range group {
					if err := st.trainOne(ctx, c); err != nil {
						mu.Lock()
						if first == nil {
							first = fmt.Errorf("%v: %w", c, err)
						}
						mu.Unlock()
						cancel()
						break
					}
				}
			}
		})
	}
	for _, group := range st.groups() {
		queue <- group
	}
	close(queue)
	wg.Wait()
	return first
}

// groups is the cells, those together that must be trained one after the other, and
// first those of the first seed: a study that is stopped early has whole grids.
func (st *study) groups() [][]cell {
	var groups [][]cell
	for _, c := range st.cells() {
		if n := len(groups); st.Chain && c.Regularizer == "jacobian" && c.Seed > 0 {
			groups[n-1] = append(groups[n-1], c)
			continue
		}
		groups = append(groups, []cell{c})
	}
	slices.SortStableFunc(groups, func(a, b []cell) int { return a[0].Seed - b[0].Seed })
	return groups
}

// trainOne trains and stores a network unless it is there.
func (st *study) trainOne(ctx context.Context, c cell) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var r trained
	if ok, err := readJSON(st.path(c, ".json"), &r); ok || err != nil {
		return err
	}
	start := time.Now()
	net, err := st.network(c)
	if err != nil {
		return err
	}
	h, err := train.Engine{}.Fit(ctx, net, st.training, st.options(c))
	if err != nil {
		return err
	}
	r = trained{Cell: c, Best: h.Best, Seconds: time.Since(start).Seconds()}
	for _, e := range h.Epochs {
		r.Measured = append(r.Measured, e.Measured)
	}
	r.Wrong = misclassified(net, st.pool)
	wrong, _ := slices.BinarySearch(r.Wrong, st.tested)
	r.Accuracy = 1 - float64(wrong)/float64(st.tested)
	st.say("trained %-24v accuracy %.2f %%, epoch %d, %.1f s", c, 100*r.Accuracy, r.Best, r.Seconds)
	if err := onnx.WriteFile(st.path(c, ".onnx"), net, nil); err != nil {
		return err
	}
	return writeJSON(st.path(c, ".json"), &r)
}

// network is a network with its starting values.
func (st *study) network(c cell) (*nn.Graph, error) {
	if st.Chain && c.Regularizer == "jacobian" && c.Seed > 0 {
		net, _, err := onnx.ReadFile(st.path(cell{c.Regularizer, c.Initializer, c.Seed - 1}, ".onnx"), nil)
		return net, err
	}
	shape := nn.Shape(st.shape)
	mean, of := make([]float64, len(st.mean)), shape
	total := 0.0
	for k, v := range st.mean {
		mean[k] = float64(v)
		total += float64(v)
	}
	if c.Regularizer != "jacobian" {
		mean, of = []float64{float64(float32(total / float64(len(mean))))}, nn.Shape{1}
	}
	centre, err := nn.NewConstArith(nn.ArithSub, mean, of, false)
	if err != nil {
		return nil, err
	}
	net, err := train.Stack(shape,
		train.Activation{Op: centre}, train.Conv{Out: 3, Kernel: 3}, train.BatchNorm{}, train.Activation{Op: nn.ReLU{}},
		train.AveragePool{Kernel: 2, Stride: 2}, train.Dense{Out: len(st.classes)})
	if err != nil {
		return nil, err
	}
	for _, i := range train.Initializers() {
		if i.Name == c.Initializer {
			train.Initialize(net, i, uint64(c.Seed))
		}
	}
	return net, nil
}

// options is how a network is trained.
func (st *study) options(c cell) train.Options {
	sgd := train.SGD{Momentum: st.Momentum, Decay: st.L2}
	loss := train.Sum{{Loss: train.CrossEntropy{}}}
	o := train.Options{
		Epochs: st.Epochs, Batch: st.Batch, Rate: train.Constant(st.Rate), Seed: uint64(c.Seed),
		Validation: st.valid, KeepBest: true,
		Measure: func(ctx context.Context, net nn.Network, data train.Data) (float64, error) {
			return -meanLoss(net, data), ctx.Err()
		},
	}
	switch c.Regularizer {
	case "dropout":
		o.Dropout = map[string]float64{"relu1": st.Dropout}
	case "jacobian":
		sgd.Decay, o.Measure = 0, nil
		loss = append(loss, train.Term{Loss: train.Jacobian{Softmax: !st.Logits}, Weight: train.Constant(st.JacobianPenalty)})
	}
	o.Optimizer, o.Loss = sgd, loss
	return o
}

// evaluate calls do with the outputs of each sample.
func evaluate(net nn.Network, data train.Data, do func(i, label int, y []float32)) {
	const batch = 128
	n, k := data.Size(), nn.OutputShape(net).Size()
	e := nn.NewEvaluator[float32](net)
	x, labels := make([]float32, batch*n), make([]int, batch)
	for from := 0; from < data.Len(); from += batch {
		size := min(batch, data.Len()-from)
		for i := range size {
			labels[i] = data.Read(from+i, x[i*n:(i+1)*n])
		}
		y := e.Forward(x[:size*n], size)
		for i, label := range labels[:size] {
			do(from+i, label, y[i*k:(i+1)*k])
		}
	}
}

// meanLoss is the cross-entropy.
func meanLoss(net nn.Network, data train.Data) float64 {
	sum := 0.0
	evaluate(net, data, func(_, label int, y []float32) {
		top, z := float64(slices.Max(y)), 0.0
		for _, v := range y {
			z += math.Exp(float64(v) - top)
		}
		sum += top + math.Log(z) - float64(y[label])
	})
	return sum / float64(data.Len())
}

// misclassified lists the samples at which another output is at least the label's.
func misclassified(net nn.Network, data train.Data) []int {
	wrong := []int{}
	evaluate(net, data, func(i, label int, y []float32) {
		for j, v := range y {
			if j != label && !(v < y[label]) {
				wrong = append(wrong, i)
				return
			}
		}
	})
	return wrong
}
