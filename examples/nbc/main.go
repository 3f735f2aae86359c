// Command nbc trains the same network by six methods and compares how easy the
// results are to verify: the layout of Table 1 of "Training Verification-Friendly
// Neural Networks via Neuron Behavior Consistency" (Liu et al. 2025,
// arXiv:2412.13229), in small.
//
//	go run ./examples/nbc            drawn digits, well under a minute
//	go run ./examples/nbc -quick     the same with more of everything, about three minutes
//	go run ./examples/nbc -data mnist
//
// It needs no files unless -data asks for them. The table in full, over hours and
// resumable, is what the script full.sh beside this file makes with the commands
// vouch train and vouch eval.
//
// The steps are the functions of this file, in order: open, train, measure, show.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/train"
	"github.com/vouchnn/vouch/train/dataset"
	"github.com/vouchnn/vouch/train/eval"
)

func main() {
	s := small()
	quick := flag.Bool("quick", false, "about three minutes")
	data := flag.String("data", "digits", "data set: digits (drawn), mnist or fashion-mnist")
	seed := flag.Uint64("seed", 1, "seed of weights, order and attacks")
	flag.Parse()
	if *quick {
		s = larger()
	}
	s.data, s.seed = *data, *seed
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	_, err := tell(ctx, os.Stdout, s)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "nbc:", err)
		os.Exit(1)
	}
}

// settings is the size of the story.
type settings struct {
	data         string
	seed         uint64
	images, test int // to train on, and for the accuracy
	epochs       int
	steps        int     // of the attacks in training
	epsilon      float64 // to train for
	beta         float64 // of NBC
	radii        []float64
	perClass     int // test images of each class to verify
	timeout      time.Duration
	layers       []train.Layer
}

// small has a smaller network than the paper's, so that all is done soon.
func small() settings {
	return settings{
		data: "digits", seed: 1, images: 3000, test: 500, epochs: 8, steps: 3, epsilon: 0.1, beta: 1,
		radii: []float64{0.01, 0.03}, perClass: 1, timeout: time.Second,
		layers: []train.Layer{
			train.Conv{Out: 8, Kernel: 4, Stride: 2, Pad: []int{1}}, train.Conv{Out: 8, Kernel: 4, Stride: 2, Pad: []int{1}}, train.Dense{Out: 32}, train.Dense{Out: 10},
		},
	}
}

// larger trains the paper's M1.
func larger() settings {
	s := small()
	s.images, s.test, s.epochs, s.steps = 5000, 2000, 8, 5
	s.radii = []float64{0.02, 0.05}
	for _, a := range train.Architectures() {
		if a.ID == "M1" {
			s.layers = a.Layers
		}
	}
	return s
}

// methods are the columns of the table, by train.ParseLoss's names.
var methods = []string{"ce", "madry", "trades", "rs", "nbc", "trades+nbc"}

// tell does everything and writes it to w.
func tell(ctx context.Context, w io.Writer, s settings) ([]eval.Column, error) {
	training, test, err := open(s)
	if err != nil {
		return nil, err
	}
	var columns []eval.Column
	for _, method := range methods {
		start := time.Now()
		net, err := trainOne(ctx, s, method, training)
		if err != nil {
			return nil, err
		}
		trained := time.Since(start)
		c, err := measure(ctx, s, method, net, test)
		if err != nil {
			return nil, err
		}
		columns = append(columns, c)
		fmt.Fprintf(w, "%-10s  trained in %5.1f s, verified in %5.1f s, test accuracy %.1f %%\n",
			method, trained.Seconds(), (time.Since(start) - trained).Seconds(), c.Accuracy)
	}
	show(w, s, columns)
	return columns, nil
}

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
	loss, err := train.ParseLoss(method, train.LossOptions{Epsilon: s.epsilon, Steps: s.steps, Beta: s.beta})
	if err != nil {
		return nil, err
	}
	some := make([]int, min(s.images, data.Len()))
	for i := range some {
		some[i] = i
	}
	_, err = train.Engine{}.Fit(ctx, net, train.Select(data, some), train.Options{
		Loss: loss, Epochs: s.epochs, Batch: 64, Rate: train.Cosine(3e-3, 3e-4), Seed: s.seed,
	})
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
	for _, epsilon := range s.radii {
		for _, i := range test.PerClass(s.perClass) {
			row, err := m.Measure(ctx, i, test.Float32(i), int(test.Labels[i]), epsilon)
			if err != nil {
				return c, err
			}
			rows = append(rows, row)
		}
	}
	c.Summaries = eval.Summarise(rows)
	return c, nil
}

// show writes the table, in columns, and what the best of each line scores.
func show(w io.Writer, s settings, columns []eval.Column) {
	lines := eval.Lines(columns)
	fmt.Fprintf(w, "\nTrained with radius %g on %s; %d test images, %v for each property; * is the best.\n\n",
		s.epsilon, s.data, columns[0].Summaries[0].Properties, s.timeout)
	for _, line := range lines {
		fmt.Fprintf(w, "%-5s %-15s", line[0], line[1])
		for _, cell := range line[2:] {
			if !strings.HasSuffix(cell, "*") {
				cell += " "
			}
			fmt.Fprintf(w, " %11s", cell)
		}
		fmt.Fprintln(w)
	}
	names, scores := eval.Scores(columns)
	fmt.Fprintf(w, "\nScores as in Figure 2: 100 is the best method at a radius, averaged over radii.\n\n")
	for _, name := range names {
		fmt.Fprintf(w, "%-21s", name)
		for _, v := range scores[name] {
			fmt.Fprintf(w, " %10.1f ", v)
		}
		fmt.Fprintln(w)
	}
}
