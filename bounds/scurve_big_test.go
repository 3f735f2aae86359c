package bounds

import (
	"math"
	"math/big"
)

func bigOf(x float64) *big.Float { return new(big.Float).SetPrec(bigPrec).SetFloat64(x) }
func bigNew() *big.Float         { return new(big.Float).SetPrec(bigPrec) }

// bigExpm1 is exp(x) − 1 for |x| < 1e6: Taylor's series of x/2ᵏ below 2⁻⁶, then
// k times (1+e)² − 1 = e·(e+2).
func bigExpm1(x float64) *big.Float {
	k := max(0, math.Ilogb(math.Abs(x))+7)
	y := bigOf(x)
	y.SetMantExp(y, -k)
	sum, term := bigNew().Set(y), bigNew().Set(y)
	for n := 2; term.Sign() != 0 && term.MantExp(nil)-sum.MantExp(nil) > -bigPrec; n++ {
		term.Mul(term, y)
		term.Quo(term, bigOf(float64(n)))
		sum.Add(sum, term)
	}
	for range k {
		t := bigNew().Add(sum, bigOf(2))
		sum.Mul(sum, t)
	}
	return sum
}

func bigSigmoid(x float64) *big.Float {
	if math.Abs(x) > 1e6 {
		return bigOf(math.Max(0, math.Copysign(1, x)))
	}
	e := bigExpm1(-x)
	return e.Quo(bigOf(1), e.Add(e, bigOf(2)))
}

func bigTanh(x float64) *big.Float {
	if math.Abs(x) > 1e6 {
		return bigOf(math.Copysign(1, x))
	}
	e := bigExpm1(2 * x)
	return e.Quo(e, bigNew().Add(e, bigOf(2)))
}

// bigArctan halves the angle until the series converges fast.
func bigArctan(x float64) *big.Float {
	y := bigOf(x)
	halves := 0
	for ; y.Sign() != 0 && y.MantExp(nil) > -6; halves++ {
		// tan(a/2) = tan a / (1 + √(1 + tan² a))
		r := bigNew().Mul(y, y)
		r.Add(r, bigOf(1))
		r.Sqrt(r)
		y.Quo(y, r.Add(r, bigOf(1)))
	}
	sq := bigNew().Mul(y, y)
	sum, power := bigNew().Set(y), bigNew().Set(y)
	for n := 3; power.Sign() != 0 && power.MantExp(nil)-sum.MantExp(nil) > -bigPrec; n += 2 {
		power.Neg(power.Mul(power, sq))
		sum.Add(sum, bigNew().Quo(power, bigOf(float64(n))))
	}
	return sum.SetMantExp(sum, halves)
}

// gapAbove is slope·x + intercept − f(x).
func gapAbove(slope, intercept, x float64, f *big.Float) *big.Float {
	g := bigNew().SetPrec(400).Mul(bigOf(slope), bigOf(x))
	g.Add(g, bigOf(intercept))
	return g.Sub(g, f)
}
