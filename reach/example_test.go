package reach_test

import (
	"context"
	"fmt"
	"math"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/reach"
	"github.com/vouchnn/vouch/spec"
)

// relus is |x| as relu(x) + relu(−x), and its negative.
func relus() *nn.Graph {
	first, _ := nn.NewDense(2, 1, []float64{1, -1}, nil)
	second, _ := nn.NewDense(2, 2, []float64{1, 1, -1, -1}, nil)
	b := nn.NewBuilder(nn.Shape{1})
	h := b.Add("first", first, b.Input())
	h = b.Add("relu", nn.ReLU{}, h)
	g, _ := b.Build(b.Add("second", second, h))
	return g
}

func ExampleVerify() {
	box, _ := spec.NewBox([]float64{-1}, []float64{2})
	// |x| is not below −0.1 and not above 2.5. The zonotope is: y ≥ x/3.
	prop := spec.OutputBox(box, []float64{-0.1, -2.5}, []float64{2.5, 0.5})
	for _, m := range []reach.Method{reach.Zono, reach.ApproxStar, reach.ExactStar} {
		r, err := reach.Verify(context.Background(), relus(), &prop, reach.Options{Method: m})
		if err != nil {
			panic(err)
		}
		fmt.Println(m, r.Verdict)
	}
	// Output:
	// zono unknown
	// approx-star verified
	// exact-star verified
}

func ExampleModel_Reach() {
	m, err := reach.Compile(relus())
	if err != nil {
		panic(err)
	}
	box, _ := spec.NewBox([]float64{-1}, []float64{2})
	stars, err := m.Reach(context.Background(), box, reach.Options{Method: reach.ExactStar})
	if err != nil {
		panic(err)
	}
	for _, s := range stars {
		lower, upper, _ := s.Range(context.Background(), 0)
		fmt.Printf("|x| in [%.0f, %.0f]\n", math.Abs(lower), upper) // −10⁻³⁰⁰ is printed as −0
	}
	// Output:
	// |x| in [0, 2]
	// |x| in [0, 1]
}

func ExampleStar() {
	box, _ := spec.NewBox([]float64{-1, -1}, []float64{1, 1})
	s, err := reach.NewStar(box, nil)
	if err != nil {
		panic(err)
	}
	s, err = s.Affine([]float64{1, 1, 1, -1}, nil) // a diamond
	if err != nil {
		panic(err)
	}
	s = s.Intersect([]float64{1, 0}, 0) // its left half
	corners, err := s.Polygon(context.Background(), 0, 1)
	if err != nil {
		panic(err)
	}
	for _, p := range corners {
		fmt.Printf("(%.0f, %.0f) ", p.X+0, p.Y+0)
	}
	// Output: (-2, 0) (0, -2) (0, 2)
}

func ExampleImageStar() {
	// A 3×3 image, its middle pixel uncertain, under a sum over 2×2 windows.
	lower, upper := make([]float64, 9), make([]float64, 9)
	lower[4], upper[4] = -1, 1
	s, err := reach.NewImageStar(lower, upper, 1, 3, 3)
	if err != nil {
		panic(err)
	}
	conv, _ := nn.NewConv(nn.ConvConfig{Kernel: []int{2, 2}}, 1, 1, []float64{1, 2, 3, 4}, []float64{10})
	out, err := s.Apply(conv)
	if err != nil {
		panic(err)
	}
	b := out.Box()
	for i := range b.Lower {
		fmt.Printf("[%.0f, %.0f] ", b.Lower[i], b.Upper[i])
	}
	// Output: [6, 14] [7, 13] [8, 12] [9, 11]
}
