package bounds

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// cutCase is domains as a search has them, with cuts.
type cutCase struct {
	m    *Model
	q    *Query
	cuts [][]Cut
}

// narrowed is d where the element is on one side of the cut.
func (c Cut) narrowed(d Domain, below bool) Domain {
	d.Known = slices.Clone(d.Known)
	k := Interval{slices.Clone(d.Known[c.Node].Lower), slices.Clone(d.Known[c.Node].Upper)}
	if below {
		k.Upper[c.Index] = min(k.Upper[c.Index], c.Point)
	} else {
		k.Lower[c.Index] = max(k.Lower[c.Index], c.Point)
	}
	d.Known[c.Node] = k
	d.Splits = append(slices.Clip(d.Splits), Split{c.Node, c.Index, below, c.Point})
	return d
}

// randomCuts is one to four domains of the network, with half-spaces, splits and
// variables that were optimised for the whole, each with a few cuts.
func randomCuts(t *testing.T, rng *rand.Rand, net nn.Network) *cutCase {
	c := &cutCase{m: mustCompile(t, net)}
	f := randomFunctions(rng, c.m)
	for k := range f.Const {
		f.Const[k] -= 1000 // nothing is decided
	}
	c.q = &Query{Functions: f}
	pre := slices.DeleteFunc(c.m.Preactivations(), func(i int) bool { return i == 0 })
	if len(pre) == 0 {
		return c
	}
	for range 1 + rng.IntN(4) {
		d := Domain{Region: randomBox(t, rng, c.m.inputs, rng.Float64())}
		if rng.IntN(3) == 0 {
			d.Halfspaces = randomHalfspaces(rng, d.Region.Box())
		}
		if rng.IntN(2) == 0 {
			d.Only = rng.Perm(f.count(c.m))[:1+rng.IntN(2)]
		}
		r := mustBound(t, AlphaBeta{Iterations: 3}, c.m, &Query{Functions: f, Domains: []Domain{d}})[0]
		if r.Infeasible {
			continue
		}
		d.Known, d.Warm = r.Nodes, r.Warm
		random := func() (Cut, bool) {
			i := pre[rng.IntN(len(pre))]
			k := rng.IntN(c.m.size[i])
			lo, up := d.Known[i].Lower[k], d.Known[i].Upper[k]
			if c.m.kinked(i) {
				return Cut{i, k, 0}, lo < 0 && up > 0
			}
			return Cut{i, k, 0.5*lo + 0.5*up}, lo < up
		}
		for range rng.IntN(4) {
			if s, ok := random(); ok {
				d = s.narrowed(d, rng.IntN(2) == 0)
			}
		}
		if len(d.Splits) > 0 {
			d.Settled = math.MaxInt
			r = mustBound(t, AlphaBeta{Iterations: 3}, c.m, &Query{Functions: f, Domains: []Domain{d}})[0]
			if r.Infeasible {
				continue
			}
			d.Known, d.Warm = r.Nodes, r.Warm
		}
		var cuts []Cut
		for range rng.IntN(9) {
			if s, ok := random(); ok {
				cuts = append(cuts, s)
			}
		}
		c.q.Domains, c.cuts = append(c.q.Domains, d), append(c.cuts, cuts)
	}
	return c
}

// The dumb twin: each half a domain of its own, made from nothing. Networks of wide
// layers are those whose rows share products between live neurons.
func TestHalvesEqualDomains(t *testing.T) {
	equal, looser := 0, 0
	compare := func(rng *rand.Rand, net *nn.Graph) {
		e, l := compareHalves(t, randomCuts(t, rng, net))
		equal, looser = equal+e, looser+l
	}
	randomNets(t, 150, compare)
	for seed := range 4 {
		rng := rand.New(rand.NewPCG(uint64(seed), 8))
		compare(rng, wideDense(t, rng))
		compare(rng, deepConv(t, rng))
	}
	t.Logf("%d equal, %d looser", equal, looser)
	require.Greater(t, equal, 50)
	require.Less(t, looser, 1+equal/50)
}

func wideDense(t *testing.T, rng *rand.Rand) *nn.Graph {
	m := newNetMaker(t, rng, nn.Shape{20}, nn.ReLU{})
	for range 3 {
		m.dense(130)
		m.activation()
	}
	m.dense(3)
	return m.build()
}

// compareHalves counts the bounds of halves that are equal to the twin's and those
// that are looser, since intervals behind the cut are narrower in the twin.
func compareHalves(t *testing.T, c *cutCase) (equal, looser int) {
	got, err := AlphaBeta{}.Halves(context.Background(), c.m, c.q, c.cuts)
	require.NoError(t, err)
	for d, x := range c.q.Domains {
		require.Len(t, got[d], len(c.cuts[d]))
		for k, cut := range c.cuts[d] {
			if !c.m.kinked(cut.Node) {
				continue // its lines are others
			}
			for below, bounds := range map[bool][]float64{true: got[d][k].Below, false: got[d][k].Above} {
				half := cut.narrowed(x, below)
				half.Settled = math.MaxInt
				want := mustBound(t, AlphaBeta{Iterations: 1}, c.m, &Query{Functions: c.q.Functions, Domains: []Domain{half}})[0].Lower
				if x.Only != nil {
					all := want
					want = nil
					for _, f := range x.Only {
						want = append(want, all[f])
					}
				}
				require.Len(t, bounds, len(want))
				for f, v := range bounds {
					slack := 1e-9 * (1 + math.Abs(want[f]))
					require.LessOrEqual(t, v, want[f]+slack)
					if v < want[f]-slack {
						looser++
					} else {
						equal++
					}
				}
			}
		}
	}
	return equal, looser
}

// Points of a half satisfy its bounds.
func TestHalvesHoldOnPoints(t *testing.T) {
	checked := 0
	randomNets(t, 150, func(rng *rand.Rand, net *nn.Graph) {
		c := randomCuts(t, rng, net)
		got, err := AlphaBeta{}.Halves(context.Background(), c.m, c.q, c.cuts)
		require.NoError(t, err)
		e := nn.NewEvaluator[float64](net)
		for d, x := range c.q.Domains {
			for _, p := range points(rng, c.m, x.Region, &c.q.Functions, 20) {
				y := e.Forward(p, 1)
				if !inAll(x.Halfspaces, p) || !satisfies(e, x.Known) {
					continue
				}
				values := c.q.Functions.at(c.m, p, y)
				for k, cut := range c.cuts[d] {
					lower := got[d][k].Below
					if e.Value(cut.Node)[cut.Index] > cut.Point {
						lower = got[d][k].Above
					}
					for f, v := range lower {
						if x.Only != nil {
							f = x.Only[f]
						}
						require.LessOrEqual(t, v, values[f]+1e-9*(1+math.Abs(values[f])))
						checked++
					}
				}
			}
		}
	})
	t.Logf("%d checked", checked)
	require.Greater(t, checked, 1000)
}

// Neither other domains nor the number of processors changes a bound.
func TestHalvesBatchEqualsSingle(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	nets := []nn.Network{}
	for seed := range 6 {
		nets = append(nets, deepConv(t, rand.New(rand.NewPCG(uint64(seed), 5))))
	}
	for seed := range 3 {
		nets = append(nets, wideDense(t, rand.New(rand.NewPCG(uint64(seed), 6))))
	}
	for seed, net := range nets {
		c := randomCuts(t, rand.New(rand.NewPCG(uint64(seed), 7)), net)
		runtime.GOMAXPROCS(1)
		all, err := AlphaBeta{}.Halves(context.Background(), c.m, c.q, c.cuts)
		require.NoError(t, err)
		for d := range all {
			one := *c.q
			one.Domains = c.q.Domains[d : d+1]
			alone, err := AlphaBeta{}.Halves(context.Background(), c.m, &one, c.cuts[d:d+1])
			require.NoError(t, err)
			require.Equal(t, alone[0], all[d])
		}
		runtime.GOMAXPROCS(4)
		again, err := AlphaBeta{}.Halves(context.Background(), c.m, c.q, c.cuts)
		require.NoError(t, err)
		require.Equal(t, all, again)
	}
}

func TestHalvesOfMalformedCuts(t *testing.T) {
	m := mustCompile(t, deepConv(t, rand.New(rand.NewPCG(1, 1))))
	q := &Query{Functions: randomFunctions(rand.New(rand.NewPCG(1, 2)), m), Domains: []Domain{{Region: randomBox(t, rand.New(rand.NewPCG(1, 3)), m.inputs, 1)}}}
	for _, cuts := range [][][]Cut{nil, {{{0, 0, 0}}}, {{{1, -1, 0}}}, {{{1, m.size[1], 0}}}, {{{len(m.size), 0, 0}}}, {{{1, 0, math.NaN()}}}} {
		_, err := AlphaBeta{}.Halves(context.Background(), m, q, cuts)
		require.Error(t, err)
	}
}
