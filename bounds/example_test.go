package bounds_test

import (
	"context"
	"fmt"
	"log"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// exampleModel is y = relu(x₀ + x₁) − relu(x₀ − x₁), and two outputs y and −y.
func exampleModel() *bounds.Model {
	hidden, err := nn.NewDense(2, 2, []float64{1, 1, 1, -1}, nil)
	if err != nil {
		log.Fatal(err)
	}
	out, err := nn.NewDense(2, 2, []float64{1, -1, -1, 1}, nil)
	if err != nil {
		log.Fatal(err)
	}
	b := nn.NewBuilder(nn.Shape{2})
	h := b.Add("hidden", hidden, b.Input())
	h = b.Add("relu", nn.ReLU{}, h)
	net, err := b.Build(b.Add("out", out, h))
	if err != nil {
		log.Fatal(err)
	}
	m, err := bounds.Compile(net)
	if err != nil {
		log.Fatal(err)
	}
	return m
}

// exampleQuery asks for y over the box [0, 2] × [−1, 1].
func exampleQuery() *bounds.Query {
	box, err := spec.NewBox([]float64{0, -1}, []float64{2, 1})
	if err != nil {
		log.Fatal(err)
	}
	return &bounds.Query{
		Domains:   []bounds.Domain{{Region: box}},
		Functions: bounds.Functions{Output: []float64{1, 0}},
		Upper:     true,
	}
}

func show(b bounds.Bounder) {
	r, err := b.Bound(context.Background(), exampleModel(), exampleQuery())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f ≤ y ≤ %.3f\n", r[0].Lower[0], r[0].Upper[0])
}

// Over [0, 2] × [−1, 1] both hidden neurons lie in [−1, 3]. Intervals give
// [0, 3] − [0, 3]. CROWN carries y back to the input:
// y ≥ (x₀ + x₁) − (0.75·(x₀ − x₁) + 0.75) ≥ −2.5. The exact range is [−2, 2].
func Example() {
	show(bounds.IBP{})
	show(bounds.Crown{})
	// Output:
	// -3.000 ≤ y ≤ 3.000
	// -2.500 ≤ y ≤ 2.500
}

func ExampleIBP() {
	show(bounds.IBP{})
	// Output: -3.000 ≤ y ≤ 3.000
}

func ExampleCrownIBP() {
	show(bounds.CrownIBP{})
	// Output: -2.500 ≤ y ≤ 2.500
}

func ExampleCrown() {
	r, err := bounds.Crown{}.Bound(context.Background(), exampleModel(), exampleQuery())
	if err != nil {
		log.Fatal(err)
	}
	hidden := r[0].Nodes[1]
	fmt.Printf("hidden neurons in [%.1f, %.1f] and [%.1f, %.1f]\n", hidden.Lower[0], hidden.Upper[0], hidden.Lower[1], hidden.Upper[1])
	fmt.Printf("y in [%.3f, %.3f]\n", r[0].Lower[0], r[0].Upper[0])
	// Output:
	// hidden neurons in [-1.0, 3.0] and [-1.0, 3.0]
	// y in [-2.500, 2.500]
}

// With a slope α for the first neuron's lower line, y is at least
// α·(x₀ + x₁) − (0.75·(x₀ − x₁) + 0.75). CROWN takes α = 1; best is 0.75.
func ExampleAlpha() {
	show(bounds.Crown{})
	show(bounds.Alpha{Iterations: 100})
	// Output:
	// -2.500 ≤ y ≤ 2.500
	// -2.250 ≤ y ≤ 2.250
}

// zeroLower bounds every undecided ReLU from below by 0, as DeepPoly's other
// choice does. Other activations are left to the default.
type zeroLower struct{}

func (zeroLower) Relax(f nn.Elementwise, over bounds.Range, _ *bounds.Range) (bounds.Lines, bool) {
	if _, ok := f.(nn.ReLU); !ok || over.Lower >= 0 || over.Upper <= 0 {
		return bounds.Lines{}, false
	}
	lines := bounds.Relax(f, over)
	lines.LowerSlope = 0
	return lines, true
}

func ExampleRelaxer() {
	show(bounds.Crown{Relaxer: zeroLower{}})
	// Output: -3.000 ≤ y ≤ 3.000
}

func ExampleRelax() {
	lines := bounds.Relax(nn.ReLU{}, bounds.Range{Lower: -1, Upper: 3})
	fmt.Printf("%.2f·x + %.2f ≤ relu(x) ≤ %.2f·x + %.2f\n", lines.LowerSlope, lines.LowerIntercept, lines.UpperSlope, lines.UpperIntercept)
	lines = bounds.Relax(nn.Tanh{}, bounds.Range{Lower: -1, Upper: 1})
	fmt.Printf("%.4f·x − %.4f ≤ tanh(x) ≤ %.4f·x + %.4f\n", lines.LowerSlope, -lines.LowerIntercept, lines.UpperSlope, lines.UpperIntercept)
	// Output:
	// 1.00·x + 0.00 ≤ relu(x) ≤ 0.75·x + 0.75
	// 0.8162·x − 0.0546 ≤ tanh(x) ≤ 0.8162·x + 0.0546
}
