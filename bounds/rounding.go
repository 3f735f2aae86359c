package bounds

// Outward rounding.
//
// All bounds are computed in float64 with plain operations and then widened by
// an a-priori bound of what rounding can have done. The standard model says
// that a sum of products of n terms, in whatever order and with or without
// fused multiply-adds, is off by at most γ(n)·Σ|terms|, γ(n) = nu/(1−nu),
// u = 2⁻⁵³ (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed.,
// §3.1), plus the underflow unit per term.
//
// For a backward pass this would ask for |A|·|W| beside each A·W. It does not:
// an error δ in the coefficients of a node whose value x is known to satisfy
// |x| ≤ m moves the bound by at most |δ|·m ≤ γ·|A|·(|W|·m). The vector
// v = |W|·m is one product per domain, shared by all rows, and |A|·v costs
// next to nothing. The errors of all steps add up in one scalar per row, which
// is subtracted at the end.

import "math"

const unit = 0x1p-53

// tiny covers gradual underflow: far above what the errors of 2²⁸ denormal
// products can come to when multiplied by any float32, far below any bound of
// interest.
const tiny = 0x1p-900

// gamma is an upper bound of γ(n), with room for the roundings in its own use.
func gamma(n int) float64 {
	x := float64(n+4) * unit
	return 1.0000001 * x / (1 - x)
}

// below and above are the neighbours of x, as math.Nextafter has them.
func below(x float64) float64 {
	switch b := math.Float64bits(x); {
	case x > 0:
		return math.Float64frombits(b - 1)
	case x < 0 && b != negativeInf:
		return math.Float64frombits(b + 1)
	case x == 0:
		return -math.SmallestNonzeroFloat64
	}
	return x // −Inf, not a number
}

func above(x float64) float64 { return -below(-x) }

const negativeInf = 0xfff << 52
