package qnn

import (
	"math"

	"github.com/vouchnn/vouch/spec"
)

// Properties of quantized networks, as spec.Property values over integer inputs
// and outputs. Inequalities are closed and outputs are integers, so that "y_i
// above y_g" is y_g − y_i ≤ −1. Any spec.Property can be verified; these are
// the ones of Zhang et al. 2022, sections 2.3 and 3.4.

// Ball is the integer inputs at a distance of at most radius from center, within
// the network's input range. For L0 the distance is the number of inputs that
// differ.
// Errors: *spec.Error, *Error if center does not fit the network.
func (n *Network) Ball(norm spec.Norm, center []int64, radius float64) (spec.Region, error) {
	if err := n.CheckInput(center); err != nil {
		return nil, err
	}
	clip := spec.Box{Lower: make([]float64, len(center)), Upper: make([]float64, len(center))}
	for i := range center {
		clip.Lower[i], clip.Upper[i] = float64(n.Input.Min()), float64(n.Input.Max())
	}
	return spec.NewBall(norm, floats(center), radius, &clip)
}

// Robustness says that label is the first index of the greatest output
// everywhere in region: unsafe is an output before label that reaches it, or one
// behind that exceeds it.
func Robustness(region spec.Region, label, outputs int) spec.Property {
	var unsafe []spec.Conjunction
	for k := range outputs {
		if k != label {
			unsafe = append(unsafe, beats(k, label))
		}
	}
	return property(region, outputs, unsafe)
}

// Targeted says that class target never wins against label.
func Targeted(region spec.Region, label, target, outputs int) spec.Property {
	return property(region, outputs, []spec.Conjunction{beats(target, label)})
}

// OutputEquality says that the outputs are y everywhere in region.
func OutputEquality(region spec.Region, y []int64) spec.Property {
	var unsafe []spec.Conjunction
	for k, v := range y {
		unsafe = append(unsafe,
			spec.Conjunction{{Output: []spec.Term{{Index: k, Coef: -1}}, Bound: -float64(v + 1)}},
			spec.Conjunction{{Output: []spec.Term{{Index: k, Coef: 1}}, Bound: float64(v - 1)}})
	}
	return property(region, len(y), unsafe)
}

// beats is what it takes for class k to be preferred to label: a greater output,
// or an equal one at a smaller index.
func beats(k, label int) spec.Conjunction {
	if k < label {
		return spec.Conjunction{{Output: []spec.Term{{Index: k, Coef: -1}, {Index: label, Coef: 1}}}}
	}
	return spec.Conjunction{{Output: []spec.Term{{Index: label, Coef: 1}, {Index: k, Coef: -1}}, Bound: -1}}
}

func property(region spec.Region, outputs int, unsafe []spec.Conjunction) spec.Property {
	p := spec.Property{Outputs: outputs, Cases: []spec.Case{{Region: region, Unsafe: unsafe}}}
	if region != nil {
		p.Inputs = region.Dim()
	}
	return p
}

// distance is the distance of two inputs in a norm; see Network.Ball for L0.
func distance(norm spec.Norm, x, center []int64) float64 {
	sum := 0.0
	for i, v := range x {
		d := math.Abs(float64(v - center[i]))
		switch norm {
		case spec.LInf:
			sum = max(sum, d)
		case spec.L0:
			if d != 0 {
				sum++
			}
		case spec.L1:
			sum += d
		default:
			sum += d * d
		}
	}
	if norm == spec.L2 {
		return math.Sqrt(sum)
	}
	return sum
}

func floats(x []int64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

func integers(x []float64) []int64 {
	out := make([]int64, len(x))
	for i, v := range x {
		out[i] = int64(v)
	}
	return out
}
