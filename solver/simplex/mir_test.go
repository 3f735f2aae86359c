package simplex

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver"
)

// Gomory's cut of 2x + 2y ≤ 3 with integers is x + y ≤ 1.
func TestRoundingOfOneRow(t *testing.T) {
	p := &solver.Problem{}
	p.AddInteger(0, 5, 0)
	p.AddInteger(0, 5, 0)
	p.AddLessEqual(3, []int{0, 1}, []float64{2, 2})
	r := newRounder(p, []float64{0, 0}, []float64{5, 5})
	row, ok := r.round([]weighted{{0, 0.5, true}}, []float64{1.5, 0})
	require.True(t, ok)
	require.Equal(t, []int{0, 1}, row.Columns)
	require.InDelta(t, row.Values[0], row.Values[1], 1e-12)
	require.InDelta(t, row.Values[0], row.Upper, 1e-12)
	require.GreaterOrEqual(t, row.Upper, row.Values[0])
	_, ok = r.round([]weighted{{0, 1, true}}, []float64{1.5, 0}) // 3 is an integer: nothing to round
	require.False(t, ok)
	_, ok = r.round([]weighted{{0, -1, false}}, []float64{1.5, 0}) // no lower end
	require.False(t, ok)
}

// wildRows are rows over integers far from zero or in wide ranges, whose ends some of the
// returned points just meet; the last row nearly cancels the first for a variable, if it is
// weighted by −1.
func wildRows(rng *rand.Rand) (p *solver.Problem, points [][]float64) {
	p = &solver.Problem{}
	n := 3
	for range n {
		middle := float64(rng.IntN(3)-1) * float64(1+rng.IntN(1e7))
		width := float64(1 + rng.IntN(3))
		if rng.IntN(3) == 0 {
			width = float64(1 + rng.IntN(1e6))
		}
		p.AddInteger(middle, middle+width, 0)
	}
	for range 300 {
		x := make([]float64, n)
		for j := range x {
			v := &p.Variables[j]
			if x[j] = v.Lower + float64(rng.IntN(3)); rng.IntN(2) == 0 {
				x[j] = v.Upper - float64(rng.IntN(3))
			}
			x[j] = min(max(x[j], v.Lower), v.Upper)
		}
		points = append(points, x)
	}
	columns := []int{0, 1, 2}
	meet, at := rng.IntN(3), points[0] // often all in one point
	for i := range 3 {
		values := make([]float64, n)
		for j := range values {
			values[j] = rng.Float64()*4 - 2
			switch rng.IntN(5) {
			case 0:
				values[j] *= 1e-10
			case 1:
				values[j] = float64(rng.IntN(9) - 4)
			}
			if i == 2 && rng.IntN(3) == 0 {
				values[j] = p.Rows[0].Values[j] * (1 + (rng.Float64()-0.5)*1e-11)
			}
		}
		r := solver.Row{Columns: columns, Values: values}
		if meet == 0 {
			at = points[i]
		}
		p.AddLessEqual(r.Activity(at)+[]float64{0, 0, 0.5}[rng.IntN(3)], columns, values)
		if rng.IntN(3) == 0 {
			p.Rows[i].Upper, p.Rows[i].Lower = p.Rows[i].Upper+rng.Float64(), p.Rows[i].Upper
		}
	}
	return p, slices.DeleteFunc(points, func(x []float64) bool { return !satisfies(p, x) })
}

// satisfies reports whether all rows hold, exactly.
func satisfies(p *solver.Problem, x []float64) bool {
	for i := range p.Rows {
		r := &p.Rows[i]
		minus := slices.Clone(r.Values)
		for k := range minus {
			minus[k] = -minus[k]
		}
		if !math.IsInf(r.Upper, 1) && above(r.Columns, r.Values, x, r.Upper) ||
			!math.IsInf(r.Lower, -1) && above(r.Columns, minus, x, -r.Lower) {
			return false
		}
	}
	return true
}

// Cuts by any weights hold at points that meet the rows' ends, where each rounding error
// counts.
func TestRoundingIsSafe(t *testing.T) {
	rng := rand.New(rand.NewPCG(32, 1))
	cuts, near := 0, 0
	for range 12 * cutProblems {
		p, points := wildRows(rng)
		low, high := make([]float64, 3), make([]float64, 3)
		for j := range low {
			low[j], high[j] = p.Variables[j].Lower, p.Variables[j].Upper
		}
		if len(points) == 0 {
			continue
		}
		var rows []weighted
		for i := range p.Rows {
			y := []float64{1, 0.5, rng.Float64()*2 - 1, 1 / 3.0, -1, 1e-3}[rng.IntN(6)]
			if i == 2 && len(rows) > 0 && rng.IntN(2) == 0 {
				y = -rows[0].y
			}
			if rng.IntN(4) > 0 {
				rows = append(rows, weighted{i, y, math.IsInf(p.Rows[i].Lower, -1) || rng.IntN(2) == 0})
			}
		}
		row, ok := newRounder(p, low, high).round(rows, points[rng.IntN(len(points))])
		if !ok {
			continue
		}
		cuts++
		for _, x := range points {
			require.False(t, above(row.Columns, row.Values, x, row.Upper), "%+v\nby %v at %v violates %+v", p, rows, x, row)
			if row.Activity(x) > row.Upper-1e-6 {
				near++
			}
		}
	}
	t.Log(cuts, near)
	require.Greater(t, cuts, 3*cutProblems)
	require.Greater(t, near, cuts/10)
}

// A coefficient that is zero but for rounding, of a variable with a wide range, is paid
// for: 0.75x + w and −(1 + 5e-12)w leave −5e-12·w, and (2, 1e6) meets both ends.
func TestNearZeroIsPaidFor(t *testing.T) {
	p := &solver.Problem{}
	p.AddInteger(0, 3, 0)
	p.AddInteger(0, 1e6, 0)
	d := 1 + 5e-12
	p.AddLessEqual(1.5+1e6, []int{0, 1}, []float64{0.75, 1})
	p.AddLessEqual(math.Nextafter(-d*1e6, 0), []int{1}, []float64{-d})
	x := []float64{2, 1e6}
	require.True(t, satisfies(p, x))
	row, ok := newRounder(p, []float64{0, 0}, []float64{3, 1e6}).round([]weighted{{0, 1, true}, {1, 1, true}}, []float64{2.1, 1e6})
	require.True(t, ok)
	require.False(t, above(row.Columns, row.Values, x, row.Upper), "%+v", row)
	require.InDelta(t, 1, row.Upper/row.Values[0]/2, 1e-4)
}
