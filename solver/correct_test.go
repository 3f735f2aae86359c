package solver

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// exactSolve solves matrix·x = b in rational arithmetic, or returns nil.
func exactSolve(matrix [][]float64, b []*big.Rat) []*big.Rat {
	n := len(matrix)
	a := make([][]*big.Rat, n)
	for i := range a {
		for _, v := range matrix[i] {
			a[i] = append(a[i], rat(v))
		}
		a[i] = append(a[i], new(big.Rat).Set(b[i]))
	}
	for k := range n {
		r := k
		for r < n && a[r][k].Sign() == 0 {
			r++
		}
		if r == n {
			return nil
		}
		a[k], a[r] = a[r], a[k]
		inverse := new(big.Rat).Inv(a[k][k])
		for c := range a[k] {
			a[k][c].Mul(a[k][c], inverse)
		}
		for i := range a {
			t := new(big.Rat).Set(a[i][k])
			if i == k || t.Sign() == 0 {
				continue
			}
			for c := range a[i] {
				a[i][c].Sub(a[i][c], new(big.Rat).Mul(t, a[k][c]))
			}
		}
	}
	x := make([]*big.Rat, n)
	for i := range x {
		x[i] = a[i][n]
	}
	return x
}

// The exact correction of the duals lies within the radius: for systems in good
// condition, in bad, and singular ones.
func TestRadiusHoldsTheExactCorrection(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	held, refused := 0, 0
	for k := range 400 {
		n := 1 + rng.IntN(5)
		c := &correction{p: &Problem{Variables: make([]Variable, n), Rows: make([]Row, n)}}
		l := &lagrangian{p: c.p, d: make([]enclosure, n)}
		exact := make([]*big.Rat, n)
		for i := range n {
			c.rows, c.variables = append(c.rows, i), append(c.variables, i)
			line := make([]float64, n)
			for h := range line {
				line[h] = rng.NormFloat64()
				if i > 0 && k%3 > 0 { // nearly the line before
					line[h] = c.matrix[i-1][h] + math.Ldexp(rng.NormFloat64(), -10*(k%7)) // down to 2^-60
				}
			}
			c.matrix = append(c.matrix, line)
			d := math.Ldexp(rng.NormFloat64(), -40)
			l.d[i].add(d)
			exact[i] = rat(d)
		}
		if c.inverse = invert(c.matrix); c.inverse == nil {
			continue
		}
		radius := c.errors(l)
		delta := exactSolve(c.matrix, exact)
		if radius == nil {
			refused++
			continue
		}
		held++
		require.NotNil(t, delta, "a singular system was taken for regular")
		most := 0.0
		for i, v := range delta {
			require.True(t, atLeast(radius[i], new(big.Rat).Abs(v)), "|%s| > %g", v.FloatString(40), radius[i])
			f, _ := v.Float64()
			most = max(most, math.Abs(f))
		}
		if n == 1 {
			require.InEpsilon(t, most, radius[0], 1e-9, "not tight")
		}
	}
	require.Greater(t, held, 200)
	require.Greater(t, refused, 10)
}
