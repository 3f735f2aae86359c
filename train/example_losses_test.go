package train_test

import (
	"context"
	"fmt"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/train"
	"github.com/vouchnn/vouch/train/dataset"
)

// Losses add up with weights: TRADES, NBC, and a little of the weights' squares.
func ExampleSum() {
	attack := train.Attack{Epsilon: train.Constant(0.02), Steps: 2}
	loss := append(train.NewTRADES(train.Constant(1), attack),
		train.Term{Name: "nbc", Loss: train.NBC{Attack: attack}, Weight: train.Constant(1)},
		train.Term{Name: "l2", Loss: train.L2{}, Weight: train.Constant(1e-4)})
	net, err := train.Classifier(nn.Shape{1, 12, 12}, train.Dense{Out: 16}, train.Dense{Out: 10})
	if err != nil {
		fmt.Println(err)
		return
	}
	train.Initialize(net, train.Glorot, 1)
	history, err := train.Engine{}.Fit(context.Background(), net, dataset.Digits(1, 500, false), train.Options{
		Loss: loss, Epochs: 3, Batch: 50, Seed: 1,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	first, last := history.Epochs[0], history.Epochs[2]
	fmt.Println(last.Loss < first.Loss, len(last.Terms))
	// Output: true 4
}

// How consistently neurons behave at a point and at a neighbour: greater is more.
func ExampleNBCValues() {
	hidden, err := nn.NewDense(2, 1, []float64{1, -1}, []float64{0, 0.5})
	if err != nil {
		fmt.Println(err)
		return
	}
	out, err := nn.NewDense(2, 2, []float64{1, 0, 0, 1}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	b := nn.NewBuilder(nn.Shape{1})
	h := b.Add("relu", nn.ReLU{}, b.Add("hidden", hidden, b.Input()))
	net, err := b.Build(b.Add("out", out, h))
	if err != nil {
		fmt.Println(err)
		return
	}
	values, err := train.NBCValues(net, []float32{1, 1}, []float32{1, -1}, false)
	fmt.Printf("%.3f %v\n", values, err)
	// Output: [0.500 -1.150] <nil>
}
