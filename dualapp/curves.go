package dualapp

// S-curves by table.
//
// Monte Carlo evaluates millions of them for one region, and all that is wanted is
// where values lie, to single precision or so. A table with linear interpolation
// is off by h²/8·max|f″|, with its step h = 1/256 by less than 1.5e-6, and by as
// much again for single precision, in a quarter of the time that exponentials take.

import (
	"github.com/vouchnn/vouch/nn"
)

const (
	tableReach = 16  // tables hold [−16, 16]
	tableSteps = 256 // per unit
)

// curveTable is values of a curve, with one more at the end than there are steps.
type curveTable struct {
	values [2*tableReach*tableSteps + 2]float32
	exact  func(x float64) float64 // beyond the table
}

var (
	sigmoidTable = newTable(nn.Sigmoid{}.Value)
	tanhTable    = newTable(nn.Tanh{}.Value)
	arctanTable  = newTable(nn.Arctan{}.Value)
)

func newTable(f func(x float64) float64) *curveTable {
	t := &curveTable{exact: f}
	for k := range t.values {
		t.values[k] = float32(f(float64(k)/tableSteps - tableReach))
	}
	return t
}

// tableOf is the table of an activation, nil if it has none.
func tableOf(op nn.Operator) *curveTable {
	switch op.(type) {
	case nn.Sigmoid:
		return sigmoidTable
	case nn.Tanh:
		return tanhTable
	case nn.Arctan:
		return arctanTable
	}
	return nil
}

func (t *curveTable) apply(in, out []float32) {
	out = out[:len(in)]
	for k, x := range in {
		if !(x >= -tableReach && x <= tableReach) { // NaN too
			out[k] = float32(t.exact(float64(x)))
			continue
		}
		y := (x + tableReach) * tableSteps
		i := int(y)
		a := t.values[i]
		out[k] = a + (y-float32(i))*(t.values[i+1]-a)
	}
}
