package qnn

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/spec"
)

// The pieces of the search, each beside what enumeration says.

// rootOf is a random query's model, and the domain of one of its conjunctions after a
// short descent, with the pass that bounded it; d is nil if the bounds exclude it.
func rootOf(t *testing.T, rng *rand.Rand, norm spec.Norm) (n *Network, p spec.Property, m *model, d *domain, last *pass) {
	n = randomNetwork(t, rng)
	p = query(t, n, rng, norm)
	reg, ok := newRegion(p.Cases[0].Region, n.Input)
	require.True(t, ok)
	m = newModel(n, reg)
	for j, u := range p.Cases[0].Unsafe {
		m.addConjunction(j, u)
	}
	if len(m.rows) == 0 {
		return n, p, m, nil, nil
	}
	if d = m.newDomain(rng.IntN(len(m.rows))); d == nil {
		return n, p, m, nil, nil
	}
	last = newPass(m, 2)
	last.adopt([]*domain{d})
	last.initialise()
	last.descend([]*domain{d}, descentOptions{iterations: 12, patience: 6, rate: 0.05}, nil)
	if d.bound < 0 {
		d = nil
	}
	return n, p, m, d, last
}

// unsafeIn reports whether some input of domain d satisfies its conjunction.
func unsafeIn(n *Network, p spec.Property, m *model, d *domain) bool {
	found := false
	each(n, func(x []int64) {
		if found || !p.Cases[0].Region.Contains(floats(x)) || !m.holds(d, x) {
			return
		}
		found = unsafeAt(n, p, m, d, x)
	})
	return found
}

// unsafeAt reports whether x satisfies d's conjunction; one that limits imply stands for
// several.
func unsafeAt(n *Network, p spec.Property, m *model, d *domain, x []int64) bool {
	q := &m.rows[d.conj]
	if q.implied {
		_, _, unsafe := p.Check(floats(x), floats(n.Run(x)))
		return unsafe
	}
	return p.Cases[0].Unsafe[q.index].Holds(floats(x), floats(n.Run(x)))
}

// A part is bounded with multipliers that the look ahead has changed. Whatever they are,
// the bound of a part that holds an unsafe input is not negative, and none is lost from
// both parts.
func TestPartsKeepWhatIsUnsafe(t *testing.T) {
	rng := rand.New(rand.NewPCG(71, 72))
	parts, stepped, better, worse := 0, 0, 0, 0
	for range 4000 {
		n, p, m, d, pass := rootOf(t, rng, spec.LInf)
		if d == nil || d.branch.neuron < 0 {
			continue
		}
		whole := unsafeIn(n, p, m, d)
		below, above := m.cut(d, func() *domain { return nil })
		kept := false
		for k, part := range []*domain{below, above} {
			if part == nil {
				continue
			}
			parts++
			value := func() float64 {
				pass.adopt([]*domain{part})
				pass.load(0, part)
				pass.evaluate()
				return pass.value[0]
			}
			v := value()
			held := unsafeIn(n, p, m, part)
			kept = kept || held
			if held {
				require.GreaterOrEqual(t, v+pass.margin(0), 0.0)
			}
			if step := d.branch.step[k]; step != 0 {
				stepped++
				part.v[d.branch.neuron] -= step
				if plain := value(); v < plain {
					better++
				} else if v > plain {
					worse++
				}
			}
		}
		require.Equal(t, whole, kept, "cutting loses nothing that is unsafe, and adds nothing")
	}
	t.Logf("%d parts, %d with a multiplier changed: %d bounds better, %d worse", parts, stepped, better, worse)
	require.Greater(t, stepped, 40)
	require.Greater(t, better, 2*worse)
}

// The alternating attack names inputs of the region that are unsafe, in six starts for a
// good part of the conjunctions that have any.
func TestAlternate(t *testing.T) {
	rng := rand.New(rand.NewPCG(73, 74))
	there, found := 0, 0
	for range 4000 {
		n, p, m, d, pass := rootOf(t, rng, spec.LInf)
		if d == nil {
			continue
		}
		pass.adopt([]*domain{d})
		pass.load(0, d)
		pass.evaluate()
		a := newAttacker(m)
		ok := a.alternate(d, d.v, pass.omega[0][:m.stages[0].out], 6)
		unsafe := unsafeIn(n, p, m, m.newDomain(d.conj))
		if unsafe {
			there++
		}
		if !ok {
			continue
		}
		x := integers(a.best)
		require.NoError(t, n.CheckInput(x))
		require.True(t, p.Cases[0].Region.Contains(a.best))
		require.True(t, unsafeAt(n, p, m, d, x))
		found++
	}
	t.Logf("%d of %d", found, there)
	require.Greater(t, there, 100)
	require.Greater(t, found, there/3)
}

// The attack's own steps against trying everything: the best accumulator of a neuron, and
// inputs that move only where the misses become smaller.
func TestAlternateSteps(t *testing.T) {
	rng := rand.New(rand.NewPCG(75, 76))
	neurons, moves := 0, 0
	for range 600 {
		_, _, m, d, _ := rootOf(t, rng, spec.LInf)
		if d == nil || m.stages[0].out == 0 {
			continue
		}
		a := newAttacker(m)
		st := &m.stages[0]
		for j := range st.out {
			a.weight[j] = rng.NormFloat64()
			z, rho := d.low[j]+(1.5*rng.Float64()-0.25)*(d.high[j]-d.low[j]), 0.02+rng.Float64()
			value := func(at float64) float64 {
				return a.weight[j]*float64(st.stair[j].Level(int64(math.Floor(at)))) - rho/2*(at-z)*(at-z)
			}
			got := a.nearest(d, j, z, rho)
			require.GreaterOrEqual(t, got, d.low[j])
			require.LessOrEqual(t, got, d.high[j])
			// It stops at the first level that is no better, so it need not be the best
			// of all, but it is no worse than where z lies.
			require.GreaterOrEqual(t, value(got), value(min(max(z, d.low[j]), d.high[j]))-1e-9)
			neurons++
		}
		for i := range a.best {
			a.best[i] = d.region.low[i] + math.Floor(rng.Float64()*(d.region.high[i]-d.region.low[i]+1))
		}
		a.probe.run(a.best)
		z := append([]float64(nil), a.probe.acc[0]...)
		miss := func() float64 {
			s := 0.0
			for _, v := range a.miss {
				s += v * v
			}
			return s
		}
		for j := range a.miss {
			a.miss[j] = 20 * rng.NormFloat64()
		}
		before := miss()
		if a.follow(d.region, z) {
			moves++
			require.Less(t, miss(), before+1e-9)
		}
		a.probe.run(a.best)
		require.Equal(t, a.probe.acc[0], z, "accumulators follow the inputs")
	}
	require.Greater(t, neurons, 200)
	require.Greater(t, moves, 50)
}

// One neuron's choice, in the look ahead, is that of the bound.
func TestChooseOne(t *testing.T) {
	rng := rand.New(rand.NewPCG(77, 78))
	compared := 0
	for range 600 {
		_, _, m, d, _ := rootOf(t, rng, spec.LInf)
		if d == nil {
			continue
		}
		n := m.stages[0].out
		omega, v, z, level := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
		for j := range n {
			omega[j] = rng.NormFloat64()
			v[j] = rng.NormFloat64() * math.Abs(omega[j]) / m.stages[0].width[j]
		}
		sum := m.choose(0, d, omega, v, z, level)
		apart := 0.0
		for j := range n {
			at, value := m.chooseOne(j, d.low[j], d.high[j], d.first[j], d.last[j], omega[j], v[j])
			require.Equal(t, z[j], at)
			apart += value
			compared++
		}
		require.InDelta(t, sum, apart, 1e-9*(1+math.Abs(sum)))
	}
	require.Greater(t, compared, 200)
}

// Conjunctions that the limits alone imply stand for those of other outputs: every unsafe
// input is in the domain of some conjunction, and of an implied one only unsafe inputs.
func TestImpliedConjunctions(t *testing.T) {
	rng := rand.New(rand.NewPCG(79, 80))
	implied, inside := 0, 0
	for range 2000 {
		n, p, m, _, _ := rootOf(t, rng, spec.LInf)
		for k := range m.rows {
			if !m.rows[k].implied {
				continue
			}
			d := m.newDomain(k)
			if d == nil {
				continue
			}
			implied++
			each(n, func(x []int64) {
				if !p.Cases[0].Region.Contains(floats(x)) || !m.holds(d, x) {
					return
				}
				inside++
				_, _, unsafe := p.Check(floats(x), floats(n.Run(x)))
				require.True(t, unsafe)
			})
		}
	}
	t.Logf("%d conjunctions, %d inputs", implied, inside)
	require.Greater(t, implied, 20)
	require.Greater(t, inside, 20)
}
