package train

// Quantization-aware training: the network computes with rounded numbers, and
// the gradient treats rounding as if it were not there (straight through),
// except where a number was clamped, where it is 0.
//
// A configuration ⟨sign, Q, F⟩ stands for the integers of Q bits, signed or not,
// divided by 2^F: a real v becomes clamp(⌊2^F·v + ½⌋, low, high)/2^F, halves
// upward, as package qnn rounds. Weights and biases are rounded before each
// step from unrounded ones that the optimiser keeps; the values of a node are
// rounded behind its activation, or behind the layer if it has none. All sums
// stay in float32, which holds them exactly up to 24 bits.
//
// Source: Bengio et al. 2013, arXiv:1308.3432, §3; Jacob et al. 2018,
// arXiv:1712.05877, §3. The semantics are QVIP's.

import (
	"math"
	"slices"

	"github.com/vouchnn/vouch/internal/parallel"
	"github.com/vouchnn/vouch/nn"
)

// FixedPoint is a configuration of numbers: Bits bits, Fraction of them behind
// the binary point. The zero value rounds nothing.
type FixedPoint struct {
	Signed   bool
	Bits     int // 1 to 24
	Fraction int // −24 to 24
}

// Range is the least and the greatest integer.
func (f FixedPoint) Range() (low, high float64) {
	if f.Signed {
		return -math.Ldexp(1, f.Bits-1), math.Ldexp(1, f.Bits-1) - 1
	}
	return 0, math.Ldexp(1, f.Bits) - 1
}

// Round is v as the configuration has it, and whether it was in range.
func (f FixedPoint) Round(v float64) (rounded float64, inside bool) {
	low, high := f.Range()
	t := math.Floor(math.Ldexp(v, f.Fraction) + 0.5)
	inside = t >= low && t <= high
	return math.Ldexp(min(max(t, low), high), -f.Fraction), inside
}

func (f FixedPoint) validate(field string) error {
	if f != (FixedPoint{}) && (f.Bits < 1 || f.Bits > 24 || f.Fraction < -24 || f.Fraction > 24) {
		return valuef(field, "is %d bits with %d of fraction, want 1 to 24 and -24 to 24", f.Bits, f.Fraction)
	}
	return nil
}

// LayerFormat is the configurations of one Dense or Conv layer.
type LayerFormat struct {
	Weight, Bias FixedPoint
	Output       FixedPoint // of the layer's values, behind its activation
}

// Quantization is the configurations of a network.
type Quantization struct {
	Input FixedPoint
	// Layers has one entry for each Dense and Conv node, in order.
	Layers []LayerFormat
}

// QVIP is the configurations of the paper's networks with parameter bits
// (4, 6, 8 or 10 there) for so many layers: input ⟨+,8,8⟩, weights ⟨±,Q,Q−1⟩,
// biases and the last output ⟨±,Q,Q−2⟩, hidden outputs ⟨+,Q,Q−2⟩.
func QVIP(bits, layers int) *Quantization {
	q := &Quantization{Input: FixedPoint{false, 8, 8}}
	for i := range layers {
		q.Layers = append(q.Layers, LayerFormat{
			Weight: FixedPoint{true, bits, bits - 1}, Bias: FixedPoint{true, bits, bits - 2},
			Output: FixedPoint{i == layers-1, bits, bits - 2},
		})
	}
	return q
}

// quantizer is the configurations by node and parameter.
type quantizer struct {
	in     FixedPoint
	nodes  []FixedPoint // of values, by node
	params []FixedPoint // by entry of model.params
}

func newQuantizer(m *model, q *Quantization) (*quantizer, error) {
	z := &quantizer{in: q.Input, nodes: make([]FixedPoint, len(m.nodes)), params: make([]FixedPoint, len(m.params))}
	if err := q.Input.validate("Quantization.Input"); err != nil {
		return nil, err
	}
	layer := 0
	for i, n := range m.nodes {
		switch n.Op.(type) {
		case *nn.Dense, *nn.Conv:
		default:
			continue
		}
		if layer == len(q.Layers) {
			return nil, valuef("Quantization.Layers", "has %d entries, the network more layers", len(q.Layers))
		}
		f := q.Layers[layer]
		layer++
		for _, part := range []struct {
			name string
			f    FixedPoint
		}{{"Weight", f.Weight}, {"Bias", f.Bias}, {"Output", f.Output}} {
			if err := part.f.validate("Quantization.Layers." + part.name); err != nil {
				return nil, err
			}
		}
		z.nodes[z.activationOf(m, i)] = f.Output
		for k, p := range m.params {
			if p.node == i {
				z.params[k] = f.Bias
				if p.weight {
					z.params[k] = f.Weight
				}
			}
		}
	}
	if layer != len(q.Layers) {
		return nil, valuef("Quantization.Layers", "has %d entries, the network %d layers", len(q.Layers), layer)
	}
	return z, nil
}

// activationOf is the activation that alone reads node i, or i.
func (z *quantizer) activationOf(m *model, i int) int {
	reader := -1
	for j, n := range m.nodes {
		if slices.Contains(n.Inputs, i) {
			if _, ok := n.Op.(nn.Elementwise); !ok || reader >= 0 {
				return i
			}
			reader = j
		}
	}
	return max(reader, i)
}

// input rounds the points.
func (z *quantizer) input(p *Pass, x []float32) []float32 {
	if z.in == (FixedPoint{}) {
		return x
	}
	p.roundTo(0, x, z.in)
	return p.post[0]
}

// node rounds the values of node i.
func (z *quantizer) node(p *Pass, i int) {
	if z.nodes[i] == (FixedPoint{}) {
		return
	}
	from := p.seen[i]
	p.roundTo(i, from, z.nodes[i])
	p.seen[i] = p.post[i]
}

// roundTo rounds values into post[i]. Dropout before it shares the buffers: the
// mask of dropout is 0 or a factor, and that of rounding multiplies it.
func (p *Pass) roundTo(i int, from []float32, f FixedPoint) {
	n := len(from)
	fresh := !(p.training && p.m.dropout[i] > 0)
	p.masks[i], p.post[i] = grown(p.masks[i], n), grown(p.post[i], n)
	mask, post := p.masks[i], p.post[i]
	parallel.For(n, grain/4, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			v, inside := f.Round(float64(from[k]))
			post[k] = float32(v)
			if fresh {
				mask[k] = 1
			}
			if !inside {
				mask[k] = 0
			}
		}
	})
}

// nodeBack is the straight-through gradient of node. Where there is dropout
// too, its backward step applies the shared mask.
func (z *quantizer) nodeBack(p *Pass, i int) {
	if z.nodes[i] != (FixedPoint{}) && !(p.training && p.m.dropout[i] > 0) {
		multiply(p.grads[i], p.masks[i])
	}
}

// inputBack is the straight-through gradient of input.
func (z *quantizer) inputBack(p *Pass) {
	if z.in != (FixedPoint{}) {
		multiply(p.grads[0], p.masks[0])
	}
}

// round writes the rounded parameters and, to inside, 1 where a gradient
// passes and 0 where the parameter is clamped.
func (z *quantizer) round(m *model, w, rounded, inside []float32) {
	for k, p := range m.params {
		f := z.params[k]
		for i := p.from; i < p.to; i++ {
			rounded[i], inside[i] = w[i], 1
			if f == (FixedPoint{}) {
				continue
			}
			v, in := f.Round(float64(w[i]))
			rounded[i] = float32(v)
			if !in {
				inside[i] = 0
			}
		}
	}
}
