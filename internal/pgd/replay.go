package pgd

// Counterexamples are claims, so each is replayed before it is reported: the
// point is rounded to float32 inside its region, the original network is
// evaluated there in float64 and in float32, and the property must be violated
// both times.

import (
	"slices"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// Replayer checks candidates on the network as the caller gave it.
// Not safe for concurrent use.
type Replayer struct {
	// Count is how many points have been tried.
	Count int

	net    nn.Network
	prop   *spec.Property
	double *nn.Evaluator[float64] // made when needed
	single *nn.Evaluator[float32]
	x      []float64
	x32    []float32
	y      []float64
}

// NewReplayer prepares for the counterexamples of prop.
func NewReplayer(net nn.Network, prop *spec.Property) *Replayer {
	return &Replayer{
		net: net, prop: prop, x: make([]float64, prop.Inputs), x32: make([]float32, prop.Inputs), y: make([]float64, prop.Outputs),
	}
}

// Try returns the counterexample at x, an input near the region of the given
// case, or nil if there is none.
func (r *Replayer) Try(x []float64, index int) *spec.Counterexample {
	if r.double == nil {
		r.double, r.single = nn.NewEvaluator[float64](r.net), nn.NewEvaluator[float32](r.net)
	}
	r.Count++
	copy(r.x, x)
	region := r.prop.Cases[index].Region
	spec.RoundInto32(region, r.x)
	if !region.Contains(r.x) {
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
	if !slices.ContainsFunc(r.prop.Cases[c].Unsafe, func(u spec.Conjunction) bool { return u.Holds(r.x, r.y) }) {
		return nil
	}
	return &spec.Counterexample{Input: slices.Clone(r.x), Output: slices.Clone(y), Case: c, Conjunction: conj}
}
