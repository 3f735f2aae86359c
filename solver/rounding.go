package solver

import "math"

// Sums that know their error.
//
// Go has no rounding modes, so a bound that must hold over the reals is computed
// from error-free transformations: the error of a sum (Knuth's two-sum) and of a
// product (by fused multiply-add) is itself a float64 and can be kept (Ogita,
// Rump & Oishi 2005, "Accurate sum and dot product", Alg. 3.1 and 3.5). An
// enclosure keeps the rounded sum and bounds the sum of its errors from both
// sides, each step rounded outward. It is about as tight as twice the precision,
// so what cancels over the reals nearly always cancels here.

// twoSum returns s = fl(a+b) and e with a+b = s+e exactly, unless s overflows.
func twoSum(a, b float64) (s, e float64) {
	a, b = float64(a), float64(b) // conversions round: nothing is fused into the sum
	s = float64(a + b)
	t := float64(s - a)
	return s, float64(float64(a-float64(s-t)) + float64(b-t))
}

// addDown is at most a+b.
func addDown(a, b float64) float64 {
	s, e := twoSum(a, b)
	if e < 0 || math.IsNaN(e) || math.IsInf(s, 1) && !math.IsInf(a, 1) && !math.IsInf(b, 1) {
		return math.Nextafter(s, math.Inf(-1))
	}
	return s
}

// addUp is at least a+b.
func addUp(a, b float64) float64 { return -addDown(-a, -b) }

// tiny is below this size products lose bits that no float64 can hold.
const tiny = 0x1p-960

// mulDown is at most a·b; zero times infinity is zero.
func mulDown(a, b float64) float64 {
	if a == 0 || b == 0 {
		return 0
	}
	p := float64(a * b)
	switch {
	case math.IsInf(p, 1) && !math.IsInf(a, 0) && !math.IsInf(b, 0):
		return math.MaxFloat64
	case math.IsInf(p, 0):
		return p
	case math.Abs(p) < tiny || math.FMA(a, b, -p) < 0:
		return math.Nextafter(p, math.Inf(-1))
	}
	return p
}

// mulUp is at least a·b; zero times infinity is zero.
func mulUp(a, b float64) float64 { return -mulDown(-a, b) }

// enclosure contains a real number: between sum+low and sum+high. The zero value
// is zero. A sum that overflows makes the enclosure the whole line.
type enclosure struct{ sum, low, high float64 }

// add adds v exactly.
func (x *enclosure) add(v float64) {
	s, e := twoSum(x.sum, v)
	x.sum = s
	if e != 0 { // also NaN, after overflow
		x.low, x.high = addDown(x.low, e), addUp(x.high, e)
	}
}

// addProduct adds a·b.
func (x *enclosure) addProduct(a, b float64) {
	if a == 0 || b == 0 {
		return
	}
	p := float64(a * b)
	x.add(p)
	e := math.FMA(a, b, -p)
	low, high := e, e
	if math.Abs(p) < tiny {
		low, high = math.Nextafter(e, math.Inf(-1)), math.Nextafter(e, math.Inf(1))
	}
	if low != 0 || high != 0 {
		x.low, x.high = addDown(x.low, low), addUp(x.high, high)
	}
}

// bounds returns the enclosure's ends.
func (x *enclosure) bounds() (low, high float64) {
	low, high = addDown(x.sum, x.low), addUp(x.sum, x.high)
	if math.IsNaN(low) || math.IsNaN(high) || math.IsInf(x.sum, 0) || math.IsNaN(x.sum) {
		return math.Inf(-1), math.Inf(1)
	}
	return low, high
}

// leastProduct is a lower bound of d·x over d in [dl, dh] and x in [xl, xh];
// the bounds of x may be infinite.
func leastProduct(dl, dh, xl, xh float64) float64 {
	return min(mulDown(dl, xl), mulDown(dl, xh), mulDown(dh, xl), mulDown(dh, xh))
}
