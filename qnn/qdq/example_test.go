package qdq_test

import (
	"context"
	"fmt"
	"math"

	"github.com/vouchnn/vouch/qnn"
	"github.com/vouchnn/vouch/qnn/qdq"
	"github.com/vouchnn/vouch/spec"
)

// May every input of a deployed network move by one step of its quantization?
func ExampleReadFile() {
	net, info, err := qdq.ReadFile("model-int8.onnx")
	if err != nil {
		fmt.Println(err)
		return
	}
	x := make([]int64, net.Inputs())
	for i := range x {
		x[i] = int64(math.Round(0.5/info.InputScale)) + info.InputZero
	}
	ball, err := net.Ball(spec.LInf, x, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	res, err := qnn.Verify(context.Background(), net, qnn.Robustness(ball, net.Classify(x), net.Outputs()), qnn.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(res.Verdict)
}
