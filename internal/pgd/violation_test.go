package pgd

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/spec"
)

// The value against the definition in float64, the gradient against the difference
// quotient, which is exact where no inequality changes places.
func TestViolation(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	compared := 0
	for range 300 {
		c := conjunction(rng, 1+rng.IntN(3))
		x, y := numbers(rng, 2), numbers(rng, 3)
		for _, sum := range []bool{false, true} {
			gx, gy := make([]float32, 2), make([]float32, 3)
			v := Violation(c, sum, x, y, gx, gy)
			require.InDelta(t, violationTwin(c, sum, x, y), v, 1e-5)
			require.Equal(t, c.Holds(wide(x), wide(y)), v <= 0)
			for i := range 5 {
				in, g := x, gx
				k := i
				if i >= 2 {
					in, g, k = y, gy, i-2
				}
				const h = 1e-3
				old := in[k]
				in[k] = old + h
				up := violationTwin(c, sum, x, y)
				in[k] = old - h
				down := violationTwin(c, sum, x, y)
				in[k] = old
				if middle := violationTwin(c, sum, x, y); up+down-2*middle < 1e-7 && up+down-2*middle > -1e-7 {
					compared++
					assert.InDelta(t, (up-down)/(2*h), g[k], 1e-3)
				}
			}
		}
	}
	assert.Greater(t, compared, 2000)
	assert.Zero(t, Violation(nil, true, nil, nil, nil, nil))
}

// Two inequalities of unlike slopes that hold together near one corner only: both
// losses find the way.
func TestViolationDescends(t *testing.T) {
	c := spec.Conjunction{
		{Output: []spec.Term{{Index: 0, Coef: 1}, {Index: 1, Coef: 1}}, Bound: -1.5},
		{Output: []spec.Term{{Index: 0, Coef: 10}, {Index: 1, Coef: -1}}, Bound: 0},
	}
	for _, sum := range []bool{false, true} {
		s := NewSearcher(identity(t, 2))
		loss := func(_ int, x, y, gx, gy []float32) float32 { return Violation(c, sum, x, y, gx, gy) }
		found := func(_ int, _, _ []float32, v float32) bool { return v <= 0 }
		assert.True(t, s.Descend(context.Background(), square(1), loss, Schedule{Steps: 40, First: 0.25, Last: 0.01}, found), "sum %v", sum)
	}
}

// violationTwin is the definition.
func violationTwin(c spec.Conjunction, sum bool, x, y []float32) float64 {
	positive, worst := 0.0, math.Inf(-1)
	for _, q := range c {
		v := -q.Bound
		for _, t := range q.Input {
			v += t.Coef * float64(x[t.Index])
		}
		for _, t := range q.Output {
			v += t.Coef * float64(y[t.Index])
		}
		positive, worst = positive+max(v, 0), max(worst, v)
	}
	if sum && positive > 0 {
		return positive
	}
	return worst
}

func conjunction(rng *rand.Rand, n int) spec.Conjunction {
	c := make(spec.Conjunction, n)
	for k := range c {
		c[k].Bound = float64(float32(rng.NormFloat64()))
		c[k].Input = []spec.Term{{Index: rng.IntN(2), Coef: float64(float32(rng.NormFloat64()))}}
		c[k].Output = []spec.Term{{Index: rng.IntN(3), Coef: float64(float32(rng.NormFloat64()))}}
	}
	return c
}

func numbers(rng *rand.Rand, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rng.NormFloat64())
	}
	return v
}

func wide(v []float32) []float64 {
	w := make([]float64, len(v))
	for i, f := range v {
		w[i] = float64(f)
	}
	return w
}
