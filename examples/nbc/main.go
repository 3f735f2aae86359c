// Command nbc trains the same network by six methods and compares how easy the
// results are to verify: Table 1 of "Training Verification-Friendly Neural Networks
// via Neuron Behavior Consistency" (Liu et al. 2025, arXiv:2412.13229).
//
//	go run ./examples/nbc -quick        the paper's M1 on drawn digits, about three minutes
//	go run ./examples/nbc -out FOLDER   M1 on all of MNIST, hours on two cores
//
// The second needs the files of MNIST, which are looked for in the folder that
// VOUCH_DATA names. With -out it keeps its networks in a folder, and checkpoints: a
// run that was stopped goes on from them. More networks and data sets, resumable to
// the single property, are what the script full.sh beside this file makes with the
// commands vouch train and vouch eval; docs/nbc.md has the tables.
//
// The steps are functions, in order: open, trainOne, measure (study.go), show (below),
// draw (picture.go).
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/vouchnn/vouch/train"
	"github.com/vouchnn/vouch/train/eval"
)

func main() {
	s := full()
	isQuick := flag.Bool("quick", false, "drawn digits, fewer images and epochs: about three minutes")
	data := flag.String("data", "", "data set: mnist, fashion-mnist or digits (drawn); default mnist, with -quick digits")
	out := flag.String("out", "", "folder to keep networks and checkpoints in, and to go on from (default: none)")
	timeout := flag.Duration("timeout", 0, "`time` for each property; default 30s, with -quick 1s")
	picture := flag.String("plot", "", "draw the shares of stable ReLUs and of proofs into this `file`, .svg or .png")
	seed := flag.Uint64("seed", 1, "seed of weights, order and attacks")
	flag.Parse()
	if *isQuick {
		s = quick()
	}
	if *data != "" {
		s.data = *data
	}
	if *timeout > 0 {
		s.timeout = *timeout
	}
	s.seed, s.out, s.progress = *seed, *out, io.Discard
	if term.IsTerminal(int(os.Stderr.Fd())) {
		s.progress = os.Stderr
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends at once
	columns, err := tell(ctx, os.Stdout, s)
	if err == nil && *picture != "" {
		err = draw(*picture, columns)
	}
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
	images, test int // to train on at most, and drawn for the accuracy
	epochs       int
	batch        int
	rate         float64 // falls to a tenth
	steps        int     // of the attacks in training
	epsilon      float64 // to train for
	beta         float64 // of NBC
	radii        []float64
	perClass     int // test images of each class to verify
	timeout      time.Duration
	layers       []train.Layer
	out          string    // folder of networks and checkpoints, or ""
	progress     io.Writer // of bars
}

// full is the table of docs/nbc.md: the paper's, but for fewer epochs, images and
// seconds for each.
func full() settings {
	return settings{
		data: "mnist", seed: 1, images: 60000, test: 10000, epochs: 10, batch: 128, rate: 1e-3, steps: 7, epsilon: 0.3, beta: 1,
		radii: []float64{0.1, 0.2}, perClass: 10, timeout: 30 * time.Second, layers: m1(),
	}
}

// quick has fewer images, drawn ones, and a smaller radius.
func quick() settings {
	s := full()
	s.data, s.images, s.test = "digits", 6000, 2000
	s.epochs, s.batch, s.rate, s.steps, s.epsilon = 8, 64, 3e-3, 5, 0.1
	s.radii, s.perClass, s.timeout = []float64{0.02, 0.05}, 1, time.Second
	return s
}

// m1 is the layers of the paper's M1.
func m1() []train.Layer {
	for _, a := range train.Architectures() {
		if a.ID == "M1" {
			return a.Layers
		}
	}
	panic("no architecture M1")
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
