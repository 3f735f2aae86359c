package qnn

import (
	"math"

	"github.com/vouchnn/vouch/spec"
)

// The model is what the verifier searches on: a network over one region, with
// every neuron that the region fixes taken out.
//
// Interval arithmetic (exact, in integers, with the region's own norm in the
// first layer) bounds every accumulator. A neuron of one possible level is a
// constant and moves into the next layer's bias. What is left is stored in
// float64, which holds these integers exactly, and shared by all
// sub-problems of the region.

// stage is one layer of the model: an affine map and its staircases.
type stage struct {
	in, out int
	w       []float64 // out×in
	wt      []float64 // in×out: the same, transposed
	b       []float64 // out
	size    []float64 // out: bounds |w|·|x| + |b| + |z|, for rounding errors
	orig    []int     // index of each neuron in the network's layer

	stair []*Staircase
	// Level t starts at base + (t−min)·width or up to slack later.
	min, base, width, slack []float64
	// low and high bound the accumulators; first and last are their levels.
	low, high   []float64
	first, last []int32
	fixed       []int64 // levels of all neurons of the network's layer, where constant
	isFixed     []bool
}

// model is a network over a region, reduced.
type model struct {
	net    *Network
	region *region
	stages []stage
	offset []int // of each stage's neurons among all
	total  int
	gamma  float64 // relative rounding error of the sums of a bound
	rows   []conjunction
}

// intervals bounds every accumulator of a layer by the levels of the one before.
func (l *Layer) intervals(low, high []int64) (zlow, zhigh []int64) {
	zlow, zhigh = make([]int64, l.Out), make([]int64, l.Out)
	for j := range l.Out {
		a, b := l.Bias[j], l.Bias[j]
		for i, w := range l.Row(j) {
			if w >= 0 {
				a += int64(w) * low[i]
				b += int64(w) * high[i]
			} else {
				a += int64(w) * high[i]
				b += int64(w) * low[i]
			}
		}
		zlow[j], zhigh[j] = a, b
	}
	return zlow, zhigh
}

// levels are the staircases' levels at both bounds.
func (l *Layer) levels(zlow, zhigh []int64) (low, high []int64) {
	low, high = make([]int64, l.Out), make([]int64, l.Out)
	for j := range low {
		low[j], high[j] = l.Stair(j).Level(zlow[j]), l.Stair(j).Level(zhigh[j])
	}
	return low, high
}

// Interval bounds a layer: accumulators and levels.
type Interval struct {
	AccumulatorLow, AccumulatorHigh []int64
	Low, High                       []int64
}

// Intervals bounds every layer over the integer points of r by interval
// arithmetic; the first layer's accumulators are bounded with r's own norm.
// ok is false if r holds no point of the input range.
func (n *Network) Intervals(r spec.Region) (bounds []Interval, ok bool) {
	reg, ok := newRegion(r, n.Input)
	if !ok {
		return nil, false
	}
	return n.intervals(reg), true
}

func (n *Network) intervals(reg *region) []Interval {
	bounds := make([]Interval, len(n.Layers))
	low, high := integers(reg.low), integers(reg.high)
	for k := range n.Layers {
		l := &n.Layers[k]
		b := &bounds[k]
		b.AccumulatorLow, b.AccumulatorHigh = l.intervals(low, high)
		if k == 0 && reg.ball != nil {
			l.tightenByNorm(reg, b)
		}
		b.Low, b.High = l.levels(b.AccumulatorLow, b.AccumulatorHigh)
		low, high = b.Low, b.High
	}
	return bounds
}

// tightenByNorm intersects the box bounds of first-layer accumulators with the
// norm's.
func (l *Layer) tightenByNorm(reg *region, b *Interval) {
	row := make([]float64, l.In)
	for j := range l.Out {
		for i, w := range l.Row(j) {
			row[i] = float64(w)
		}
		low := math.Ceil(reg.ball.MinLinear(row))
		for i := range row {
			row[i] = -row[i]
		}
		high := math.Floor(-reg.ball.MinLinear(row))
		b.AccumulatorLow[j] = max(b.AccumulatorLow[j], l.Bias[j]+int64(low))
		b.AccumulatorHigh[j] = min(b.AccumulatorHigh[j], l.Bias[j]+int64(high))
	}
}

// newModel reduces net over reg. Outputs are kept as they are.
func newModel(net *Network, reg *region) *model {
	m := &model{net: net, region: reg, stages: make([]stage, len(net.Layers))}
	bounds := net.intervals(reg)
	columns := make([]int, net.Inputs())
	for i := range columns {
		columns[i] = i
	}
	var before *stage
	for k := range net.Layers {
		s := &m.stages[k]
		s.reduce(&net.Layers[k], &bounds[k], columns, before)
		inputs := make([]float64, len(columns))
		for i := range inputs {
			if k == 0 {
				inputs[i] = max(math.Abs(reg.low[i]), math.Abs(reg.high[i]))
			} else {
				inputs[i] = max(math.Abs(float64(before.first[i])), math.Abs(float64(before.last[i])))
			}
		}
		s.sizes(inputs)
		m.offset = append(m.offset, m.total)
		m.total += s.out
		columns, before = s.orig, s
	}
	terms := len(reg.low) + 64
	for k := range m.stages {
		terms += m.stages[k].out
	}
	m.gamma = 4 * float64(terms) * 0x1p-53
	return m
}

// reduce keeps the neurons of more than one level; of the last layer's too, an
// output that is constant needs no bounds.
func (s *stage) reduce(l *Layer, b *Interval, columns []int, before *stage) {
	s.fixed, s.isFixed = make([]int64, l.Out), make([]bool, l.Out)
	for j := range l.Out {
		if b.Low[j] == b.High[j] {
			s.fixed[j], s.isFixed[j] = b.Low[j], true
			continue
		}
		s.orig = append(s.orig, j)
	}
	s.in, s.out = len(columns), len(s.orig)
	s.w, s.wt = make([]float64, s.in*s.out), make([]float64, s.in*s.out)
	for k, j := range s.orig {
		row := l.Row(j)
		for i, c := range columns {
			s.w[k*s.in+i] = float64(row[c])
			s.wt[i*s.out+k] = float64(row[c])
		}
		bias := l.Bias[j]
		if before != nil {
			for c, fixed := range before.isFixed {
				if fixed {
					bias += int64(row[c]) * before.fixed[c]
				}
			}
		}
		s.b = append(s.b, float64(bias))
		st := l.Stair(j)
		base, width, slack := st.step()
		s.stair = append(s.stair, st)
		s.min = append(s.min, float64(st.Min))
		s.base, s.width, s.slack = append(s.base, base), append(s.width, width), append(s.slack, slack)
		s.low, s.high = append(s.low, float64(b.AccumulatorLow[j])), append(s.high, float64(b.AccumulatorHigh[j]))
		s.first, s.last = append(s.first, int32(b.Low[j])), append(s.last, int32(b.High[j]))
	}
}

func (s *stage) sizes(inputs []float64) {
	s.size = make([]float64, s.out)
	for k := range s.size {
		sum := math.Abs(s.b[k]) + max(math.Abs(s.low[k]), math.Abs(s.high[k])) + s.slack[k] + s.width[k]
		for i, w := range s.w[k*s.in : (k+1)*s.in] {
			sum += math.Abs(w) * inputs[i]
		}
		s.size[k] = sum
	}
}
