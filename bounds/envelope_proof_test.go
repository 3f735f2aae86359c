package bounds

import (
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// wildConv is a network whose first layer has numbers of very different sizes.
func wildConv(t *testing.T, rng *rand.Rand) *Model {
	k := newNetMaker(t, rng, nn.Shape{1, 4, 4}, nn.ReLU{})
	w := k.normals(3*4, 1)
	for i := range w {
		w[i] *= math.Ldexp(1, rng.IntN(40)-20)
	}
	op, err := nn.NewConv(nn.ConvConfig{Kernel: []int{2, 2}}, 3, 1, w, k.normals(3, 1))
	require.NoError(t, err)
	k.add(op)
	k.activation()
	k.dense(2)
	return mustCompile(t, k.build())
}

// TestEnvelopeIsProven holds provenAt, at lines and slopes drawn at random, against its
// formula in rational numbers.
func TestEnvelopeIsProven(t *testing.T) {
	tried, near := 0, 0
	for seed := range 300 {
		rng := rand.New(rand.NewPCG(uint64(seed), 33))
		m := wildConv(t, rng)
		box := randomBox(t, rng, m.inputs, math.Ldexp(1, rng.IntN(10)-5))
		if seed%2 == 0 {
			recentre(t, m, box)
		}
		q := &Query{Domains: []Domain{{Region: box}}, Functions: randomFunctions(rng, m)}
		r := mustBound(t, Crown{}, m, q)[0]
		q.Domains[0].Known, q.Domains[0].Settled = r.Nodes, math.MaxInt
		s := newState(m, q.Domains, nil)
		s.makeViews()
		for i := 1; i < len(m.nodes); i++ {
			s.advance(i)
		}
		corners := []int{4, 1}[seed%2] // the other half by patterns
		g, err := s.newPatches(t.Context(), m.firstReLU(), corners, nil)
		require.NoError(t, err)
		if g == nil {
			continue
		}
		starts, err := g.carry(t.Context(), q, []row{{index: 0, sign: 1}})
		require.NoError(t, err)
		a := g.newAscent(&starts[0], nil)
		alpha := make([]float64, len(g.rows.neurons))
		for i := range alpha {
			alpha[i] = rng.Float64()
		}
		for k := range a.groups {
			p := &a.groups[k]
			for i, v := range p.line {
				p.line[i] = v * (1 + rng.NormFloat64())
				if seed%4 == 0 && i%2 == 1 {
					p.line[i] = -p.line[i-1] // large terms that nearly cancel at a corner
				}
			}
		}
		if seed%8 >= 4 {
			copy(starts[0].alpha, alpha)
			a.cancel()
		}
		a.keep()
		got := a.provenAt(alpha)
		want, slack := a.exactly()
		want.Sub(want, slack)
		require.LessOrEqual(t, ratOf(got).Cmp(want), 0, "seed %d: %v", seed, got)
		tried++
		w, _ := want.Float64()
		if w-got < 1e-6*math.Abs(w) {
			near++
		}
		s.close()
	}
	require.Greater(t, tried, 150)
	require.Greater(t, near, tried/2, "margins are small")
}

// recentre moves the box far out and the first layer with it, so that the inputs of its
// neurons are small differences of large terms.
func recentre(t *testing.T, m *Model, box spec.Box) {
	for i := range box.Lower {
		box.Lower[i] += 1 << 20
		box.Upper[i] += 1 << 20
	}
	op, ok := m.nodes[1].Op.(*nn.Conv)
	require.True(t, ok)
	w, bias := op.Weight().Values(), slices.Clone(op.Bias().Values())
	for o := range bias {
		for _, v := range w[4*o : 4*o+4] {
			bias[o] -= v * (1 << 20)
		}
	}
	op.Bias().Set(bias)
	*m = *mustCompile(t, m.net)
}

// cancel changes lines so that the linear part nearly vanishes.
func (a *patchAscent) cancel() {
	a.gather()
	for k := range a.groups {
		for i, at := range a.g.rows.reads[a.groups[k].list] {
			a.groups[k].line[i] -= a.coef[at]
			a.coef[at] = 0
		}
	}
}

// exactly is the bound at the lines and slopes, and what is not known, without rounding:
// groups by all corners of their boxes.
func (a *patchAscent) exactly() (value, slack *big.Rat) {
	g, t := a.g, a.t
	value, slack = ratOf(t.value), ratOf(t.slack)
	times := func(x, y *big.Rat) *big.Rat { return new(big.Rat).Mul(x, y) }
	coef := make([]*big.Rat, len(t.coef))
	for i, c := range t.coef {
		coef[i] = ratOf(c)
	}
	for _, k := range g.open {
		slack.Add(slack, times(new(big.Rat).Abs(ratOf(t.after[k])), ratOf(g.rows.neurons[k].slack)))
	}
	for _, k := range a.bend {
		u := &g.rows.neurons[k]
		v := times(ratOf(t.after[k]), ratOf(t.alpha[k]))
		for i, at := range g.rows.reads[u.reads] {
			coef[at].Add(coef[at], times(v, ratOf(u.weight[i])))
		}
		value.Add(value, times(v, ratOf(u.bias)))
	}
	for _, p := range a.groups {
		var least *big.Rat
		x := make([]float64, len(p.line))
		for corner := range 1 << len(x) {
			y := new(big.Rat)
			g.corner(p.list, corner, x)
			for i := range x {
				y.Sub(y, times(ratOf(p.line[i]), ratOf(x[i])))
			}
			for _, k := range p.members {
				u := &g.rows.neurons[k]
				z := ratOf(u.bias)
				for i, w := range u.weight {
					z.Add(z, times(ratOf(w), ratOf(x[i])))
				}
				if z.Sign() > 0 {
					y.Add(y, times(ratOf(t.after[k]), z))
				}
			}
			if least == nil || y.Cmp(least) < 0 {
				least = y
			}
		}
		value.Add(value, least)
		for i, at := range g.rows.reads[p.list] {
			coef[at].Add(coef[at], ratOf(p.line[i]))
		}
	}
	for i, c := range coef {
		x := g.s.lower[0][i]
		if c.Sign() < 0 {
			x = g.s.upper[0][i]
		}
		value.Add(value, times(c, ratOf(x)))
	}
	return value, slack
}
