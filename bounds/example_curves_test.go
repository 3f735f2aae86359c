package bounds_test

import (
	"context"
	"fmt"
	"log"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// showLines prints the lines of a relaxation around the sigmoid over [−1, 3], and how
// far apart they are in the middle.
func showLines(r bounds.Relaxer) {
	lines, ok := r.Relax(nn.Sigmoid{}, bounds.Range{Lower: -1, Upper: 3}, nil)
	if !ok {
		log.Fatal("no lines")
	}
	gap := lines.UpperSlope + lines.UpperIntercept - lines.LowerSlope - lines.LowerIntercept
	fmt.Printf("%.3f·x %+.3f ≤ σ(x) ≤ %.3f·x %+.3f, %.3f apart at 1\n",
		lines.LowerSlope, lines.LowerIntercept, lines.UpperSlope, lines.UpperIntercept, gap)
}

func ExampleCrownLines() {
	showLines(bounds.CrownLines{})
	// Output: 0.171·x +0.440 ≤ σ(x) ≤ 0.236·x +0.505, 0.130 apart at 1
}

func ExampleDeepPolyLines() {
	showLines(bounds.DeepPolyLines{})
	// Output: 0.045·x +0.314 ≤ σ(x) ≤ 0.045·x +0.817, 0.503 apart at 1
}

func ExampleRobustVerifierLines() {
	showLines(bounds.RobustVerifierLines{})
	// Output: 0.197·x +0.363 ≤ σ(x) ≤ 0.197·x +0.534, 0.172 apart at 1
}

func ExampleVeriNetLines() {
	showLines(bounds.VeriNetLines{})
	// Output: 0.171·x +0.440 ≤ σ(x) ≤ 0.197·x +0.534, 0.120 apart at 1
}

func ExampleDeepCertLines() {
	showLines(bounds.DeepCertLines{})
	// Output: 0.171·x +0.440 ≤ σ(x) ≤ 0.171·x +0.564, 0.124 apart at 1
}

func ExampleNeWiseLines() {
	showLines(bounds.NeWiseLines{})
	// Output: 0.171·x +0.440 ≤ σ(x) ≤ 0.045·x +0.817, 0.251 apart at 1
}

// Tangents that touch at 2 and at −0.5.
func ExampleTangentLines() {
	lines, ok := bounds.TangentLines(nn.Sigmoid{}, bounds.Range{Lower: -1, Upper: 3}, 2, -0.5)
	fmt.Printf("%.3f·x %+.3f ≤ σ(x) ≤ %.3f·x %+.3f %v\n", lines.LowerSlope, lines.LowerIntercept, lines.UpperSlope, lines.UpperIntercept, ok)
	// Output: 0.171·x +0.440 ≤ σ(x) ≤ 0.105·x +0.671 true
}

// A network with one hidden layer of sigmoids: lines tightest for the network beat
// lines tightest for each neuron.
func ExampleNeWise() {
	hidden, err := nn.NewDense(2, 2, []float64{1, 2, -2, 1}, nil)
	if err != nil {
		log.Fatal(err)
	}
	out, err := nn.NewDense(1, 2, []float64{1, -2}, nil)
	if err != nil {
		log.Fatal(err)
	}
	b := nn.NewBuilder(nn.Shape{2})
	h := b.Add("sigmoid", nn.Sigmoid{}, b.Add("hidden", hidden, b.Input()))
	net, err := b.Build(b.Add("out", out, h))
	if err != nil {
		log.Fatal(err)
	}
	m, err := bounds.Compile(net)
	if err != nil {
		log.Fatal(err)
	}
	box, err := spec.NewBox([]float64{-1, -1}, []float64{1, 1})
	if err != nil {
		log.Fatal(err)
	}
	for _, b := range []bounds.Bounder{bounds.Crown{Relaxer: bounds.NeWiseLines{}}, bounds.NeWise{}} {
		r, err := b.Bound(context.Background(), m, &bounds.Query{
			Domains: []bounds.Domain{{Region: box}}, Functions: bounds.Functions{Output: []float64{1}},
		})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("y ≥ %.3f\n", r[0].Lower[0])
	}
	// Output:
	// y ≥ -1.677
	// y ≥ -1.523
}

// With the first neuron known to be on, y is x₀ + x₁ − relu(x₀ − x₁) where
// x₀ + x₁ ≥ 0: a multiplier of the split carries that to the bound of y.
func ExampleAlphaBeta() {
	q := exampleQuery()
	q.Domains[0].Splits = []bounds.Split{{Node: 1, Index: 0}}
	q.Domains[0].Known = []bounds.Interval{1: {Lower: []float64{0, -1}, Upper: []float64{3, 3}}, 3: {}}
	for _, b := range []bounds.Bounder{bounds.Crown{}, bounds.AlphaBeta{Iterations: 100}} {
		r, err := b.Bound(context.Background(), exampleModel(), q)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%.3f ≤ y\n", r[0].Lower[0])
	}
	// Output:
	// -2.500 ≤ y
	// -2.250 ≤ y
}

// On the whole box y ≥ −2.5. Cutting the second neuron gains on both sides, cutting
// the first on neither.
func ExampleAlphaBeta_Halves() {
	cuts := []bounds.Cut{{Node: 1, Index: 0}, {Node: 1, Index: 1}}
	h, err := bounds.AlphaBeta{}.Halves(context.Background(), exampleModel(), exampleQuery(), [][]bounds.Cut{cuts})
	if err != nil {
		log.Fatal(err)
	}
	for k := range cuts {
		fmt.Printf("neuron %d: %.3f ≤ y where it is off, %.3f ≤ y where it is on\n", k, h[0][k].Below[0], h[0][k].Above[0])
	}
	// Output:
	// neuron 0: -3.000 ≤ y where it is off, -2.500 ≤ y where it is on
	// neuron 1: -1.000 ≤ y where it is off, -2.000 ≤ y where it is on
}

// Robustness of class 0 of three, as two functions that have to be positive.
func ExamplePropertyFunctions() {
	region, err := spec.NewLInfBall([]float64{0.5, 0.5}, 0.1, nil)
	if err != nil {
		log.Fatal(err)
	}
	p := spec.Robustness(region, 0, 3)
	f := bounds.PropertyFunctions(&p.Cases[0], p.Inputs, p.Outputs)
	fmt.Println(f.Output)
	// Output: [1 -1 0 1 0 -1]
}
