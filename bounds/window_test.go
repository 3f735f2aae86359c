package bounds

import (
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// deepConv is two to four convolutions over maps that are large beside their
// kernels, with strides, padding of two sides' own, and whatever stops windows.
func deepConv(t *testing.T, rng *rand.Rand) *nn.Graph {
	t.Helper()
	one := rng.IntN(4) == 0 // one spatial axis
	shape := nn.Shape{1 + rng.IntN(2), 9 + rng.IntN(5), 9 + rng.IntN(5)}
	if one {
		shape = nn.Shape{1 + rng.IntN(2), 30}
	}
	m := newNetMaker(t, rng, shape)
	if rng.IntN(4) == 0 {
		m.constant()
	}
	for range 2 + rng.IntN(3) {
		s := m.shape()
		kernel := []int{1 + rng.IntN(3), 1 + rng.IntN(3)}[:len(s)-1]
		stride := []int{1 + rng.IntN(5)/4, 1 + rng.IntN(5)/4}[:len(kernel)]
		var pad []int
		for range 2 * len(kernel) {
			pad = append(pad, rng.IntN(2))
		}
		groups := 1
		if s[0]%2 == 0 && rng.IntN(4) == 0 {
			groups = 2
		}
		out := 2 * (1 + rng.IntN(2))
		n := s[0] / groups
		for _, k := range kernel {
			n *= k
		}
		c, err := nn.NewConv(nn.ConvConfig{Kernel: kernel, Stride: stride, Pad: pad, Groups: groups}, out, s[0], m.normals(out*n, 1.3/math.Sqrt(float64(n))), m.normals(out, 0.3))
		require.NoError(t, err)
		before := m.at
		m.add(c)
		if rng.IntN(3) == 0 {
			m.batchNorm()
		}
		m.activation()
		if m.shape().Equal(s) && rng.IntN(2) == 0 {
			m.add(nn.Add{}, m.at, before)
		}
	}
	m.add(nn.NewReshape(nn.Shape{m.shape().Size()}))
	m.dense(2)
	return m.build()
}

// withoutWindows is the model with all rows in full: the dumb twin.
func withoutWindows(t *testing.T, net nn.Network) *Model {
	m := mustCompile(t, net)
	for _, r := range m.rules {
		if a, ok := r.(*affine); ok {
			a.kernel = nil
		}
	}
	return m
}

func TestWindowsEqualFullRows(t *testing.T) {
	n := 60
	if testing.Short() {
		n = 8
	}
	windowed := 0
	for seed := range n {
		rng := rand.New(rand.NewPCG(uint64(seed), 41))
		net, err := nn.Simplify(deepConv(t, rng))
		require.NoError(t, err)
		m, twin := mustCompile(t, net), withoutWindows(t, net)
		for _, r := range m.rules {
			if a, ok := r.(*affine); ok && a.kernel != nil {
				windowed++
			}
		}
		q := &Query{Functions: randomFunctions(rng, m), Upper: true}
		for range 1 + rng.IntN(3) {
			q.Domains = append(q.Domains, Domain{Region: randomBox(t, rng, m.inputs, 0.3*rng.Float64())})
		}
		got, want := mustBound(t, Crown{}, m, q), mustBound(t, Crown{}, twin, q)
		for d := range want {
			for i := range want[d].Nodes {
				requireNear(t, want[d].Nodes[i].Lower, got[d].Nodes[i].Lower, seed, i)
				requireNear(t, want[d].Nodes[i].Upper, got[d].Nodes[i].Upper, seed, i)
			}
			requireNear(t, want[d].Lower, got[d].Lower, seed, -1)
			requireNear(t, want[d].Upper, got[d].Upper, seed, -1)
		}
		e := nn.NewEvaluator[float64](net)
		for _, x := range points(rng, m, q.Domains[0].Region, &q.Functions, 10) {
			requireInside(t, m, e, &q.Functions, &got[0], x, "windows")
		}
	}
	assert.Greater(t, windowed, n, "the test has hardly tested anything")
}

func requireNear(t *testing.T, want, got []float64, seed, node int) {
	t.Helper()
	for k, w := range want {
		require.InDelta(t, w, got[k], 1e-9*(1+math.Abs(w)), "seed %d node %d element %d", seed, node, k)
	}
}

// fewInputs is a half-space of some inputs of the box, so that windows that hold them
// gain much, with most of the box outside.
func fewInputs(rng *rand.Rand, box spec.Box) Halfspace {
	h := Halfspace{Coef: make([]float64, len(box.Lower))}
	least, reach := 0.0, 0.0
	for range 4 {
		j, v := rng.IntN(len(h.Coef)), rng.NormFloat64()
		if h.Coef[j] != 0 {
			continue
		}
		h.Coef[j] = v
		least += min(v*box.Lower[j], v*box.Upper[j])
		reach += math.Abs(v) * (box.Upper[j] - box.Lower[j])
	}
	h.Offset = -least - reach*(0.1+0.3*rng.Float64())
	return h
}

// In a half-space a row of the input is raised on its window alone; the twin raises the
// whole row, of which all else is zero. A window that is too small is unsound, since
// what is left out would be added to the bound.
func TestRaiseOnWindowsEqualsFullRows(t *testing.T) {
	n, raised := 80, 0
	if testing.Short() {
		n = 10
	}
	for seed := range n {
		rng := rand.New(rand.NewPCG(uint64(seed), 49))
		net, err := nn.Simplify(deepConv(t, rng))
		require.NoError(t, err)
		m, twin := mustCompile(t, net), withoutWindows(t, net)
		plain := &Query{Functions: randomFunctions(rng, m), Domains: []Domain{{Region: randomBox(t, rng, m.inputs, 0.1+0.5*rng.Float64())}}}
		q := *plain
		d := plain.Domains[0]
		d.Halfspaces = []Halfspace{fewInputs(rng, d.Region.Box())}
		q.Domains = []Domain{d}
		before, got, want := mustBound(t, Crown{}, m, plain)[0], mustBound(t, Crown{}, m, &q)[0], mustBound(t, Crown{}, twin, &q)[0]
		require.Equal(t, want.Infeasible, got.Infeasible)
		if got.Infeasible {
			continue
		}
		for i := range want.Nodes {
			requireNear(t, want.Nodes[i].Lower, got.Nodes[i].Lower, seed, i)
			requireNear(t, want.Nodes[i].Upper, got.Nodes[i].Upper, seed, i)
			for k, v := range got.Nodes[i].Lower {
				if m.rules[max(i, 1)].linear() && v > before.Nodes[i].Lower[k]+1e-6 {
					raised++
				}
			}
		}
		requireNear(t, want.Lower, got.Lower, seed, -1)
	}
	t.Logf("%d bounds raised", raised)
	require.Greater(t, raised, 5*n)
}

// Every coefficient outside of a row's support is zero, and its runs do not overlap.
func TestSupportIsWhereRowsAreNotZero(t *testing.T) {
	used := 0
	for seed := range 80 {
		rng := rand.New(rand.NewPCG(uint64(seed), 51))
		m := mustCompile(t, deepConv(t, rng))
		s := newState(m, []Domain{{Region: randomBox(t, rng, m.inputs, 0.5)}}, nil)
		for i := 1; i < len(m.nodes); i++ {
			s.advance(i)
			if a, ok := m.rules[i].(*affine); !ok || a.kernel == nil {
				continue
			}
			p := &pass{}
			rows := make([]row, m.size[i]) // every place, so the corners and edges too
			for r := range rows {
				rows[r] = row{index: r, sign: 1}
			}
			p.reset(s, rows, false)
			start, ok := p.startWindows(i)
			require.True(t, ok)
			p.sweep(t.Context(), start)
			coef := p.coefOf(0)
			for r := range rows {
				runs := p.supportOf(r, nil)
				if runs == nil {
					continue
				}
				used++
				inside := make([]bool, m.inputs)
				for _, run := range runs {
					require.Positive(t, run.count)
					for k := run.from; k < run.from+run.count; k++ {
						require.False(t, inside[k], "element %d twice", k)
						inside[k] = true
					}
				}
				for k, v := range coef[r*m.inputs : (r+1)*m.inputs] {
					require.True(t, inside[k] || v == 0, "seed %d node %d row %d: %v at %d is outside", seed, i, r, v, k)
				}
				require.Nil(t, p.supportOf(r, make([]float64, m.inputs)), "the minimiser needs the whole row")
			}
		}
		s.close()
	}
	t.Logf("%d rows", used)
	require.Greater(t, used, 1000)
}

func TestWindowsDoNotDependOnProcessors(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for seed := range 5 {
		rng := rand.New(rand.NewPCG(uint64(seed), 43))
		m := mustCompile(t, deepConv(t, rng))
		q := &Query{Functions: randomFunctions(rng, m), Domains: []Domain{{Region: randomBox(t, rng, m.inputs, 0.2)}, {Region: randomBox(t, rng, m.inputs, 0.1)}}}
		runtime.GOMAXPROCS(1)
		want := mustBound(t, Crown{}, m, q)
		for _, p := range []int{2, 5} {
			runtime.GOMAXPROCS(p)
			require.Equal(t, want, mustBound(t, Crown{}, m, q))
		}
	}
}

// A row starts as the convolution's own row of its matrix.
func TestFirstWindowsAreRows(t *testing.T) {
	for seed := range 40 {
		rng := rand.New(rand.NewPCG(uint64(seed), 45))
		m := mustCompile(t, deepConv(t, rng))
		for i, r := range m.rules {
			a, ok := r.(*affine)
			if !ok || a.kernel == nil {
				continue
			}
			j := m.nodes[i].Inputs[0]
			element := rng.IntN(m.size[i])
			s := newState(m, []Domain{{Region: randomBox(t, rng, m.inputs, 0.1)}}, nil)
			p := &pass{}
			p.reset(s, []row{{index: element, sign: -1}}, false)
			w := p.firstWindows(a.kernel)
			w.node = j
			p.layOut(w)
			row := make([]float64, m.size[j])
			a.rows.Rows64(&nn.Call[float64]{Batch: 1, InShapes: m.inShapes[i], OutShape: m.nodes[i].Shape, GradIn: [][]float64{row}}, []int{element})
			for k, v := range row {
				require.Equal(t, -v, p.coef[j][k]+0, "seed %d node %d element %d", seed, i, k)
			}
			s.close()
		}
	}
}

func BenchmarkWindows(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 47))
	mk := newNetMaker(b, rng, nn.Shape{1, 28, 28}, nn.Tanh{})
	mk.conv(4, 3, 1, 0)
	mk.activation()
	mk.conv(4, 3, 1, 0)
	mk.activation()
	mk.add(nn.NewReshape(nn.Shape{mk.shape().Size()}))
	mk.dense(10)
	net := mk.build()
	full := mustCompile(b, net)
	for _, r := range full.rules {
		if a, ok := r.(*affine); ok {
			a.kernel = nil
		}
	}
	for name, m := range map[string]*Model{"windows": mustCompile(b, net), "full rows": full} {
		q := &Query{Functions: randomFunctions(rng, m), Domains: []Domain{{Region: randomBox(b, rng, m.inputs, 0.05)}}}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				mustBound(b, Crown{}, m, q)
			}
		})
	}
}
