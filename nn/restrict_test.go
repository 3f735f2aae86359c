package nn

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRestrictedDense(t *testing.T) {
	d, err := NewDense(3, 2, []float64{1, 2, 3, 4, 5, 6}, []float64{7, 8, 9})
	require.NoError(t, err)
	d.folded = folded{weight: 2, bias: 3}
	d.bias.magnitude = []float64{70, 80, 90}

	require.Same(t, d, d.Restrict(nil, nil))
	r := d.Restrict([]int{2, 0}, []int{1})
	require.Equal(t, []float64{6, 2}, r.Weight().Values())
	require.Equal(t, []float64{9, 7}, r.Bias().Values())
	require.Equal(t, []float64{90, 70}, r.bias.magnitude)
	require.Equal(t, d.folded, r.folded)
	require.Equal(t, []float64{1, 2, 3, 4, 5, 6}, d.Weight().Values(), "the layer itself is as it was")

	r = d.Restrict(nil, []int{0})
	require.Equal(t, Shape{3, 1}, r.Weight().Shape)
	require.Equal(t, []float64{1, 3, 5}, r.Weight().Values())
}
