package dualapp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/dualapp"
	"github.com/vouchnn/vouch/spec"
)

// showRadius prints the radius that a verifier proves of the example.
func showRadius(v dualapp.Verifier) {
	tasks := []dualapp.Task{{Center: []float64{0.6, 0.4}, Label: 0}}
	radii, err := v.Radii(context.Background(), exampleModel(), tasks, dualapp.Search{Tolerance: 1e-3})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f\n", radii[0].Proved)
}

// Lines aimed at the worst input of a first pass.
func ExampleAimed() {
	showRadius(dualapp.Verifier{Bounder: dualapp.Aimed{}, Under: dualapp.MonteCarlo{}})
	// Output: 0.349
}

// Of several relaxations, for each output the one that proves most.
func ExampleBest() {
	relaxers := []bounds.Relaxer{dualapp.Dual{}, bounds.VeriNetLines{}, bounds.NeWiseLines{}}
	showRadius(dualapp.Verifier{Bounder: dualapp.Best{Relaxers: relaxers}, Under: dualapp.MonteCarlo{}})
	// Output: 0.356
}

// showUnder prints values of the first hidden neuron that occur within 0.2 of a point.
func showUnder(u dualapp.UnderApproximator) {
	local, err := u.For(exampleModel()).At(context.Background(), []float64{0.6, 0.4})
	if err != nil {
		log.Fatal(err)
	}
	region, err := spec.NewLInfBall([]float64{0.6, 0.4}, 0.2, nil)
	if err != nil {
		log.Fatal(err)
	}
	under, err := local.Under(context.Background(), region)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("[%.3f, %.3f]\n", under[1].Lower[0], under[1].Upper[0])
}

// By samples. The neuron is x₀ + 2·x₁, within 0.6 of 1.4 in the region.
func ExampleMonteCarlo() {
	showUnder(dualapp.MonteCarlo{Samples: 1000, Seed: 1})
	// Output: [0.806, 1.966]
}

// By one step along the gradient, of 0.45 of the radius unless said otherwise.
func ExampleGradient() {
	showUnder(dualapp.Gradient{})
	// Output: [1.130, 1.670]
}
