package spec

import (
	"math"
	"math/big"
)

// Exact signs and directed rounding.
//
// A counterexample sits, more often than not, on an edge: an attack pushes x to
// the boundary of the region and y just over the inequality. Deciding there in
// plain floating point loses some and invents others. The questions asked here
// are always the sign of a short sum of products, so the code answers them as
// geometric predicates are answered (Shewchuk 1997, "Adaptive precision
// floating-point arithmetic", Sect. 2 and 3.1): compute in float64, bound the
// rounding error, and only where the bound cannot decide, redo the sum in
// math/big at a precision at which nothing is rounded.
//
// Every float64 is an integer times 2^-1074 and below 2^1024, so a product of
// two differences of float64 values spans fewer than 4300 bits; exactPrec
// leaves room for the carries of 2^64 terms.

const exactPrec = 4400

// twoSum returns s = fl(a+b) and e with a+b = s+e exactly, unless s overflows
// (Knuth; Shewchuk's Theorem 7).
func twoSum(a, b float64) (s, e float64) {
	// Conversions round: without them a product passed in could be fused with
	// the sum on processors that have such an instruction.
	a, b = float64(a), float64(b)
	s = float64(a + b)
	t := s - a
	return s, (a - (s - t)) + (b - t)
}

// sumDown is the largest float64 that is at most a+b.
func sumDown(a, b float64) float64 {
	s, e := twoSum(a, b)
	if math.IsInf(s, 1) || e < 0 {
		return math.Nextafter(s, math.Inf(-1))
	}
	return s
}

// sumUp is the smallest float64 that is at least a+b.
func sumUp(a, b float64) float64 { return -sumDown(-a, -b) }

// step is c+d rounded towards c, so that |step−c| ≤ |d| over the reals.
func step(c, d float64) float64 {
	if d < 0 {
		return sumUp(c, d)
	}
	return sumDown(c, d)
}

// roundingError bounds the error of a sum of n products whose absolute values
// add up, in floating point, to mag.
func roundingError(n int, mag float64) float64 {
	const u = 0x1p-53
	return 2*float64(n+2)*u*mag + float64(n+1)*0x1p-1022
}

// lowerOf is sum − err as a lower bound: −Inf where overflow made it useless.
func lowerOf(sum, err float64) float64 {
	if v := sum - err; !math.IsNaN(v) && !math.IsInf(v, 1) {
		return v
	}
	return math.Inf(-1)
}

// accumulator is an exact sum.
type accumulator struct{ sum, term big.Float }

func newAccumulator() *accumulator {
	s := new(accumulator)
	s.sum.SetPrec(exactPrec)
	s.term.SetPrec(exactPrec)
	return s
}

// addProduct adds a·b. Both are finite.
func (s *accumulator) addProduct(a, b float64) {
	s.term.Mul(big.NewFloat(a), big.NewFloat(b))
	s.sum.Add(&s.sum, &s.term)
}

// addDifference adds |a−b|, or its square. Both are finite.
func (s *accumulator) addDifference(a, b float64, square bool) {
	s.term.Sub(big.NewFloat(a), big.NewFloat(b))
	if square {
		s.term.Mul(&s.term, &s.term)
	} else {
		s.term.Abs(&s.term)
	}
	s.sum.Add(&s.sum, &s.term)
}

// sign of the sum.
func (s *accumulator) sign() int { return s.sum.Sign() }

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func allFinite(x []float64) bool {
	for _, v := range x {
		if !finite(v) {
			return false
		}
	}
	return true
}
