package spec

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// distanceWithin is the dumb twin of Contains, without the clip: rational
// arithmetic from the definition.
func distanceWithin(b *Ball, x []float64) bool {
	sum, most := new(big.Rat), new(big.Rat)
	changed := 0
	for i, v := range x {
		d := new(big.Rat).Sub(rat(v), rat(b.Center[i]))
		d.Abs(d)
		if d.Sign() != 0 {
			changed++
		}
		if d.Cmp(most) > 0 {
			most = d
		}
		if b.Norm == L2 {
			sum.Add(sum, new(big.Rat).Mul(d, d))
		} else {
			sum.Add(sum, d)
		}
	}
	r := rat(b.Radius)
	switch b.Norm {
	case LInf:
		return most.Cmp(r) <= 0
	case L2:
		return sum.Cmp(r.Mul(r, r)) <= 0
	case L1:
		return sum.Cmp(r) <= 0
	default:
		return float64(changed) <= b.Radius
	}
}

// randomBall makes balls of every norm, with and without a clip, whose centre
// may lie outside the clip.
func randomBall(r *rand.Rand, n int) *Ball {
	for {
		norm := Norm(r.IntN(4))
		center := make([]float64, n)
		for i := range center {
			center[i] = r.Float64()*1.2 - 0.1
			if r.IntN(4) == 0 {
				center[i] = float64(r.IntN(2))
			}
		}
		radius := r.Float64()
		switch r.IntN(5) {
		case 0:
			radius = 0
		case 1:
			radius *= 1e-16
		}
		if norm == L0 {
			radius = float64(r.IntN(n + 1))
		}
		var clip *Box
		if norm == L0 || r.IntN(2) == 0 {
			clip = &Box{Lower: make([]float64, n), Upper: make([]float64, n)}
			for i := range clip.Upper {
				clip.Upper[i] = float64(1 + r.IntN(2))
			}
		}
		if b, err := NewBall(norm, center, radius, clip); err == nil {
			return b
		}
	}
}

// sampleBall is a random point of the ball, found by rejection and shrinking
// with the dumb membership test.
func sampleBall(r *rand.Rand, b *Ball) []float64 {
	x := make([]float64, len(b.Center))
	d := make([]float64, len(b.Center))
	for i := range d {
		d[i] = r.NormFloat64()
		if r.IntN(2) == 0 {
			d[i] *= 0.01
		}
		if b.Norm == L0 && float64(i) >= b.Radius {
			d[i] = 0
		}
	}
	r.Shuffle(len(d), func(i, j int) { d[i], d[j] = d[j], d[i] })
	for scale := 3 * max(b.Radius, 1e-300); ; scale *= 0.8 {
		for i, p := range b.anchor {
			x[i] = p + scale*d[i]
		}
		if b.Clip != nil {
			b.Clip.Project(x)
		}
		if distanceWithin(b, x) {
			return x
		}
		if scale < 1e-40 {
			return append([]float64(nil), b.anchor...)
		}
	}
}

func TestNewBallRejects(t *testing.T) {
	unit := &Box{Lower: []float64{0, 0}, Upper: []float64{1, 1}}
	nan, inf := math.NaN(), math.Inf(1)
	for name, c := range map[string]struct {
		norm   Norm
		center []float64
		radius float64
		clip   *Box
	}{
		"norm":            {Norm(9), []float64{0}, 1, nil},
		"no dimensions":   {L2, nil, 1, nil},
		"negative":        {L2, []float64{0}, -1, nil},
		"NaN radius":      {L2, []float64{0}, nan, nil},
		"infinite radius": {L2, []float64{0}, inf, nil},
		"NaN centre":      {L2, []float64{nan}, 1, nil},
		"clip dims":       {L2, []float64{0}, 1, unit},
		"clip crossed":    {L2, []float64{0}, 1, &Box{Lower: []float64{1}, Upper: []float64{0}}},
		"L0 half":         {L0, []float64{0, 0}, 0.5, unit},
		"L0 no clip":      {L0, []float64{0, 0}, 1, nil},
		"L0 empty":        {L0, []float64{2, 2}, 1, unit},
		"L1 empty":        {L1, []float64{2, 2}, 1.9, unit},
		"L2 empty":        {L2, []float64{2, 2}, 1.4, unit},
		"overflow":        {L2, []float64{math.MaxFloat64}, math.MaxFloat64, nil},
	} {
		_, err := NewBall(c.norm, c.center, c.radius, c.clip)
		var e *Error
		require.ErrorAs(t, err, &e, name)
	}
	b, err := NewBall(L1, []float64{2, 2}, 2, unit)
	require.NoError(t, err, "the ball touches the clip in one point")
	x := []float64{0, 0}
	b.Minimizer([]float64{1, 1}, x)
	assert.Equal(t, []float64{1, 1}, x)
}

// TestBallKnownValues holds hand-derived minima: centre (0.5, 0.5), a = (3, -4).
func TestBallKnownValues(t *testing.T) {
	unit := &Box{Lower: []float64{0, 0}, Upper: []float64{1, 1}}
	for _, c := range []struct {
		norm   Norm
		radius float64
		clip   *Box
		want   float64
		x      []float64
	}{
		{LInf, 0.25, nil, -0.5 - 7*0.25, []float64{0.25, 0.75}},
		{LInf, 2, unit, -4, []float64{0, 1}},
		{L2, 1, nil, -0.5 - 5, []float64{0.5 - 0.6, 0.5 + 0.8}},
		{L1, 1, nil, -0.5 - 4, []float64{0.5, 1.5}},
		{L1, 0.75, unit, -0.5 - 4*0.5 - 3*0.25, []float64{0.25, 1}}, // 0.5 on the second, the rest on the first
		{L0, 1, unit, -0.5 - 2, []float64{0.5, 1}},
		{L0, 2, unit, -4, []float64{0, 1}},
		{L0, 0, unit, -0.5, []float64{0.5, 0.5}},
	} {
		b, err := NewBall(c.norm, []float64{0.5, 0.5}, c.radius, c.clip)
		require.NoError(t, err)
		a := []float64{3, -4}
		name := fmt.Sprint(c.norm, c.radius)
		assert.InDelta(t, c.want, b.MinLinear(a), 1e-12, name)
		x := make([]float64, 2)
		b.Minimizer(a, x)
		assert.InDeltaSlice(t, c.x, x, 1e-12, name)
	}
	// L2 of radius 1 clipped at x[1] ≤ 1: the minimum is at (0.5−√0.75, 1),
	// which neither constraint gives alone.
	clip := &Box{Lower: []float64{-9, -9}, Upper: []float64{9, 1}}
	b, err := NewBall(L2, []float64{0.5, 0.5}, 1, clip)
	require.NoError(t, err)
	x := make([]float64, 2)
	b.Minimizer([]float64{3, -4}, x)
	assert.InDeltaSlice(t, []float64{0.5 - math.Sqrt(0.75), 1}, x, 1e-9)
}

func TestBallContainsIsExact(t *testing.T) {
	r := rng(3)
	edge := 0
	for range 3000 {
		b := randomBall(r, 1+r.IntN(5))
		x := sampleBall(r, b)
		// Push to the edge and around it, one ulp at a time.
		b.Minimizer(randomVector(r, len(x)), x)
		for range 6 {
			i := r.IntN(len(x))
			x[i] = math.Nextafter(x[i], math.Inf(r.IntN(2)*2-1))
			want := distanceWithin(b, x) && (b.Clip == nil || b.Clip.Contains(x))
			require.Equal(t, want, b.Contains(x), "%+v %v", b, x)
			if !want {
				edge++
			}
		}
	}
	assert.Greater(t, edge, 100)
	b, err := NewBall(L2, []float64{0, 0}, 5, nil)
	require.NoError(t, err)
	assert.True(t, b.Contains([]float64{3, 4}), "on the sphere")
	assert.False(t, b.Contains([]float64{3, math.Nextafter(4, 5)}))
	assert.False(t, b.Contains([]float64{3, math.Inf(1)}))
	assert.False(t, b.Contains([]float64{3, math.NaN()}))
	assert.False(t, b.Contains([]float64{3}))
}

// TestBallBounds samples points and holds Box, MinLinear and Minimizer against
// them; L0 is enumerated.
func TestBallBounds(t *testing.T) {
	r := rng(4)
	for range 1500 {
		n := 1 + r.IntN(5)
		b := randomBall(r, n)
		a := randomVector(r, n)
		low := b.MinLinear(a)
		x := make([]float64, n)
		b.Minimizer(a, x)
		require.True(t, b.Contains(x))
		least, scale := dot(a, x), 0.0
		for i := range a {
			scale += math.Abs(a[i]) * (math.Abs(b.Center[i]) + b.Radius + 1)
		}
		require.True(t, atLeast(a, x, low))
		require.GreaterOrEqual(t, low, b.Box().MinLinear(a))
		if b.Norm != L2 || b.Clip == nil {
			require.InDelta(t, least, low, 1e-13*scale+1e-300, "%+v a=%v x=%v", b, a, x)
		}
		for range 20 {
			z := sampleBall(r, b)
			require.True(t, b.Contains(z))
			require.True(t, b.Box().Contains(z), "%+v %v", b.Box(), z)
			require.True(t, atLeast(a, z, low), "%+v a=%v z=%v", b, a, z)
			require.GreaterOrEqual(t, dot(a, z), least-1e-11*scale, "a sample beats Minimizer: %+v a=%v z=%v x=%v", b, a, z, x)
		}
		// Dumb twin: projected descent, which on a convex region ends in the
		// least value.
		if b.Norm != L0 {
			z := sampleBall(r, b)
			for k := range 200 {
				for i := range z {
					z[i] -= a[i] * max(b.Radius, 1e-3) / (norm2(a) + 1e-300) / float64(1+k/20)
				}
				b.Project(z)
			}
			require.GreaterOrEqual(t, dot(a, z), least-1e-11*scale)
		} else {
			require.InDelta(t, enumerateL0(b, a), low, 1e-13*scale+1e-300)
		}
	}
}

func norm2(a []float64) float64 { return math.Sqrt(dot(a, a)) }

// enumerateL0 tries every set of changed coordinates.
func enumerateL0(b *Ball, a []float64) float64 {
	least := math.Inf(1)
	for mask := range 1 << len(a) {
		sum, changed, ok := 0.0, 0.0, true
		for i, v := range a {
			if mask>>i&1 == 1 {
				changed++
				sum += min(v*b.Clip.Lower[i], v*b.Clip.Upper[i])
			} else {
				ok = ok && b.anchor[i] == b.Center[i]
				sum += v * b.Center[i]
			}
		}
		if ok && changed <= b.Radius {
			least = min(least, sum)
		}
	}
	return least
}

// TestBallProject: no sampled point of the ball is nearer than the projection.
func TestBallProject(t *testing.T) {
	r := rng(5)
	for range 1500 {
		n := 1 + r.IntN(5)
		b := randomBall(r, n)
		from := make([]float64, n)
		for i := range from {
			from[i] = b.Center[i] + r.NormFloat64()*math.Pow(10, float64(r.IntN(4)-2))
		}
		x := append([]float64(nil), from...)
		b.Project(x)
		require.True(t, b.Contains(x))
		again := append([]float64(nil), x...)
		b.Project(again)
		require.Equal(t, x, again)
		for range 30 {
			z := sampleBall(r, b)
			require.GreaterOrEqual(t, distance(z, from), distance(x, from)-1e-7, "%+v from=%v x=%v z=%v", b, from, x, z)
		}
	}
}

func distance(x, y []float64) float64 {
	d := make([]float64, len(x))
	for i := range x {
		d[i] = x[i] - y[i]
	}
	return norm2(d)
}

func TestBallSurvivesAnything(t *testing.T) {
	r := rng(6)
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64, math.SmallestNonzeroFloat64, 0, 1e300}
	for range 2000 {
		n := 1 + r.IntN(4)
		b := randomBall(r, n)
		if r.IntN(4) == 0 && b.Norm != L0 {
			c := make([]float64, n)
			for i := range c {
				c[i] = math.Ldexp(r.NormFloat64(), r.IntN(2000)-1000)
			}
			big, err := NewBall(b.Norm, c, math.Ldexp(1, r.IntN(2000)-1000), nil)
			require.NoError(t, err)
			b = big
		}
		x := make([]float64, n)
		for i := range x {
			x[i] = odd[r.IntN(len(odd))]
		}
		a := append([]float64(nil), x...)
		assert.False(t, math.IsNaN(b.MinLinear(a)))
		b.Project(x)
		require.True(t, b.Contains(x), "%+v", b)
		b.Minimizer(a, x)
		require.True(t, b.Contains(x), "%+v", b)
		RoundInto32(b, x)
		require.True(t, b.Contains(x), "%+v", b)
	}
}

func TestLInfBallIsItsBox(t *testing.T) {
	center := []float64{0.1, 0.7, 1e-300}
	ball, err := NewBall(LInf, center, 0.2, nil)
	require.NoError(t, err)
	box, err := NewLInfBall(center, 0.2, nil)
	require.NoError(t, err)
	assert.Equal(t, ball.Box(), box)
	for i, c := range center {
		r, lo, hi := rat(0.2), rat(box.Lower[i]), rat(box.Upper[i])
		assert.LessOrEqual(t, lo.Cmp(new(big.Rat).Sub(rat(c), r)), 0)
		assert.GreaterOrEqual(t, hi.Cmp(new(big.Rat).Add(rat(c), r)), 0)
	}
	assert.Equal(t, "Linf L2 L1 L0 unknown norm", fmt.Sprint(LInf, " ", L2, " ", L1, " ", L0, " ", Norm(7)))
}

func BenchmarkBallMinLinear(b *testing.B) {
	r := rng(7)
	const n = 3072
	clip := &Box{Lower: make([]float64, n), Upper: make([]float64, n)}
	center, a, x := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range center {
		clip.Upper[i], center[i], a[i] = 1, r.Float64(), r.NormFloat64()
	}
	for norm := LInf; norm <= L0; norm++ {
		ball, err := NewBall(norm, center, 2, clip)
		require.NoError(b, err)
		b.Run("bound/"+norm.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ball.MinLinear(a)
			}
		})
		b.Run("point/"+norm.String(), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				ball.Minimizer(a, x)
			}
		})
	}
}
