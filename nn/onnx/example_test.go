package onnx_test

import (
	"bytes"
	"fmt"
	"log"
	"strings"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/onnx"
)

// small is |x₀ − x₁| as a network: relu(x₀ − x₁) + relu(x₁ − x₀).
func small() *nn.Graph {
	hidden, err := nn.NewDense(2, 2, []float64{1, -1, -1, 1}, nil)
	if err != nil {
		log.Fatal(err)
	}
	sum, err := nn.NewDense(1, 2, []float64{1, 1}, []float64{0})
	if err != nil {
		log.Fatal(err)
	}
	b := nn.NewBuilder(nn.Shape{2})
	h := b.Add("hidden", hidden, b.Input())
	h = b.Add("relu", nn.ReLU{}, h)
	g, err := b.Build(b.Add("sum", sum, h))
	if err != nil {
		log.Fatal(err)
	}
	return g
}

func Example() {
	var file bytes.Buffer
	if err := onnx.Write(&file, small(), nil); err != nil {
		log.Fatal(err)
	}
	g, info, err := onnx.Read(&file, "small.onnx", nil)
	if err != nil {
		log.Fatal(err)
	}
	y, err := nn.Evaluate(g, []float64{3, 5})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(info.Producer, info.Opset, info.Inputs, info.Outputs)
	fmt.Println(y)
	// Output:
	// vouch 13 [{input [1 2]}] [{sum [1 1]}]
	// [2]
}

func ExampleRead() {
	_, _, err := onnx.Read(strings.NewReader("not a network"), "notes.txt", nil)
	fmt.Println(err)
	// Output: notes.txt: malformed near byte 1 (ModelProto): not a protobuf message
}

func ExampleWrite() {
	third, err := nn.NewDense(1, 1, []float64{1.0 / 3}, nil)
	if err != nil {
		log.Fatal(err)
	}
	b := nn.NewBuilder(nn.Shape{1})
	g, err := b.Build(b.Add("third", third, b.Input()))
	if err != nil {
		log.Fatal(err)
	}
	var file bytes.Buffer
	fmt.Println(onnx.Write(&file, g, nil))
	fmt.Println(onnx.Write(&file, g, &onnx.WriteOptions{AllowRounding: true}))
	// Output:
	// node "third": Dense: value: third/weight[0] = 0.3333333333333333 is not a float32 number
	// <nil>
}
