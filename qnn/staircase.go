package qnn

import (
	"math"
	"math/big"
	"sort"
)

// The staircase: what a quantized neuron does with its weighted sum.
//
// Scaling, rounding, clamping and ReLU together are one monotone function from
// integers, the accumulator, to integers, the level. All that verification needs
// of it is where each level starts. For a power of two as divisor the starts
// follow from the shift and the rule for ties; for the real scales of deployed
// networks (QuantizeLinear) they are computed once, exactly, as rational
// numbers. So a network with arbitrary scales is verified for the function over
// the real numbers that its file states.

// Staircase maps accumulators to levels. Make one by ShiftStaircase or
// ScaledStaircase. It is immutable and safe for concurrent use.
type Staircase struct {
	Min, Max int64 // the least and the greatest level
	shift    int   // the divisor is 2^shift; may be negative
	tie      Tie
	starts   []int64 // of levels Min+1, ..., Max; nil: by the shift
}

// ShiftStaircase divides by 2^shift, rounds by tie and clamps to [min, max]. A
// negative shift multiplies.
func ShiftStaircase(shift int, tie Tie, minimum, maximum int64) Staircase {
	return Staircase{Min: minimum, Max: maximum, shift: shift, tie: tie}
}

// ScaledStaircase is clamp(round(a·scale + offset), min, max) over the rational
// numbers. scale > 0; at most 2^MaxBits levels.
func ScaledStaircase(scale, offset *big.Rat, tie Tie, minimum, maximum int64) (Staircase, error) {
	if scale.Sign() <= 0 {
		return Staircase{}, errorf("staircase", "the scale %v is not positive", scale)
	}
	if minimum > maximum || maximum-minimum >= 1<<MaxBits {
		return Staircase{}, errorf("staircase", "levels from %d to %d", minimum, maximum)
	}
	s := Staircase{Min: minimum, Max: maximum, tie: tie, starts: make([]int64, maximum-minimum)}
	inverse := new(big.Rat).Inv(scale)
	for k := range s.starts {
		t := minimum + 1 + int64(k)
		edge, inclusive := tieEdge(tie, t)
		edge.Sub(edge, offset).Mul(edge, inverse)
		n := ceiling(edge)
		if !inclusive && edge.IsInt() {
			n.Add(n, big.NewInt(1))
		}
		if !n.IsInt64() || n.Int64() > maxAccumulator || n.Int64() < -maxAccumulator {
			return Staircase{}, errorf("staircase", "level %d starts at %v, beyond 2^%d", t, n, maxAccumulatorBits)
		}
		s.starts[k] = n.Int64()
	}
	return s, nil
}

// tieEdge is the real number from which on rounding gives t or more, and
// whether it itself does.
func tieEdge(tie Tie, t int64) (edge *big.Rat, inclusive bool) {
	if tie == Floor {
		return big.NewRat(t, 1), true
	}
	edge = big.NewRat(2*t-1, 2)
	switch tie {
	case HalfEven:
		return edge, t%2 == 0
	case HalfAway:
		return edge, t > 0
	}
	return edge, true
}

func ceiling(r *big.Rat) *big.Int {
	q := new(big.Int)
	m := new(big.Int)
	q.DivMod(r.Num(), r.Denom(), m) // Euclidean: m ≥ 0
	if m.Sign() != 0 {
		q.Add(q, big.NewInt(1))
	}
	return q
}

// Level is the level of accumulator a.
func (s *Staircase) Level(a int64) int64 {
	if s.starts != nil {
		return s.Min + int64(sort.Search(len(s.starts), func(k int) bool { return s.starts[k] > a }))
	}
	return min(max(s.divide(a), s.Min), s.Max)
}

// divide is a/2^shift, rounded.
func (s *Staircase) divide(a int64) int64 {
	if s.shift <= 0 {
		if a > maxAccumulator>>-s.shift || a < -(maxAccumulator>>-s.shift) {
			if a > 0 {
				return math.MaxInt64
			}
			return math.MinInt64
		}
		return a << -s.shift
	}
	half := int64(1) << (s.shift - 1)
	switch s.tie {
	case Floor:
		return a >> s.shift
	case HalfEven:
		q, r := a>>s.shift, a&(2*half-1)
		if r > half || r == half && q&1 == 1 {
			q++
		}
		return q
	case HalfAway:
		if a < 0 {
			return -((-a + half) >> s.shift)
		}
	}
	return (a + half) >> s.shift
}

// Start is the least accumulator of level t or more, for Min < t ≤ Max.
func (s *Staircase) Start(t int64) int64 {
	if s.starts != nil {
		return s.starts[t-s.Min-1]
	}
	if s.shift <= 0 {
		return -(-t >> -s.shift)
	}
	half := int64(1) << (s.shift - 1)
	switch {
	case s.tie == Floor:
		return t << s.shift
	case s.tie == HalfEven && t%2 != 0, s.tie == HalfAway && t <= 0:
		return t<<s.shift - half + 1
	}
	return t<<s.shift - half
}

// step returns lines that enclose the staircase between its clamps: with
// A = Start(t), base + (t−Min)·width ≤ A ≤ base + slack + (t−Min)·width for all
// t. All three are exact multiples of 1/2 unless the staircase has a table, in
// which case they are rounded outward.
func (s *Staircase) step() (base, width, slack float64) {
	if s.starts == nil {
		width = math.Ldexp(1, s.shift)
		base = float64(s.Min+1) * width
		if s.shift > 0 && s.tie != Floor {
			base -= width / 2
		}
		base -= width
		switch {
		case s.shift < 0:
			slack = 1
		case s.shift > 0 && (s.tie == HalfEven || s.tie == HalfAway):
			slack = 1
		}
		return base, width, slack
	}
	n := len(s.starts)
	if n == 0 {
		return 0, 1, 0
	}
	width = 1
	if n > 1 {
		width = float64(s.starts[n-1]-s.starts[0]) / float64(n-1)
	}
	low, high := math.Inf(1), math.Inf(-1)
	for k, a := range s.starts {
		d := float64(a) - float64(k+1)*width
		low, high = min(low, d), max(high, d)
	}
	margin := (math.Abs(low) + math.Abs(high) + float64(n+1)*width) * 0x1p-50
	return low - margin, width, high - low + 2*margin
}
