package eval_test

import (
	"context"
	"fmt"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/train/eval"
)

// How robust is a classifier of two inputs, class 0 where x₀ > x₁, at three points?
func ExampleMeasurer() {
	dense, err := nn.NewDense(2, 2, []float64{1, 0, 0, 1}, []float64{0, 0})
	if err != nil {
		panic(err)
	}
	b := nn.NewBuilder(nn.Shape{2})
	net, err := b.Build(b.Add("out", dense, b.Input()))
	if err != nil {
		panic(err)
	}
	m, err := eval.NewMeasurer(net, eval.Options{})
	if err != nil {
		panic(err)
	}
	var rows []eval.Row
	for i, x := range [][]float32{{0.75, 0.25}, {0.5, 0.375}, {0.25, 0.75}} {
		row, err := m.Measure(context.Background(), i, x, 0, 0.125)
		if err != nil {
			panic(err)
		}
		fmt.Println(x, row.Verdict, row.Resists)
		rows = append(rows, row)
	}
	s := eval.Summarise(rows)[0]
	fmt.Printf("UNSAT %.1f %%, PGD %.1f %%\n", s.Unsat, s.PGD)
	// Output:
	// [0.75 0.25] verified true
	// [0.5 0.375] falsified false
	// [0.25 0.75] falsified false
	// UNSAT 33.3 %, PGD 33.3 %
}
