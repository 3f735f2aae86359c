package qnn_test

import (
	"context"
	"fmt"

	"github.com/vouchnn/vouch/qnn"
	"github.com/vouchnn/vouch/spec"
)

// The network of figure 1 of Zhang et al. 2022.
func example() *qnn.Network {
	unsigned := qnn.Config{Bits: 6, Fraction: 4}
	signed := qnn.Config{Signed: true, Bits: 6, Fraction: 4}
	n, err := qnn.NewFixedPoint(unsigned, 2, []qnn.FixedPoint{
		{Weights: []int32{9, -20, 24, 17}, Bias: []int32{0, 0}, Weight: signed, BiasConfig: signed, Output: unsigned},
		{Weights: []int32{-12, 10, 13, 7}, Bias: []int32{0, 0}, Weight: signed, BiasConfig: signed, Output: unsigned},
	}, qnn.HalfUp)
	if err != nil {
		panic(err)
	}
	return n
}

func Example() {
	n := example()
	x := []int64{20, 2}
	fmt.Println("outputs", n.Run(x), "class", n.Classify(x))
	for _, r := range []float64{2, 3} {
		ball, err := n.Ball(spec.LInf, x, r)
		if err != nil {
			panic(err)
		}
		res, err := qnn.Verify(context.Background(), n, qnn.Robustness(ball, 1, n.Outputs()), qnn.Options{})
		if err != nil {
			panic(err)
		}
		fmt.Println("radius", r, res.Verdict)
	}
	// Output:
	// outputs [13 21] class 1
	// radius 2 verified
	// radius 3 falsified
}

func ExampleMaxRadius() {
	r, err := qnn.MaxRadius(context.Background(), example(), []int64{20, 2}, qnn.RadiusOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Lower, r.Upper)
	// Output: 2 2
}

func ExampleEncode() {
	n := example()
	ball, err := n.Ball(spec.L1, []int64{10, 2}, 3)
	if err != nil {
		panic(err)
	}
	e, err := qnn.Encode(n, qnn.Robustness(ball, 1, n.Outputs()), 0, -1, qnn.EncodeOptions{})
	if err != nil {
		panic(err)
	}
	fmt.Println(len(e.Problem.Variables), "variables", len(e.Problem.Rows), "rows")
	// Output: 9 variables 15 rows
}
