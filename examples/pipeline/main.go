// Command pipeline verifies with a Bounder and a split rule of its own.
//
//	go run ./examples/pipeline
//	go run ./examples/pipeline -plot proof.svg
//
// Both, and the branch and bound that drives them, are in own.go. The questions
// are about the network of examples/unittest: must it brake in all situations
// with at most this distance and at least 20 m/s? The further the distance, the
// closer the region comes to where it coasts, and the more there is to split.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/examples/unittest"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

func main() {
	picture := flag.String("plot", "", "draw one of the proofs into this `file`, .svg or .png")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := compare(ctx, os.Stdout, []float64{30, 42, 43})
	if err == nil && *picture != "" {
		err = drawProof(ctx, *picture, 42)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "pipeline:", err)
		os.Exit(1)
	}
}

// way is one way to answer.
type way struct {
	name   string
	answer func(context.Context, nn.Network, *spec.Property) (*spec.Result, error)
}

// own is the branch and bound of own.go with parts to choose.
func own(b bounds.Bounder, r rule) func(context.Context, nn.Network, *spec.Property) (*spec.Result, error) {
	return func(ctx context.Context, net nn.Network, p *spec.Property) (*spec.Result, error) {
		return verify(ctx, net, p, b, r)
	}
}

var ways = []way{
	{"own loop, CROWN, widest side", own(bounds.Crown{}, widest)},
	{"own loop, CROWN, steepest side", own(bounds.Crown{}, steepest)},
	{"own loop, cascade, steepest side", own(cascade{}, steepest)},
	{"bab.Verify with the cascade", func(ctx context.Context, net nn.Network, p *spec.Property) (*spec.Result, error) {
		return bab.Verify(ctx, net, p, bab.Options{Bounder: cascade{}, Split: bab.SplitInput, NoAttack: true})
	}},
	{"bab.Verify as it comes", func(ctx context.Context, net nn.Network, p *spec.Property) (*spec.Result, error) {
		return bab.Verify(ctx, net, p, bab.Options{})
	}},
}

// compare answers for each distance in every way. That they agree is checked.
func compare(ctx context.Context, w io.Writer, distances []float64) error {
	net, err := unittest.Load()
	if err != nil {
		return err
	}
	for _, distance := range distances {
		box, err := spec.NewBox([]float64{0, 20, 0}, []float64{distance, 40, 1})
		if err != nil {
			return err
		}
		property := spec.Robustness(box, unittest.Brake, unittest.Classes)
		fmt.Fprintf(w, "brakes within %g m:\n", distance)
		answers := map[spec.Verdict]bool{}
		for _, way := range ways {
			start := time.Now()
			result, err := way.answer(ctx, net, &property)
			if err != nil {
				return fmt.Errorf("%s: %w", way.name, err)
			}
			answers[result.Verdict] = true
			fmt.Fprintf(w, "  %-34s %-9v %5d sub-problems %8.2f ms\n", way.name, result.Verdict, result.Stats.Domains,
				float64(time.Since(start).Microseconds())/1000)
		}
		if answers[spec.Verified] && answers[spec.Falsified] {
			return fmt.Errorf("the ways disagree at %g m", distance)
		}
	}
	return nil
}
