package bab

// Counterexamples are claims, so each is replayed before it is reported: the
// point is rounded to float32 inside its region, the original network is
// evaluated there in float64 and in float32, and the property must be violated
// both times.

import (
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// replayer checks candidates on the network as the caller gave it.
// Not safe for concurrent use.
type replayer struct {
	prop   *spec.Property
	double *nn.Evaluator[float64]
	single *nn.Evaluator[float32]
	x      []float64
	x32    []float32
	y      []float64
	count  int // points tried
}

func newReplayer(net nn.Network, prop *spec.Property) *replayer {
	return &replayer{
		prop: prop, double: nn.NewEvaluator[float64](net), single: nn.NewEvaluator[float32](net),
		x: make([]float64, prop.Inputs), x32: make([]float32, prop.Inputs), y: make([]float64, prop.Outputs),
	}
}

// try returns the counterexample at x, an input near the region of the given
// case, or nil if there is none.
func (r *replayer) try(x []float64, index int) *spec.Counterexample {
	r.count++
	copy(r.x, x)
	spec.RoundInto32(r.prop.Cases[index].Region, r.x)
	if !r.prop.Cases[index].Region.Contains(r.x) {
		return nil
	}
	y := r.double.Forward(r.x, 1)
	c, conj, ok := r.prop.Check(r.x, y)
	if !ok {
		return nil
	}
	for i, v := range r.x {
		r.x32[i] = float32(v)
	}
	for i, v := range r.single.Forward(r.x32, 1) {
		r.y[i] = float64(v)
	}
	if !holds(r.prop.Cases[c].Unsafe, r.x, r.y) {
		return nil
	}
	return &spec.Counterexample{
		Input: append([]float64(nil), r.x...), Output: append([]float64(nil), y...), Case: c, Conjunction: conj,
	}
}

func holds(unsafe []spec.Conjunction, x, y []float64) bool {
	for _, c := range unsafe {
		if c.Holds(x, y) {
			return true
		}
	}
	return false
}
