package vnnlib_test

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/vouchnn/vouch/spec"
	"github.com/vouchnn/vouch/spec/vnnlib"
)

// Read a query and ask whether a point refutes it.
func Example() {
	text := `
(declare-const X_0 Real)
(declare-const Y_0 Real)
(declare-const Y_1 Real)
(assert (>= X_0 0))
(assert (<= X_0 1))
(assert (or (and (<= Y_0 -1)) (and (>= Y_1 Y_0) (>= Y_1 0.5))))
`
	p, err := vnnlib.Read(strings.NewReader(text), "query.vnnlib", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range p.Cases {
		fmt.Println(c.Region, len(c.Unsafe))
	}
	fmt.Println(p.Check([]float64{0.5}, []float64{0.25, 0.5}))
	// Output:
	// {[0] [1]} 2
	// 0 1 true
}

func ExampleRead() {
	text := "(declare-const X_0 Real)\n(declare-const Y_0 Real)\n(assert (<= (* X_0 X_0) 1))"
	_, err := vnnlib.Read(strings.NewReader(text), "square.vnnlib", &vnnlib.Options{Inputs: 1, Outputs: 1})
	var unsupported *vnnlib.UnsupportedError
	fmt.Println(errors.As(err, &unsupported), err)
	// Output:
	// true vnnlib: square.vnnlib:3:20: unsupported: product of variables
}

func ExampleWrite() {
	box, _ := spec.NewBox([]float64{0}, []float64{0.1})
	p := spec.Targeted(box, 0, 1, 2)
	if err := vnnlib.Write(os.Stdout, &p); err != nil {
		fmt.Println(err)
	}
	// Output:
	// (declare-const X_0 Real)
	// (declare-const Y_0 Real)
	// (declare-const Y_1 Real)
	// (assert (>= X_0 0))
	// (assert (<= X_0 0.1))
	// (assert (<= Y_0 Y_1))
}

func ExampleReadCounterexample() {
	c, err := vnnlib.ReadCounterexample(strings.NewReader("sat\n((X_0  0.5)\n(Y_0 -1e-3))"), "result.txt")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(c.Input, c.Output)
	// Output:
	// [0.5] [-0.001]
}
