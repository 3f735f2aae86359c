package qnn

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/internal/blas"
	"github.com/vouchnn/vouch/spec"
)

// programOf is a random query's domain that simplex.go can bound, nil if there is none.
func programOf(t *testing.T, rng *rand.Rand) (n *Network, p spec.Property, m *model, d *domain, l *program) {
	n, p, m, d, _ = rootOf(t, rng, spec.LInf)
	if d == nil {
		return n, p, m, nil, nil
	}
	shape := newHullShape(m)
	if shape == nil {
		return n, p, m, nil, nil
	}
	if l = newProgram(shape); !l.fits(d) {
		return n, p, m, nil, nil
	}
	return n, p, m, d, l
}

// The program's value, added up from the inputs and pieces of its last basis, is what
// dual.go computes from its multipliers: the two bound each other, so both are the
// optimum. A long descent does not come below it.
func TestSimplexIsOptimal(t *testing.T) {
	rng := rand.New(rand.NewPCG(81, 82))
	seen, exact := 0, 0
	for range 6000 {
		_, _, m, d, l := programOf(t, rng)
		if d == nil {
			continue
		}
		seen++
		for range 3 {
			p := l.pass
			p.adopt([]*domain{d})
			p.load(0, d)
			p.evaluateAbove()
			base := p.value[0]
			for j, w := range p.omega[0][:l.n] {
				base += w * float64(d.first[j])
			}
			l.load(d, p.omega[0][:l.n])
			l.solve(math.Inf(-1), 1000)
			if math.IsInf(l.value, -1) { // an empty domain
				break
			}
			l.deliver()
			for r, c := range l.head {
				low, high := l.bounds(c)
				require.GreaterOrEqual(t, l.basic[r], low-1e-6)
				require.LessOrEqual(t, l.basic[r], high+1e-6)
			}
			for j, y := range l.y {
				p.v[0][j] = y / l.width[j]
			}
			p.evaluate()
			size := 1 + math.Abs(base) + math.Abs(l.value)
			tolerance := 1e-6 * size
			if uneven := slices.Max(m.stages[0].slack) > 0; uneven {
				// There dual.go lets accumulators lie outside of their range.
				require.GreaterOrEqual(t, p.value[0], base+l.value-tolerance-2e-3*blas.AbsDot(p.omega[0][:l.n], m.stages[0].width))
				break
			}
			exact++
			require.InDelta(t, base+l.value, p.value[0], tolerance)
			value := p.value[0]
			for it := range 60 {
				for j := range p.v[0] {
					p.v[0][j] += rng.NormFloat64() * math.Pow(0.9, float64(it)) * (1 + math.Abs(p.v[0][j]))
				}
				p.evaluate()
				require.GreaterOrEqual(t, p.value[0], value-tolerance)
				for j, y := range l.y {
					p.v[0][j] = y / l.width[j]
				}
			}
			// On to a part, from this basis.
			d.basis = slices.Clone(l.head)
			j := rng.IntN(l.n)
			if d.first[j] == d.last[j] {
				continue
			}
			d.branch = branch{neuron: j, level: d.first[j] + 1 + rng.Int32N(d.last[j]-d.first[j])}
			below, above := m.cut(d, func() *domain { return nil })
			if d = below; above != nil && rng.IntN(2) == 0 {
				d = above
			}
			if d == nil {
				break
			}
		}
	}
	assert.Greater(t, seen, 150)
	assert.Greater(t, exact, 150)
}

// TestSimplexKeepsUnsafe: no unsafe input is in a domain that counts as safe, or is cut
// off; and a part falls at least by what the penalty promised.
func TestSimplexKeepsUnsafe(t *testing.T) {
	rng := rand.New(rand.NewPCG(83, 84))
	seen, safe, parts, promised := 0, 0, 0, 0
	for range 8000 {
		n, p, m, d, l := programOf(t, rng)
		if d == nil {
			continue
		}
		seen++
		before := d.clone(nil)
		l.bound(d)
		each(n, func(x []int64) {
			if p.Cases[0].Region.Contains(floats(x)) && m.holds(before, x) && unsafeAt(n, p, m, before, x) {
				require.GreaterOrEqual(t, d.bound, 0.0)
				require.True(t, m.holds(d, x), "an unsafe input was cut off")
			}
		})
		if d.bound < 0 {
			safe++
			continue
		}
		b := d.branch
		if b.neuron < 0 || b.neuron >= l.n {
			continue
		}
		require.Greater(t, b.level, d.first[b.neuron])
		require.LessOrEqual(t, b.level, d.last[b.neuron])
		omega := slices.Clone(l.pass.omega[0][:l.n])
		l.load(d, omega)
		l.solve(math.Inf(-1), 1000)
		r := l.place[l.k+3*b.neuron : l.k+3*b.neuron+3]
		row := max(r[0], r[1], r[2])
		if row < 0 || math.IsInf(l.value, -1) {
			continue
		}
		whole := l.value
		for j, w := range omega {
			whole += w * float64(d.first[j])
		}
		l.tableau(int(row))
		z := l.accumulator(b.neuron, d.low[b.neuron])
		falls := [2]float64{l.fall(int(row), b.neuron, d, b.level, false, z), l.fall(int(row), b.neuron, d, b.level, true, z)}
		d.basis = slices.Clone(l.head)
		below, above := m.cut(d, func() *domain { return nil })
		for k, part := range []*domain{below, above} {
			if part == nil {
				continue
			}
			parts++
			l.load(part, omega)
			l.solve(math.Inf(-1), 1000)
			value := l.value
			for j, w := range omega {
				value += w * float64(part.first[j])
			}
			if math.IsInf(value, -1) {
				continue
			}
			if falls[k] > 1e-6 {
				promised++
			}
			assert.LessOrEqual(t, value, whole-falls[k]+1e-6*(1+math.Abs(whole)))
		}
	}
	t.Logf("%d domains, %d safe, %d parts, %d with a fall", seen, safe, parts, promised)
	assert.Greater(t, seen, 150)
	assert.Positive(t, safe)
	assert.Greater(t, promised, 20)
}

// TestCrossing compares with sorting.
func TestCrossing(t *testing.T) {
	rng := rand.New(rand.NewPCG(85, 86))
	for range 3000 {
		list := make([]ratio, rng.IntN(30))
		total := 0.0
		for i := range list {
			list[i] = ratio{float64(rng.IntN(8)), float64(rng.IntN(5)), int32(i)}
			total += list[i].weight
		}
		sorted := slices.Clone(list)
		slices.SortFunc(sorted, func(a, b ratio) int { return int(a.theta - b.theta) })
		need := float64(1 + rng.IntN(40))
		want, sum := math.Inf(1), 0.0
		for _, s := range sorted {
			if sum += s.weight; sum >= need {
				want = s.theta
				break
			}
		}
		require.Equal(t, want, crossing(list, need))
		left := 0.0
		for _, s := range list {
			left += s.weight
		}
		require.Equal(t, total, left, "the list is the same, in another order")
	}
}

// TestNormalise: at the new scale the multipliers' bound is the old one, scaled.
func TestNormalise(t *testing.T) {
	rng := rand.New(rand.NewPCG(87, 88))
	scaled := 0
	for range 3000 {
		_, _, m, d, l := programOf(t, rng)
		if d == nil || m.demanding(d.mu[0], d.v[l.n:]) {
			continue
		}
		p, mu := l.pass, d.mu[0]
		value := func() float64 {
			p.adopt([]*domain{d})
			p.load(0, d)
			p.evaluate()
			return p.value[0]
		}
		before, bound := value(), d.bound
		m.normalise(d)
		require.Equal(t, 1.0, d.mu[0])
		require.InDelta(t, before/mu, value(), 1e-9*(1+math.Abs(before)/mu))
		require.InDelta(t, bound/mu, d.bound, 1e-9*(1+math.Abs(bound)/mu))
		scaled++
	}
	assert.Greater(t, scaled, 50)
}
