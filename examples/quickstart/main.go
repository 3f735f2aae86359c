// Command quickstart trains a small classifier and verifies it.
//
//	go run ./examples/quickstart
//
// It needs no data and no options. The chapters of its output are the
// functions of this file, in order:
//
//	learn    draw digits, train a dense ReLU network on them (train.go)
//	store    write the network as ONNX, read it back, compare
//	verify   for a few pictures and radii: can any change of the pixels by at
//	         most the radius change the class?
//	show     the counterexample of the smallest radius, as a picture (picture.go)
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/internal/digits"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/onnx"
	"github.com/vouchnn/vouch/spec"
)

func main() {
	s := fullSize()
	flag.Uint64Var(&s.seed, "seed", s.seed, "seed of drawing, training and attack")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	_, err := tell(ctx, os.Stdout, s)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

// settings is the size of the story.
type settings struct {
	seed           uint64
	training, test int // pictures
	epochs         int
	widths         []int
	inputs         int           // pictures to verify, of different digits
	radii          []float64     // in grey levels, black 0 and white 1
	patience       time.Duration // for one query
}

func fullSize() settings {
	return settings{
		seed: 1, training: 8000, test: 1000, epochs: 20, widths: []int{digits.Pixels, 40, 30, digits.Classes},
		inputs: 5, radii: []float64{0.01, 0.02, 0.03, 0.05}, patience: 5 * time.Second,
	}
}

// story is what came out.
type story struct {
	accuracy float64 // on test
	test     dataset
	net      *nn.Graph
	queries  []query
}

// query is one question with its answer.
type query struct {
	image    int // index into story.test
	radius   float64
	property spec.Property
	result   *spec.Result
}

// tell runs all chapters and writes them to w.
func tell(ctx context.Context, w io.Writer, s settings) (*story, error) {
	st := &story{}
	trained, err := st.learn(w, s)
	if err != nil {
		return nil, err
	}
	if err := st.store(w, trained); err != nil {
		return nil, err
	}
	if err := st.verify(ctx, w, s); err != nil {
		return nil, err
	}
	return st, st.show(w)
}

// learn draws the data and trains.
func (st *story) learn(w io.Writer, s settings) (*nn.Graph, error) {
	fmt.Fprintf(w, "1. Learn. %d drawn digits to train on, %d others to test on. Three of them:\n\n", s.training, s.test)
	data := newDataset(s.seed, s.training)
	st.test = newDataset(s.seed+1, s.test)
	drawPictures(w, grey(st.test.image(0)), grey(st.test.image(1)), grey(st.test.image(2)))

	rng := rand.New(rand.NewPCG(s.seed, 1))
	net, err := newNetwork(rng, s.widths...)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	train(net, data, s.epochs, rng)
	elapsed := time.Since(start)
	st.accuracy = accuracy(net, st.test)
	fmt.Fprintf(w, "\n   A dense ReLU network of widths %v: %d epochs in %.1f s.\n", s.widths, s.epochs, elapsed.Seconds())
	fmt.Fprintf(w, "   It reads %.1f %% of the test digits.\n\n", 100*st.accuracy)
	return net, nil
}

// store writes net to a file and keeps what is read back from it.
func (st *story) store(w io.Writer, net *nn.Graph) error {
	dir, err := os.MkdirTemp("", "vouch-quickstart-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "digits.onnx")
	if err := onnx.WriteFile(path, net, nil); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if st.net, _, err = onnx.ReadFile(path, nil); err != nil {
		return err
	}
	n := len(st.test.labels)
	before := nn.NewEvaluator[float32](net).Forward(st.test.images, n)
	after := nn.NewEvaluator[float32](st.net).Forward(st.test.images, n)
	if !slices.Equal(before, after) {
		return errors.New("the network read back from ONNX computes something else")
	}
	fmt.Fprintf(w, "2. Store. Written as ONNX, %d bytes; read back, it gives the same outputs on all test digits.\n\n", info.Size())
	return nil
}

// verify asks for pictures of different digits, all of them read right,
// whether the class can change within each radius.
func (st *story) verify(ctx context.Context, w io.Writer, s settings) error {
	fmt.Fprintf(w, "3. Verify. May every pixel change by up to the radius, is the class still the same?\n\n")
	fmt.Fprintf(w, "   digit  radius  verdict    proven margin  sub-problems        time\n")
	seen := map[int]bool{}
	for i, label := range st.test.labels {
		if len(seen) == s.inputs {
			break
		}
		y, err := nn.Evaluate(st.net, grey(st.test.image(i)))
		if err != nil {
			return err
		}
		if seen[label] || nn.ArgMax(y) != label {
			continue
		}
		seen[label] = true
		for _, radius := range s.radii {
			q := query{image: i, radius: radius}
			if err := st.ask(ctx, &q, s); err != nil {
				return err
			}
			st.queries = append(st.queries, q)
			q.print(w, label)
		}
	}
	fmt.Fprintf(w, `
   verified    no such change alters the class: a proof, for all of the
               infinitely many pictures. The margin is a lower bound of
               the label's output minus any other's; "> 0" says no more than
               the verdict.
   falsified   there is one, found and checked.
   unknown     neither within %v.

`, s.patience)
	return nil
}

// ask answers q: the whole of using the library is here.
func (st *story) ask(ctx context.Context, q *query, s settings) error {
	black, white := make([]float64, digits.Pixels), slices.Repeat([]float64{1}, digits.Pixels)
	region, err := spec.NewLInfBall(grey(st.test.image(q.image)), q.radius, &spec.Box{Lower: black, Upper: white})
	if err != nil {
		return err
	}
	q.property = spec.Robustness(region, st.test.labels[q.image], digits.Classes)
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	q.result, err = bab.Verify(ctx, st.net, &q.property, bab.Options{Seed: s.seed})
	return err
}

// print is q's line of the table.
func (q *query) print(w io.Writer, label int) {
	verdict, margin := q.result.Verdict.String(), "-"
	switch q.result.Verdict {
	case spec.Verified:
		if margin = fmt.Sprintf("%.3f", q.result.LowerBound); q.result.LowerBound < 0.0005 {
			margin = "> 0" // what was open was excluded without a number
		}
	case spec.Unknown:
		verdict += " (" + q.result.Reason.String() + ")"
	}
	stats := &q.result.Stats
	fmt.Fprintf(w, "   %5d  %6.3f  %-9s  %13s  %12d  %7.1f ms\n", label, q.radius, verdict, margin, stats.Domains,
		1000*stats.Elapsed.Seconds())
}

// show draws the counterexample of the smallest radius.
func (st *story) show(w io.Writer) error {
	var q *query
	for i := range st.queries {
		if c := &st.queries[i]; c.result.Verdict == spec.Falsified && (q == nil || c.radius < q.radius) {
			q = c
		}
	}
	if q == nil {
		fmt.Fprintf(w, "4. Show. No radius was large enough for a counterexample.\n")
		return nil
	}
	original, found := grey(st.test.image(q.image)), q.result.Counterexample
	replayed, err := nn.Evaluate(st.net, found.Input)
	if err != nil {
		return err
	}
	if _, _, ok := q.property.Check(found.Input, replayed); !ok {
		return errors.New("the counterexample does not replay")
	}
	change := make([]float64, len(original))
	for i, v := range found.Input {
		change[i] = 0.5 + (v-original[i])/(2*q.radius)
	}
	fmt.Fprintf(w, "4. Show. Read as %d; with pixels changed by at most %.3f, read as %d;\n", st.test.labels[q.image],
		q.radius, nn.ArgMax(replayed))
	fmt.Fprintf(w, "   the change, stretched: blank is darker, full is lighter by %.3f.\n\n", q.radius)
	drawPictures(w, original, found.Input, change)
	fmt.Fprintf(w, "\n   Go %s, %s/%s, %d processors.\n", runtime.Version()[2:], runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0))
	return nil
}
