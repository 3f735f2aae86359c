package train_test

import (
	"context"
	"fmt"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/train"
	"github.com/vouchnn/vouch/train/dataset"
)

// A small network learns drawn digits with cross-entropy and NBC.
func Example() {
	net, err := train.Classifier(nn.Shape{1, 12, 12}, train.Dense{Out: 32}, train.Dense{Out: 10})
	if err != nil {
		fmt.Println(err)
		return
	}
	train.Initialize(net, train.He, 1)
	attack := train.Attack{Epsilon: train.Ramp(0, 0.02, 0, 0.5), Steps: 3}
	_, err = train.Engine{}.Fit(context.Background(), net, dataset.Digits(1, 2000, false), train.Options{
		Loss:   train.NewNBC(train.Constant(1), attack),
		Epochs: 20, Batch: 50, Rate: train.Cosine(3e-3, 3e-4), Seed: 1,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	accuracy, err := train.Accuracy(context.Background(), net, dataset.Digits(2, 500, false))
	fmt.Println(accuracy > 0.8, err)
	// Output: true <nil>
}

func ExampleParseLoss() {
	loss, err := train.ParseLoss("trades+nbc", train.LossOptions{Epsilon: 0.3, Beta: 2})
	fmt.Println(len(loss.(train.Sum)), err)
	_, err = train.ParseLoss("trades+nbc", train.LossOptions{Epsilon: 30})
	fmt.Println(err)
	// Output:
	// 3 <nil>
	// train: epsilon is 30, want [0, 1]
}

func ExampleAttack_Perturb() {
	// Class 0 wherever x > ½.
	dense, err := nn.NewDense(2, 1, []float64{1, -1}, []float64{-0.5, 0.5})
	if err != nil {
		fmt.Println(err)
		return
	}
	b := nn.NewBuilder(nn.Shape{1})
	net, err := b.Build(b.Add("out", dense, b.Input()))
	if err != nil {
		fmt.Println(err)
		return
	}
	a := train.FGSM(train.Constant(0.25))
	x, err := a.Perturb(context.Background(), net, []float32{0.75}, []int{0}, 1)
	fmt.Println(x, err)
	// Output: [0.5] <nil>
}

func ExampleCosine() {
	rate := train.WarmUp(train.Cosine(0.1, 0), 0.2)
	for _, p := range []float64{0.1, 0.2, 0.5, 1} {
		fmt.Printf("%.3f ", rate(p))
	}
	// Output: 0.049 0.090 0.050 0.000
}
