package qdq_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"

	"github.com/vouchnn/vouch/qnn"
	"github.com/vouchnn/vouch/qnn/qdq"
	"github.com/vouchnn/vouch/spec"
)

// How far may both inputs of a deployed network move, in steps of its quantization?
func ExampleReadFile() {
	dir, err := os.MkdirTemp("", "qdq")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "model-int8.onnx") // in practice a quantizer writes it
	if err := os.WriteFile(file, qdq.Small(), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	net, info, err := qdq.ReadFile(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	x := make([]int64, net.Inputs())
	for i, v := range []float64{0.75, 0.5} {
		x[i] = int64(math.Round(v/info.InputScale)) + info.InputZero
	}
	fmt.Println("integers", x, "class", net.Classify(x))
	for _, steps := range []float64{8, 16} {
		ball, err := net.Ball(spec.LInf, x, steps)
		if err != nil {
			fmt.Println(err)
			return
		}
		res, err := qnn.Verify(context.Background(), net, qnn.Robustness(ball, net.Classify(x), net.Outputs()), qnn.Options{})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(steps, "steps:", res.Verdict)
	}
	// By hand, with d = x₀ − x₁ from 32 − 2·steps to 32 + 2·steps: the first output is
	// max(d, 0), the second max(−d, 0) − max(d, 0)/2 + 10.

	// Output:
	// integers [96 64] class 0
	// 8 steps: verified
	// 16 steps: falsified
}
