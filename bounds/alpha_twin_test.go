package bounds

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/vouchnn/vouch/nn"
)

// Alpha against trying all slopes: networks with two layers of one or two ReLUs,
// every bound of every neuron from the best of a grid of slopes of its own.
func TestAlphaEqualsAGridOfSlopes(t *testing.T) {
	const steps = 12
	interesting := 0
	for seed := range 150 {
		rng := rand.New(rand.NewPCG(uint64(seed), 11))
		sizes := []int{2 + rng.IntN(2), 2, 1 + rng.IntN(2), 1}
		tw, net := randomTwin(t, rng, []nn.Operator{nn.ReLU{}}, sizes...)
		m := mustCompile(t, net)
		box := randomBox(t, rng, m.inputs, 1.5)
		lower, upper := tw.boundByGrid(box.Lower, box.Upper, steps)
		const shift = 1000 // nothing is decided early
		f := Functions{Output: []float64{1}, Const: []float64{-shift}}
		q := &Query{Domains: []Domain{{Region: box}}, Functions: f, Upper: true}
		alpha := mustBound(t, Alpha{Iterations: 100}, m, q)[0]
		crown := mustBound(t, Crown{}, m, q)[0]
		if alpha.Lower[0] > crown.Lower[0]+1e-3 || alpha.Upper[0] < crown.Upper[0]-1e-3 {
			interesting++
		}
		// Rows may end in a local optimum, and the grid misses the best slope
		// by up to half a step.
		low, high := alpha.Lower[0]+shift-lower[2][0], upper[2][0]-alpha.Upper[0]-shift
		width := 0.1 + upper[2][0] - lower[2][0]
		assert.Greater(t, min(low, high), -0.005*width, "seed %d", seed)
		assert.Less(t, max(low, high), 0.03*width, "seed %d", seed)
	}
	assert.Greater(t, interesting, 10, "the slopes hardly ever matter")
}

// boundByGrid is the interval of every layer's output, from the best slopes of
// a grid for each of them.
func (tw *twin) boundByGrid(lo, up []float64, steps int) (lower, upper [][]float64) {
	for l := range tw.layers {
		n := len(tw.layers[l].b)
		ilo, iup := tw.interval(l, lo, up, lower, upper)
		neurons := 0
		for _, x := range lower {
			neurons += len(x)
		}
		los, ups := append([]float64(nil), ilo...), append([]float64(nil), iup...)
		slopes := make([]float64, neurons)
		combinations := int(math.Pow(float64(steps+1), float64(neurons)))
		for c := range combinations {
			for k := range slopes {
				slopes[k] = float64(c%(steps+1)) / float64(steps)
				c /= steps + 1
			}
			for o := range n {
				if l+1 < len(tw.layers) && (ilo[o] >= 0 || iup[o] <= 0) {
					continue // intervals decide it
				}
				los[o] = max(los[o], tw.backwardAlong(l, o, 1, lo, up, lower, upper, slopes))
				ups[o] = min(ups[o], -tw.backwardAlong(l, o, -1, lo, up, lower, upper, slopes))
			}
		}
		lower, upper = append(lower, los), append(upper, ups)
	}
	return lower, upper
}

// backwardAlong is backward with given lower slopes of undecided ReLUs, those
// of all layers in a row.
func (tw *twin) backwardAlong(l, o int, sign float64, lo, up []float64, lower, upper [][]float64, slopes []float64) float64 {
	layer := tw.layers[l]
	coef := make([]float64, len(layer.w[o]))
	for i, v := range layer.w[o] {
		coef[i] = sign * v
	}
	constant := sign * layer.b[o]
	end := len(slopes)
	for ; l > 0; l-- {
		own := slopes[end-len(coef) : end]
		end -= len(coef)
		for i := range coef {
			a, b := lower[l-1][i], upper[l-1][i]
			switch {
			case a >= 0:
			case b <= 0:
				coef[i] = 0
			case coef[i] >= 0:
				coef[i] *= own[i]
			default:
				s := b / (b - a)
				constant -= coef[i] * s * a
				coef[i] *= s
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
