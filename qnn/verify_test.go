package qnn

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/spec"
)

// TestVerifyAgainstEnumeration compares verdicts with enumeration for every norm,
// property and rule for ties, with and without the attack, which leaves more to
// branch and bound.
func TestVerifyAgainstEnumeration(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	count := 1500
	if testing.Short() {
		count = 300
	}
	verdicts := map[spec.Verdict]int{}
	for k := range count {
		n := randomNetwork(t, rng)
		p := query(t, n, rng, norms[k%4])
		want := exhaustive(n, p)
		opts := Options{NoAttack: k%3 == 0, RootIterations: 1 + k%7*10, Iterations: 1 + k%5*6, Batch: 1 + k%3*40, shareAfter: k % 3, deepenAfter: k % 4}
		res, err := Verify(context.Background(), n, p, opts)
		require.NoError(t, err)
		require.Equal(t, want, res.Verdict, "query %d, options %+v", k, opts)
		verdicts[want]++
		if res.Verdict == spec.Falsified {
			x := integers(res.Counterexample.Input)
			require.NoError(t, n.CheckInput(x))
			require.Equal(t, floats(n.Run(x)), res.Counterexample.Output)
			_, _, unsafe := p.Check(res.Counterexample.Input, res.Counterexample.Output)
			require.True(t, unsafe)
		}
	}
	assert.Greater(t, verdicts[spec.Verified], count/5)
	assert.Greater(t, verdicts[spec.Falsified], count/5)
}

// TestBoundsHold compares intervals and Lagrangian bounds of every neuron, and the
// bound of every conjunction, with enumeration.
func TestBoundsHold(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for k := range 150 {
		n := randomNetwork(t, rng)
		p := query(t, n, rng, norms[k%4])
		c := p.Cases[0]
		reg, ok := newRegion(c.Region, n.Input)
		require.True(t, ok)
		bounds := n.intervals(reg)
		m := newModel(n, reg)
		for j, u := range c.Unsafe {
			m.addConjunction(j, u)
		}
		m.tightenLater(10)
		each(n, func(x []int64) {
			if !c.Region.Contains(floats(x)) {
				return
			}
			in := x
			for l := range n.Layers {
				out := n.Layers[l].Run(in)
				for j := range out {
					a := n.Layers[l].Accumulate(j, in)
					require.LessOrEqual(t, bounds[l].AccumulatorLow[j], a)
					require.GreaterOrEqual(t, bounds[l].AccumulatorHigh[j], a)
				}
				st := &m.stages[l]
				for i, j := range st.orig {
					a := float64(n.Layers[l].Accumulate(j, in))
					require.LessOrEqual(t, st.low[i], a)
					require.GreaterOrEqual(t, st.high[i], a)
				}
				in = out
			}
		})
		checkTightening(t, n, m, c)
	}
}

// checkTightening demands that no unsafe input leaves the ranges of the domain of
// some conjunction after a bound that did not suffice.
func checkTightening(t *testing.T, n *Network, m *model, c spec.Case) {
	t.Helper()
	kept := map[int][]*domain{}
	var shared []*domain
	for k := range m.rows {
		d := m.newDomain(k)
		if d == nil {
			continue
		}
		p := newPass(m, 1)
		p.adopt([]*domain{d})
		p.initialise()
		p.descend([]*domain{d}, descentOptions{iterations: 15, patience: 5, rate: 0.1}, nil)
		if d.bound >= 0 {
			kept[m.rows[k].index] = append(kept[m.rows[k].index], d)
			if m.rows[k].implied { // stands for others, too
				shared = append(shared, d)
			}
		}
	}
	each(n, func(x []int64) {
		if !c.Region.Contains(floats(x)) {
			return
		}
		y := floats(n.Run(x))
		for j, u := range c.Unsafe {
			if !u.Holds(floats(x), y) {
				continue
			}
			inside := false
			for _, d := range append(shared, kept[j]...) {
				inside = inside || m.holds(d, x)
			}
			require.True(t, inside, "an unsafe input was cut off")
		}
	})
}

// holds reports whether x lies within a domain's ranges.
func (m *model) holds(d *domain, x []int64) bool {
	in := x
	for s := range m.stages {
		for i, j := range m.stages[s].orig {
			a := float64(m.net.Layers[s].Accumulate(j, in))
			if k := m.offset[s] + i; a < d.low[k] || a > d.high[k] {
				return false
			}
		}
		in = m.net.Layers[s].Run(in)
	}
	return true
}

func TestVerifyEndsWithItsContext(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	const in, hidden = 200, 60
	layer := func(in, out int, signed bool) FixedPoint {
		f := FixedPoint{
			Weight:     Config{Signed: true, Bits: 6, Fraction: 5},
			BiasConfig: Config{Signed: true, Bits: 6, Fraction: 4}, Output: Config{Signed: signed, Bits: 6, Fraction: 1},
		}
		for range in * out {
			f.Weights = append(f.Weights, int32(rng.IntN(41)-20))
		}
		f.Bias = make([]int32, out)
		return f
	}
	n, err := NewFixedPoint(Config{Bits: 8, Fraction: 8}, in, []FixedPoint{layer(in, hidden, false), layer(hidden, hidden, false), layer(hidden, 2, true)}, HalfUp)
	require.NoError(t, err)
	ball, err := n.Ball(spec.LInf, make([]int64, in), 200)
	require.NoError(t, err)
	// Not decidable soon: that the outputs never sum to an extreme.
	p := property(ball, 2, []spec.Conjunction{{{Output: []spec.Term{{Index: 0, Coef: -1}, {Index: 1, Coef: -1}}, Bound: -62}}})
	ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
	defer cancel()
	begin := time.Now()
	res, err := Verify(ctx, n, p, Options{})
	require.NoError(t, err)
	assert.Less(t, time.Since(begin), 3*time.Second)
	if res.Verdict == spec.Unknown {
		assert.Equal(t, spec.ReasonTimeout, res.Reason)
	}
	gone, stop := context.WithCancel(context.Background())
	stop()
	res, err = Verify(gone, n, p, Options{})
	require.NoError(t, err)
	assert.Equal(t, spec.Unknown, res.Verdict)
	assert.Equal(t, spec.ReasonCancelled, res.Reason)
}

func TestVerifyRefusesWhatDoesNotFit(t *testing.T) {
	n := paperNetwork(t)
	ball, err := n.Ball(spec.LInf, []int64{10, 2}, 4)
	require.NoError(t, err)
	_, err = Verify(context.Background(), n, Robustness(ball, 1, 3), Options{})
	require.ErrorContains(t, err, "outputs")
	_, err = Verify(context.Background(), n, Robustness(ball, 1, 2), Options{Batch: -1})
	require.ErrorContains(t, err, "Options.Batch")
	_, err = n.Ball(spec.LInf, []int64{10, 64}, 4)
	require.ErrorContains(t, err, "value 1 is 64")
}
