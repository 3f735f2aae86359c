package bab

// Values that neurons attain.
//
// A neuron that takes both signs on a region cannot be decided there. Descent
// from the middle of the region's box, with steps as long as the box is wide that
// grow shorter, finds values near the ends of what a neuron takes. They are a
// guide only: no bound rests on them.

import (
	"math"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
)

const (
	// attainSteps is how many steps a descent takes.
	attainSteps = 16
	// attainBatch is how many descents go together.
	attainBatch = 64
)

// attained is intervals between values that elements of net's output take in the
// box, for each of those listed.
func attained(net nn.Network, box bounds.Interval, elements []int) []bounds.Range {
	out := make([]bounds.Range, len(elements))
	at := nn.NewEvaluator[float64](net)
	for from := 0; from < len(elements); from += attainBatch / 2 {
		to := min(from+attainBatch/2, len(elements))
		descend(at, nn.OutputShape(net).Size(), box, elements[from:to], out[from:to])
	}
	return out
}

// descend is attained for a batch: two points for each element, one going down
// and one going up.
func descend(at *nn.Evaluator[float64], outputs int, box bounds.Interval, elements []int, out []bounds.Range) {
	n, points := len(box.Lower), 2*len(elements)
	x, slope := make([]float64, points*n), make([]float64, points*outputs)
	for p := range points {
		slope[p*outputs+elements[p/2]] = float64(1 - 2*(p%2))
		for j, lo := range box.Lower {
			x[p*n+j] = 0.5*lo + 0.5*box.Upper[j]
		}
	}
	for k := range out {
		out[k] = bounds.Range{Lower: math.Inf(1), Upper: math.Inf(-1)}
	}
	for step := range attainSteps + 1 {
		y := at.Forward(x, points)
		for p := range points {
			v, r := y[p*outputs+elements[p/2]], &out[p/2]
			r.Lower, r.Upper = math.Min(r.Lower, v), math.Max(r.Upper, v)
		}
		if step == attainSteps {
			return
		}
		size := 0.5 * (1 - float64(step)/attainSteps)
		for k, g := range at.Backward(slope, nil) {
			lo, up := box.Lower[k%n], box.Upper[k%n]
			switch {
			case g > 0:
				x[k] = max(x[k]-size*(up-lo), lo)
			case g < 0:
				x[k] = min(x[k]+size*(up-lo), up)
			}
		}
	}
}
