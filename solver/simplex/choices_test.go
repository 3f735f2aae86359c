package simplex

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver"
)

// randomChoices is random, with one or two choices among its variables.
func randomChoices(rng *rand.Rand) *solver.Problem {
	p := random(rng)
	for range 1 + rng.IntN(2) {
		var columns []int
		var ones []float64
		for range 2 + rng.IntN(2) {
			columns, ones = append(columns, p.AddInteger(0, 1, float64(rng.IntN(9)-4))), append(ones, 2)
		}
		p.AddEqual(2, columns, ones)
		for i := range p.Rows[:len(p.Rows)-1] {
			for _, j := range columns {
				if v := rng.IntN(13) - 6; v != 0 && p.Rows[i].Lower != p.Rows[i].Upper {
					p.Rows[i].Columns, p.Rows[i].Values = append(p.Rows[i].Columns, j), append(p.Rows[i].Values, float64(v))
				}
			}
		}
	}
	return p
}

// Propagation and probing lose no point, with and without choices.
func TestPropagationKeepsPoints(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 1))
	seen := map[string]int{}
	for k := range 4000 {
		p := random(rng)
		if k%2 == 0 {
			p = randomChoices(rng)
		}
		d := newDomains(p, rowsOfVariables(p))
		d.all()
		some := d.propagate()
		lower, upper := append([]float64{}, d.lower...), append([]float64{}, d.upper...)
		before := append(append([]float64{}, lower...), upper...)
		s := &search{p: p}
		s.prepareIntegers()
		probed := some && s.probe(context.Background(), d, lower, upper)
		referee := newReferee(p, defaultTolerance)
		box(p, func(x []float64) {
			if !referee.accepts(x) {
				return
			}
			require.True(t, some && probed, "%+v at %v", p, x)
			for j, v := range x {
				require.GreaterOrEqual(t, v, lower[j], "%+v at %v", p, x)
				require.LessOrEqual(t, v, upper[j], "%+v at %v", p, x)
			}
		})
		if probed && !slices.Equal(append(lower, upper...), before) {
			seen["tightened by probing"]++
		}
		for _, q := range d.partitions {
			if q != nil {
				seen["partitions"]++
			}
		}
		switch {
		case !some:
			seen["empty"]++
		case !probed:
			seen["empty by probing"]++
		}
	}
	for what, least := range map[string]int{"partitions": 500, "empty": 100, "empty by probing": 4, "tightened by probing": 50} {
		require.Greater(t, seen[what], least, "%s: %v", what, seen)
	}
}

// levels is y = Σ v·b over v from 0 to 4, Σ b = 1, and x with 2x = y.
func levels() (p *solver.Problem, x, y int, b []int) {
	p = &solver.Problem{}
	x, y = p.AddVariable(0, 2, 0), p.AddInteger(0, 4, 0)
	var ones, values []float64
	for v := range 5 {
		b, ones, values = append(b, p.AddInteger(0, 1, 0)), append(ones, 1), append(values, float64(v))
	}
	p.AddEqual(1, b, ones)
	p.AddEqual(0, append([]int{y}, b...), append([]float64{-1}, values...))
	p.AddEqual(0, append([]int{x}, b...), append([]float64{-2}, values...))
	return p, x, y, b
}

// Halving the integer halves its choice and what hangs on it, and the other way round.
func TestChoicesPropagate(t *testing.T) {
	p, x, y, b := levels()
	d := newDomains(p, rowsOfVariables(p))
	require.Nil(t, d.partitions[0], "the choice itself")
	require.NotNil(t, d.partitions[1])
	require.True(t, d.setUpper(y, 2) && d.propagate())
	require.Zero(t, d.upper[b[3]]+d.upper[b[4]])
	require.InDelta(t, 1, d.upper[x], 1e-9)
	require.True(t, d.setUpper(b[0], 0) && d.propagate())
	require.Equal(t, 1.0, d.lower[y])
	require.InDelta(t, 0.5, d.lower[x], 1e-9)
	require.True(t, d.setLower(y, 2) && d.propagate())
	require.Equal(t, 1.0, d.lower[b[2]])
	require.False(t, d.setUpper(b[2], 0) && d.propagate())
}

// A row with a part of a choice only: what it has not may be chosen too.
func TestPartOfAChoice(t *testing.T) {
	p := &solver.Problem{}
	var b []int
	for range 3 {
		b = append(b, p.AddInteger(0, 1, 0))
	}
	z := p.AddInteger(0, 9, 0)
	p.AddEqual(1, b, []float64{1, 1, 1})
	p.AddEqual(0, []int{b[0], b[1], z}, []float64{3, 5, -1})
	d := newDomains(p, rowsOfVariables(p))
	d.all()
	require.True(t, d.propagate())
	require.Equal(t, []float64{0, 5}, []float64{d.lower[z], d.upper[z]})
	require.True(t, d.setLower(z, 4) && d.propagate())
	require.Equal(t, []float64{0, 1, 0}, []float64{d.upper[b[0]], d.lower[b[1]], d.upper[b[2]]})
}
