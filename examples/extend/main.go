// Command extend has four parts of its own, one file each, and puts them to work:
//
//	operator.go  |x|, a layer that the library does not have    nn, bounds
//	relaxer.go   parallel lines around ReLU                     bounds.Relaxer
//	solver.go    a linear solver that counts                    solver.Incremental
//	loss.go      the hinge loss                                 train.Loss
//
//	go run ./examples/extend
//	go run ./examples/extend -plot lines.svg
//
// A Bounder and a split rule of one's own are in examples/pipeline.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/reach"
	"github.com/vouchnn/vouch/spec"
	"github.com/vouchnn/vouch/train"
	"github.com/vouchnn/vouch/train/dataset"
)

func main() {
	picture := flag.String("plot", "", "draw what the relaxation is worth into this `file`, .svg or .png")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	net, err := tell(ctx, os.Stdout)
	if err == nil && *picture != "" {
		err = draw(ctx, *picture, net, 200, []float64{0.002, 0.01, 0.02, 0.03, 0.04, 0.05})
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "extend:", err)
		os.Exit(1)
	}
}

// tell runs all chapters and returns the network that was trained.
func tell(ctx context.Context, w io.Writer) (nn.Network, error) {
	if err := operator(ctx, w); err != nil {
		return nil, err
	}
	net, err := loss(ctx, w)
	if err != nil {
		return nil, err
	}
	if err := relaxer(ctx, w, net); err != nil {
		return nil, err
	}
	return net, counted(ctx, w, net)
}

// operator verifies a network with |x| in it: |x − y| + |x + y|, which is twice the
// greater of |x| and |y|.
func operator(ctx context.Context, w io.Writer) error {
	mix, err := nn.NewDense(2, 2, []float64{1, -1, 1, 1}, nil)
	if err != nil {
		return err
	}
	sum, err := nn.NewDense(1, 2, []float64{1, 1}, nil)
	if err != nil {
		return err
	}
	b := nn.NewBuilder(nn.Shape{2})
	net, err := b.Build(b.Add("sum", sum, b.Add("abs", abs{}, b.Add("mix", mix, b.Input()))))
	if err != nil {
		return err
	}
	square, err := spec.NewBox([]float64{-1, 0.25}, []float64{1, 1})
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "An operator: |x−y| + |x+y| for x in [−1, 1], y in [0.25, 1]")
	for _, least := range []float64{0.49, 0.51} {
		property := spec.OutputBox(square, []float64{least}, []float64{2.01})
		res, err := bab.Verify(ctx, net, &property, bab.Options{Split: bab.SplitInput})
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "  within [%.2f, 2.01]: %v, %d sub-problems\n", least, res.Verdict, res.Stats.Domains)
	}
	return nil
}

// loss trains with the hinge loss.
func loss(ctx context.Context, w io.Writer) (*nn.Graph, error) {
	net, err := train.Classifier(nn.Shape{1, 12, 12}, train.Dense{Out: 24}, train.Dense{Out: 24}, train.Dense{Out: 10})
	if err != nil {
		return nil, err
	}
	train.Initialize(net, train.He, 1)
	attack := train.Attack{Epsilon: train.Constant(0.02), Steps: 3}
	_, err = train.Engine{}.Fit(ctx, net, dataset.Digits(1, 2000, false), train.Options{
		Loss:   append(train.NewNBC(train.Constant(1), attack), train.Term{Loss: hinge{2}, Weight: train.Constant(1)}),
		Epochs: 15, Batch: 50, Rate: train.Cosine(3e-3, 3e-4), Seed: 1,
	})
	if err != nil {
		return nil, err
	}
	accuracy, err := train.Accuracy(ctx, net, dataset.Digits(2, 500, false))
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(w, "A loss: hinge beside NBC, %.1f %% of the test digits are read right\n", 100*accuracy)
	return net, nil
}

// questions are the robustness of drawn digits.
func questions(net nn.Network, count int, radius float64) ([]spec.Property, error) {
	digits := dataset.Digits(3, count, false)
	var out []spec.Property
	for i := range digits.Len() {
		ball, err := spec.NewLInfBall(digits.Float64(i), radius, nil)
		if err != nil {
			return nil, err
		}
		out = append(out, spec.Robustness(ball, int(digits.Labels[i]), nn.OutputShape(net).Size()))
	}
	return out, nil
}

// relaxer compares the least margin that both relaxations prove.
func relaxer(ctx context.Context, w io.Writer, net nn.Network) error {
	fmt.Fprintln(w, "A relaxation: mean of the least margin that is proved, radius 0.01")
	for _, way := range compared {
		mean, err := meanMargin(ctx, net, way.bounder, 10, 0.01)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "  %-14s %6.3f\n", way.name, mean)
	}
	return nil
}

// meanMargin is the mean over the questions of the least margin that b proves.
func meanMargin(ctx context.Context, net nn.Network, b bounds.Bounder, count int, radius float64) (float64, error) {
	m, err := bounds.Compile(net)
	if err != nil {
		return 0, err
	}
	asked, err := questions(net, count, radius)
	if err != nil {
		return 0, err
	}
	mean := 0.0
	for i := range asked {
		k := &asked[i].Cases[0]
		res, err := b.Bound(ctx, m, &bounds.Query{
			Domains:   []bounds.Domain{{Region: k.Region}},
			Functions: bounds.PropertyFunctions(k, asked[i].Inputs, asked[i].Outputs),
		})
		if err != nil {
			return 0, err
		}
		mean += slices.Min(res[0].Lower) / float64(len(asked))
	}
	return mean, nil
}

// counted computes output sets with the counting solver.
func counted(ctx context.Context, w io.Writer, net nn.Network) error {
	m, err := reach.Compile(net)
	if err != nil {
		return err
	}
	asked, err := questions(net, 10, 0.04)
	if err != nil {
		return err
	}
	c := newCounting()
	for i := range asked {
		if _, err := m.Reach(ctx, asked[i].Cases[0].Region, reach.Options{Method: reach.ApproxStar, Solver: c}); err != nil {
			return err
		}
	}
	fmt.Fprintf(w, "A solver: %d output sets took %d linear programs and %d pivots\n", len(asked), c.programs.Load(), c.pivots.Load())
	return nil
}
