package bounds

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// The dumb twin: CROWN on a chain of dense layers and activations, one neuron at
// a time, with matrices in plain loops and no rounding.

type twinLayer struct {
	w   [][]float64 // [out][in]
	b   []float64
	act nn.Elementwise // of the layer's inputs; nil for none
}

type twin struct{ layers []twinLayer }

func randomTwin(tb testing.TB, rng *rand.Rand, acts []nn.Operator, sizes ...int) (*twin, *nn.Graph) {
	mk := newNetMaker(tb, rng, nn.Shape{sizes[0]}, acts...)
	tw := &twin{}
	for l, n := range sizes[1:] {
		var layer twinLayer
		if l > 0 {
			op := mk.acts[rng.IntN(len(mk.acts))]
			mk.add(op)
			layer.act = op.(nn.Elementwise)
		}
		in := mk.shape()[0]
		w, b := mk.normals(n*in, mk.scale/math.Sqrt(float64(in))), mk.normals(n, 0.3)
		for o := range n {
			layer.w = append(layer.w, append([]float64(nil), w[o*in:(o+1)*in]...))
		}
		layer.b = append(layer.b, b...)
		tw.layers = append(tw.layers, layer)
		d, err := nn.NewDense(n, in, w, b)
		require.NoError(tb, err)
		mk.add(d)
	}
	return tw, mk.build()
}

// bound is the interval of every layer's output.
func (tw *twin) bound(lo, up []float64) (lower, upper [][]float64) {
	for l := range tw.layers {
		n := len(tw.layers[l].b)
		ilo, iup := tw.interval(l, lo, up, lower, upper)
		los, ups := make([]float64, n), make([]float64, n)
		for o := range n {
			los[o], ups[o] = ilo[o], iup[o]
			if l+1 < len(tw.layers) {
				switch tw.layers[l+1].act.(type) {
				case nn.ReLU, nn.LeakyReLU:
					if ilo[o] >= 0 || iup[o] <= 0 {
						continue // stable: there is nothing to gain
					}
				}
			}
			los[o] = max(ilo[o], tw.backward(l, o, 1, lo, up, lower, upper))
			ups[o] = min(iup[o], -tw.backward(l, o, -1, lo, up, lower, upper))
		}
		lower, upper = append(lower, los), append(upper, ups)
	}
	return lower, upper
}

// interval is layer l's output by interval arithmetic from the layer before.
func (tw *twin) interval(l int, lo, up []float64, lower, upper [][]float64) (ilo, iup []float64) {
	if l > 0 {
		act := tw.layers[l].act
		lo, up = append([]float64(nil), lower[l-1]...), append([]float64(nil), upper[l-1]...)
		for i := range lo {
			lo[i], up[i] = act.Value(lo[i]), act.Value(up[i])
		}
	}
	for o, w := range tw.layers[l].w {
		a, b := tw.layers[l].b[o], tw.layers[l].b[o]
		for i, v := range w {
			a += min(v*lo[i], v*up[i])
			b += max(v*lo[i], v*up[i])
		}
		ilo, iup = append(ilo, a), append(iup, b)
	}
	return ilo, iup
}

// backward is a lower bound of sign times output o of layer l.
func (tw *twin) backward(l, o int, sign float64, lo, up []float64, lower, upper [][]float64) float64 {
	layer := tw.layers[l]
	coef := make([]float64, len(layer.w[o]))
	for i, v := range layer.w[o] {
		coef[i] = sign * v
	}
	constant := sign * layer.b[o]
	for ; l > 0; l-- {
		for i := range coef {
			lines := Relax(tw.layers[l].act, Range{lower[l-1][i], upper[l-1][i]})
			if coef[i] >= 0 {
				constant += coef[i] * lines.LowerIntercept
				coef[i] *= lines.LowerSlope
			} else {
				constant += coef[i] * lines.UpperIntercept
				coef[i] *= lines.UpperSlope
			}
		}
		prev := tw.layers[l-1]
		next := make([]float64, len(prev.w[0]))
		for i, c := range coef {
			constant += c * prev.b[i]
			for j, v := range prev.w[i] {
				next[j] += c * v
			}
		}
		coef = next
	}
	for i, c := range coef {
		constant += min(c*lo[i], c*up[i])
	}
	return constant
}

func TestCrownEqualsTwin(t *testing.T) {
	for seed := range 120 {
		rng := rand.New(rand.NewPCG(uint64(seed), 9))
		sizes := []int{1 + rng.IntN(6)}
		for range 1 + rng.IntN(4) {
			sizes = append(sizes, 1+rng.IntN(12))
		}
		sizes = append(sizes, 1+rng.IntN(3))
		tw, net := randomTwin(t, rng, allActivations, sizes...)
		m := mustCompile(t, net)
		box := randomBox(t, rng, m.inputs, 0.7)
		lower, upper := tw.bound(box.Lower, box.Upper)
		f := Functions{Output: identity(m.outputs)}
		r := mustBound(t, Crown{}, m, &Query{Domains: []Domain{{Region: box}}, Functions: f, Upper: true})[0]
		last := len(lower) - 1
		requireClose(t, lower[last], r.Lower, seed)
		requireClose(t, upper[last], r.Upper, seed)
		for l := range last { // node 1 is layer 0, then activations alternate
			requireClose(t, lower[l], r.Nodes[1+2*l].Lower, seed)
			requireClose(t, upper[l], r.Nodes[1+2*l].Upper, seed)
		}
	}
}

func identity(n int) []float64 {
	x := make([]float64, n*n)
	for i := range n {
		x[i*n+i] = 1
	}
	return x
}

func requireClose(t *testing.T, want, got []float64, seed int) {
	t.Helper()
	for i := range want {
		require.InDelta(t, want[i], got[i], 1e-9*(1+math.Abs(want[i])), "seed %d, element %d", seed, i)
	}
}

// Networks with one input are piecewise linear with few pieces: their exact
// range comes from all activation patterns, and every method must hold it.
func TestBoundsHoldTheExactRange(t *testing.T) {
	for seed := range 150 {
		rng := rand.New(rand.NewPCG(uint64(seed), 10))
		sizes := []int{1}
		for range 1 + rng.IntN(3) {
			sizes = append(sizes, 1+rng.IntN(3))
		}
		sizes = append(sizes, 1)
		tw, net := randomTwin(t, rng, []nn.Operator{nn.ReLU{}}, sizes...)
		m := mustCompile(t, net)
		box := randomBox(t, rng, 1, 2)
		lo, up := tw.patterns(box.Lower[0], box.Upper[0])
		f := Functions{Output: []float64{1}}
		for name, b := range bounders {
			r := mustBound(t, b, m, &Query{Domains: []Domain{{Region: box}}, Functions: f, Upper: true})[0]
			require.LessOrEqual(t, r.Lower[0], lo+1e-9, "seed %d, %s", seed, name)
			require.GreaterOrEqual(t, r.Upper[0], up-1e-9, "seed %d, %s", seed, name)
			if box.Lower[0] == box.Upper[0] {
				require.InDelta(t, lo, r.Lower[0], 1e-9)
			}
			// Split to the point where all neurons are stable, it is exact.
			least, most := math.Inf(1), math.Inf(-1)
			const parts = 64
			for k := range parts {
				w := (box.Upper[0] - box.Lower[0]) / parts
				part := Domain{Region: boxOf(t, box.Lower[0]+float64(k)*w, box.Lower[0]+float64(k+1)*w)}
				p := mustBound(t, b, m, &Query{Domains: []Domain{part}, Functions: f, Upper: true})[0]
				least, most = min(least, p.Lower[0]), max(most, p.Upper[0])
			}
			require.LessOrEqual(t, least, lo+1e-9)
			require.GreaterOrEqual(t, most, up-1e-9)
			if name == "Crown" {
				require.InDelta(t, lo, least, 0.15*(1+up-lo), "seed %d", seed)
			}
		}
	}
}

// patterns is the exact range over [a, b] of a network of one input: for every
// pattern of active neurons, the interval of inputs that have it.
func (tw *twin) patterns(a, b float64) (lo, up float64) {
	neurons := 0
	for _, l := range tw.layers[:len(tw.layers)-1] {
		neurons += len(l.b)
	}
	lo, up = math.Inf(1), math.Inf(-1)
	for pattern := range 1 << neurons {
		from, to := a, b
		slope, offset := []float64{1}, []float64{0} // of each neuron in the input
		bit := 0
		for n, l := range tw.layers {
			s, o := make([]float64, len(l.b)), make([]float64, len(l.b))
			for k, w := range l.w {
				o[k] = l.b[k]
				for i, v := range w {
					s[k] += v * slope[i]
					o[k] += v * offset[i]
				}
				if n == len(tw.layers)-1 {
					continue
				}
				active := pattern>>bit&1 == 1
				bit++
				sign := -1.0
				if active {
					sign = 1
				}
				switch { // sign·(s·x + o) ≥ 0
				case sign*s[k] > 0:
					from = max(from, -o[k]/s[k])
				case sign*s[k] < 0:
					to = min(to, -o[k]/s[k])
				case sign*o[k] < 0:
					from, to = 1, 0
				}
				if !active {
					s[k], o[k] = 0, 0
				}
			}
			slope, offset = s, o
		}
		if from <= to {
			p, q := slope[0]*from+offset[0], slope[0]*to+offset[0]
			lo, up = min(lo, p, q), max(up, p, q)
		}
	}
	return lo, up
}
