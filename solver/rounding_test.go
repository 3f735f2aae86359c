package solver

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// wild draws numbers of all sizes, many of them round.
func wild(rng *rand.Rand) float64 {
	switch rng.IntN(6) {
	case 0:
		return float64(rng.IntN(9) - 4)
	case 1:
		return math.Ldexp(rng.NormFloat64(), rng.IntN(2000)-1000)
	case 2:
		return math.Ldexp(rng.NormFloat64(), -1060+rng.IntN(30))
	default:
		return math.Ldexp(rng.NormFloat64(), rng.IntN(120)-60)
	}
}

func rat(v float64) *big.Rat { return new(big.Rat).SetFloat64(v) }

// atMost reports v ≤ r for a float64 that may be infinite.
func atMost(v float64, r *big.Rat) bool {
	return math.IsInf(v, -1) || !math.IsInf(v, 1) && rat(v).Cmp(r) <= 0
}

func atLeast(v float64, r *big.Rat) bool { return atMost(-v, new(big.Rat).Neg(r)) }

func TestDirectedOperations(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 20000 {
		a, b := wild(rng), wild(rng)
		sum, product := new(big.Rat).Add(rat(a), rat(b)), new(big.Rat).Mul(rat(a), rat(b))
		require.True(t, atMost(addDown(a, b), sum), "%g + %g", a, b)
		require.True(t, atLeast(addUp(a, b), sum), "%g + %g", a, b)
		require.True(t, atMost(mulDown(a, b), product), "%g * %g", a, b)
		require.True(t, atLeast(mulUp(a, b), product), "%g * %g", a, b)
	}
}

func TestEnclosureHoldsTheExactSum(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	for range 5000 {
		var x enclosure
		exact := new(big.Rat)
		for range 1 + rng.IntN(20) {
			a, b := wild(rng), wild(rng)
			x.addProduct(a, b)
			exact.Add(exact, new(big.Rat).Mul(rat(a), rat(b)))
			if rng.IntN(3) == 0 {
				x.add(-x.sum)
				if !math.IsInf(x.sum, 0) && !math.IsNaN(x.sum) {
					exact.SetFrac(big.NewInt(0), big.NewInt(1))
					x = enclosure{}
				}
			}
		}
		low, high := x.bounds()
		require.True(t, atMost(low, exact))
		require.True(t, atLeast(high, exact))
	}
}

// What cancels over the reals leaves far less than one rounding error.
func TestEnclosureIsTight(t *testing.T) {
	var x enclosure
	for _, v := range []float64{0.1, 0.7, 1e10 / 3} {
		x.addProduct(v, 1.0/3)
		x.addProduct(-v, 1.0/3)
	}
	low, high := x.bounds()
	require.Zero(t, low)
	require.Zero(t, high)

	rng := rand.New(rand.NewPCG(3, 1))
	x = enclosure{}
	for range 1000 {
		x.addProduct(rng.NormFloat64(), rng.NormFloat64())
	}
	low, high = x.bounds()
	require.LessOrEqual(t, high-low, 4*math.Nextafter(math.Abs(x.sum), math.Inf(1))*0x1p-52)
}

func TestLeastProduct(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct{ dl, dh, xl, xh, want float64 }{
		{1, 2, -3, 4, -6},
		{0, 0, -inf, inf, 0},
		{0, 5, 1, inf, 0},
		{3, 4, 2, inf, 6},
		{-1, 4, 2, inf, -inf},
		{-4, -3, -inf, 2, -8},
		{-inf, inf, 0, 0, 0},
	} {
		require.Equal(t, c.want, leastProduct(c.dl, c.dh, c.xl, c.xh), "%+v", c)
	}
}
