package bounds_test

import (
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bounds"
)

// open is the query with functions that stay negative, so that nothing stops
// early, and by how much they were lowered.
func (c *referenceCase) open() (*bounds.Query, float64) {
	const shift = 1000
	q := c.query()
	q.Functions.Const = make([]float64, len(c.Others))
	for f := range q.Functions.Const {
		q.Functions.Const[f] = -shift
	}
	return q, shift
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v / float64(len(x))
	}
	return sum
}

func (c *referenceCase) name() string { return filepath.Base(c.Net) + "/" + filepath.Base(c.VNNLIB) }

// compareAlpha holds Alpha against auto_LiRPA's α-CROWN of as many iterations.
func compareAlpha(t *testing.T, iterations int, reference string) {
	for _, c := range referenceCases(t) {
		t.Run(c.name(), func(t *testing.T) {
			c.load(t)
			q, shift := c.open()
			start := cpuTime(t)
			r, err := bounds.Alpha{Iterations: iterations}.Bound(t.Context(), c.model, q)
			require.NoError(t, err)
			used := cpuTime(t) - start
			want := c.Methods[reference]
			ours := mean(r[0].Lower) + shift
			least := slices.Min(r[0].Lower) + shift
			t.Logf("mean %.5f, reference %.5f; least %.4f, reference %.4f; %.3f CPU s, reference %.2f",
				ours, mean(want.Lower), least, slices.Min(want.Lower), used.Seconds(), want.CPU)
			assert.GreaterOrEqual(t, ours, mean(want.Lower))
			if strings.Contains(c.Net, "SIGMOID") {
				assert.GreaterOrEqual(t, least, 8.2)
			}
		})
	}
}

func TestAlphaReference(t *testing.T) { compareAlpha(t, 20, "alpha-CROWN-20") }

// Where the functions are positive, Alpha stops: here after Crown.
func TestAlphaStopsWhereDecided(t *testing.T) {
	for _, c := range referenceCases(t) {
		c.load(t)
		crown, err := bounds.Crown{}.Bound(t.Context(), c.model, c.query())
		require.NoError(t, err)
		alpha, err := bounds.Alpha{}.Bound(t.Context(), c.model, c.query())
		require.NoError(t, err)
		if slices.Min(crown[0].Lower) > 0 {
			assert.Equal(t, crown, alpha, c.name())
		} else {
			assert.Greater(t, mean(alpha[0].Lower), mean(crown[0].Lower), c.name())
		}
	}
}

// With fewer neurons optimised the bounds lie between Crown's and all of
// Alpha's.
func TestAlphaNeurons(t *testing.T) {
	c := referenceCases(t)[0]
	c.load(t)
	q, _ := c.open()
	last := -2000.0
	for _, n := range []int{1, 10, 30, 0} {
		r, err := bounds.Alpha{Iterations: 10, Neurons: n}.Bound(t.Context(), c.model, q)
		require.NoError(t, err)
		assert.Greater(t, mean(r[0].Lower), last, "%d neurons", n)
		last = mean(r[0].Lower)
	}
}

func BenchmarkAlpha(b *testing.B) {
	for _, iterations := range []int{20, 100} {
		for _, c := range referenceCases(b) {
			b.Run(c.name()+map[int]string{20: "/20", 100: "/100"}[iterations], func(b *testing.B) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
				c.load(b)
				q, shift := c.open()
				b.ReportAllocs()
				start := cpuTime(b)
				var margin float64
				for b.Loop() {
					r, err := bounds.Alpha{Iterations: iterations}.Bound(b.Context(), c.model, q)
					require.NoError(b, err)
					margin = mean(r[0].Lower) + shift
				}
				b.ReportMetric((cpuTime(b)-start).Seconds()/float64(b.N), "cpu-s/op")
				b.ReportMetric(margin, "mean-margin")
			})
		}
	}
}
