package qnn

import (
	"fmt"
	"math"

	"github.com/vouchnn/vouch/nn"
)

// Post-training quantization: a float network becomes an integer one.
//
// The network is a chain of affine operators and ReLUs. What lies between two
// ReLUs is one affine map, read off by evaluating unit vectors, so that dense
// layers, convolutions, normalisations and shifts are all alike. Each layer gets
// the most fractional bits with which its weights, its bias and its outputs fit
// into Q bits; the outputs' range is measured on sample inputs or, without any,
// bounded by interval arithmetic over the whole input range.

// QuantizeOptions of Quantize. The zero value works.
type QuantizeOptions struct {
	// Bits is Q of weights, biases and outputs, 2 to 16. Default 0: 8.
	Bits int
	// Input is the inputs' configuration. Default zero: <+,8,8>.
	Input Config
	// InputScale times an input's value is what the float network expects: 256/255
	// if it reads pixels divided by 255. Default 0: 1.
	InputScale float64
	// Samples are inputs of the float network on which output ranges are measured.
	Samples [][]float64
	// Tie is the rule for halves, of the new network and in rounding its weights.
	Tie Tie
}

// Quantize rounds net's weights and activations.
//
// Errors: *nn.UnsupportedError if net is no chain of affine operators and ReLUs;
// *Error if a number of bits is out of range or a layer does not fit.
func Quantize(net nn.Network, opts QuantizeOptions) (*Network, error) {
	if opts.Bits == 0 {
		opts.Bits = 8
	}
	if opts.Input == (Config{}) {
		opts.Input = Config{Bits: 8, Fraction: 8}
	}
	if opts.InputScale == 0 {
		opts.InputScale = 1
	}
	if opts.Bits < 2 || opts.Bits > MaxBits || !(opts.InputScale > 0) {
		return nil, errorf("QuantizeOptions", "%d bits, input scale %v", opts.Bits, opts.InputScale)
	}
	if err := opts.Input.Validate(); err != nil {
		return nil, err
	}
	maps, err := affineMaps(net)
	if err != nil {
		return nil, err
	}
	maps[0].scaleInputs(opts.InputScale)
	tops := outputRanges(maps, opts)
	layers := make([]FixedPoint, len(maps))
	from := opts.Input
	for k := range maps {
		layers[k] = maps[k].quantize(from, tops[k], opts)
		from = layers[k].Output
	}
	return NewFixedPoint(opts.Input, maps[0].in, layers, opts.Tie)
}

// affineMap is W·x + b, followed by a ReLU unless it is the last.
type affineMap struct {
	in, out int
	w, b    []float64
	relu    bool
}

// affineMaps cuts a chain of operators at its ReLUs.
func affineMaps(net nn.Network) ([]affineMap, error) {
	nodes := net.Nodes()
	var maps []affineMap
	at := 0
	probe := newProbeBatch(nodes[0].Shape.Size())
	shape := nodes[0].Shape
	for at != net.Output() {
		next := -1
		for i, n := range nodes {
			if n.Op != nil && len(n.Inputs) == 1 && n.Inputs[0] == at {
				if next >= 0 {
					return nil, unsupported(n, "the network branches")
				}
				next = i
			}
		}
		if next < 0 {
			return nil, unsupported(nodes[at], "no chain of operators leads to the output")
		}
		n := nodes[next]
		_, affine := n.Op.(nn.Affine)
		switch {
		case affine:
			probe.apply(n.Op, shape, n.Shape)
		case n.Op.Kind() == "Relu":
			m := probe.read()
			m.relu = true
			maps = append(maps, m)
			probe = newProbeBatch(n.Shape.Size())
		default:
			return nil, unsupported(n, "neither affine nor Relu")
		}
		at, shape = next, n.Shape
	}
	return append(maps, probe.read()), nil
}

func unsupported(n nn.Node, why string) error {
	kind := "Input"
	if n.Op != nil {
		kind = n.Op.Kind()
	}
	return &nn.UnsupportedError{Node: n.Name, Op: kind, Detail: "quantization: " + why}
}

// probeBatch is zero and the unit vectors, carried through affine operators.
type probeBatch struct {
	in   int
	rows int
	x    []float64
}

func newProbeBatch(n int) *probeBatch {
	p := &probeBatch{in: n, rows: n + 1, x: make([]float64, (n+1)*n)}
	for i := range n {
		p.x[(i+1)*n+i] = 1
	}
	return p
}

func (p *probeBatch) apply(op nn.Operator, from, to nn.Shape) {
	out := make([]float64, p.rows*to.Size())
	op.Forward64(&nn.Call[float64]{
		Batch: p.rows, InShapes: []nn.Shape{from}, OutShape: to, In: [][]float64{p.x}, Out: out,
	})
	p.x = out
}

func (p *probeBatch) read() affineMap {
	out := len(p.x) / p.rows
	m := affineMap{in: p.in, out: out, w: make([]float64, p.in*out), b: append([]float64(nil), p.x[:out]...)}
	for i := range p.in {
		for j := range out {
			m.w[j*p.in+i] = p.x[(i+1)*out+j] - m.b[j]
		}
	}
	return m
}

func (m *affineMap) scaleInputs(scale float64) {
	for i := range m.w {
		m.w[i] *= scale
	}
}

// outputRanges is the greatest absolute value of every layer's outputs.
func outputRanges(maps []affineMap, o QuantizeOptions) []float64 {
	tops := make([]float64, len(maps))
	if len(o.Samples) == 0 {
		low, high := make([]float64, maps[0].in), make([]float64, maps[0].in)
		for i := range low {
			low[i], high[i] = o.Input.Value(o.Input.Min()), o.Input.Value(o.Input.Max())
		}
		for k := range maps {
			low, high = maps[k].bound(low, high)
			for j := range low {
				tops[k] = max(tops[k], math.Abs(low[j]), math.Abs(high[j]))
			}
		}
		return tops
	}
	for _, x := range o.Samples {
		y := make([]float64, len(x))
		for i, v := range x {
			y[i] = v / o.InputScale
		}
		for k := range maps {
			y, _ = maps[k].bound(y, y)
			for _, v := range y {
				tops[k] = max(tops[k], math.Abs(v))
			}
		}
	}
	return tops
}

// bound is the range of the outputs for inputs between low and high.
func (m *affineMap) bound(low, high []float64) (l, h []float64) {
	l, h = append([]float64(nil), m.b...), append([]float64(nil), m.b...)
	for j := range m.out {
		for i, w := range m.w[j*m.in : (j+1)*m.in] {
			l[j] += min(w*low[i], w*high[i])
			h[j] += max(w*low[i], w*high[i])
		}
		if m.relu {
			l[j], h[j] = max(l[j], 0), max(h[j], 0)
		}
	}
	return l, h
}

// quantize rounds the map for inputs of configuration from and outputs up to top.
func (m *affineMap) quantize(from Config, top float64, o QuantizeOptions) FixedPoint {
	f := FixedPoint{
		Weight:     Config{Signed: true, Bits: o.Bits, Fraction: fitFraction(largest(m.w), true, o.Bits)},
		BiasConfig: Config{Signed: true, Bits: o.Bits, Fraction: fitFraction(largest(m.b), true, o.Bits)},
		Output:     Config{Signed: !m.relu, Bits: o.Bits, Fraction: fitFraction(top, !m.relu, o.Bits)},
	}
	sum := from.Fraction + f.Weight.Fraction
	f.BiasConfig.Fraction = min(f.BiasConfig.Fraction, sum)
	f.Output.Fraction = min(f.Output.Fraction, sum)
	for _, w := range m.w {
		f.Weights = append(f.Weights, int32(f.Weight.Quantize(w, o.Tie)))
	}
	for _, b := range m.b {
		f.Bias = append(f.Bias, int32(f.BiasConfig.Quantize(b, o.Tie)))
	}
	return f
}

func largest(v []float64) float64 {
	top := 0.0
	for _, x := range v {
		top = max(top, math.Abs(x))
	}
	return top
}

// String names the network for people: sizes and configurations.
func (n *Network) String() string {
	s := fmt.Sprintf("%d", n.Inputs())
	for k := range n.Layers {
		s += fmt.Sprintf(":%d", n.Layers[k].Out)
	}
	return s + " " + n.Input.String()
}
