package spec

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestRoundIntoBox draws intervals from a few ulps of float64 to a few of
// float32 wide, around numbers of every size, and looks for a float32 value by
// walking the grid.
func TestRoundIntoBox(t *testing.T) {
	r := rng(10)
	found, none := 0, 0
	for range 50000 {
		base := math.Ldexp(r.NormFloat64(), r.IntN(300)-160) // beyond float32 on both ends
		if r.IntN(8) == 0 && math.Abs(base) < 0x1p127 {
			base = float64(float32(base))
		}
		lo, hi := base, base
		switch r.IntN(3) {
		case 0:
			for range r.IntN(4) {
				hi = math.Nextafter(hi, math.Inf(1))
			}
		case 1:
			hi = base + math.Abs(base)*r.Float64()*0x1p-23
		case 2:
			lo, hi = base-math.Abs(base)*0x1p-24*r.Float64(), base+0x1p-149*r.Float64()
		}
		box := Box{Lower: []float64{lo}, Upper: []float64{hi}}
		x := []float64{lo + (hi-lo)*r.Float64()}
		box.Project(x)
		from := x[0]
		all := RoundInto32(box, x)
		require.True(t, box.Contains(x), "%v %v", box, x)

		below := float32(from)
		for float64(below) > from {
			below = math.Nextafter32(below, float32(math.Inf(-1)))
		}
		above := below
		if float64(below) != from {
			above = math.Nextafter32(below, float32(math.Inf(1)))
		}
		nearest := math.Inf(1)
		for _, f := range []float64{float64(below), float64(above)} {
			if finite(f) && f >= lo && f <= hi {
				nearest = min(nearest, math.Abs(f-from))
			}
		}
		if math.IsInf(nearest, 1) {
			none++
			require.False(t, all)
			require.Equal(t, from, x[0])
		} else {
			found++
			require.True(t, all)
			require.Equal(t, x[0], float64(float32(x[0])))
			require.Equal(t, nearest, math.Abs(x[0]-from))
		}
	}
	assert.Greater(t, found, 1000)
	assert.Greater(t, none, 1000)
}

func TestRoundIntoBoxEdges(t *testing.T) {
	d32 := float64(math.SmallestNonzeroFloat32)
	for name, c := range map[string]struct {
		lo, hi, x, want float64
		all             bool
	}{
		"degenerate float32":  {0.5, 0.5, 0.5, 0.5, true},
		"degenerate float64":  {0.1, 0.1, 0.1, 0.1, false},
		"outside is clamped":  {0, 1, 7, 1, true},
		"denormal, up":        {d32 / 4, d32, d32 / 4, d32, true},
		"denormal, none":      {d32 / 4, d32 / 2, d32 / 4, d32 / 4, false},
		"denormal, zero":      {-d32 / 4, d32 / 4, d32 / 5, 0, true},
		"beyond float32":      {1e300, 2e300, 1e300, 1e300, false},
		"across the largest":  {1, 1e300, 1e300, math.MaxFloat32, true},
		"across the smallest": {-1e300, 1, -1e300, -math.MaxFloat32, true},
	} {
		box := Box{Lower: []float64{c.lo}, Upper: []float64{c.hi}}
		x := []float64{c.x}
		assert.Equal(t, c.all, RoundInto32(box, x), name)
		assert.Equal(t, c.want, x[0], name)
	}
}

func TestRoundIntoBall(t *testing.T) {
	r := rng(11)
	rounded := 0
	for range 2000 {
		n := 1 + r.IntN(6)
		b := randomBall(r, n)
		x := make([]float64, n)
		b.Minimizer(randomVector(r, n), x)
		from := append([]float64(nil), x...)
		all := RoundInto32(b, x)
		require.True(t, b.Contains(x))
		require.Equal(t, allFloat32(x), all)
		if all {
			rounded++
			require.Less(t, distance(x, from), 2*b.Radius+1e-6)
		}
	}
	assert.Greater(t, rounded, 500)

	// A float32 centre and a radius far above the grid: always possible, and
	// near.
	for _, norm := range []Norm{LInf, L2, L1} {
		b, err := NewBall(norm, []float64{0.25, 0.75, 0}, 0.3, nil)
		require.NoError(t, err)
		x := make([]float64, 3)
		b.Minimizer([]float64{1, -2, 3}, x)
		from := append([]float64(nil), x...)
		assert.True(t, RoundInto32(b, x), norm)
		assert.InDeltaSlice(t, from, x, 1e-6)
	}
	// Nothing around 0.1 within 1e-12 is a float32 value.
	b, err := NewBall(L2, []float64{0.1}, 1e-12, nil)
	require.NoError(t, err)
	x := []float64{0.1}
	assert.False(t, RoundInto32(b, x))
	assert.Equal(t, 0.1, x[0])
}

// ring is a region that RoundInto32 does not know: a box without its middle.
type ring struct{ Region }

func (r ring) Contains(x []float64) bool { return r.Region.Contains(x) && math.Abs(x[0]-0.1) > 2e-9 }

func (r ring) Project(x []float64) {
	r.Region.Project(x)
	if !r.Contains(x) {
		x[0] = 0.1 + 2.01e-9
	}
}

func TestRoundIntoUnknownRegion(t *testing.T) {
	box, err := NewBox([]float64{0}, []float64{1})
	require.NoError(t, err)
	x := []float64{0.1}
	assert.False(t, RoundInto32(ring{box}, x)) // 0.1's float32 value is 1.5e-9 away, too near
	x = []float64{0.3}
	assert.True(t, RoundInto32(ring{box}, x))
	assert.Equal(t, float64(float32(0.3)), x[0])
}
