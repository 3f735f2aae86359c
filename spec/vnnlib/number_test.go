package vnnlib

import (
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestParseNumber compares with strconv for the nearest float64 and with
// math/big for the exact value.
func TestParseNumber(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20000 {
		f := math.Ldexp(r.NormFloat64(), r.IntN(200)-100)
		text := strconv.FormatFloat(f, "eEfgG"[r.IntN(5)], r.IntN(25)-1, 64)
		n, ok := parseNumber([]byte(text))
		require.True(t, ok, text)
		want, err := strconv.ParseFloat(text, 64)
		require.NoError(t, err)
		require.Equal(t, want, n.f, text)
		exact, ok := new(big.Rat).SetString(text)
		require.True(t, ok)
		require.Zero(t, exact.Cmp(n.rational()), text)
		require.Equal(t, exact.Sign(), n.sign(), text)
		require.Zero(t, exact.Neg(exact).Cmp(n.negated().rational()), text)
	}
}

func TestNumberArithmetic(t *testing.T) {
	num := func(s string) number {
		n, ok := parseNumber([]byte(s))
		require.True(t, ok, s)
		return n
	}
	all := []string{"0", "1", "-1", "2", "0.1", "-0.3", "1e30", "1.0", "10e-1", "123456789012345678901234567890"}
	for _, a := range all {
		for _, b := range all {
			v, w := num(a), num(b)
			got, err := v.add(w)
			require.NoError(t, err)
			assert.Zero(t, new(big.Rat).Add(v.rational(), w.rational()).Cmp(got.rational()), "%s+%s", a, b)
			got, err = v.mul(w)
			require.NoError(t, err)
			assert.Zero(t, new(big.Rat).Mul(v.rational(), w.rational()).Cmp(got.rational()), "%s*%s", a, b)
			if w.sign() != 0 {
				got, err = v.div(w)
				require.NoError(t, err)
				assert.Zero(t, new(big.Rat).Quo(v.rational(), w.rational()).Cmp(got.rational()), "%s/%s", a, b)
			}
		}
	}
	tiny := num("1e-400")
	assert.Equal(t, 0.0, tiny.f)
	assert.Equal(t, 1, tiny.sign(), "the value is kept, though its float64 is 0")
	assert.Equal(t, 0, num("1e-4000").sign(), "beyond 10^±1000 it is not")
}

func TestLooksNumeric(t *testing.T) {
	for _, s := range []string{"1", "-1", "+.5", ".5", "#x1", "-0"} {
		assert.True(t, looksNumeric([]byte(s)), s)
	}
	for _, s := range []string{"-", "+", ".", "X_0", "-inf", "nan", "*"} {
		assert.False(t, looksNumeric([]byte(s)), s)
	}
}
