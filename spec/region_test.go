package spec

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func rng(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

func TestNewBoxRejects(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for name, c := range map[string][2][]float64{
		"empty":    {{}, {}},
		"lengths":  {{0}, {0, 1}},
		"NaN":      {{nan}, {1}},
		"infinite": {{0}, {inf}},
		"crossed":  {{0, 2}, {1, 1}},
	} {
		_, err := NewBox(c[0], c[1])
		var e *Error
		require.ErrorAs(t, err, &e, name)
		assert.Equal(t, "box", e.Field, name)
	}
}

func TestBoxCopies(t *testing.T) {
	l := []float64{0}
	b, err := NewBox(l, []float64{1})
	require.NoError(t, err)
	l[0] = 5
	assert.Equal(t, 0.0, b.Lower[0])
}

// TestBoxMinLinear compares with the enumeration of all corners, summed
// exactly.
func TestBoxMinLinear(t *testing.T) {
	r := rng(1)
	for range 500 {
		n := 1 + r.IntN(6)
		b := randomBox(r, n)
		a := randomVector(r, n)
		low := b.MinLinear(a)
		x := make([]float64, n)
		least, scale := math.Inf(1), 0.0
		for i, v := range a {
			scale += math.Abs(v) * max(math.Abs(b.Lower[i]), math.Abs(b.Upper[i]))
		}
		for mask := range 1 << n {
			for i := range x {
				x[i] = b.Lower[i]
				if mask>>i&1 == 1 {
					x[i] = b.Upper[i]
				}
			}
			require.True(t, atLeast(a, x, low))
			least = min(least, dot(a, x))
		}
		assert.InDelta(t, least, low, 1e-13*scale+1e-300)
		b.Minimizer(a, x)
		assert.True(t, b.Contains(x))
		assert.InDelta(t, least, dot(a, x), 1e-13*scale+1e-300)
	}
}

func TestBoxMinLinearOverflow(t *testing.T) {
	m := math.MaxFloat64
	b := Box{Lower: []float64{m / 2, -m}, Upper: []float64{m, -m / 2}}
	assert.Equal(t, math.Inf(-1), b.MinLinear([]float64{m, 0}), "+Inf is no lower bound")
	assert.Equal(t, math.Inf(-1), b.MinLinear([]float64{m, m}))
	assert.Equal(t, math.Inf(-1), b.MinLinear([]float64{math.NaN(), 0}))
}

func TestBoxProject(t *testing.T) {
	b := Box{Lower: []float64{0, 0, 0, 0}, Upper: []float64{1, 1, 1, 1}}
	x := []float64{math.NaN(), math.Inf(1), -3, 0.5}
	b.Project(x)
	assert.Equal(t, []float64{0, 1, 0, 0.5}, x)
	assert.False(t, b.Contains([]float64{math.NaN(), 0, 0, 0}))
	assert.False(t, b.Contains([]float64{0}))
}

func TestErrorNamesField(t *testing.T) {
	err := errorf("case 3", "has %d", 4)
	assert.Equal(t, "spec: case 3: has 4", err.Error())
	var e *Error
	assert.ErrorAs(t, err, &e)
}

// randomVector mixes magnitudes, signs and zeros.
func randomVector(r *rand.Rand, n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		switch r.IntN(8) {
		case 0:
		case 1:
			v[i] = r.NormFloat64() * 1e-9
		case 2:
			v[i] = r.NormFloat64() * 1e6
		default:
			v[i] = r.NormFloat64()
		}
	}
	return v
}

func randomBox(r *rand.Rand, n int) Box {
	b := Box{Lower: randomVector(r, n), Upper: make([]float64, n)}
	for i, l := range b.Lower {
		b.Upper[i] = l + float64(r.IntN(3))*r.Float64()
	}
	return b
}

func dot(a, x []float64) float64 {
	s := 0.0
	for i, v := range a {
		s += v * x[i]
	}
	return s
}

// atLeast reports a·x ≥ low exactly.
func atLeast(a, x []float64, low float64) bool {
	if math.IsInf(low, -1) {
		return true
	}
	acc := newAccumulator()
	for i, v := range a {
		acc.addProduct(v, x[i])
	}
	acc.addProduct(-1, low)
	return acc.sign() >= 0
}
