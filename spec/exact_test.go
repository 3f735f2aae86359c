package spec

import (
	"math"
	"math/big"
	"testing"
	"testing/quick"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func rat(v float64) *big.Rat { return new(big.Rat).SetFloat64(v) }

// TestDirectedSums holds sumDown, sumUp and step against rational numbers.
func TestDirectedSums(t *testing.T) {
	check := func(a, b float64) bool {
		if !finite(a) || !finite(b) {
			return true
		}
		exact := new(big.Rat).Add(rat(a), rat(b))
		lo, hi := sumDown(a, b), sumUp(a, b)
		if finite(lo) && rat(lo).Cmp(exact) > 0 || finite(hi) && rat(hi).Cmp(exact) < 0 {
			return false
		}
		if lo != hi && math.Nextafter(lo, math.Inf(1)) != hi {
			return false
		}
		s := step(a, b)
		if !finite(s) {
			return false // rounded towards a, which is finite
		}
		moved := new(big.Rat).Sub(rat(s), rat(a))
		return moved.Abs(moved).Cmp(new(big.Rat).Abs(rat(b))) <= 0
	}
	require.NoError(t, quick.Check(check, nil))
	r := rng(2)
	for range 20000 {
		a := math.Ldexp(r.NormFloat64(), r.IntN(120)-60)
		b := math.Ldexp(r.NormFloat64(), r.IntN(120)-60)
		require.True(t, check(a, b), "%v %v", a, b)
	}
	m, d := math.MaxFloat64, math.SmallestNonzeroFloat64
	for _, a := range []float64{0, 1, -1, d, -d, m, -m} {
		for _, b := range []float64{0, 1, -1, d, -d, m, -m} {
			require.True(t, check(a, b), "%v %v", a, b)
		}
	}
}

func TestAccumulatorKeepsEveryBit(t *testing.T) {
	m, d := math.MaxFloat64, math.SmallestNonzeroFloat64
	acc := newAccumulator()
	acc.addProduct(m, m)
	acc.addProduct(d, d)
	acc.addProduct(-m, m)
	assert.Equal(t, 1, acc.sign())
	acc = newAccumulator()
	acc.addDifference(m, -m, true)
	acc.addDifference(d, 0, true)
	acc.addProduct(-m, m)
	acc.addProduct(-m, m)
	acc.addProduct(-m, m)
	acc.addProduct(-m, m)
	assert.Equal(t, 1, acc.sign())
	acc.addProduct(-d, d)
	assert.Equal(t, 0, acc.sign())
}
