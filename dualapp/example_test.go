package dualapp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/dualapp"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// exampleModel has two inputs, three tanh neurons and two classes.
func exampleModel() *bounds.Model {
	hidden, err := nn.NewDense(3, 2, []float64{1, 2, -2, 1, 1, -1}, []float64{0, 0.5, -0.5})
	if err != nil {
		log.Fatal(err)
	}
	out, err := nn.NewDense(2, 3, []float64{1, -1, 0.5, -1, 1, 0.5}, nil)
	if err != nil {
		log.Fatal(err)
	}
	b := nn.NewBuilder(nn.Shape{2})
	h := b.Add("hidden", hidden, b.Input())
	h = b.Add("tanh", nn.Tanh{}, h)
	net, err := b.Build(b.Add("out", out, h))
	if err != nil {
		log.Fatal(err)
	}
	m, err := bounds.Compile(net)
	if err != nil {
		log.Fatal(err)
	}
	return m
}

// The zero Verifier is the paper's: Monte Carlo, outputs apart. Margins prove more,
// and so do lines aimed at the worst input.
func Example() {
	m := exampleModel()
	tasks := []dualapp.Task{{Center: []float64{0.6, 0.4}, Label: 0}}
	paper := dualapp.Verifier{}
	margin := dualapp.Verifier{Margin: true}
	aimed := dualapp.Verifier{Margin: true, Bounder: dualapp.Aimed{}, Under: dualapp.MonteCarlo{}}
	for _, v := range []dualapp.Verifier{paper, margin, aimed} {
		radii, err := v.Radii(context.Background(), m, tasks, dualapp.Search{Tolerance: 1e-3})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%.3f\n", radii[0].Proved)
	}
	// Output:
	// 0.348
	// 0.379
	// 0.393
}

func ExampleMethod() {
	m := exampleModel()
	tasks := []dualapp.Task{{Center: []float64{0.6, 0.4}, Label: 0}}
	for _, name := range []string{"dualapp-grad", "newise", "deepcert", "verinet", "crown"} {
		v, err := dualapp.Method(name, dualapp.MethodOptions{})
		if err != nil {
			log.Fatal(err)
		}
		margins, err := v.Margins(context.Background(), m, tasks, 0.3)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%-13s %.3f\n", name, margins[0])
	}
	// Output:
	// dualapp-grad  0.377
	// newise        0.370
	// deepcert      0.356
	// verinet       0.336
	// crown         0.314
}

func ExampleDual() {
	// A neuron's input is known to lie in [−2, 3], and values in [−0.5, 1.5] occur.
	over, under := bounds.Range{Lower: -2, Upper: 3}, bounds.Range{Lower: -0.5, Upper: 1.5}
	l, _ := dualapp.Dual{}.Relax(nn.Tanh{}, over, &under)
	fmt.Printf("%.3f·x %+.3f ≤ tanh x ≤ %.3f·x %+.3f\n", l.LowerSlope, l.LowerIntercept, l.UpperSlope, l.UpperIntercept)
	// Output: 0.439·x -0.323 ≤ tanh x ≤ 0.181·x +0.634
}

func ExampleUnstable() {
	hidden, err := nn.NewDense(3, 2, []float64{1, 0, 0, 1, 1, 1}, []float64{0.1, 2, -5})
	if err != nil {
		log.Fatal(err)
	}
	b := nn.NewBuilder(nn.Shape{2})
	h := b.Add("hidden", hidden, b.Input())
	net, err := b.Build(b.Add("relu", nn.ReLU{}, h))
	if err != nil {
		log.Fatal(err)
	}
	m, err := bounds.Compile(net)
	if err != nil {
		log.Fatal(err)
	}
	x := []float64{0, 0}
	local, err := dualapp.MonteCarlo{}.For(m).At(context.Background(), x)
	if err != nil {
		log.Fatal(err)
	}
	region, err := spec.NewLInfBall(x, 1, nil)
	if err != nil {
		log.Fatal(err)
	}
	under, err := local.Under(context.Background(), region)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(dualapp.Unstable(m, under)[h])
	// Output: [true false false]
}
