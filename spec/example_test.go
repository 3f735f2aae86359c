package spec_test

import (
	"fmt"

	"github.com/vouchnn/vouch/spec"
)

// A query: within 0.1 of (0.3, 0.6), class 0 of three stays the largest.
func Example() {
	region, err := spec.NewLInfBall([]float64{0.3, 0.6}, 0.1, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	p := spec.Robustness(region, 0, 3)
	fmt.Println("valid:", p.Validate() == nil)

	x := []float64{0.25, 0.65}
	for _, y := range [][]float64{{2, 1, 0}, {2, 1, 2}} {
		_, conjunction, unsafe := p.Check(x, y)
		fmt.Println(y, unsafe, conjunction)
	}
	// Output:
	// valid: true
	// [2 1 0] false 0
	// [2 1 2] true 1
}

func ExampleNewBall() {
	pixels, _ := spec.NewBox([]float64{0, 0, 0}, []float64{1, 1, 1})
	ball, err := spec.NewBall(spec.L1, []float64{0.5, 0.5, 0.5}, 0.75, &pixels)
	if err != nil {
		fmt.Println(err)
		return
	}
	a := []float64{1, -4, 2}
	x := make([]float64, 3)
	ball.Minimizer(a, x)
	fmt.Printf("%.3f at %.2f\n", ball.MinLinear(a), x)
	// Output:
	// -3.000 at [0.50 1.00 0.25]
}

func ExampleRoundInto32() {
	box, _ := spec.NewBox([]float64{0.1, 0.3}, []float64{0.2, 0.3})
	x := []float64{0.15, 0.3}
	fmt.Println(spec.RoundInto32(box, x), x, box.Contains(x))
	// Output:
	// false [0.15000000596046448 0.3] true
}

func ExampleOutputBox() {
	region, _ := spec.NewBox([]float64{0}, []float64{1})
	p := spec.OutputBox(region, []float64{-1}, []float64{2})
	_, _, unsafe := p.Check([]float64{0.5}, []float64{2.5})
	fmt.Println(unsafe)
	// Output:
	// true
}

// An answer as a message says it.
func ExampleResult_String() {
	fmt.Println(&spec.Result{Verdict: spec.Verified, LowerBound: 0.25})
	fmt.Println(&spec.Result{Verdict: spec.Falsified, Counterexample: &spec.Counterexample{
		Input: []float64{0.25, 0.5}, Output: []float64{1, 2},
	}})
	fmt.Println(&spec.Result{Reason: spec.ReasonTimeout})
	// Output:
	// verified, margin at least 0.25
	// falsified, at [0.25 0.5] the output is [1 2]
	// unknown: timeout
}
