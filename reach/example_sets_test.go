package reach_test

import (
	"context"
	"fmt"
	"math"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/reach"
	"github.com/vouchnn/vouch/spec"
)

// A square under a linear map is a parallelogram.
func ExampleZonotope() {
	box, _ := spec.NewBox([]float64{-1, -1}, []float64{1, 1})
	z, err := reach.NewZonotope(box, nil)
	if err != nil {
		panic(err)
	}
	s, err := z.Affine([]float64{2, 1, 0, 1}, []float64{1, 0})
	if err != nil {
		panic(err)
	}
	b := s.Box()
	fmt.Printf("[%.0f, %.0f] × [%.0f, %.0f]\n", b.Lower[0], b.Upper[0], b.Lower[1], b.Upper[1])
	inside, _ := s.Contains(context.Background(), []float64{3, -1})
	fmt.Println(inside)
	// Output:
	// [-2, 4] × [-1, 1]
	// false
}

// The set of outputs (relu(x₀), relu(x₁)) over a square, projected to both, for a
// picture.
func ExampleStar_Polygon() {
	b := nn.NewBuilder(nn.Shape{2})
	net, _ := b.Build(b.Add("relu", nn.ReLU{}, b.Input()))
	m, err := reach.Compile(net)
	if err != nil {
		panic(err)
	}
	box, _ := spec.NewBox([]float64{-1, 1}, []float64{2, 3})
	stars, err := m.Reach(context.Background(), box, reach.Options{Method: reach.ExactStar})
	if err != nil {
		panic(err)
	}
	for _, s := range stars {
		corners, err := s.Polygon(context.Background(), 0, 1)
		if err != nil {
			panic(err)
		}
		for i, c := range corners {
			corners[i] = reach.Point{X: math.Round(c.X) + 0, Y: math.Round(c.Y)}
		}
		fmt.Println(corners)
	}
	// Output:
	// [{0 1} {2 1} {2 3} {0 3}]
	// [{0 1} {0 3}]
}
