package spec

import (
	"math"
	"slices"
	"sync"
)

// The least value of a linear function over a ball.
//
// Without a clip this is the dual norm: min a·x = a·c − r‖a‖*, attained at
// c − r·a/‖a‖₂ for L2 and by moving along the largest |a[i]| alone for L1
// (Boyd and Vandenberghe, "Convex Optimization", Sect. A.1.6).
//
// With a clip:
//   - LInf is a box; the box answers.
//   - L1 is a fractional knapsack. Seen from the anchor p the region is
//     clip ∩ {x : ‖x−p‖₁ ≤ r − ‖p−c‖₁}, since a coordinate that the clip cut off
//     can only move further away from the centre. Coordinate i yields |a[i]| per
//     unit moved until it hits the clip: spend the budget greedily by |a[i]|.
//   - L0 is a knapsack of unit weights: change the coordinates that gain most.
//   - L2: MinLinear is the larger of the dual-norm bound and the bound over the
//     box, both sound, neither exact when the two constraints bind together.
//     Minimizer solves the optimality conditions, x(t) = clamp(c − t·a), whose
//     distance to c grows with t: bisection on t.

// order is scratch memory for a sort of coordinates.
type order struct {
	index []int
	key   []float64
}

var orders = sync.Pool{New: func() any { return new(order) }}

// take returns scratch memory with index = 0..n−1.
func takeOrder(n int) *order {
	o := orders.Get().(*order)
	if cap(o.index) < n {
		o.index, o.key = make([]int, n), make([]float64, n)
	}
	o.index, o.key = o.index[:n], o.key[:n]
	for i := range o.index {
		o.index[i] = i
	}
	return o
}

// descending sorts index by falling key; ties by index.
func (o *order) descending() {
	slices.SortFunc(o.index, func(i, j int) int {
		switch {
		case o.key[i] > o.key[j]:
			return -1
		case o.key[i] < o.key[j]:
			return 1
		default:
			return i - j
		}
	})
}

// MinLinear implements Region.
// Cost: O(n), O(n log n) for L1 with clip and L0.
func (b *Ball) MinLinear(a []float64) float64 {
	low := b.box.MinLinear(a)
	var own float64
	switch {
	case !allFinite(a):
		return math.Inf(-1)
	case b.Norm == L2:
		own = b.minDual(a)
	case b.Norm == L1 && b.Clip == nil:
		own = b.minDual(a)
	case b.Norm == L1:
		own = b.minGreedy1(a)
	case b.Norm == L0:
		own = b.minGreedy0(a)
	default:
		return low
	}
	return max(low, own)
}

// minDual is a·c − r‖a‖*, rounded down.
func (b *Ball) minDual(a []float64) float64 {
	n := len(a)
	sum, mag, top := 0.0, 0.0, 0.0
	for i, v := range a {
		t := v * b.Center[i]
		sum += t
		mag += math.Abs(t)
		top = max(top, math.Abs(v))
	}
	dual := top
	if b.Norm == L2 && top > 0 {
		squares := 0.0
		for _, v := range a {
			v /= top
			squares += v * v
		}
		dual = top*math.Sqrt(squares)*(1+float64(n+8)*0x1p-52) + 0x1p-1022
	}
	t := b.Radius * dual
	return lowerOf(sum-t, roundingError(n+2, mag+t))
}

// minGreedy1 is the knapsack bound for L1 with a clip. Budget and capacities
// are rounded up, which can only lower the result.
func (b *Ball) minGreedy1(a []float64) float64 {
	o := takeOrder(len(a))
	defer orders.Put(o)
	sum, mag := 0.0, 0.0
	for i, v := range a {
		t := v * b.anchor[i]
		sum += t
		mag += math.Abs(t)
		o.key[i] = math.Abs(v)
	}
	o.descending()
	budget := sumUp(b.Radius, -b.used)
	for _, i := range o.index {
		if budget <= 0 || o.key[i] == 0 {
			break
		}
		room := sumUp(b.anchor[i], -b.Clip.Lower[i])
		if a[i] < 0 {
			room = sumUp(b.Clip.Upper[i], -b.anchor[i])
		}
		move := min(room, budget)
		t := o.key[i] * move
		sum -= t
		mag += t
		budget = sumUp(budget, -move)
	}
	return lowerOf(sum, roundingError(2*len(a), mag))
}

// minGreedy0 is the knapsack bound for L0.
func (b *Ball) minGreedy0(a []float64) float64 {
	o := takeOrder(len(a))
	defer orders.Put(o)
	sum, mag := 0.0, 0.0
	for i, v := range a {
		best := min(v*b.Clip.Lower[i], v*b.Clip.Upper[i])
		stay := v * b.Center[i]
		mag += math.Abs(best) + math.Abs(stay)
		if b.anchor[i] != b.Center[i] { // must change
			sum += best
			o.key[i] = 0
			continue
		}
		sum += stay
		o.key[i] = max(0, stay-best)
	}
	o.descending()
	for k, i := range o.index {
		if float64(k) >= b.Radius-b.used {
			break
		}
		sum -= o.key[i]
	}
	return lowerOf(sum, roundingError(3*len(a), 2*mag))
}

// Minimizer implements Region. It is exact up to rounding for every norm.
// Cost: O(n log n); L2 with a clip that cuts: about 100 passes over x.
func (b *Ball) Minimizer(a, x []float64) {
	copy(x, b.anchor)
	switch b.Norm {
	case LInf:
		for i, v := range a {
			if v >= 0 {
				x[i] = sumUp(b.Center[i], -b.Radius)
			} else {
				x[i] = sumDown(b.Center[i], b.Radius)
			}
		}
		b.clamp(x)
	case L2:
		top := 0.0
		for _, v := range a {
			top = max(top, math.Abs(v))
		}
		if top > 0 && finite(top) {
			b.sweep(x, func(i int, t float64) float64 { return -t * (a[i] / top) })
		}
	case L1:
		b.minimizer1(a, x)
	case L0:
		b.minimizer0(a, x)
	}
	b.settle(x)
}

func (b *Ball) minimizer1(a, x []float64) {
	o := takeOrder(len(a))
	defer orders.Put(o)
	for i, v := range a {
		o.key[i] = math.Abs(v)
	}
	o.descending()
	budget := b.Radius*slack(len(a)) - b.used
	for _, i := range o.index {
		if !(budget > 0) || o.key[i] == 0 {
			break
		}
		move := budget
		if b.Clip != nil {
			room := b.anchor[i] - b.Clip.Lower[i]
			if a[i] < 0 {
				room = b.Clip.Upper[i] - b.anchor[i]
			}
			move = min(move, room)
		}
		x[i] = step(x[i], math.Copysign(move, -a[i]))
		budget -= move
	}
	b.clamp(x)
}

func (b *Ball) minimizer0(a, x []float64) {
	o := takeOrder(len(a))
	defer orders.Put(o)
	best := func(i int) float64 {
		if a[i] >= 0 {
			return b.Clip.Lower[i]
		}
		return b.Clip.Upper[i]
	}
	for i, v := range a {
		o.key[i] = 0
		if b.anchor[i] != b.Center[i] {
			x[i] = best(i)
		} else {
			o.key[i] = v*b.Center[i] - v*best(i)
		}
	}
	o.descending()
	for k, i := range o.index {
		if float64(k) >= b.Radius-b.used || !(o.key[i] > 0) {
			break
		}
		x[i] = best(i)
	}
}
