package pgd

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// identity is y = x.
func identity(tb testing.TB, n int) nn.Network {
	b := nn.NewBuilder(nn.Shape{n})
	g, err := b.Build(b.Add("id", nn.Identity{}, b.Input()))
	require.NoError(tb, err)
	return g
}

// distance is the squared distance of y to (2, −0.25).
func distance(_ int, _, y, _, gradY []float32) float32 {
	dx, dy := y[0]-2, y[1]+0.25
	gradY[0] += 2 * dx
	gradY[1] += 2 * dy
	return dx*dx + dy*dy
}

func never(int, []float32, []float32, float32) bool { return false }

func square(points int) *Batch {
	b := &Batch{Points: points}
	for range points {
		b.X = append(b.X, -1, 1)
		b.Lower = append(b.Lower, -1, -1)
		b.Upper = append(b.Upper, 1, 1)
	}
	return b
}

func TestDescendFindsTheNearestPointOfTheBox(t *testing.T) {
	b := square(3)
	found := NewSearcher(identity(t, 2)).Descend(context.Background(), b, distance, Schedule{Steps: 60, First: 0.25, Last: 1e-4}, never)
	require.False(t, found)
	for p := range 3 {
		require.Equal(t, float32(1), b.X[2*p])
		require.InDelta(t, -0.25, b.X[2*p+1], 0.01)
	}
}

func TestDescendStopsWhereItIsTold(t *testing.T) {
	b := square(2)
	calls := 0
	found := NewSearcher(identity(t, 2)).Descend(context.Background(), b, distance, Schedule{Steps: 60, First: 0.25, Last: 1e-4},
		func(p int, x, y []float32, v float32) bool {
			calls++
			require.Equal(t, x, y)
			return p == 1 && v < 2
		})
	require.True(t, found)
	require.Less(t, calls, 40)
}

func TestDescendInADisc(t *testing.T) {
	b := square(1)
	b.Project = func(_ int, x []float32) {
		if r := math.Hypot(float64(x[0]), float64(x[1])); r > 1 {
			x[0], x[1] = float32(float64(x[0])/r), float32(float64(x[1])/r)
		}
	}
	NewSearcher(identity(t, 2)).Descend(context.Background(), b, distance, Schedule{Steps: 200, First: 0.1, Last: 1e-4}, never)
	far := math.Hypot(2, 0.25)
	require.InDelta(t, 2/far, b.X[0], 0.03)
	require.InDelta(t, -0.25/far, b.X[1], 0.03)
}

func TestFlatCountsPointsWithoutSlope(t *testing.T) {
	b := square(2)
	s := NewSearcher(identity(t, 2))
	s.Descend(context.Background(), b, func(p int, _, _, _, gradY []float32) float32 {
		if p == 1 {
			gradY[0]++
		}
		return 0
	}, Schedule{Steps: 3, First: 0.1, Last: 0.1}, never)
	require.Equal(t, 1, s.Flat())
}

func TestNaNGradientsLeavePointsInTheirBox(t *testing.T) {
	b := square(1)
	NewSearcher(identity(t, 2)).Descend(context.Background(), b, func(_ int, _, _, _, gradY []float32) float32 {
		gradY[0], gradY[1] = float32(math.NaN()), 1
		return 0
	}, Schedule{Steps: 5, First: 0.1, Last: 0.1}, never)
	for _, v := range b.X {
		require.True(t, v >= -1 && v <= 1)
	}
}

func TestCancelledDescentEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.False(t, NewSearcher(identity(t, 2)).Descend(ctx, square(1), distance, Schedule{Steps: 5, First: 0.1, Last: 0.1}, never))
}

// The rules of Step, by hand: one step from 0 in [−1, 1] × [0, 4], against the
// gradient (2, −0.5), then clipped to the box.
func TestStepRules(t *testing.T) {
	for rule, want := range map[Step][]float32{
		Relative: {-0.5, 1}, // a quarter of each width
		Sign:     {-0.25, 0.25},
		Raw:      {-0.5, 0.125},
	} {
		b := &Batch{Points: 1, X: []float32{0, 0}, Lower: []float32{-1, 0}, Upper: []float32{1, 4}}
		calls := 0
		ended, flat := Run(context.Background(), b, Schedule{Steps: 1, First: 0.25, Last: 0.25, Step: rule}, func(last bool) ([]float32, bool) {
			calls++
			require.Equal(t, calls == 2, last)
			return []float32{2, -0.5}, false
		})
		require.False(t, ended)
		require.Zero(t, flat)
		require.Equal(t, want, b.X, "rule %d", rule)
	}
	b := &Batch{Points: 2, X: make([]float32, 4), Lower: []float32{-1, -1, -1, -1}, Upper: []float32{1, 1, 1, 1}}
	nan := float32(math.NaN())
	ended, flat := Run(context.Background(), b, Schedule{Steps: 9, First: 5, Last: 5, Step: Sign}, func(bool) ([]float32, bool) {
		return []float32{0, 0, nan, -1}, b.X[3] == 1
	})
	require.True(t, ended)
	require.Equal(t, 1, flat, "the first point has no slope")
	require.Zero(t, b.X[0])
	require.False(t, math.IsNaN(float64(b.X[2])))
}
