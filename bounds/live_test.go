package bounds_test

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// splitDomains gives each domain of q what a search would: the bounds of the
// whole, with some undecided neurons split.
func splitDomains(t *testing.T, m *bounds.Model, q *bounds.Query) {
	rng := rand.New(rand.NewPCG(4, 4))
	res, err := bounds.AlphaBeta{Iterations: 3}.Bound(t.Context(), m, q)
	require.NoError(t, err)
	pre := m.Preactivations()
	for i := range q.Domains {
		d := &q.Domains[i]
		d.Warm, d.Known = res[i].Warm, make([]bounds.Interval, len(res[i].Nodes))
		for _, j := range pre {
			k := res[i].Nodes[j]
			d.Known[j] = bounds.Interval{Lower: append([]float64(nil), k.Lower...), Upper: append([]float64(nil), k.Upper...)}
		}
		for range 6 {
			j := pre[rng.IntN(len(pre))]
			k, e := d.Known[j], rng.IntN(len(d.Known[j].Lower))
			switch below := rng.IntN(2) == 0; {
			case k.Lower[e] >= 0 || k.Upper[e] <= 0:
			case below:
				k.Upper[e] = 0
				d.Splits = append(d.Splits, bounds.Split{Node: j, Index: e, Below: true})
			default:
				k.Lower[e] = 0
				d.Splits = append(d.Splits, bounds.Split{Node: j, Index: e})
			}
		}
	}
}

// subDomains are random boxes within one small box, so that they share most of
// their dead neurons.
func subDomains(t *testing.T, net nn.Network, n int, radius float64) *bounds.Query {
	q := randomQuery(t, net, 1, radius)
	q.Linear = true
	box := q.Domains[0].Region.Box()
	rng := rand.New(rand.NewPCG(5, 5))
	q.Domains = nil
	for range n {
		lo, up := make([]float64, len(box.Lower)), make([]float64, len(box.Lower))
		for j, l := range box.Lower {
			lo[j] = l + 0.5*rng.Float64()*(box.Upper[j]-l)
			up[j] = lo[j] + 0.5*(box.Upper[j]-l)
		}
		b, err := spec.NewBox(lo, up)
		require.NoError(t, err)
		q.Domains = append(q.Domains, bounds.Domain{Region: b})
	}
	return q
}

// A network whose matrices are large enough that rows of several domains share
// products between live neurons: the bounds must not show it.
func TestLiveNeuronsBatchEqualsSingle(t *testing.T) {
	net := reluNet(t, 40, 150, 130, 150, 4)
	m, err := bounds.Compile(net)
	require.NoError(t, err)
	for _, radius := range []float64{0.01, 0.05} {
		q := subDomains(t, net, 24, radius)
		q.Impact = true
		splitDomains(t, m, q)
		for name, method := range map[string]bounds.Bounder{
			"Crown": bounds.Crown{}, "CrownIBP": bounds.CrownIBP{}, "AlphaBeta": bounds.AlphaBeta{Iterations: 5},
			"Alpha": bounds.Alpha{Iterations: 4}, "Alpha of some": bounds.Alpha{Iterations: 4, Neurons: 5},
		} {
			all, err := method.Bound(t.Context(), m, q)
			require.NoError(t, err)
			single := *q
			for i, d := range q.Domains {
				single.Domains = []bounds.Domain{d}
				one, err := method.Bound(t.Context(), m, &single)
				require.NoError(t, err)
				require.Equal(t, one[0], all[i], "%s, domain %d", name, i)
			}
			before := runtime.GOMAXPROCS(5)
			again, err := method.Bound(t.Context(), m, q)
			runtime.GOMAXPROCS(before)
			require.NoError(t, err)
			assert.Equal(t, all, again, name)
		}
	}
}

// Points of the region that satisfy the splits lie within all bounds.
func TestLiveNeuronsSound(t *testing.T) {
	for _, sizes := range [][]int{{5, 40, 40, 40, 5}, {40, 150, 130, 150, 4}} {
		net := reluNet(t, sizes...)
		m, err := bounds.Compile(net)
		require.NoError(t, err)
		q := subDomains(t, net, 24, 0.03)
		splitDomains(t, m, q)
		for _, method := range []bounds.Bounder{bounds.Crown{}, bounds.CrownIBP{}, bounds.AlphaBeta{Iterations: 5}, bounds.Alpha{Iterations: 5}} {
			res, err := method.Bound(t.Context(), m, q)
			require.NoError(t, err)
			rng := rand.New(rand.NewPCG(9, 9))
			for i, d := range q.Domains {
				for range 40 {
					checkPoint(t, net, q, &d, &res[i], rng)
				}
			}
		}
	}
}

func checkPoint(t *testing.T, net nn.Network, q *bounds.Query, d *bounds.Domain, r *bounds.DomainResult, rng *rand.Rand) {
	box := d.Region.Box()
	x := make([]float64, len(box.Lower))
	for j := range x {
		x[j] = box.Lower[j] + rng.Float64()*(box.Upper[j]-box.Lower[j])
	}
	values := [][]float64{x}
	for i := 1; i < len(net.Nodes()); i++ {
		n := net.Nodes()[i]
		c := &nn.Call[float64]{Batch: 1, InShapes: nn.InShapes(net, i), OutShape: n.Shape, Out: make([]float64, n.Shape.Size())}
		for _, j := range n.Inputs {
			c.In = append(c.In, values[j])
		}
		n.Op.Forward64(c)
		values = append(values, c.Out)
	}
	for _, s := range d.Splits {
		if v := values[s.Node][s.Index]; (v < 0) != s.Below && v != 0 {
			return
		}
	}
	require.False(t, r.Infeasible)
	y := values[net.Output()]
	for k := range r.Lower {
		v, linear := 0.0, r.Offset[k]
		for j, a := range q.Functions.Output[k*len(y) : (k+1)*len(y)] {
			v += a * y[j]
		}
		for j, a := range r.Coef[k*len(x) : (k+1)*len(x)] {
			linear += a * x[j]
		}
		assert.LessOrEqual(t, r.Lower[k], v+1e-9)
		assert.LessOrEqual(t, linear, v+1e-9)
	}
	for i, n := range r.Nodes {
		for e, v := range values[i] {
			require.True(t, n.Lower[e] <= v+1e-9 && v-1e-9 <= n.Upper[e])
		}
	}
}
