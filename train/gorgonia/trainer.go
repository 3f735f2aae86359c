package gorgonia

// A trainer that lets Gorgonia differentiate. It takes the samples in the order
// in which train.Engine takes them and makes the steps with the same optimiser,
// so that the two end with nearly the same network: they differ by rounding.

import (
	"context"
	"math"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/train"
)

// Trainer trains with cross-entropy. It is a train.Trainer.
type Trainer struct{}

var _ train.Trainer = Trainer{}

// Fit implements train.Trainer. It heeds Loss, which must be
// train.CrossEntropy{}, Epochs, Batch, Optimizer, Rate, Seed and Progress; other
// options that are set are a *train.ValueError, not ignored.
func (Trainer) Fit(ctx context.Context, net nn.Network, data train.Data, opts train.Options) (*train.History, error) {
	if err := check(net, data, &opts); err != nil {
		return nil, err
	}
	f := &fit{net: net, opts: opts, h: &train.History{}}
	for i, n := range net.Nodes() {
		if n.Op == nil {
			continue
		}
		for k, p := range n.Op.Params() {
			q := &parameter{Param: p, node: i, index: k, w: append([]float32(nil), p.Values32()...), g: make([]float32, len(p.Values32()))}
			for range opts.Optimizer.Slots() {
				q.slots = append(q.slots, make([]float32, len(q.w)))
			}
			f.params = append(f.params, q)
		}
	}
	n, size := data.Len(), data.Size()
	perEpoch := (n + opts.Batch - 1) / opts.Batch
	f.steps = perEpoch * opts.Epochs
	x, labels := make([]float32, opts.Batch*size), make([]int, opts.Batch)
	for epoch := range opts.Epochs {
		sum := 0.0
		order := train.Order(opts.Seed, epoch+1, n)
		for at := 0; at < n; at += opts.Batch {
			if err := ctx.Err(); err != nil {
				return f.h, err
			}
			count := min(opts.Batch, n-at)
			for i, k := range order[at : at+count] {
				labels[i] = data.Read(k, x[i*size:(i+1)*size])
				if classes := nn.OutputShape(net).Size(); labels[i] < 0 || labels[i] >= classes {
					return f.h, &train.LabelError{Index: k, Label: labels[i], Classes: classes}
				}
			}
			v, err := f.step(x[:count*size], labels[:count], epoch+1)
			if err != nil {
				return f.h, err
			}
			sum += v
		}
		f.h.Epochs = append(f.h.Epochs, train.EpochRecord{Loss: sum / float64(perEpoch)})
	}
	return f.h, nil
}

// check reports options that this trainer does not have, and fills defaults in.
func check(net nn.Network, data train.Data, o *train.Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	bad := func(field string) error {
		return &train.ValueError{Field: "Options." + field, Detail: "is not for this trainer"}
	}
	switch _, plain := o.Loss.(train.CrossEntropy); {
	case !plain:
		return bad("Loss")
	case o.ClipNorm != 0:
		return bad("ClipNorm")
	case len(o.Dropout) > 0:
		return bad("Dropout")
	case o.Quantization != nil:
		return bad("Quantization")
	case o.Augment != nil:
		return bad("Augment")
	case o.Validation != nil:
		return bad("Validation")
	case o.Checkpoint != "":
		return bad("Checkpoint")
	case data == nil || data.Len() == 0 || data.Size() != nn.InputShape(net).Size():
		return &train.ValueError{Field: "data", Detail: "does not fit the network's input"}
	}
	if o.Batch == 0 {
		o.Batch = 128
	}
	if o.Optimizer == nil {
		o.Optimizer = train.Adam{}
	}
	if o.Rate == nil {
		o.Rate = train.Constant(1e-3)
	}
	return nil
}

// fit is the state of one training.
type fit struct {
	net    nn.Network
	opts   train.Options
	params []*parameter
	h      *train.History
	done   int
	steps  int
}

type parameter struct {
	*nn.Param
	node, index int
	w, g        []float32
	slots       [][]float32
}

// step makes one step on a batch and returns its loss.
func (f *fit) step(x []float32, labels []int, epoch int) (float64, error) {
	res, err := Gradients(f.net, Objective{CrossEntropy: 1}, x, nil, labels)
	if err != nil {
		return 0, err
	}
	if math.IsNaN(res.Value) || math.IsInf(res.Value, 0) {
		return 0, &train.DivergedError{Epoch: epoch, Step: f.done + 1, What: "loss", Value: res.Value}
	}
	rate := f.opts.Rate(float64(f.done) / float64(f.steps))
	f.done++
	for _, p := range f.params {
		for i, v := range res.Params[p.node][p.index] {
			p.g[i] = float32(v)
		}
		f.opts.Optimizer.Update(&train.Update{W: p.w, G: p.g, Slots: p.slots, Step: f.done, Rate: rate, Weight: len(p.Shape) > 1})
		p.Set32(p.w)
	}
	if f.opts.Progress == nil {
		return res.Value, nil
	}
	return res.Value, f.opts.Progress(train.Event{
		Epoch: epoch, Epochs: f.opts.Epochs, Step: f.done, Steps: f.steps, Loss: res.Value, Rate: rate,
	})
}
