package bounds

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

var halfspaceMethods = map[string]Bounder{
	"Crown": Crown{}, "CrownIBP": CrownIBP{}, "Alpha": Alpha{Iterations: 3}, "AlphaBeta": AlphaBeta{Iterations: 3},
	"AlphaBeta with intermediate": AlphaBeta{Iterations: 3, Intermediate: 3},
}

// randomHalfspaces cuts the box so that some of it stays.
func randomHalfspaces(rng *rand.Rand, box spec.Box) []Halfspace {
	var out []Halfspace
	for range 1 + rng.IntN(3) {
		h := Halfspace{Coef: make([]float64, len(box.Lower))}
		middle, reach := 0.0, 0.0
		for j := range h.Coef {
			if rng.IntN(4) > 0 {
				h.Coef[j] = rng.NormFloat64()
			}
			middle += h.Coef[j] * (box.Lower[j] + box.Upper[j]) / 2
			reach += math.Abs(h.Coef[j]) * (box.Upper[j] - box.Lower[j]) / 2
		}
		h.Offset = -middle + reach*(1.2*rng.Float64()-0.5)
		out = append(out, h)
	}
	return out
}

func inAll(spaces []Halfspace, x []float64) bool {
	for _, h := range spaces {
		v := h.Offset
		for j, c := range h.Coef {
			v += c * x[j]
		}
		if v > 0 {
			return false
		}
	}
	return true
}

// Bounds in half-spaces hold at every point of them, and so do the linear
// functions; where a domain is called infeasible there is no point.
func TestBoundsInHalfspacesHoldOnPoints(t *testing.T) {
	inside := 0
	randomNets(t, 120, func(rng *rand.Rand, net *nn.Graph) {
		m := mustCompile(t, net)
		f := randomFunctions(rng, m)
		box := randomBox(t, rng, m.inputs, 1)
		spaces := randomHalfspaces(rng, box)
		q := &Query{Domains: []Domain{{Region: box, Halfspaces: spaces}}, Functions: f, Upper: true, Linear: true}
		xs := points(rng, m, box, &f, 40)
		e := nn.NewEvaluator[float64](net)
		for name, b := range halfspaceMethods {
			r := mustBound(t, b, m, q)[0]
			for _, x := range xs {
				if !inAll(spaces, x) {
					continue
				}
				inside++
				require.False(t, r.Infeasible, name)
				requireInside(t, m, e, &f, &r, x, name)
				requireLinear(t, m, e, &f, &r, x)
			}
		}
	})
	t.Logf("%d points", inside)
	require.Greater(t, inside, 500)
}

// The lines and the start are the same, so half-spaces can only tighten bounds
// whose lines do not depend on them.
func TestHalfspacesTighten(t *testing.T) {
	tighter, all := 0, 0
	randomNets(t, 100, func(rng *rand.Rand, net *nn.Graph) {
		m := mustCompile(t, net)
		box := randomBox(t, rng, m.inputs, 1)
		q := &Query{Domains: []Domain{{Region: box}}, Functions: randomFunctions(rng, m), Upper: true}
		plain := mustBound(t, CrownIBP{}, m, q)[0]
		q.Domains[0].Halfspaces = randomHalfspaces(rng, box)
		cut := mustBound(t, CrownIBP{}, m, q)[0]
		if cut.Infeasible {
			return
		}
		requireNested(t, &cut, &plain, "CrownIBP")
		for k, v := range cut.Lower {
			all++
			if v > plain.Lower[k]+1e-9 {
				tighter++
			}
		}
	})
	t.Logf("%d of %d bounds are tighter", tighter, all)
	require.Greater(t, 3*tighter, all)
}

// exactRaise is the least value of a·x in the box and one half-space, from
// filling the half-space greedily: a fractional knapsack.
func exactRaise(box spec.Box, h Halfspace, a []float64) float64 {
	x := make([]float64, len(a))
	box.Minimizer(a, x)
	value, over := 0.0, h.Offset
	for j, v := range x {
		value += a[j] * v
		over += h.Coef[j] * v
	}
	type move struct{ price, room, gain float64 }
	var moves []move
	for j, c := range h.Coef {
		to := box.Lower[j] // where the half-space's value is least
		if c < 0 {
			to = box.Upper[j]
		}
		if gain := c * (x[j] - to); gain > 0 {
			moves = append(moves, move{a[j] * (to - x[j]) / gain, a[j] * (to - x[j]), gain})
		}
	}
	slices.SortFunc(moves, func(p, q move) int {
		if p.price < q.price {
			return -1
		}
		return 1
	})
	for _, m := range moves {
		if over <= 0 {
			break
		}
		part := min(1, over/m.gain)
		value += part * m.room
		over -= part * m.gain
	}
	if over > 1e-9 {
		return math.Inf(1)
	}
	return value
}

// The raised value never exceeds the exact one, and comes within a hundredth of
// what there is to gain.
func TestRaiseAgainstKnapsack(t *testing.T) {
	rng := rand.New(rand.NewPCG(31, 32))
	gained, possible := 0.0, 0.0
	for k := range 2000 {
		n := 1 + rng.IntN(40)
		box := randomBox(t, rng, n, 1)
		h := randomHalfspaces(rng, box)[0]
		a := make([]float64, n)
		mag, plain := 0.0, 0.0
		for j := range a {
			if k%2 == 0 || rng.IntN(5) == 0 { // the others are sparse
				a[j] = rng.NormFloat64() * math.Exp2(float64(rng.IntN(6)))
			}
			mag += math.Abs(a[j]) * max(-box.Lower[j], box.Upper[j])
			plain += min(a[j]*box.Lower[j], a[j]*box.Upper[j])
		}
		exact := exactRaise(box, h, a)
		x := make([]float64, n)
		got := newCorner(box.Lower, box.Upper, []Halfspace{h}).raise(a, nil, plain, mag, x)
		require.GreaterOrEqual(t, got, plain, "case %d", k)
		require.LessOrEqual(t, got, exact+1e-9*(1+mag), "case %d", k)
		require.True(t, box.Contains(x))
		if !math.IsInf(exact, 1) {
			gained += (got - plain) / (1 + mag)
			possible += (exact - plain) / (1 + mag)
		}
	}
	t.Logf("%.4f of the possible gain", gained/possible)
	require.Greater(t, gained, 0.99*possible)
}

// The half-spaces of splits hold wherever the splits do.
func TestSplitHalfspacesHoldOnPoints(t *testing.T) {
	checked, useful := 0, 0
	randomNets(t, 120, func(rng *rand.Rand, net *nn.Graph) {
		m := mustCompile(t, net)
		f := randomFunctions(rng, m)
		box := randomBox(t, rng, m.inputs, 1)
		whole := mustBound(t, Crown{}, m, &Query{Domains: []Domain{{Region: box}}, Functions: f})[0]
		e := nn.NewEvaluator[float64](net)
		xs := points(rng, m, box, &f, 40)
		e.Forward(xs[0], 1)
		d := Domain{Region: box, Known: slices.Clone(whole.Nodes), Settled: math.MaxInt}
		for range 1 + rng.IntN(4) {
			node := m.Preactivations()[rng.IntN(len(m.Preactivations()))]
			if node == 0 {
				continue
			}
			c := Split{Node: node, Index: rng.IntN(m.size[node]), Below: rng.IntN(2) == 0}
			c.Point = e.Value(node)[c.Index] // so that a point is left
			k := Interval{slices.Clone(d.Known[node].Lower), slices.Clone(d.Known[node].Upper)}
			if c.Below {
				k.Upper[c.Index] = min(k.Upper[c.Index], c.Point)
			} else {
				k.Lower[c.Index] = max(k.Lower[c.Index], c.Point)
			}
			d.Known[node], d.Splits = k, append(d.Splits, c)
		}
		spaces, err := m.SplitHalfspaces(context.Background(), d)
		require.NoError(t, err)
		require.Len(t, spaces, len(d.Splits))
		for _, x := range xs {
			e.Forward(x, 1)
			if !satisfies(e, d.Known) {
				continue
			}
			for _, h := range spaces {
				v, size := h.Offset, math.Abs(h.Offset)
				for j, c := range h.Coef {
					v += c * x[j]
					size += math.Abs(c * x[j])
				}
				require.LessOrEqual(t, v, 1e-9*(1+size))
				checked++
				if size > 0 {
					useful++
				}
			}
		}
	})
	t.Logf("%d checked, %d useful", checked, useful)
	require.Greater(t, useful, 100)
}

func TestMalformedHalfspaces(t *testing.T) {
	rng := rand.New(rand.NewPCG(33, 34))
	m := mustCompile(t, randomDense(t, rng))
	box := randomBox(t, rng, m.inputs, 1)
	good := make([]float64, m.inputs)
	bad := append(make([]float64, m.inputs-1), math.Inf(1))
	for name, h := range map[string]Halfspace{
		"short": {Coef: good[1:]}, "long": {Coef: append(slices.Clone(good), 1)}, "infinite": {Coef: bad}, "offset": {Coef: good, Offset: math.NaN()},
	} {
		_, err := Crown{}.Bound(context.Background(), m, &Query{Domains: []Domain{{Region: box, Halfspaces: []Halfspace{h}}}, Functions: randomFunctions(rng, m)})
		var e *spec.Error
		require.ErrorAs(t, err, &e, name)
	}
	for _, c := range []Split{{Node: 0}, {Node: 99}, {Node: 1, Index: -1}, {Node: 1, Index: 1 << 20}, {Node: 1, Point: math.NaN()}} {
		_, err := m.SplitHalfspaces(context.Background(), Domain{Region: box, Splits: []Split{c}})
		var e *spec.Error
		require.ErrorAs(t, err, &e, "%+v", c)
	}
	// One without direction says nothing, or that there is no point.
	q := &Query{Domains: []Domain{{Region: box}, {Region: box, Halfspaces: []Halfspace{{Coef: good, Offset: -1}}}}, Functions: randomFunctions(rng, m)}
	r := mustBound(t, Crown{}, m, q)
	require.Equal(t, r[0].Lower, r[1].Lower)
}
