package reach_test

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/reach"
	"github.com/vouchnn/vouch/spec"
)

func newStar(t *testing.T, lower, upper []float64) *reach.Star {
	b, err := spec.NewBox(lower, upper)
	require.NoError(t, err)
	s, err := reach.NewStar(b, nil)
	require.NoError(t, err)
	return s
}

// TestStarByHand: the square [-1,1]² turned and stretched, cut, and asked.
func TestStarByHand(t *testing.T) {
	s := newStar(t, []float64{-1, -1}, []float64{1, 1})
	// (x, y) ↦ (x+y, x−y): a diamond with corners (±2, 0), (0, ±2).
	d, err := s.Affine([]float64{1, 1, 1, -1}, []float64{0, 0})
	require.NoError(t, err)
	require.Equal(t, 2, d.Dim())
	require.Equal(t, 2, d.Variables())
	require.Equal(t, 0, d.Rows())
	box := d.Box()
	assert.InDeltaSlice(t, []float64{-2, -2}, box.Lower, 1e-12)
	assert.InDeltaSlice(t, []float64{2, 2}, box.Upper, 1e-12)
	v, x, err := d.Minimum(bg, []float64{1, 0.5})
	require.NoError(t, err)
	assert.InDelta(t, -2, v, 1e-12)
	assert.InDeltaSlice(t, []float64{-2, 0}, x, 1e-12)

	// Cut by u + v ≤ −1: u+v = 2x, so x ≤ −1/2.
	c := d.Intersect([]float64{1, 1}, -1)
	require.Equal(t, 1, c.Rows())
	lower, upper, err := c.Range(bg, 0)
	require.NoError(t, err)
	assert.InDelta(t, -2, lower, 1e-9)
	assert.InDelta(t, 0.5, upper, 1e-9)
	for _, p := range []struct {
		x  []float64
		in bool
	}{{[]float64{-2, 0}, true}, {[]float64{-1, 0}, true}, {[]float64{0, 0}, false}, {[]float64{-2.1, 0}, false}, {[]float64{-1.5, 0.5}, true}} {
		in, err := c.Contains(bg, p.x)
		require.NoError(t, err)
		assert.Equal(t, p.in, in, p.x)
	}
	empty, err := c.Empty(bg)
	require.NoError(t, err)
	assert.False(t, empty)
	none := c.Intersect([]float64{-1, -1}, 0.5) // u + v ≥ −0.5
	empty, err = none.Empty(bg)
	require.NoError(t, err)
	assert.True(t, empty)
	v, _, err = none.Minimum(bg, []float64{1, 0})
	require.NoError(t, err)
	assert.True(t, math.IsInf(v, 1))
	rng := rand.New(rand.NewPCG(1, 1))
	points, err := none.Sample(bg, rng, 3)
	require.NoError(t, err)
	assert.Empty(t, points)
	polygon, err := none.Polygon(bg, 0, 1)
	require.NoError(t, err)
	assert.Empty(t, polygon)

	// The zonotope of the cut star is the diamond again, but for the tightened
	// variable: what the row says of x alone stays.
	z := c.Zonotope()
	require.Equal(t, 0, z.Rows())
	for _, star := range []*reach.Star{d, c, &z.Star} {
		points, err := star.Sample(bg, rng, 50)
		require.NoError(t, err)
		require.Len(t, points, 50)
		for _, p := range points {
			in, err := star.Contains(bg, p)
			require.NoError(t, err)
			require.True(t, in)
		}
	}
}

func area(p []reach.Point) float64 {
	sum := 0.0
	for i, a := range p {
		b := p[(i+1)%len(p)]
		sum += a.X*b.Y - a.Y*b.X
	}
	return sum / 2
}

func TestPolygon(t *testing.T) {
	s := newStar(t, []float64{-1, -1, 0}, []float64{1, 1, 0})
	d, err := s.Affine([]float64{1, 1, 0, 1, -1, 0, 0, 0, 1}, nil)
	require.NoError(t, err)
	for _, star := range []*reach.Star{d, d.Intersect([]float64{1, 0, 0}, 100)} { // closed form, programs
		p, err := star.Polygon(bg, 0, 1)
		require.NoError(t, err)
		require.Len(t, p, 4)
		assert.InDelta(t, 8, area(p), 1e-9)
		flat, err := star.Polygon(bg, 0, 2)
		require.NoError(t, err)
		require.Len(t, flat, 2)
		point, err := star.Polygon(bg, 2, 2)
		require.NoError(t, err)
		require.Len(t, point, 1)
		line, err := star.Polygon(bg, 0, 0)
		require.NoError(t, err)
		require.Len(t, line, 2)
	}
	cut := d.Intersect([]float64{1, 0, 0}, 0)
	p, err := cut.Polygon(bg, 0, 1)
	require.NoError(t, err)
	require.Len(t, p, 3)
	assert.InDelta(t, 4, area(p), 1e-9)

	// A polygon with many corners is the convex hull of its support points in all
	// directions: no direction reaches beyond a vertex.
	rng := rand.New(rand.NewPCG(2, 2))
	m, err := reach.Compile(tinyDense(t, 6, nn.ReLU{}, 3, 8, 8, 2))
	require.NoError(t, err)
	stars, err := m.Reach(bg, boxAround(t, rng, 3, 1), reach.Options{})
	require.NoError(t, err)
	p, err = stars[0].Polygon(bg, 0, 1)
	require.NoError(t, err)
	require.Greater(t, len(p), 4)
	require.Positive(t, area(p))
	for range 50 {
		a := 2 * math.Pi * rng.Float64()
		h := []float64{math.Cos(a), math.Sin(a)}
		want, _, err := stars[0].Minimum(bg, h)
		require.NoError(t, err)
		got := math.Inf(1)
		for _, v := range p {
			got = min(got, h[0]*v.X+h[1]*v.Y)
		}
		assert.InDelta(t, want, got, 1e-5)
	}
}

// TestImageStarIsStar: convolution, normalisation and pooling of an ImageStar are
// those of the dense star of the operator's matrix, in both orders of flattening.
func TestImageStarIsStar(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	m := newNet(t, 3, nn.Shape{2, 6, 5})
	m.conv(3, nn.ConvConfig{Kernel: []int{3, 2}, Stride: []int{2, 1}, Pad: []int{1, 1, 1, 0}})
	m.norm(0)
	m.averagePool(nn.PoolConfig{Kernel: []int{2, 2}})
	net := m.build()
	box := boxAround(t, rng, 60, 0.3)
	image, err := reach.NewImageStar(box.Lower, box.Upper, 2, 6, 5)
	require.NoError(t, err)
	require.Equal(t, 2*30-1, image.Index(1, 5, 4))
	s := image.Star
	for _, n := range net.Nodes()[1:] {
		s, err = s.Apply(n.Op.(nn.Affine))
		require.NoError(t, err)
	}
	out, err := s.Image()
	require.NoError(t, err)
	channels, height, width := out.Axes()
	size := channels * height * width
	zero, err := nn.Evaluate(net, make([]float64, 60))
	require.NoError(t, err)
	w := make([]float64, size*60)
	for j := range 60 {
		x := make([]float64, 60)
		x[j] = 1
		y, err := nn.Evaluate(net, x)
		require.NoError(t, err)
		for i := range y {
			w[i*60+j] = y[i] - zero[i]
		}
	}
	dense, err := newStar(t, box.Lower, box.Upper).Affine(w, zero)
	require.NoError(t, err)
	require.Equal(t, dense.Variables(), out.Variables())
	require.Less(t, out.Stored(), size*out.Variables())
	rows, err := out.Flatten(reach.RowMajor)
	require.NoError(t, err)
	columns, err := out.Flatten(reach.ColumnMajor)
	require.NoError(t, err)
	want, gotRows, gotColumns := dense.Box(), rows.Box(), columns.Box()
	for c := range channels {
		for y := range height {
			for x := range width {
				i, j := (c*height+y)*width+x, (c*width+x)*height+y
				assert.InDelta(t, want.Lower[i], gotRows.Lower[i], 1e-12)
				assert.InDelta(t, want.Upper[i], gotRows.Upper[i], 1e-12)
				assert.InDelta(t, want.Upper[i], gotColumns.Upper[j], 1e-12)
			}
		}
	}
	for range 5 {
		h := make([]float64, size)
		for i := range h {
			h[i] = rng.NormFloat64()
		}
		a, _, err := dense.Minimum(bg, h)
		require.NoError(t, err)
		b, _, err := rows.Minimum(bg, h)
		require.NoError(t, err)
		assert.InDelta(t, a, b, 1e-11)
	}
}

func TestStarErrors(t *testing.T) {
	var bad *spec.Error
	_, err := reach.NewStar(spec.Box{Lower: []float64{1}, Upper: []float64{0}}, nil)
	require.ErrorAs(t, err, &bad)
	var shape *nn.ShapeError
	_, err = reach.NewStar(spec.Box{Lower: []float64{0}, Upper: []float64{1}}, nn.Shape{2})
	require.ErrorAs(t, err, &shape)
	s := newStar(t, []float64{0, 0}, []float64{1, 1})
	_, err = s.Affine([]float64{1, 2, 3}, nil)
	require.ErrorAs(t, err, &shape)
	_, err = s.Affine([]float64{1, 2}, []float64{1, 2})
	require.ErrorAs(t, err, &shape)
	_, err = s.Image()
	require.ErrorAs(t, err, &shape)
	d, err := nn.NewDense(1, 3, []float64{1, 1, 1}, nil)
	require.NoError(t, err)
	_, err = s.Apply(d)
	require.ErrorAs(t, err, &shape)
	_, err = reach.NewImageStar([]float64{0}, []float64{1}, 1, 2, 2)
	require.ErrorAs(t, err, &shape)
	_, err = reach.NewZonotope(spec.Box{}, nil)
	require.ErrorAs(t, err, &bad)
}

// TestImageStarMemory: a 64×64 image with every pixel uncertain, through the study's
// network: the whole run allocates less than a tenth of the 1 GB.
func TestImageStarMemory(t *testing.T) {
	net := studyNet(t, 1, 64, 6)
	m, err := reach.Compile(net)
	require.NoError(t, err)
	lo, up := make([]float64, 64*64), make([]float64, 64*64)
	for i := range lo {
		lo[i], up[i] = 0.3, 0.7
	}
	box, err := spec.NewBox(lo, up)
	require.NoError(t, err)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	stars, err := m.Reach(bg, box, reach.Options{})
	require.NoError(t, err)
	runtime.ReadMemStats(&after)
	mib := float64(after.TotalAlloc-before.TotalAlloc) / (1 << 20)
	t.Logf("%.0f MiB allocated in all; %d variables, %d rows", mib, stars[0].Variables(), stars[0].Rows())
	require.Greater(t, stars[0].Variables(), 64*64+1000, "neurons were to be undecided")
	require.Less(t, mib, 100.0)
}
