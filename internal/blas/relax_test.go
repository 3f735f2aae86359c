package blas

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// relaxCase is arguments of the routines over rows, each with a sentinel behind
// it that must be neither read nor written.
type relaxCase struct {
	count, n                             int
	a, dst, low, high, magnitude, values []float64
	lines                                Lines
}

// walled returns n random numbers with signed zeros among them, in the middle of
// not-a-numbers.
func walled(r *rand.Rand, n int) []float64 {
	all := make([]float64, n+16)
	for i := range all {
		all[i] = math.NaN()
	}
	x := all[8 : 8+n]
	for i := range x {
		switch r.IntN(8) {
		case 0:
			x[i] = 0
		case 1:
			x[i] = math.Copysign(0, -1)
		default:
			x[i] = r.NormFloat64()
		}
	}
	return x
}

// intact tells whether the numbers around x are still no numbers.
func intact(t *testing.T, x []float64) {
	t.Helper()
	for _, v := range x[len(x):][:8] {
		require.True(t, math.IsNaN(v))
	}
}

func newRelaxCase(r *rand.Rand, count, n int) *relaxCase {
	c := &relaxCase{
		count: count, n: n, a: walled(r, count*n), dst: walled(r, count*n), low: walled(r, n), high: walled(r, n),
		magnitude: walled(r, n), values: walled(r, count*n),
	}
	c.lines = Lines{LowSlope: walled(r, n), HighSlope: walled(r, n), Low: c.low, High: c.high}
	if r.IntN(2) == 0 {
		c.lines.LowSlope, c.lines.LowStep = walled(r, count*n), n
	}
	return c
}

func eachRelaxCase(t *testing.T, test func(t *testing.T, c *relaxCase)) {
	eachKernel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(5, 5))
		for n := range 70 {
			for count := range 4 {
				test(t, newRelaxCase(r, count, n))
			}
		}
	})
}

// nearSum asserts that got is the sum of the terms within the stated error.
func nearSum(t *testing.T, n int, term func(int) float64, got float64) {
	t.Helper()
	want, size := preciseDot(n, term, func(int) float64 { return 1 })
	require.LessOrEqual(t, math.Abs(got-want), gamma[float64](2*n+2)*size)
}

func TestRelaxRows(t *testing.T) {
	eachRelaxCase(t, func(t *testing.T, c *relaxCase) {
		over, added := walled(rand.New(rand.NewPCG(1, 1)), c.count*c.n), c.dst
		before := slices.Clone(c.dst)
		sums, again := walled(rand.New(rand.NewPCG(1, 1)), 2*c.count), make([]float64, 2*c.count)
		RelaxRows(c.count, c.n, c.a, over, &c.lines, c.magnitude, sums, false)
		RelaxRows(c.count, c.n, c.a, added, &c.lines, c.magnitude, again, true)
		intact(t, over)
		intact(t, added)
		intact(t, sums)
		for i, v := range c.a {
			slope := c.lines.LowSlope[i/c.n*c.lines.LowStep+i%c.n]
			if v < 0 {
				slope = c.lines.HighSlope[i%c.n]
			}
			require.Equal(t, v*slope+0, over[i]+0)
			require.InDelta(t, before[i]+v*slope, added[i], 4*unitRoundoff[float64]()*(math.Abs(before[i])+math.Abs(v*slope)))
		}
		if assert.Equal(t, sums, again) {
			box := make([]float64, 2*c.count)
			BoxRows(c.count, c.n, c.a, c.low, c.high, c.magnitude, box)
			assert.Equal(t, sums, box)
			c.checkSums(t, sums)
		}
	})
}

// checkSums checks the two sums of each row against long ones.
func (c *relaxCase) checkSums(t *testing.T, sums []float64) {
	for r := range c.count {
		a := c.a[r*c.n : (r+1)*c.n]
		nearSum(t, 2*c.n, func(i int) float64 {
			if i < c.n {
				return max(a[i], 0) * c.low[i]
			}
			return min(a[i-c.n], 0) * c.high[i-c.n]
		}, sums[2*r])
		nearSum(t, c.n, func(i int) float64 { return math.Abs(a[i]) * c.magnitude[i] }, sums[2*r+1])
	}
}

func TestDotRows(t *testing.T) {
	eachRelaxCase(t, func(t *testing.T, c *relaxCase) {
		sums := make([]float64, 2*c.count)
		DotRows(c.count, c.n, c.a, c.low, c.magnitude, sums)
		for r := range c.count {
			a := c.a[r*c.n : (r+1)*c.n]
			nearSum(t, c.n, func(i int) float64 { return a[i] * c.low[i] }, sums[2*r])
			nearSum(t, c.n, func(i int) float64 { return math.Abs(a[i]) * c.magnitude[i] }, sums[2*r+1])
		}
	})
}

// One row's sums must not depend on the rows beside it.
func TestRelaxRowsOneByOne(t *testing.T) {
	eachRelaxCase(t, func(t *testing.T, c *relaxCase) {
		all, one := make([]float64, 2*c.count), make([]float64, 2)
		out := make([]float64, c.n)
		RelaxRows(c.count, c.n, c.a, c.dst, &c.lines, c.magnitude, all, false)
		for r := range c.count {
			lines := c.lines
			lines.LowSlope = lines.LowSlope[r*lines.LowStep:]
			RelaxRows(1, c.n, c.a[r*c.n:], out, &lines, c.magnitude, one, false)
			require.Equal(t, all[2*r:2*r+2], one)
			require.Equal(t, c.dst[r*c.n:(r+1)*c.n], out)
		}
	})
}

func TestRelaxRowsKeepNaN(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(6, 6))
		for n := 1; n < 40; n++ {
			c := newRelaxCase(r, 2, n)
			for i := range n {
				c.a[n+i] = math.NaN()
				sums, dots := make([]float64, 4), make([]float64, 4)
				RelaxRows(2, n, c.a, c.dst, &c.lines, c.magnitude, sums, false)
				DotRows(2, n, c.a, c.low, c.magnitude, dots)
				for k := range 2 {
					assert.False(t, math.IsNaN(sums[k]) || math.IsNaN(dots[k]))
					assert.True(t, math.IsNaN(sums[2+k]) && math.IsNaN(dots[2+k]), "n=%d i=%d", n, i)
				}
				assert.True(t, math.IsNaN(c.dst[n+i]))
				c.a[n+i] = math.Inf(1 - 2*(i%2))
				RelaxRows(2, n, c.a, c.dst, &c.lines, c.magnitude, sums, false)
				assert.True(t, math.IsInf(sums[3], 0) || math.IsNaN(sums[3]), "an infinite coefficient")
				c.a[n+i] = 1
			}
		}
	})
}

func TestAlongRows(t *testing.T) {
	eachRelaxCase(t, func(t *testing.T, c *relaxCase) {
		AlongRows(c.count, c.n, c.a, c.values, c.dst, &c.lines)
		intact(t, c.dst)
		for i, v := range c.a {
			k := i % c.n
			slope, intercept := c.lines.LowSlope[i/c.n*c.lines.LowStep+k], c.low[k]
			if v < 0 {
				slope, intercept = c.lines.HighSlope[k], c.high[k]
			}
			require.InDelta(t, slope*c.values[i]+intercept, c.dst[i], 1e-15*(math.Abs(slope*c.values[i])+math.Abs(intercept)))
		}
	})
}

func TestAscent(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(7, 7))
		for n := range 50 {
			a, in, free := walled(r, n), walled(r, n), walled(r, n)
			first, second, slope := walled(r, n), walled(r, n), walled(r, n)
			for i := range n {
				first[i], second[i], slope[i], free[i] = 0, 0, r.Float64(), Free
				if r.IntN(3) == 0 {
					free[i] = Fixed
				}
				if r.IntN(9) == 0 {
					in[i] = []float64{math.NaN(), math.Inf(1), math.Inf(-1)}[r.IntN(3)]
				}
			}
			want, m, v := slices.Clone(slope), make([]float64, n), make([]float64, n)
			for it := range 5 {
				NewAscent(it, 0.25, 0.9, 0.999, 0.125, 1).Row(a, in, free, first, second, slope)
				for i := range n {
					g := max(a[i], 0) * in[i]
					if math.IsNaN(free[i]) && !math.IsNaN(g) && !math.IsInf(g, 0) {
						m[i] = 0.9*m[i] + (1-0.9)*g
						v[i] = 0.999*v[i] + (1-0.999)*g*g
						move := m[i] / (1 - math.Pow(0.9, float64(it+1))) / (math.Sqrt(v[i]/(1-math.Pow(0.999, float64(it+1)))) + 1e-12)
						want[i] = min(max(want[i]+0.25*move, 0.125), 1)
					} else if math.IsNaN(free[i]) {
						want[i] = min(max(want[i], 0.125), 1)
					}
					require.InDelta(t, want[i], slope[i], 1e-12, "n=%d it=%d", n, it)
				}
			}
			for _, x := range [][]float64{first, second, slope} {
				intact(t, x)
			}
		}
	})
}

func TestRelaxRowsPanicsOnShortSlices(t *testing.T) {
	c := newRelaxCase(rand.New(rand.NewPCG(8, 8)), 2, 5)
	cut := func(x []float64, n int) []float64 { return x[:n:n] }
	assert.Panics(t, func() { RelaxRows(2, 5, cut(c.a, 9), c.dst, &c.lines, c.magnitude, make([]float64, 4), false) })
	assert.Panics(t, func() { RelaxRows(2, 5, c.a, c.dst, &c.lines, c.magnitude, make([]float64, 3), false) })
	assert.Panics(t, func() { BoxRows(2, 5, c.a, cut(c.low, 4), c.high, c.magnitude, make([]float64, 4)) })
	assert.Panics(t, func() { AlongRows(2, 5, c.a, c.values, cut(c.dst, 9), &c.lines) })
}

func TestTilt(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		r := rand.New(rand.NewPCG(6, 6))
		for n := range 70 {
			a, coef, radius, reach, sums := walled(r, n), walled(r, n), walled(r, n), walled(r, n), walled(r, 2)
			for i := range a {
				if r.IntN(4) == 0 && coef[i] != 0 {
					coef[i], a[i] = 1, -0.5 // tilts to zero
				}
			}
			g := 0.5
			Tilt(g, a, coef, radius, reach, sums)
			intact(t, sums)
			nearSum(t, n, func(i int) float64 { return math.Abs(a[i]+g*coef[i]) * radius[i] }, sums[0])
			nearSum(t, n, func(i int) float64 { return math.Copysign(1, a[i]+g*coef[i]) * reach[i] }, sums[1])
		}
		require.Panics(t, func() {
			Tilt(1, make([]float64, 2), make([]float64, 2), make([]float64, 1), make([]float64, 2), make([]float64, 2))
		})
	})
}
