package main

// The story's steps: images, training, measuring.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/onnx"
	"github.com/vouchnn/vouch/train"
	"github.com/vouchnn/vouch/train/dataset"
	"github.com/vouchnn/vouch/train/eval"
)

// open draws or reads the images.
func open(s settings) (training, test *dataset.Set, err error) {
	if s.data == "digits" {
		return dataset.Digits(s.seed, s.images, true), dataset.Digits(s.seed+1, s.test, true), nil
	}
	if training, err = dataset.Open(s.data, dataset.Train, ""); err != nil {
		return nil, nil, err
	}
	if training.Size() != 28*28 {
		return nil, nil, errors.New(s.data + " has pictures of another size than 28 by 28 in grey")
	}
	test, err = dataset.Open(s.data, dataset.Test, "")
	return training, test, err
}

// trainOne trains a network by one method, all with the same first weights and
// the same order of images.
func trainOne(ctx context.Context, s settings, method string, data *dataset.Set) (*nn.Graph, error) {
	net, err := train.Classifier(nn.Shape{1, 28, 28}, s.layers...)
	if err != nil {
		return nil, err
	}
	train.Initialize(net, train.He, s.seed)
	losses := train.LossOptions{Epsilon: s.epsilon, Steps: s.steps, Beta: s.beta}
	loss, err := train.ParseLoss(method, losses)
	if err != nil {
		return nil, err
	}
	some := make([]int, min(s.images, data.Len()))
	for i := range some {
		some[i] = i
	}
	bar := newBar(s, method+": training")
	opts := train.Options{
		Loss: loss, Epochs: s.epochs, Batch: s.batch, Rate: train.Cosine(s.rate, s.rate/10), Seed: s.seed,
		Progress: func(e train.Event) error { return bar.to(e.Step, e.Steps) },
	}
	if s.out != "" {
		opts.Checkpoint = filepath.Join(s.out, method)
		opts.Fingerprint = fmt.Sprintf("%s %s %v rate %g", s.data, method, losses, s.rate)
	}
	_, err = train.Engine{}.Fit(ctx, net, train.Select(data, some), opts)
	bar.end()
	if err == nil && s.out != "" {
		err = onnx.WriteFile(filepath.Join(s.out, method+".onnx"), net, nil)
	}
	return net, err
}

// measure fills a column of the table.
func measure(ctx context.Context, s settings, method string, net nn.Network, test *dataset.Set) (eval.Column, error) {
	c := eval.Column{Method: method}
	share, err := train.Accuracy(ctx, net, test)
	if err != nil {
		return c, err
	}
	c.Accuracy = 100 * share
	m, err := eval.NewMeasurer(net, eval.Options{Timeout: s.timeout, Seed: s.seed})
	if err != nil {
		return c, err
	}
	var rows []eval.Row
	bar, images := newBar(s, method+": verifying"), test.PerClass(s.perClass)
	defer bar.end()
	for _, epsilon := range s.radii {
		for _, i := range images {
			row, err := m.Measure(ctx, i, test.Float32(i), int(test.Labels[i]), epsilon)
			if err != nil {
				return c, err
			}
			rows = append(rows, row)
			if err := bar.to(len(rows), len(s.radii)*len(images)); err != nil {
				return c, err
			}
		}
	}
	c.Summaries = eval.Summarise(rows)
	return c, nil
}

// bar is a progress bar, made when the first step is done.
type bar struct {
	w     io.Writer
	what  string
	shown *progressbar.ProgressBar
}

func newBar(s settings, what string) *bar { return &bar{w: s.progress, what: what} }

// to shows that so many steps of all are done.
func (b *bar) to(done, all int) error {
	if b.w == nil || b.w == io.Discard {
		return nil
	}
	if b.shown == nil {
		b.shown = progressbar.NewOptions(all, progressbar.OptionSetWriter(b.w), progressbar.OptionSetDescription(b.what),
			progressbar.OptionShowCount(), progressbar.OptionFullWidth(), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))
	}
	return b.shown.Set(done)
}

// end takes the bar away.
func (b *bar) end() {
	if b.shown != nil {
		b.shown.Finish()
	}
}
