package qnn_test

import (
	"context"
	"fmt"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/qnn"
	"github.com/vouchnn/vouch/solver/simplex"
	"github.com/vouchnn/vouch/spec"
)

// The same question as an integer program, by a solver of one's choice.
func ExampleVerifyILP() {
	n := example()
	ball, err := n.Ball(spec.LInf, []int64{20, 2}, 3)
	if err != nil {
		panic(err)
	}
	res, err := qnn.VerifyILP(context.Background(), n, qnn.Robustness(ball, 1, n.Outputs()), qnn.ILPOptions{Solver: simplex.Solver{}})
	if err != nil {
		panic(err)
	}
	fmt.Println(res.Verdict, n.Classify([]int64{int64(res.Counterexample.Input[0]), int64(res.Counterexample.Input[1])}))
	// Output: falsified 0
}

// The paper's own search for the radius: growing steps, then bisection.
func ExamplePaperRadius() {
	r, err := qnn.PaperRadius(context.Background(), example(), []int64{20, 2}, qnn.RadiusOptions{Start: 1, Step: 1})
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Lower, r.Upper)
	// Output: 2 2
}

// A float network becomes one of integers.
func ExampleQuantize() {
	hidden, _ := nn.NewDense(2, 2, []float64{0.5, -1.25, 1.5, 1}, []float64{0, 0.25})
	out, _ := nn.NewDense(2, 2, []float64{-0.75, 0.5, 0.75, 0.5}, nil)
	b := nn.NewBuilder(nn.Shape{2})
	h := b.Add("relu", nn.ReLU{}, b.Add("hidden", hidden, b.Input()))
	net, err := b.Build(b.Add("out", out, h))
	if err != nil {
		panic(err)
	}
	n, err := qnn.Quantize(net, qnn.QuantizeOptions{
		Bits: 6, Input: qnn.Config{Bits: 8, Fraction: 8}, Samples: [][]float64{{0.1, 0.9}, {0.8, 0.3}, {0.5, 0.5}},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(n)
	fmt.Println(n.Run([]int64{200, 40}))
	// Output:
	// 2:2:2 <+,8,8>
	// [21 30]
}
