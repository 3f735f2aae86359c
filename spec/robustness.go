package spec

import (
	"fmt"
	"math"
)

// The properties that papers verify.
//
// Each constructor states the property's negation, since that is what a
// Property holds: the unsafe outputs. They do not check their arguments; call
// Validate on the result, as every verifier does.

// Robustness says that label's output is strictly the largest everywhere in
// region: unsafe is another output that reaches it, one conjunction for each
// other class in ascending order.
func Robustness(region Region, label, outputs int) Property {
	unsafe := make([]Conjunction, 0, max(0, outputs-1))
	for k := range outputs {
		if k != label {
			unsafe = append(unsafe, Conjunction{reaches(k, label)})
		}
	}
	return newProperty(region, outputs, unsafe)
}

// Targeted says that target's output stays below label's everywhere in region:
// unsafe is target ≥ label. They differ.
func Targeted(region Region, label, target, outputs int) Property {
	return newProperty(region, outputs, []Conjunction{{reaches(target, label)}})
}

// OutputBox says that every output stays strictly between its bounds: unsafe is
// y[i] ≤ lower[i] or y[i] ≥ upper[i] for some i. An infinite bound stands for
// none. It panics if the lengths differ.
func OutputBox(region Region, lower, upper []float64) Property {
	if len(lower) != len(upper) {
		panic(fmt.Sprintf("spec: OutputBox: %d lower and %d upper bounds", len(lower), len(upper)))
	}
	var unsafe []Conjunction
	for i := range lower {
		if !math.IsInf(lower[i], -1) {
			unsafe = append(unsafe, Conjunction{{Output: []Term{{i, 1}}, Bound: lower[i]}})
		}
		if !math.IsInf(upper[i], 1) {
			unsafe = append(unsafe, Conjunction{{Output: []Term{{i, -1}}, Bound: -upper[i]}})
		}
	}
	return newProperty(region, len(lower), unsafe)
}

// reaches is y[k] ≥ y[label].
func reaches(k, label int) Inequality {
	if k < label {
		return Inequality{Output: []Term{{k, -1}, {label, 1}}}
	}
	return Inequality{Output: []Term{{label, 1}, {k, -1}}}
}

func newProperty(region Region, outputs int, unsafe []Conjunction) Property {
	p := Property{Outputs: outputs, Cases: []Case{{Region: region, Unsafe: unsafe}}}
	if region != nil {
		p.Inputs = region.Dim()
	}
	return p
}
