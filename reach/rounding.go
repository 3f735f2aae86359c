package reach

// Outward rounding.
//
// Sets are computed in float64 with plain operations, so a computed centre or
// generator is not the exact one. What rounding can have done is bounded a
// priori: a sum of products of n terms is off by at most γ(n)·Σ|terms|, with
// γ(n) = nu/(1−nu), u = 2⁻⁵³ (Higham, Accuracy and Stability of Numerical
// Algorithms, 2nd ed., §3.1), plus the underflow unit per term. form.go says
// where these errors go: into a box that every set carries.

import "math"

const unit = 0x1p-53

// tiny covers gradual underflow: far above what the errors of 2²⁸ denormal
// products can come to when multiplied by any float32, far below any bound of
// interest.
const tiny = 0x1p-900

// spare pays for the roundings in computing an error bound itself.
const spare = 1.0000001

// gamma is an upper bound of γ(n), with room for the roundings in its own use.
func gamma(n int) float64 {
	x := float64(n+4) * unit
	return spare * x / (1 - x)
}

// below and above are the neighbours of x.
func below(x float64) float64 { return math.Nextafter(x, math.Inf(-1)) }

func above(x float64) float64 { return math.Nextafter(x, math.Inf(1)) }

// finite reports that x is neither infinite nor NaN.
func finite(x float64) bool { return x-x == 0 }
