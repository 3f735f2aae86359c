package bounds

import (
	"context"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// TestEnvelopeOfConcaveFunctions: where all neurons stand behind negative coefficients
// the function is concave in the inputs and least at a corner of the box, which the
// bound reaches. α has nothing to choose there, so that without envelopes it stays behind.
func TestEnvelopeOfConcaveFunctions(t *testing.T) {
	closer := 0
	const cases = 60
	for seed := range cases {
		rng := rand.New(rand.NewPCG(uint64(seed), 31))
		inputs := 1 + rng.IntN(6)
		act := []nn.Operator{nn.ReLU{}, nn.LeakyReLU{Slope: 0.25}}[seed%2]
		k := newNetMaker(t, rng, nn.Shape{inputs}, act)
		width, e := 3+rng.IntN(20), Envelope{Iterations: 5000}
		if seed%4 == 0 { // ReLUs, by patterns
			width, e.Inputs = 1+rng.IntN(together), 1
		}
		hidden := k.dense(width)
		k.activation()
		net := k.build()
		m := mustCompile(t, net)
		f := Functions{Output: make([]float64, m.outputs), Input: k.normals(inputs, 1)}
		for i := range f.Output {
			f.Output[i] = -rng.Float64()
		}
		require.Equal(t, m.size[hidden], m.outputs)
		box := randomBox(t, rng, inputs, 2)
		least := math.Inf(1)
		x := make([]float64, inputs)
		for corner := range 1 << inputs {
			for i := range x {
				x[i] = box.Lower[i]
				if corner>>i&1 == 1 {
					x[i] = box.Upper[i]
				}
			}
			y, err := nn.Evaluate(net, x)
			require.NoError(t, err)
			least = min(least, f.at(m, x, y)[0])
		}
		// Shifted, so that the ascent does not stop at a proof.
		f.Const = []float64{-least - 1}
		q := &Query{Domains: []Domain{{Region: box}}, Functions: f}
		plain, got := mustBound(t, AlphaBeta{}, m, q)[0].Lower[0], mustBound(t, e, m, q)[0].Lower[0]
		require.LessOrEqual(t, got, -1+1e-9, "seed %d", seed)
		require.InDelta(t, -1, got, 0.02*(1+math.Abs(plain+1)), "seed %d: without envelopes %v", seed, plain)
		if got > plain+1e-6 {
			closer++
		}
	}
	require.Greater(t, closer, cases/3)
}

// TestEnvelopeRaisesBounds: behind a small kernel it gains much, and it never loses.
func TestEnvelopeRaisesBounds(t *testing.T) {
	raised := 0
	const cases = 20
	for seed := range cases {
		rng := rand.New(rand.NewPCG(uint64(seed), 32))
		k := newNetMaker(t, rng, nn.Shape{1, 7, 7}, nn.ReLU{})
		k.conv(6, 2, 1, 0)
		k.activation()
		k.averagePool(3, 3)
		k.dense(3)
		m := mustCompile(t, k.build())
		q := &Query{Domains: []Domain{{Region: randomBox(t, rng, m.inputs, 1)}}, Functions: randomFunctions(rng, m)}
		plain, got := mustBound(t, AlphaBeta{}, m, q)[0], mustBound(t, Envelope{}, m, q)[0]
		for f, v := range plain.Lower {
			require.GreaterOrEqual(t, got.Lower[f], v)
			if v <= 0 && got.Lower[f] > v+0.01*math.Abs(v) {
				raised++
				break
			}
		}
	}
	require.Greater(t, raised, cases/3)
}

// TestEnvelopeGoesOn: in parts of a domain the bounds hold on points, few steps from the
// groups and lines of the whole are better than without envelopes, and neurons that have
// changed sides or come to matter are taken in.
func TestEnvelopeGoesOn(t *testing.T) {
	better, parts := 0, 0
	for seed := range 60 {
		rng := rand.New(rand.NewPCG(uint64(seed), 35))
		k := newNetMaker(t, rng, nn.Shape{2, 6, 6}, nn.ReLU{})
		k.conv(6, 2, 2, 0)
		k.activation()
		k.add(nn.Flatten{})
		k.dense(6)
		k.activation()
		k.dense(3)
		m := mustCompile(t, k.build())
		box := randomBox(t, rng, m.inputs, 1)
		q := &Query{Domains: []Domain{{Region: box}}, Functions: randomFunctions(rng, m), Upper: true}
		e := Envelope{Parts: true, Inputs: []int{8, 3}[seed%2]}
		r := mustBound(t, e, m, q)[0]
		eval := nn.NewEvaluator[float64](m.net)
		for range 4 { // down a path of splits
			if r.Infeasible || r.Warm == nil {
				break
			}
			d := Domain{Region: box, Known: slices.Clone(r.Nodes), Splits: q.Domains[0].Splits, Warm: r.Warm}
			split := false
			for _, j := range m.Preactivations() {
				at := rng.IntN(m.size[j])
				if lo, up := d.Known[j].Lower[at], d.Known[j].Upper[at]; lo < 0 && up > 0 && !split {
					split = true
					n := Interval{slices.Clone(d.Known[j].Lower), slices.Clone(d.Known[j].Upper)}
					c := Split{Node: j, Index: at, Below: rng.IntN(2) == 0}
					if c.Below {
						n.Upper[at] = 0
					} else {
						n.Lower[at] = 0
					}
					d.Known[j], d.Splits = n, append(slices.Clone(d.Splits), c)
				}
			}
			if !split {
				continue
			}
			q.Domains[0] = d
			plain := mustBound(t, AlphaBeta{}, m, q)[0]
			r = mustBound(t, e, m, q)[0]
			for f, v := range plain.Lower {
				require.GreaterOrEqual(t, r.Lower[f], v-1e-9*(1+math.Abs(v)))
				if v <= 0 && !r.Infeasible {
					parts++
					if r.Lower[f] > v+1e-3*math.Abs(v) {
						better++
					}
				}
			}
			for _, x := range points(rng, m, box, &q.Functions, 40) {
				eval.Forward(x, 1)
				if satisfies(eval, d.Known) {
					requireInside(t, m, eval, &q.Functions, &r, x, "part")
				}
			}
		}
	}
	t.Logf("better in %d of %d", better, parts)
	require.Greater(t, parts, 100)
	require.Greater(t, better, parts/2)
}

// TestEnvelopeOfAnotherNetwork: what another network's bounds left behind moves lines
// about, and no bound rests on it.
func TestEnvelopeOfAnotherNetwork(t *testing.T) {
	for seed := range 20 {
		rng := rand.New(rand.NewPCG(uint64(seed), 36))
		var models []*Model
		for range 2 {
			k := newNetMaker(t, rng, nn.Shape{1, 4, 4}, nn.ReLU{})
			k.conv(4, 2, 1, 0)
			k.activation()
			k.add(nn.Flatten{})
			k.dense(2)
			models = append(models, mustCompile(t, k.build()))
		}
		m := models[1]
		box := randomBox(t, rng, m.inputs, 1)
		q := &Query{Domains: []Domain{{Region: box}}, Functions: randomFunctions(rng, m), Upper: true}
		q.Domains[0].Warm = mustBound(t, Envelope{}, models[0], q)[0].Warm
		r := mustBound(t, Envelope{Parts: true}, m, q)[0]
		eval := nn.NewEvaluator[float64](m.net)
		for _, x := range points(rng, m, box, &q.Functions, 40) {
			requireInside(t, m, eval, &q.Functions, &r, x, "other")
		}
	}
}

// TestEnvelopeKeepsRows: parts of a domain share its neurons' rows, a larger domain gets
// its own, since what rounding may have done grows with the inputs.
func TestEnvelopeKeepsRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 37))
	m := wildConv(t, rng)
	q := &Query{Domains: make([]Domain, 1), Functions: randomFunctions(rng, m), Upper: true}
	bound := func(width float64, warm *Warm) *patchRows {
		lo, up := repeat(-width, m.inputs), repeat(width, m.inputs)
		box, err := spec.NewBox(lo, up)
		require.NoError(t, err)
		q.Domains[0] = Domain{Region: box, Warm: warm}
		r := mustBound(t, Envelope{Parts: true}, m, q)[0]
		require.NotNil(t, r.Warm.rows)
		q.Domains[0].Warm = r.Warm
		return r.Warm.rows
	}
	whole := bound(1, nil)
	warm := q.Domains[0].Warm
	require.Same(t, whole, bound(0.9, warm))
	require.NotSame(t, whole, bound(1.1, warm))
}

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

// TestEnvelopeLeavesOthersAlone: networks that it is not for get the other bounder's
// numbers, and so do parts of domains bounded before.
func TestEnvelopeLeavesOthersAlone(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 34))
	wide := randomDense(t, rng, nn.ReLU{})
	curved := randomDense(t, rng, nn.Sigmoid{})
	for _, tc := range []struct {
		net   nn.Network
		e     Envelope
		parts bool
	}{{curved, Envelope{}, false}, {wide, Envelope{}, true}} {
		m := mustCompile(t, tc.net)
		q := &Query{Domains: []Domain{{Region: randomBox(t, rng, m.inputs, 1)}}, Functions: randomFunctions(rng, m)}
		if tc.parts {
			r := mustBound(t, AlphaBeta{}, m, q)[0]
			q.Domains[0].Known, q.Domains[0].Warm = r.Nodes, r.Warm
		}
		require.Equal(t, mustBound(t, AlphaBeta{}, m, q)[0].Lower, mustBound(t, tc.e, m, q)[0].Lower)
	}
	m := mustCompile(t, wide)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Envelope{Bounder: IBP{}}.Bound(ctx, m, &Query{Domains: []Domain{{Region: randomBox(t, rng, m.inputs, 1)}}, Functions: randomFunctions(rng, m)})
	require.ErrorIs(t, err, context.Canceled)
}
