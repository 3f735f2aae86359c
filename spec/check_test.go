package spec

import (
	"math"
	"math/big"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestHoldsIsExact compares with rational arithmetic on sums that cancel to
// within a few ulps of 0.
func TestHoldsIsExact(t *testing.T) {
	r := rng(20)
	disagree := 0
	for range 20000 {
		n := 1 + r.IntN(5)
		y := randomVector(r, n)
		x := randomVector(r, n)
		q := Inequality{}
		exact := new(big.Rat)
		for i := range n {
			a, b := r.NormFloat64(), r.NormFloat64()*1e-3
			q.Input = append(q.Input, Term{i, a})
			q.Output = append(q.Output, Term{i, b})
			exact.Add(exact, new(big.Rat).Mul(rat(a), rat(x[i])))
			exact.Add(exact, new(big.Rat).Mul(rat(b), rat(y[i])))
		}
		q.Bound, _ = exact.Float64()
		for range r.IntN(3) {
			q.Bound = math.Nextafter(q.Bound, math.Inf(1-2*r.IntN(2)))
		}
		want := exact.Cmp(rat(q.Bound)) <= 0
		require.Equal(t, want, q.Holds(x, y))
		if want != (q.Value(x, y) <= 0) {
			disagree++
		}
	}
	assert.Greater(t, disagree, 100, "the cases are too easy: plain floating point decides them, too")
}

func TestHoldsNonFinite(t *testing.T) {
	q := Inequality{Input: []Term{{0, 1}}, Output: []Term{{0, -1}}, Bound: 0}
	inf := math.Inf(1)
	for _, v := range []float64{inf, -inf, math.NaN()} {
		assert.False(t, q.Holds([]float64{0}, []float64{v}), v)
		assert.False(t, q.Holds([]float64{v}, []float64{0}), v)
	}
	assert.False(t, Inequality{Bound: inf}.Holds(nil, nil))
	m := math.MaxFloat64
	big := Inequality{Output: []Term{{0, m}, {1, -m}}}
	assert.True(t, big.Holds(nil, []float64{m, m}), "overflow on the way is no obstacle")
	assert.False(t, big.Holds(nil, []float64{m, math.Nextafter(m, 0)}))
	d := math.SmallestNonzeroFloat64
	small := Inequality{Output: []Term{{0, d}}}
	assert.False(t, small.Holds(nil, []float64{d}), "nor is underflow: d·d > 0")
	assert.True(t, small.Holds(nil, []float64{-d}))
	assert.True(t, small.Holds(nil, []float64{0}))
}

func TestCheckPicksTheFirst(t *testing.T) {
	left := Box{Lower: []float64{0}, Upper: []float64{1}}
	right := Box{Lower: []float64{1}, Upper: []float64{2}}
	atLeast1 := Conjunction{{Output: []Term{{0, -1}}, Bound: -1}}
	atMost0 := Conjunction{{Output: []Term{{0, 1}}, Bound: 0}}
	p := Property{Inputs: 1, Outputs: 1, Cases: []Case{
		{Region: left},
		{Region: left, Unsafe: []Conjunction{atLeast1}},
		{Region: right, Unsafe: []Conjunction{atLeast1, atMost0}},
	}}
	require.NoError(t, p.Validate())
	for _, c := range []struct {
		x, y float64
		i, j int
		ok   bool
	}{
		{0.5, 0.5, 0, 0, false},
		{0.5, 1, 1, 0, true},
		{1, 1, 1, 0, true}, // in both regions
		{1, 0, 2, 1, true},
		{2, 0, 2, 1, true},
		{math.Nextafter(2, 3), 0, 0, 0, false}, // no tolerance
	} {
		i, j, ok := p.Check([]float64{c.x}, []float64{c.y})
		assert.Equal(t, c.ok, ok, c)
		assert.Equal(t, [2]int{c.i, c.j}, [2]int{i, j}, c)
	}
	always := Property{Inputs: 1, Outputs: 1, Cases: []Case{{Region: left, Unsafe: []Conjunction{{}}}}}
	_, _, ok := always.Check([]float64{0}, []float64{math.NaN()})
	assert.True(t, ok, "an empty conjunction holds whatever the output")
}

func TestViolation(t *testing.T) {
	c := Conjunction{{Output: []Term{{0, 1}}, Bound: 1}, {Input: []Term{{0, 2}}, Bound: 3}}
	assert.Equal(t, 1.0, c.Violation([]float64{2}, []float64{0}))
	assert.Equal(t, math.Inf(1), c.Violation([]float64{2}, []float64{math.NaN()}))
	assert.Equal(t, math.Inf(-1), Conjunction{}.Violation(nil, nil))
}
