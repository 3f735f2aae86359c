package simplex

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver/solvertest"
)

// Scaling undoes what made a matrix badly scaled, by powers of two.
func TestScaling(t *testing.T) {
	p := solvertest.Bounded(1, 20, 15)
	for i := range p.Rows {
		for k, j := range p.Rows[i].Columns {
			v := &p.Rows[i].Values[k]
			*v = math.Copysign(1+math.Abs(*v), *v) * math.Pow(10, float64(i%7-3)+float64(j%5-2))
		}
	}
	s := scaleOf(p)
	most, least := 0.0, math.Inf(1)
	for i, r := range p.Rows {
		for k, j := range r.Columns {
			v := math.Abs(r.Values[k] * s.row[i] * s.column[j])
			most, least = max(most, v), min(least, v)
		}
	}
	require.Less(t, most/least, 50.0)
	for _, f := range append(append([]float64{}, s.row...), s.column...) {
		fraction, _ := math.Frexp(f)
		require.Equal(t, 0.5, fraction)
	}
}

func TestScalingOfEmptyRowsAndColumns(t *testing.T) {
	p := solvertest.Bounded(1, 2, 3)
	p.Rows[0].Columns, p.Rows[0].Values = nil, nil
	p.Rows[1].Columns, p.Rows[1].Values = []int{1}, []float64{0}
	s := scaleOf(p)
	require.Equal(t, []float64{1, 1}, s.row)
	require.Equal(t, []float64{1, 1, 1}, s.column)
	require.Equal(t, math.Ldexp(1, 300), powerOfTwo(math.MaxFloat64))
}
