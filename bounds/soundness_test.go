package bounds

import (
	"context"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// randomNets is n networks, dense and convolutional, and a source for each.
func randomNets(t *testing.T, n int, f func(rng *rand.Rand, net *nn.Graph)) {
	if testing.Short() {
		n = (n + 9) / 10
	}
	for seed := range n {
		rng := rand.New(rand.NewPCG(uint64(seed), 77))
		if seed%3 == 0 {
			f(rng, randomConv(t, rng))
		} else {
			f(rng, randomDense(t, rng))
		}
	}
}

func TestBoundsHoldOnPoints(t *testing.T) {
	randomNets(t, 240, func(rng *rand.Rand, net *nn.Graph) {
		m := mustCompile(t, net)
		f := randomFunctions(rng, m)
		box := randomBox(t, rng, m.inputs, math.Pow(10, -3+3.5*rng.Float64()))
		q := &Query{Domains: []Domain{{Region: box}}, Functions: f, Upper: true, Linear: true}
		xs := points(rng, m, box, &f, 30)
		e := nn.NewEvaluator[float64](net)
		for name, b := range bounders {
			r := mustBound(t, b, m, q)[0]
			require.False(t, r.Infeasible)
			for _, x := range xs {
				requireInside(t, m, e, &f, &r, x, name)
				requireLinear(t, m, e, &f, &r, x)
			}
		}
	})
}

// requireLinear checks the linear lower bounds at x, where there are any.
func requireLinear(t *testing.T, m *Model, e *nn.Evaluator[float64], f *Functions, r *DomainResult, x []float64) {
	if r.Coef == nil {
		return
	}
	v := f.at(m, x, e.Value(m.output))
	for k := range v {
		low := r.Offset[k]
		for j, a := range r.Coef[k*m.inputs : (k+1)*m.inputs] {
			low += a * x[j]
		}
		require.LessOrEqual(t, low, v[k]+1e-9*(1+math.Abs(v[k])+math.Abs(low)))
	}
}

func TestBoundsHoldOnBalls(t *testing.T) {
	randomNets(t, 70, func(rng *rand.Rand, net *nn.Graph) {
		m := mustCompile(t, net)
		f := randomFunctions(rng, m)
		centre := make([]float64, m.inputs)
		for i := range centre {
			centre[i] = rng.NormFloat64()
		}
		clip := randomBox(t, rng, m.inputs, 2)
		for i, c := range centre {
			clip.Lower[i], clip.Upper[i] = min(clip.Lower[i], c), max(clip.Upper[i], c)
		}
		for _, norm := range []spec.Norm{spec.LInf, spec.L2, spec.L1, spec.L0} {
			radius := 0.5 * rng.Float64()
			if norm == spec.L0 {
				radius = 2
			}
			ball, err := spec.NewBall(norm, centre, radius, &clip)
			require.NoError(t, err)
			q := &Query{Domains: []Domain{{Region: ball}}, Functions: f, Upper: true}
			boxed := &Query{Domains: []Domain{{Region: ball.Box()}}, Functions: f, Upper: true}
			xs := points(rng, m, ball, &f, 10)
			e := nn.NewEvaluator[float64](net)
			for name, b := range bounders {
				r, outer := mustBound(t, b, m, q)[0], mustBound(t, b, m, boxed)[0]
				for _, x := range xs {
					requireInside(t, m, e, &f, &r, x, name+norm.String())
				}
				if name == "CrownIBP" { // the same lines, over a smaller region
					requireNested(t, &r, &outer, name+norm.String())
				}
			}
		}
	})
}

// requireNested checks that inner's bounds are at least as tight as outer's,
// up to rounding.
func requireNested(t *testing.T, inner, outer *DomainResult, what string) {
	t.Helper()
	for i := range inner.Nodes {
		requireTighter(t, inner.Nodes[i].Lower, outer.Nodes[i].Lower, 1, what, i)
		requireTighter(t, inner.Nodes[i].Upper, outer.Nodes[i].Upper, -1, what, i)
	}
	requireTighter(t, inner.Lower, outer.Lower, 1, what, -1)
	requireTighter(t, inner.Upper, outer.Upper, -1, what, -1)
}

func requireTighter(t *testing.T, a, b []float64, sign float64, what string, node int) {
	t.Helper()
	for k := range a {
		if sign*(a[k]-b[k]) < -1e-12*(1+math.Abs(a[k])) {
			t.Fatalf("%s: node %d element %d: %v is looser than %v", what, node, k, a[k], b[k])
		}
	}
}

func TestTighterMethodsAreNeverLooser(t *testing.T) {
	randomNets(t, 150, func(rng *rand.Rand, net *nn.Graph) {
		m := mustCompile(t, net)
		q := &Query{
			Domains:   []Domain{{Region: randomBox(t, rng, m.inputs, 1)}},
			Functions: randomFunctions(rng, m), Upper: true,
		}
		ibp := mustBound(t, IBP{}, m, q)[0]
		crownIBP := mustBound(t, CrownIBP{}, m, q)[0]
		crown := mustBound(t, Crown{}, m, q)[0]
		requireNested(t, &crownIBP, &ibp, "CrownIBP")
		requireNested(t, &crown, &ibp, "Crown")
		alphaBeta := mustBound(t, AlphaBeta{Iterations: 3}, m, q)[0]
		requireNested(t, &alphaBeta, &crown, "AlphaBeta")
		alpha := mustBound(t, Alpha{Iterations: 3}, m, q)[0]
		requireNested(t, &alpha, &crown, "Alpha")
	})
}

// Interval bounds are monotone in the region. Those of CROWN are not: a
// smaller region may move a neuron's lower line from slope 1 to slope 0. They
// are once the larger region's bounds are known, as branch and bound uses them.
func TestShrinkingARegionNeverLoosens(t *testing.T) {
	randomNets(t, 150, func(rng *rand.Rand, net *nn.Graph) {
		m := mustCompile(t, net)
		f := randomFunctions(rng, m)
		outer := randomBox(t, rng, m.inputs, 1)
		lo, up := append([]float64(nil), outer.Lower...), append([]float64(nil), outer.Upper...)
		for i := range lo {
			a, b := rng.Float64(), rng.Float64()
			w := outer.Upper[i] - outer.Lower[i]
			lo[i], up[i] = outer.Lower[i]+min(a, b)*w, outer.Lower[i]+max(a, b)*w
			up[i] = max(min(up[i], outer.Upper[i]), lo[i])
		}
		inner, err := spec.NewBox(lo, up)
		require.NoError(t, err)
		for name, b := range bounders {
			big := mustBound(t, b, m, &Query{Domains: []Domain{{Region: outer}}, Functions: f, Upper: true})[0]
			d := Domain{Region: inner}
			if name != "IBP" {
				d.Known = big.Nodes
			}
			small := mustBound(t, b, m, &Query{Domains: []Domain{d}, Functions: f, Upper: true})[0]
			if name != "IBP" {
				small.Lower, small.Upper = nil, nil
			}
			requireNested(t, &small, &big, name)
		}
	})
}

func TestBatchEqualsSingleDomains(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	randomNets(t, 16, func(rng *rand.Rand, net *nn.Graph) {
		m := mustCompile(t, net)
		q := &Query{Functions: randomFunctions(rng, m), Upper: true, Linear: true}
		for range 1 + rng.IntN(20) {
			q.Domains = append(q.Domains, Domain{Region: randomBox(t, rng, m.inputs, 0.5)})
		}
		for name, b := range bounders {
			runtime.GOMAXPROCS(1)
			batch := mustBound(t, b, m, q)
			for _, p := range []int{2, 3, 8} {
				runtime.GOMAXPROCS(p)
				require.Equal(t, batch, mustBound(t, b, m, q), "%s on %d processors", name, p)
			}
			for d := range q.Domains {
				one := *q
				one.Domains = q.Domains[d : d+1]
				require.Equal(t, batch[d], mustBound(t, b, m, &one)[0], "%s, domain %d", name, d)
			}
		}
	})
}

// A wide network: rows in blocks, products of several tiles.
func TestWideBatchEqualsSingleDomains(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	rng := rand.New(rand.NewPCG(5, 5))
	mk := newNetMaker(t, rng, nn.Shape{300}, nn.ReLU{})
	for _, n := range []int{130, 257, 64} {
		mk.dense(n)
		mk.activation()
	}
	mk.dense(7)
	m := mustCompile(t, mk.build())
	q := &Query{Functions: randomFunctions(rng, m), Upper: true}
	for range 5 {
		q.Domains = append(q.Domains, Domain{Region: randomBox(t, rng, m.inputs, 0.05)})
	}
	runtime.GOMAXPROCS(1)
	batch := mustBound(t, Crown{}, m, q)
	for _, p := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(p)
		require.Equal(t, batch, mustBound(t, Crown{}, m, q))
		for d := range q.Domains {
			one := *q
			one.Domains = q.Domains[d : d+1]
			require.Equal(t, batch[d], mustBound(t, Crown{}, m, &one)[0], "domain %d, %d processors", d, p)
		}
	}
}

func TestKnownBoundsAreRespected(t *testing.T) {
	inside := 0
	randomNets(t, 200, func(rng *rand.Rand, net *nn.Graph) {
		m := mustCompile(t, net)
		f := randomFunctions(rng, m)
		box := randomBox(t, rng, m.inputs, 1)
		root := mustBound(t, Crown{}, m, &Query{Domains: []Domain{{Region: box}}, Functions: f})[0]
		// Split some neurons before nonlinear nodes, at any point.
		known := make([]Interval, len(m.nodes))
		var splits []Split
		for i := range m.nodes {
			if len(m.feeds[i]) == 0 || i == 0 {
				continue
			}
			known[i] = Interval{append([]float64(nil), root.Nodes[i].Lower...), append([]float64(nil), root.Nodes[i].Upper...)}
			j := rng.IntN(m.size[i])
			at := known[i].Lower[j] + rng.Float64()*(known[i].Upper[j]-known[i].Lower[j])
			if known[i].Lower[j] < 0 && known[i].Upper[j] > 0 {
				at = 0
			}
			below := rng.IntN(2) == 0
			splits = append(splits, Split{Node: i, Index: j, Below: below, Point: at})
			if !below {
				known[i].Lower[j] = at
			} else {
				known[i].Upper[j] = at
			}
		}
		d := Domain{Region: box, Known: known, Splits: splits}
		q := &Query{Domains: []Domain{d}, Functions: f, Upper: true}
		d.Settled = len(m.nodes)
		settled := &Query{Domains: []Domain{d}, Functions: f, Upper: true}
		xs := points(rng, m, box, &f, 60)
		e := nn.NewEvaluator[float64](net)
		for name, b := range bounders {
			for _, q := range []*Query{q, settled} {
				r := mustBound(t, b, m, q)[0]
				for i, k := range known {
					if k.Lower != nil && !r.Infeasible {
						requireTighter(t, r.Nodes[i].Lower, k.Lower, 1, name, i)
						requireTighter(t, r.Nodes[i].Upper, k.Upper, -1, name, i)
					}
				}
				for _, x := range xs {
					e.Forward(x, 1)
					if !satisfies(e, known) {
						continue
					}
					inside++
					require.False(t, r.Infeasible, "a point satisfies the known bounds")
					requireInside(t, m, e, &f, &r, x, name)
				}
			}
		}
	})
	assert.Greater(t, inside, 100, "the test has hardly tested anything")
}

func satisfies(e *nn.Evaluator[float64], known []Interval) bool {
	for i, k := range known {
		for j, lo := range k.Lower {
			if v := e.Value(i)[j]; v < lo || v > k.Upper[j] {
				return false
			}
		}
	}
	return true
}

func TestInfeasibleKnownBoundsAreDetected(t *testing.T) {
	randomNets(t, 60, func(rng *rand.Rand, net *nn.Graph) {
		m := mustCompile(t, net)
		f := randomFunctions(rng, m)
		box := randomBox(t, rng, m.inputs, 0.2)
		fine := Domain{Region: box}
		for name, b := range bounders {
			root := mustBound(t, b, m, &Query{Domains: []Domain{fine}, Functions: f, Upper: true})[0]
			i := m.Nonlinear()[0]
			known := make([]Interval, i+1)
			known[i] = Interval{append([]float64(nil), root.Nodes[i].Lower...), append([]float64(nil), root.Nodes[i].Upper...)}
			known[i].Lower[0] = root.Nodes[i].Upper[0] + 0.1
			known[i].Upper[0] = known[i].Lower[0] + 1
			q := &Query{Domains: []Domain{fine, {Region: box, Known: known}, fine}, Functions: f, Upper: true}
			r := mustBound(t, b, m, q)
			require.False(t, r[0].Infeasible)
			require.True(t, r[1].Infeasible, name)
			for k := range r[1].Lower {
				require.Equal(t, math.Inf(1), r[1].Lower[k])
				require.Equal(t, math.Inf(-1), r[1].Upper[k])
			}
			require.Equal(t, root, r[0], "a neighbour changes nothing")
			require.Equal(t, root, r[2], "a neighbour changes nothing")
		}
	})
}

func TestCancelledCallsReturn(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	mk := newNetMaker(t, rng, nn.Shape{200}, nn.ReLU{})
	for range 8 {
		mk.dense(400)
		mk.activation()
	}
	mk.dense(2)
	m := mustCompile(t, mk.build())
	q := &Query{Functions: Functions{Output: identity(2)}}
	for range 32 {
		q.Domains = append(q.Domains, Domain{Region: randomBox(t, rng, m.inputs, 0.1)})
	}
	for name, b := range bounders {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Millisecond)
		start := time.Now()
		_, err := b.Bound(ctx, m, q)
		cancel()
		if err != nil {
			require.ErrorIs(t, err, context.DeadlineExceeded)
			continue
		}
		require.Equal(t, "IBP", name, "finished in %v", time.Since(start))
	}
}

func TestQueryErrors(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	m := mustCompile(t, randomDense(t, rng))
	good := func() *Query {
		return &Query{Domains: []Domain{{Region: randomBox(t, rng, m.inputs, 1)}}, Functions: randomFunctions(rng, m)}
	}
	for name, spoil := range map[string]func(q *Query){
		"output coefficients": func(q *Query) { q.Functions.Output = q.Functions.Output[1:] },
		"input coefficients":  func(q *Query) { q.Functions.Input = q.Functions.Input[1:] },
		"constants":           func(q *Query) { q.Functions.Const = q.Functions.Const[1:] },
		"no region":           func(q *Query) { q.Domains[0].Region = nil },
		"region":              func(q *Query) { q.Domains[0].Region = randomBox(t, rng, m.inputs+1, 1) },
		"known": func(q *Query) {
			q.Domains[0].Known = []Interval{{Lower: make([]float64, m.inputs+1), Upper: make([]float64, m.inputs+1)}}
		},
	} {
		for method, b := range bounders {
			q := good()
			spoil(q)
			_, err := b.Bound(t.Context(), m, q)
			var e *spec.Error
			require.ErrorAs(t, err, &e, "%s, %s", method, name)
		}
	}
}

func TestCompileRejectsUnknownOperators(t *testing.T) {
	b := nn.NewBuilder(nn.Shape{2})
	g, err := b.Build(b.Add("odd", oddOperator{}, b.Input()))
	require.NoError(t, err)
	_, err = Compile(g)
	var u *nn.UnsupportedError
	require.ErrorAs(t, err, &u)
	assert.Equal(t, "odd", u.Node)
}

type oddOperator struct{ nn.Operator }

func (oddOperator) Kind() string                             { return "Odd" }
func (oddOperator) OutShape(in []nn.Shape) (nn.Shape, error) { return in[0], nil }
func (oddOperator) Params() []*nn.Param                      { return nil }
func (oddOperator) String() string                           { return "odd" }
