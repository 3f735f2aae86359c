package simplex

import (
	"math"

	"github.com/vouchnn/vouch/solver"
)

// Sums with error bounds.
//
// What branch and bound discards must be discarded rightly, and it discards by the
// thousand. So its bounds are evaluated in plain floating point together with the
// sum of the terms' sizes: the rounded sum of k products differs from the exact one
// by at most k·u/(1−k·u) times that (Higham 2002, "Accuracy and Stability of
// Numerical Algorithms", Sect. 3.1), u = 2⁻⁵³. Twice that is taken, which also covers
// the rounding of the sizes. Package solver's enclosures are tighter and slower; where
// these bounds do not suffice they are asked.

// slackOf bounds the error of a sum of terms products whose sizes add up to size.
func slackOf(terms int, size float64) float64 {
	return float64(terms+4)*0x1p-52*size + 0x1p-1000
}

// upward is at least v's neighbours, for the rounding of one operation.
func upward(v float64) float64 { return math.Nextafter(v, math.Inf(1)) }

// downward is at most v's neighbours.
func downward(v float64) float64 { return math.Nextafter(v, math.Inf(-1)) }

// exactSum is a+b, if that is a float64.
func exactSum(a, b float64) (float64, bool) {
	s := float64(a + b)
	t := float64(s - a)
	return s, float64(a-float64(s-t))+float64(b-t) == 0 && !math.IsInf(s, 0)
}

// exactProduct is a·b, if that is a float64.
func exactProduct(a, b float64) (float64, bool) {
	p := float64(a * b)
	return p, p == 0 && (a == 0 || b == 0) || math.Abs(p) > 0x1p-900 && math.FMA(a, b, -p) == 0
}

// certificate evaluates duals on boxes, with room for its vectors.
type certificate struct{ sum, size []float64 }

// box bounds min factor·cost·x over p from below, without its offset, by the duals y
// as package solver's SafeBound does. It leaves Aᵀy in c.sum and the error bounds of
// reduced costs in c.size. −Inf means that nothing was shown. y is cleaned of signs
// that bounds do not support.
func (c *certificate) box(p *solver.Problem, y []float64, factor float64) float64 {
	n := len(p.Variables)
	if len(c.sum) != n {
		c.sum, c.size = make([]float64, n), make([]float64, n)
	}
	clear(c.sum)
	clear(c.size)
	total, size, terms := 0.0, 0.0, 0
	for i, v := range y {
		r := &p.Rows[i]
		if v == 0 {
			continue
		}
		end := r.Lower
		if v < 0 {
			end = r.Upper
		}
		if math.IsInf(end, 0) || math.IsNaN(v) {
			y[i] = 0
			continue
		}
		terms++
		total += v * end
		size += math.Abs(v * end)
		for k, j := range r.Columns {
			t := v * r.Values[k]
			c.sum[j] += t
			c.size[j] += math.Abs(t)
		}
	}
	for j := range c.sum {
		v := &p.Variables[j]
		cost := factor * v.Cost
		d := cost - c.sum[j]
		c.size[j] = slackOf(terms, c.size[j]+math.Abs(cost))
		low, high := d-c.size[j], d+c.size[j]
		t := leastTerm(low, high, v.Lower, v.Upper)
		if math.IsInf(t, 0) || math.IsNaN(t) {
			return math.Inf(-1)
		}
		total += t
		size += math.Abs(t)
	}
	total -= slackOf(len(c.sum)+terms, size)
	if math.IsNaN(total) || math.IsInf(total, 0) {
		return math.Inf(-1)
	}
	return total
}

// leastTerm is the rounded least value of d·x for d in [low, high] and x in
// [lower, upper].
func leastTerm(low, high, lower, upper float64) float64 {
	switch {
	case low == 0 && high == 0:
		return 0
	case low >= 0:
		return min(low*lower, high*lower)
	case high <= 0:
		return min(low*upper, high*upper)
	}
	return min(low*upper, high*lower)
}
