package reach_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/reach"
	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/simplex"
	"github.com/vouchnn/vouch/spec"
)

// The dumb twins: networks of vectors, as plain lists of matrices.

// layers is the weights [out][in] and biases of a dense network.
type layers struct {
	w [][][]float64
	b [][]float64
}

func layersOf(net *nn.Graph) *layers {
	var l layers
	for _, n := range net.Nodes() {
		d, ok := n.Op.(*nn.Dense)
		if !ok {
			continue
		}
		out, in := d.Weight().Shape[0], d.Weight().Shape[1]
		w := make([][]float64, out)
		for i := range w {
			w[i] = d.Weight().Values()[i*in : (i+1)*in]
		}
		l.w, l.b = append(l.w, w), append(l.b, d.Bias().Values())
	}
	return &l
}

// hidden is the number of neurons with an activation.
func (l *layers) hidden() int {
	n := 0
	for _, b := range l.b[:len(l.b)-1] {
		n += len(b)
	}
	return n
}

// affinePiece is the network's function where bit k of pattern says that hidden
// neuron k is on, and the linear conditions for that: rows r·x + c ≥ 0.
func (l *layers) affinePiece(pattern int, slope float64) (w [][]float64, b []float64, rows [][]float64, consts []float64) {
	inputs := len(l.w[0][0])
	w, b = make([][]float64, inputs), make([]float64, inputs)
	for i := range w {
		w[i] = make([]float64, inputs)
		w[i][i] = 1
	}
	for k := range l.w {
		next, bias := make([][]float64, len(l.w[k])), make([]float64, len(l.w[k]))
		for i, row := range l.w[k] {
			next[i], bias[i] = make([]float64, inputs), l.b[k][i]
			for j, v := range row {
				bias[i] += v * b[j]
				for x := range inputs {
					next[i][x] += v * w[j][x]
				}
			}
			if k == len(l.w)-1 {
				continue
			}
			factor, sign := slope, -1.0
			if pattern&1 == 1 {
				factor, sign = 1, 1
			}
			pattern >>= 1
			row := make([]float64, inputs)
			for x := range row {
				row[x] = sign * next[i][x]
				next[i][x] *= factor
			}
			rows, consts = append(rows, row), append(consts, sign*bias[i])
			bias[i] *= factor
		}
		w, b = next, bias
	}
	return w, b, rows, consts
}

// pieces is the least value of h·y over every non-empty activation pattern's part of
// the box, by one linear program each.
func (l *layers) pieces(t *testing.T, box spec.Box, h []float64, slope float64) (least float64, count int) {
	least = math.Inf(1)
	for pattern := range 1 << l.hidden() {
		w, b, rows, consts := l.affinePiece(pattern, slope)
		p := &solver.Problem{}
		for i := range box.Lower {
			c := 0.0
			for o := range h {
				c += h[o] * w[o][i]
			}
			p.AddVariable(box.Lower[i], box.Upper[i], c)
		}
		for o := range h {
			p.Offset += h[o] * b[o]
		}
		for r, row := range rows {
			p.AddGreaterEqual(-consts[r], []int{0, 1}[:len(row)], row)
		}
		s, err := simplex.Solver{}.Solve(bg, p, solver.Options{})
		require.NoError(t, err)
		if s.Status == solver.Optimal {
			least = min(least, s.Objective)
			count++
		}
	}
	return least, count
}

// TestExactIsEnumeration: the union of exact-star equals that of all activation
// patterns: as many parts, and the same least value in every direction.
func TestExactIsEnumeration(t *testing.T) {
	split := 0
	for seed := range uint64(8) {
		for _, act := range []nn.Operator{nn.ReLU{}, nn.LeakyReLU{Slope: 0.3}} {
			slope := 0.0
			if l, ok := act.(nn.LeakyReLU); ok {
				slope = l.Slope
			}
			net := tinyDense(t, seed, act, 2, 4, 4, 2)
			l := layersOf(net)
			rng := rand.New(rand.NewPCG(seed, 3))
			box, err := spec.NewBox([]float64{-1, -0.7}, []float64{0.8, 1})
			require.NoError(t, err)
			m, err := reach.Compile(net)
			require.NoError(t, err)
			stars, err := m.Reach(bg, box, reach.Options{Method: reach.ExactStar})
			require.NoError(t, err)
			for range 4 {
				h := []float64{rng.NormFloat64(), rng.NormFloat64()}
				want, count := l.pieces(t, box, h, slope)
				got := math.Inf(1)
				for _, s := range stars {
					v, _, err := s.Minimum(bg, h)
					require.NoError(t, err)
					got = min(got, v)
				}
				assert.InDelta(t, want, got, 1e-7)
				assert.LessOrEqual(t, got, want+1e-9)
				// Parts that touch only, with no interior, may count either way.
				assert.InDelta(t, count, len(stars), 1)
				split = max(split, len(stars))
			}
		}
	}
	require.Greater(t, split, 8, "networks without splits test nothing")
}

// triangleLP is the least h·y by the textbook program of approx-star: a variable for
// every input, pre-activation and activation; bounds of pre-activations by the same
// program, layer by layer.
func (l *layers) triangleLP(t *testing.T, box spec.Box, h []float64) float64 {
	p := &solver.Problem{}
	for i := range box.Lower {
		p.AddVariable(box.Lower[i], box.Upper[i], 0)
	}
	var last []int
	for i := range box.Lower {
		last = append(last, i)
	}
	optimum := func(v int, sense solver.Sense) float64 {
		q := p.Clone()
		q.Sense, q.Variables[v].Cost = sense, 1
		s, err := simplex.Solver{}.Solve(bg, q, solver.Options{})
		require.NoError(t, err)
		require.Equal(t, solver.Optimal, s.Status)
		return s.Objective
	}
	for k := range l.w {
		var pre []int
		for i, row := range l.w[k] {
			z := p.AddVariable(math.Inf(-1), math.Inf(1), 0)
			p.AddEqual(-l.b[k][i], append(append([]int{}, last...), z), append(append([]float64{}, row...), -1))
			pre = append(pre, z)
		}
		if k == len(l.w)-1 {
			for i, z := range pre {
				p.Variables[z].Cost = h[i]
			}
			break
		}
		bounds := make([][2]float64, len(pre))
		for i, z := range pre {
			bounds[i] = [2]float64{optimum(z, solver.Minimize), optimum(z, solver.Maximize)}
		}
		last = nil
		for i, z := range pre {
			lo, up := bounds[i][0], bounds[i][1]
			y := p.AddVariable(0, math.Inf(1), 0)
			last = append(last, y)
			switch {
			case up <= 0:
				p.Variables[y].Upper = 0
			case lo >= 0:
				p.AddEqual(0, []int{z, y}, []float64{1, -1})
			default:
				p.AddGreaterEqual(0, []int{y, z}, []float64{1, -1})
				s := up / (up - lo)
				p.AddLessEqual(-s*lo, []int{y, z}, []float64{1, -s})
			}
		}
	}
	s, err := simplex.Solver{}.Solve(bg, p, solver.Options{})
	require.NoError(t, err)
	require.Equal(t, solver.Optimal, s.Status)
	return s.Objective
}

// TestApproxIsTriangleLP: without the filters, which tighten it, approx-star's least
// values are the optima of the triangle relaxation; with them they are no less.
func TestApproxIsTriangleLP(t *testing.T) {
	for seed := range uint64(6) {
		net := tinyDense(t, seed, nn.ReLU{}, 3, 7, 7, 2)
		l := layersOf(net)
		rng := rand.New(rand.NewPCG(seed, 3))
		box := boxAround(t, rng, 3, 0.9)
		m, err := reach.Compile(net)
		require.NoError(t, err)
		plain, err := m.Reach(bg, box, reach.Options{NoPrefilter: true})
		require.NoError(t, err)
		filtered, err := m.Reach(bg, box, reach.Options{})
		require.NoError(t, err)
		for range 3 {
			h := []float64{rng.NormFloat64(), rng.NormFloat64()}
			want := l.triangleLP(t, box, h)
			got, point, err := plain[0].Minimum(bg, h)
			require.NoError(t, err)
			assert.InDelta(t, want, got, 1e-7)
			assert.InDelta(t, want, h[0]*point[0]+h[1]*point[1], 1e-6)
			tight, _, err := filtered[0].Minimum(bg, h)
			require.NoError(t, err)
			assert.GreaterOrEqual(t, tight, want-1e-7)
		}
	}
}

// union is the ranges of several stars.
func union(t *testing.T, stars []*reach.Star) (lower, upper []float64) {
	for k, s := range stars {
		l, u := bounds(t, s)
		if k == 0 {
			lower, upper = l, u
		}
		for i := range l {
			lower[i], upper[i] = min(lower[i], l[i]), max(upper[i], u[i])
		}
	}
	return lower, upper
}
