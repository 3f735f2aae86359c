package nn_test

import (
	"fmt"
	"log"

	"github.com/vouchnn/vouch/nn"
)

// xor is a network with two hidden neurons that computes exclusive or.
func xor() *nn.Graph {
	hidden, err := nn.NewDense(2, 2, []float64{1, 1, 1, 1}, []float64{0, -1})
	if err != nil {
		log.Fatal(err)
	}
	out, err := nn.NewDense(1, 2, []float64{1, -2}, nil)
	if err != nil {
		log.Fatal(err)
	}
	b := nn.NewBuilder(nn.Shape{2})
	h := b.Add("hidden", hidden, b.Input())
	h = b.Add("relu", nn.ReLU{}, h)
	g, err := b.Build(b.Add("out", out, h))
	if err != nil {
		log.Fatal(err)
	}
	return g
}

func Example() {
	g := xor()
	for _, x := range [][]float64{{0, 0}, {0, 1}, {1, 0}, {1, 1}} {
		y, err := nn.Evaluate(g, x)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(x, y)
	}
	fmt.Println(nn.NumParams(g), "parameters")
	// Output:
	// [0 0] [0]
	// [0 1] [1]
	// [1 0] [1]
	// [1 1] [0]
	// 8 parameters
}

func ExampleEvaluator() {
	e := nn.NewEvaluator[float32](xor())
	fmt.Println(e.Forward([]float32{0.5, 0.25, 1, 0.75}, 2))
	fmt.Println(e.Backward([]float32{1, 1}, nil))
	// Output:
	// [0.75 0.25]
	// [1 1 -1 -1]
}

func ExampleBuilder() {
	b := nn.NewBuilder(nn.Shape{3})
	d, _ := nn.NewDense(1, 2, []float64{1, 2}, nil)
	_, err := b.Build(b.Add("fc1", d, b.Input()))
	fmt.Println(err)
	// Output:
	// node "fc1": Dense: shape: last axis of [3] is not 2
}

func ExampleNewConv() {
	// A horizontal difference, on an image of one channel.
	c, err := nn.NewConv(nn.ConvConfig{Kernel: []int{1, 2}}, 1, 1, []float64{-1, 1}, nil)
	if err != nil {
		log.Fatal(err)
	}
	b := nn.NewBuilder(nn.Shape{1, 2, 3})
	g, err := b.Build(b.Add("edge", c, b.Input()))
	if err != nil {
		log.Fatal(err)
	}
	y, _ := nn.Evaluate(g, []float64{
		1, 2, 4,
		8, 8, 9,
	})
	fmt.Println(nn.OutputShape(g), y)
	// Output:
	// [1 2 2] [1 2 0 1]
}

func ExampleMaxPool_Windows() {
	m, err := nn.NewMaxPool(nn.PoolConfig{Kernel: []int{2}, Stride: []int{2}})
	if err != nil {
		log.Fatal(err)
	}
	start, index, _ := m.Windows(nn.Shape{6})
	for i := range len(start) - 1 {
		fmt.Println("output", i, "is the maximum of inputs", index[start[i]:start[i+1]])
	}
	// Output:
	// output 0 is the maximum of inputs [0 1]
	// output 1 is the maximum of inputs [2 3]
	// output 2 is the maximum of inputs [4 5]
}

func ExampleSimplify() {
	// (x − 1)/2, then a matrix, then a bias: as exporters write it.
	centre, _ := nn.NewConstArith(nn.ArithSub, []float64{1}, nn.Shape{}, false)
	scale, _ := nn.NewConstArith(nn.ArithDiv, []float64{2}, nn.Shape{}, false)
	matrix, _ := nn.NewDense(2, 2, []float64{2, 4, 6, 8}, nil)
	bias, _ := nn.NewConstArith(nn.ArithAdd, []float64{10, 20}, nn.Shape{2}, false)
	b := nn.NewBuilder(nn.Shape{2})
	x := b.Add("centre", centre, b.Input())
	x = b.Add("scale", scale, x)
	x = b.Add("fc", matrix, x)
	g, err := b.Build(b.Add("bias", bias, x))
	if err != nil {
		log.Fatal(err)
	}
	s, err := nn.Simplify(g)
	if err != nil {
		log.Fatal(err)
	}
	for _, n := range s.Nodes()[1:] {
		d := n.Op.(*nn.Dense)
		fmt.Println(n.Name, n.Op.Kind(), d.Weight().Values(), d.Bias().Values())
	}
	// Output:
	// fc Dense [1 2 3 4] [7 13]
}
