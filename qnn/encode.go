package qnn

import (
	"fmt"
	"math"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/spec"
)

// Integer linear programs for quantized networks.
//
// Two encodings of a neuron y = q(A), A = W·x + b. Both use bounds
// Amin ≤ A ≤ Amax and the levels first..last that they leave; rows are divided
// by 2^e, which is exact.
//
// Levels (Zhang et al. 2022, section 3.2): a Boolean v_t for every level,
//
//	Σ v_t = 1,   y = Σ t·v_t,
//	A ≥ Σ_t start(t)·v_t          (for the lowest level: Amin)
//	A ≤ Σ_t (start(t+1)−ε)·v_t    (for the highest: Amax)
//
// The paper has start(t) = (t − 1/2)·2^e, a large M in place of Amin and Amax and
// says only that ε is small; A being an integer, ε = 1/2 keeps equal distance
// from both sides. With interval analysis levels outside of first..last are
// left out (section 3.5), without it all levels stay.
//
// Compact: one integer y and at most two Booleans, s = "not clamped from below"
// and t = "clamped from above", A' = A + 2^(e−1) for half up,
//
//	A' ≤ P·y + P−1 + max(0, Amax' − P·hi − P + 1)·t
//	A' ≥ P·y − max(0, P·lo − Amin')·(1−s)
//	y  ≤ lo + (last−lo)·s,   y ≥ hi − (hi−first)·(1−t)
//
// with P = 2^e; s and t exist only where Amin or Amax reach a clamp. A staircase
// that is no shift with ties up or down has no such linear form and gets levels.
//
// A constant neuron has no variables in either.

// Encoding says how neurons become linear constraints.
type Encoding int

// The encodings.
const (
	Compact Encoding = iota
	Levels
)

// String is the encoding's name in lower case.
func (e Encoding) String() string {
	if e == Levels {
		return "levels"
	}
	return "compact"
}

// EncodeOptions of Encode. The zero value works.
type EncodeOptions struct {
	Encoding Encoding
	// NoIntervals keeps every level of every neuron, as the paper does without
	// interval analysis. Bounds of accumulators are still used as big M.
	NoIntervals bool
}

// Encoded is a query as an integer linear program, whose feasible points are
// the unsafe inputs.
type Encoded struct {
	Problem *solver.Problem
	Inputs  []int // variable of each input
	Outputs []int // variable of each output; −1 where it is constant
}

// Input is the integer input of a solver's point.
func (e *Encoded) Input(x []float64) []int64 {
	in := make([]int64, len(e.Inputs))
	for i, j := range e.Inputs {
		in[i] = int64(math.Round(x[j]))
	}
	return in
}

// encoder builds one problem.
type encoder struct {
	net  *Network
	o    EncodeOptions
	p    *solver.Problem
	vars []quantity // of the layer before
}

// quantity is a variable with integer bounds, or a constant.
type quantity struct {
	index     int // −1: the constant low
	low, high int64
}

// Encode states that some input of c's region is unsafe: an integer linear program
// that is infeasible exactly if the case holds. With conjunction ≥ 0 only that
// one counts, otherwise any of them. A case whose region has no integer point
// gives an infeasible problem.
//
// Regions: spec.Box and *spec.Ball; for L0, L1 and L2 balls the centre has
// integer coordinates.
// Errors: *Error, *spec.Error.
func Encode(net *Network, prop spec.Property, caseIndex, conjunction int, opts EncodeOptions) (*Encoded, error) {
	if err := checkProperty(net, prop); err != nil {
		return nil, err
	}
	if caseIndex < 0 || caseIndex >= len(prop.Cases) || conjunction >= len(prop.Cases[caseIndex].Unsafe) {
		return nil, errorf("property", "there is no case %d with conjunction %d", caseIndex, conjunction)
	}
	c := &prop.Cases[caseIndex]
	e := &encoder{net: net, o: opts, p: &solver.Problem{Name: net.Name}}
	out := &Encoded{Problem: e.p}
	reg, ok := newRegion(c.Region, net.Input)
	if !ok {
		e.p.AddGreaterEqual(1, nil, nil)
		return out, nil
	}
	if err := e.region(c.Region, reg); err != nil {
		return nil, err
	}
	for _, v := range e.vars {
		out.Inputs = append(out.Inputs, v.index)
	}
	inputs := e.vars
	bounds := net.intervals(reg)
	for k := range net.Layers {
		e.layer(k, &bounds[k])
	}
	for _, v := range e.vars {
		out.Outputs = append(out.Outputs, v.index)
	}
	unsafe := c.Unsafe
	if conjunction >= 0 {
		unsafe = unsafe[conjunction : conjunction+1]
	}
	e.unsafe(inputs, e.vars, unsafe)
	return out, nil
}

// layer adds the neurons of layer k.
func (e *encoder) layer(k int, b *Interval) {
	l := &e.net.Layers[k]
	next := make([]quantity, l.Out)
	for j := range l.Out {
		stair := l.Stair(j)
		if b.Low[j] == b.High[j] {
			next[j] = quantity{index: -1, low: b.Low[j]}
			continue
		}
		first, last := b.Low[j], b.High[j]
		if e.o.NoIntervals {
			first, last = stair.Min, stair.Max
		}
		y := e.p.AddInteger(float64(first), float64(last), 0)
		e.p.Variables[y].Name = fmt.Sprintf("y%d_%d", k+1, j)
		next[j] = quantity{index: y, low: first, high: last}
		a := e.accumulator(l, j)
		a.low, a.high = b.AccumulatorLow[j], b.AccumulatorHigh[j]
		if e.o.Encoding == Compact && stair.starts == nil && (stair.tie == HalfUp || stair.tie == Floor || stair.shift <= 0) {
			e.compact(y, a, stair, first, last)
		} else {
			e.levels(y, a, stair, first, last)
		}
	}
	e.vars = next
}

// linear is Σ values·x[columns] + constant, between low and high.
type linear struct {
	columns   []int
	values    []float64
	constant  int64
	low, high int64
}

// accumulator is neuron j's, over the variables of the layer before.
func (e *encoder) accumulator(l *Layer, j int) linear {
	a := linear{constant: l.Bias[j]}
	for i, w := range l.Row(j) {
		switch v := e.vars[i]; {
		case w == 0:
		case v.index < 0:
			a.constant += int64(w) * v.low
		default:
			a.columns = append(a.columns, v.index)
			a.values = append(a.values, float64(w))
		}
	}
	return a
}

// with is the columns and values of a and more terms, divided by scale.
func (a *linear) with(scale float64, columns []int, values []float64) ([]int, []float64) {
	c := append(append([]int(nil), a.columns...), columns...)
	v := append(append([]float64(nil), a.values...), values...)
	for i := range v {
		v[i] /= scale
	}
	return c, v
}

// compact adds y = q(a) with at most two Booleans.
func (e *encoder) compact(y int, a linear, s *Staircase, first, last int64) {
	p, offset := int64(1), int64(0)
	if s.shift > 0 {
		p = 1 << s.shift
		if s.tie != Floor {
			offset = p / 2
		}
	} else if s.shift < 0 {
		// Multiplied accumulators: y = A·2^−shift without rounding.
		factor := float64(int64(1) << -s.shift)
		for i := range a.values {
			a.values[i] *= factor
		}
		a.constant, a.low, a.high = a.constant<<-s.shift, a.low<<-s.shift, a.high<<-s.shift
	}
	low, high := a.low+offset, a.high+offset
	var columns, lowColumns []int
	var values, lowValues []float64
	upper := p - 1 - offset - a.constant
	if over := high - p*s.Max - p + 1; over > 0 { // may be clamped from above
		t := e.boolean(fmt.Sprintf("t%d", y))
		columns, values = []int{t}, []float64{-float64(over)}
		// y ≥ hi − (hi − first)(1 − t)
		e.p.AddGreaterEqual(float64(first), []int{y, t}, []float64{1, -float64(s.Max - first)})
	}
	lower := -offset - a.constant
	if under := p*s.Min - low; under > 0 { // may be clamped from below
		c := e.boolean(fmt.Sprintf("s%d", y))
		lowColumns, lowValues = []int{c}, []float64{-float64(under)}
		lower -= under
		e.p.AddLessEqual(float64(s.Min), []int{y, c}, []float64{1, -float64(last - s.Min)})
	}
	scale := float64(p)
	c, v := a.with(scale, append([]int{y}, columns...), append([]float64{-scale}, values...))
	e.p.AddLessEqual(float64(upper)/scale, c, v)
	c, v = a.with(scale, append([]int{y}, lowColumns...), append([]float64{-scale}, lowValues...))
	e.p.AddGreaterEqual(float64(lower)/scale, c, v)
}

// levels adds y = q(a) with a Boolean for each level.
func (e *encoder) levels(y int, a linear, s *Staircase, first, last int64) {
	scale := 1.0
	if s.starts == nil && s.shift > 0 {
		scale = float64(int64(1) << s.shift)
	}
	n := int(last - first + 1)
	one, columns := make([]float64, n), make([]int, n)
	values, starts, ends := make([]float64, n), make([]float64, n), make([]float64, n)
	for k := range n {
		t := first + int64(k)
		columns[k] = e.boolean(fmt.Sprintf("v%d_%d", y, k))
		one[k], values[k] = 1, float64(t)
		starts[k], ends[k] = -float64(a.low), -float64(a.high)
		if t > s.Min {
			starts[k] = -float64(s.Start(t))
		}
		if t < s.Max {
			ends[k] = -(float64(s.Start(t+1)) - 0.5)
		}
	}
	e.p.AddEqual(1, columns, one)
	e.p.AddEqual(0, append([]int{y}, columns...), append([]float64{-1}, values...))
	c, v := a.with(scale, columns, starts)
	e.p.AddGreaterEqual(-float64(a.constant)/scale, c, v)
	c, v = a.with(scale, columns, ends)
	e.p.AddLessEqual(-float64(a.constant)/scale, c, v)
}

func (e *encoder) boolean(name string) int {
	j := e.p.AddInteger(0, 1, 0)
	e.p.Variables[j].Name = name
	return j
}
