package qnn

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/internal/blas"
	"github.com/vouchnn/vouch/spec"
)

// objective is what a conjunction's bound bounds, at input x: unsafe inputs have it
// at 0 or above whatever the multipliers mu ≥ 0 are.
func (m *model) objective(k int, mu []float64, x []int64) float64 {
	p := newProbe(m)
	p.run(floats(x))
	q := &m.rows[k]
	last := len(m.stages) - 1
	if q.acc != nil {
		return mu[0] * (blas.Dot(q.acc, p.acc[last]) + q.constant)
	}
	n := m.stages[last].out
	sum := 0.0
	for r, d := range q.d {
		sum += mu[r] * (d - blas.Dot(q.c[r*n:(r+1)*n], p.levels[last]))
	}
	return sum
}

// TestHullBoundsHold: whatever the prices and multipliers are, the bound is at least
// what every input of the domain attains; and no unsafe input leaves the domain, or is
// in one that counts as safe, after a descent.
func TestHullBoundsHold(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 32))
	seen, narrowed, safe := 0, 0, 0
	for k := range 800 {
		n := randomNetwork(t, rng)
		prop := query(t, n, rng, spec.LInf)
		c := prop.Cases[0]
		reg, ok := newRegion(c.Region, n.Input)
		require.True(t, ok)
		m := newModel(n, reg)
		for j, u := range c.Unsafe {
			m.addConjunction(j, u)
		}
		shape := newHullShape(m)
		if shape == nil || len(m.stages) < 2 {
			continue
		}
		for row := range m.rows {
			d := m.newDomain(row)
			h := newHull(shape)
			if d == nil || !h.fits(d) {
				continue
			}
			p := newPass(m, 1)
			p.adopt([]*domain{d})
			p.initialise()
			p.descend([]*domain{d}, descentOptions{iterations: 1 + k%8, patience: 5, rate: 0.1}, nil)
			if d.bound < 0 {
				continue
			}
			seen++
			checkPrices(t, n, m, h, d, rng)
			before := d.clone(nil)
			h.descend(context.Background(), d, 1+k%20, 0.1, nil)
			each(n, func(x []int64) {
				in := floats(x)
				if !c.Region.Contains(in) || !m.holds(before, x) || !c.Unsafe[m.rows[row].index].Holds(in, floats(n.Run(x))) {
					return
				}
				require.GreaterOrEqual(t, d.bound, 0.0, "network %d", k)
				require.True(t, m.holds(d, x), "an unsafe input was cut off, network %d", k)
			})
			if d.bound < 0 {
				safe++
				continue
			}
			for j := range d.low {
				if d.low[j] > before.low[j] || d.high[j] < before.high[j] {
					narrowed++
					break
				}
			}
			if b := d.branch; b.neuron >= 0 {
				require.Greater(t, b.level, d.first[b.neuron])
				require.LessOrEqual(t, b.level, d.last[b.neuron])
			}
		}
	}
	assert.Greater(t, seen, 100)
	assert.Positive(t, narrowed)
	t.Logf("%d domains, %d proved safe, %d narrowed", seen, safe, narrowed)
}

// checkPrices compares bounds at random prices and multipliers with every input.
func checkPrices(t *testing.T, n *Network, m *model, h *hull, d *domain, rng *rand.Rand) {
	t.Helper()
	h.load(d)
	start := h.evaluate()
	require.False(t, math.IsInf(start, 0) || math.IsNaN(start))
	for range 3 {
		for i := range h.price {
			h.price[i] += rng.NormFloat64() * rng.ExpFloat64()
		}
		for s := 1; s < len(m.stages); s++ {
			for j := range m.stages[s].out {
				h.pass.v[s][j] += 0.3 * rng.NormFloat64()
			}
		}
		for r := range h.pass.mu[0] {
			h.pass.mu[0][r] = rng.Float64()
		}
		value := h.evaluate() + h.margin()
		each(n, func(x []int64) {
			if m.region.contains(floats(x)) && inBox(m.region, x) && m.holds(d, x) {
				require.LessOrEqual(t, m.objective(d.conj, h.pass.mu[0], x), value)
			}
		})
	}
}

func inBox(r *region, x []int64) bool {
	for i, v := range x {
		if float64(v) < r.low[i] || float64(v) > r.high[i] {
			return false
		}
	}
	return true
}

// TestHullIsTighter: over a box of many inputs a neuron in the middle of its range
// leaves dual.go more than its hull has.
func TestHullIsTighter(t *testing.T) {
	const in, hidden = 40, 6
	rng := rand.New(rand.NewPCG(33, 34))
	layer := func(in, out int, signed bool) FixedPoint {
		f := FixedPoint{
			Weight:     Config{Signed: true, Bits: 6, Fraction: 5},
			BiasConfig: Config{Signed: true, Bits: 6, Fraction: 4}, Output: Config{Signed: signed, Bits: 8, Fraction: 3},
		}
		for range in * out {
			f.Weights = append(f.Weights, int32(rng.IntN(41)-20))
		}
		f.Bias = make([]int32, out)
		return f
	}
	n, err := NewFixedPoint(Config{Bits: 8, Fraction: 8}, in, []FixedPoint{layer(in, hidden, false), layer(hidden, 2, true)}, HalfUp)
	require.NoError(t, err)
	x := make([]int64, in)
	for i := range x {
		x[i] = 128
	}
	ball, err := n.Ball(spec.LInf, x, 100)
	require.NoError(t, err)
	reg, ok := newRegion(ball, n.Input)
	require.True(t, ok)
	m := newModel(n, reg)
	m.addConjunction(0, spec.Conjunction{{Output: []spec.Term{{Index: 0, Coef: 1}, {Index: 1, Coef: -1}}, Bound: -60}})
	require.NotEmpty(t, m.rows)
	d := m.newDomain(0)
	require.NotNil(t, d)
	p := newPass(m, 1)
	p.adopt([]*domain{d})
	p.initialise()
	p.descend([]*domain{d}, descentOptions{iterations: 300, patience: 300, goal: math.Inf(-1), rate: 0.15}, nil)
	h := newHull(newHullShape(m))
	h.load(d)
	best := math.Inf(1)
	for it := range 100 {
		best = min(best, h.evaluate())
		h.move(it, 0.05)
	}
	assert.Less(t, best, d.bound)
}
