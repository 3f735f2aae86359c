package bab_test

import (
	"context"
	"fmt"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// exampleNet computes y0 = |x0 − x1| and y1 = 1 − y0/2.
func exampleNet() *nn.Graph {
	hidden, _ := nn.NewDense(2, 2, []float64{1, -1, -1, 1}, nil)
	out, _ := nn.NewDense(2, 2, []float64{1, 1, -0.5, -0.5}, []float64{0, 1})
	b := nn.NewBuilder(nn.Shape{2})
	h := b.Add("relu", nn.ReLU{}, b.Add("hidden", hidden, b.Input()))
	net, err := b.Build(b.Add("out", out, h))
	if err != nil {
		panic(err)
	}
	return net
}

// Is class 1 the answer for every input near (0.3, 0.1)?
func ExampleVerify() {
	net := exampleNet()
	for _, radius := range []float64{0.2, 0.25} {
		region, err := spec.NewLInfBall([]float64{0.3, 0.1}, radius, nil)
		if err != nil {
			panic(err)
		}
		prop := spec.Robustness(region, 1, 2)
		res, err := bab.Verify(context.Background(), net, &prop, bab.Options{})
		if err != nil {
			panic(err)
		}
		fmt.Println(radius, res.Verdict)
		if c := res.Counterexample; c != nil {
			fmt.Println("the answer changes:", c.Output[0] >= c.Output[1])
		}
	}
	// Output:
	// 0.2 verified
	// 0.25 falsified
	// the answer changes: true
}

func ExampleAttack() {
	region, _ := spec.NewLInfBall([]float64{0.3, 0.1}, 0.4, nil)
	prop := spec.Robustness(region, 1, 2)
	cex, err := bab.Attack(context.Background(), exampleNet(), &prop, bab.AttackOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Println(cex != nil)
	// Output:
	// true
}

// A Bounder of one's choice, a limit on sub-problems, and what was done.
func ExampleOptions() {
	region, err := spec.NewLInfBall([]float64{0.3, 0.1}, 0.2, nil)
	if err != nil {
		panic(err)
	}
	prop := spec.Robustness(region, 1, 2)
	for _, b := range []bounds.Bounder{bounds.IBP{}, bounds.Crown{}} {
		res, err := bab.Verify(context.Background(), exampleNet(), &prop, bab.Options{Bounder: b, Split: bab.SplitInput, MaxDomains: 100})
		if err != nil {
			panic(err)
		}
		fmt.Printf("%T: %v, more than one sub-problem: %v\n", b, res.Verdict, res.Stats.Domains > 1)
	}
	// Output:
	// bounds.IBP: verified, more than one sub-problem: true
	// bounds.Crown: verified, more than one sub-problem: false
}
