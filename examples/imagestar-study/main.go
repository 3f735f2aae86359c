// Command imagestar-study trains 45 image classifiers, all combinations of three
// initialisers, three regularisers and five seeds, and verifies each by approx-star: the
// experiment of "Empirical Analysis of Benchmark Generation for the Verification of
// Neural Network Image Classifiers" (Manzanas Lopez and Johnson 2023, AISoLA).
//
//	go run ./examples/imagestar-study -quick                about two minutes
//	go run ./examples/imagestar-study -out FOLDER           in full
//	go run ./examples/imagestar-study -data digits -quick   seconds, without any files
//	go run ./examples/imagestar-study -redraw docs/imagestar-study/mnist.csv -figures png
//
// Results go to a folder for each data set: networks, verdicts, the paper's table as
// CSV and Markdown, its figures. Ctrl-C writes the table of what is done so far; a run
// that was stopped, in whatever way, goes on where it was, with the same results.
//
// The steps are methods of study, in this order: openStudy (data.go), train (train.go),
// choose and verify (verify.go), decide (decide.go) and exact (exact.go) if asked, report
// (report.go, figures.go).
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/vouchnn/vouch/train/dataset"
)

func main() {
	var r run
	data := flag.String("data", "", "data sets: mnist, mednist, digits (drawn); default those of the first two that are there, else digits")
	flag.StringVar(&r.out, "out", "imagestar-study", "folder of the results")
	flag.BoolVar(&r.quick, "quick", false, "fewer networks, images and epochs: about two minutes")
	flag.BoolVar(&r.chain, "chain", false, "Jacobian networks go on from the seed before, as in the paper's code")
	flag.BoolVar(&r.logits, "logits", false, "regularise the Jacobian of the logits, not of the softmax")
	flag.IntVar(&r.seeds, "seeds", 0, "seeds per combination; default 5, with -quick 1; more may follow in the same folder")
	flag.IntVar(&r.epochs, "epochs", 0, "epochs of training; default 5, on MedNIST 10, with -quick 5")
	flag.IntVar(&r.jobs, "jobs", runtime.GOMAXPROCS(0), "networks trained at a time")
	flag.StringVar(&r.format, "figures", "svg", "format of the figures: svg, png or pdf")
	flag.DurationVar(&r.limit, "decide", 0, "put what approx-star leaves open to branch and bound, with this `time` for each")
	flag.IntVar(&r.exact, "exact", 0, "put so many images of each class to exact-star and to branch and bound, and compare")
	table := flag.String("redraw", "", "only draw the figure by combination from a `table` that the study wrote, NAME.csv")
	verbose := flag.Bool("v", false, "report progress also where standard error is not a terminal")
	flag.Parse()
	r.log = io.Discard
	if *verbose || term.IsTerminal(int(os.Stderr.Fd())) {
		r.log = os.Stderr
	}
	r.data = available()
	if *data != "" {
		r.data = strings.Split(*data, ",")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends at once
	var err error
	if *table != "" {
		err = redraw(*table, r.format)
	} else {
		err = r.tell(ctx, os.Stdout)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "imagestar-study:", err)
		os.Exit(1)
	}
}

// run is what the command line asks for.
type run struct {
	data          []string
	out           string
	quick         bool
	chain, logits bool
	seeds, epochs int
	jobs          int
	limit         time.Duration // for branch and bound, 0: do not ask
	exact         int           // images of each class for exact-star
	format        string
	log           io.Writer // of progress
}

// available is the study's data sets that are there, or the drawn one.
func available() []string {
	var names []string
	for _, name := range []string{"mnist", "mednist"} {
		if _, err := dataset.Open(name, dataset.Test, ""); err == nil {
			names = append(names, name)
		}
	}
	if names == nil {
		names = []string{"digits"}
	}
	return names
}

// tell does the study on each data set and writes the tables to w.
func (r *run) tell(ctx context.Context, w io.Writer) error {
	for _, name := range r.data {
		s, err := settingsOf(name, r.quick)
		if err != nil {
			return err
		}
		s.Chain, s.Logits = r.chain, r.logits
		if r.seeds > 0 {
			s.Seeds = r.seeds
		}
		if r.epochs > 0 {
			s.Epochs = r.epochs
		}
		if err := r.one(ctx, w, s); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// one does the study on one data set.
func (r *run) one(ctx context.Context, w io.Writer, s settings) error {
	st, err := openStudy(s, filepath.Join(r.out, s.Data), r.log)
	if err != nil {
		return err
	}
	err = st.run(ctx, max(r.jobs, 1))
	if err == nil && r.limit > 0 {
		err = st.decide(ctx, r.limit)
	}
	if err == nil && r.exact > 0 {
		err = st.exact(ctx, r.exact, exactLimit)
	}
	if err != nil {
		if ctx.Err() != nil {
			return st.interrupted(w)
		}
		return err
	}
	return st.report(w, r.format)
}

// run does what the folder does not hold yet.
func (st *study) run(ctx context.Context, jobs int) error {
	if err := st.train(ctx, jobs); err != nil {
		return err
	}
	if err := st.choose(); err != nil {
		return err
	}
	return st.verify(ctx)
}
