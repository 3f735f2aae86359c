package bounds_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// reluNet is a random dense ReLU network.
func reluNet(tb testing.TB, sizes ...int) *nn.Graph {
	rng := rand.New(rand.NewPCG(1, 1))
	b := nn.NewBuilder(nn.Shape{sizes[0]})
	at := b.Input()
	for l, n := range sizes[1:] {
		if l > 0 {
			at = b.Add("", nn.ReLU{}, at)
		}
		w, bias := make([]float64, n*sizes[l]), make([]float64, n)
		for i := range w {
			w[i] = rng.NormFloat64() * math.Sqrt(2/float64(sizes[l]))
		}
		for i := range bias {
			bias[i] = 0.1 * rng.NormFloat64()
		}
		d, err := nn.NewDense(n, sizes[l], w, bias)
		require.NoError(tb, err)
		at = b.Add("", d, at)
	}
	g, err := b.Build(at)
	require.NoError(tb, err)
	return g
}

// margins is output 0 minus each other output.
func margins(outputs int) bounds.Functions {
	f := bounds.Functions{Output: make([]float64, (outputs-1)*outputs)}
	for k := range outputs - 1 {
		f.Output[k*outputs], f.Output[k*outputs+k+1] = 1, -1
	}
	return f
}

func randomQuery(tb testing.TB, net nn.Network, domains int, radius float64) *bounds.Query {
	rng := rand.New(rand.NewPCG(2, 2))
	q := &bounds.Query{Functions: margins(nn.OutputShape(net).Size())}
	for range domains {
		n := nn.InputShape(net).Size()
		lo, up := make([]float64, n), make([]float64, n)
		for i := range lo {
			c := rng.Float64()
			lo[i], up[i] = c-radius, c+radius
		}
		box, err := spec.NewBox(lo, up)
		require.NoError(tb, err)
		q.Domains = append(q.Domains, bounds.Domain{Region: box})
	}
	return q
}

func benchmark(b *testing.B, method bounds.Bounder, m *bounds.Model, q *bounds.Query) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := method.Bound(b.Context(), m, q); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(q.Domains))*float64(b.N)/b.Elapsed().Seconds(), "domains/s")
}

func BenchmarkCrown(b *testing.B) {
	b.Run("784-256x4-10", func(b *testing.B) {
		net := reluNet(b, 784, 256, 256, 256, 256, 10)
		m, err := bounds.Compile(net)
		require.NoError(b, err)
		benchmark(b, bounds.Crown{}, m, randomQuery(b, net, 1, 0.02))
	})
	b.Run("mnist_fc-256x4", func(b *testing.B) {
		c := referenceCases(b)[0]
		c.load(b)
		benchmark(b, bounds.Crown{}, c.model, c.query())
	})
	b.Run("sigmoid-6x200", func(b *testing.B) {
		cases := referenceCases(b)
		c := cases[len(cases)-1]
		c.load(b)
		benchmark(b, bounds.Crown{}, c.model, c.query())
	})
	b.Run("5-50x6-5/512-domains", func(b *testing.B) {
		net := reluNet(b, 5, 50, 50, 50, 50, 50, 50, 5)
		m, err := bounds.Compile(net)
		require.NoError(b, err)
		benchmark(b, bounds.Crown{}, m, randomQuery(b, net, 512, 0.05))
	})
}

func BenchmarkIBP(b *testing.B) {
	net := reluNet(b, 784, 256, 256, 256, 256, 10)
	m, err := bounds.Compile(net)
	require.NoError(b, err)
	benchmark(b, bounds.IBP{}, m, randomQuery(b, net, 64, 0.02))
}
