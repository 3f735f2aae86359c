package qnn

import (
	"fmt"
	"math/bits"
)

// Quantized feed-forward networks.
//
// A layer computes, from integer inputs x, the accumulators A = W·x + b and
// from each accumulator a level by the neuron's staircase; the levels are the
// next layer's inputs. Nothing else happens: ReLU is the lower clamp. In the
// paper's terms, with fractions F of inputs, weights, bias and outputs,
//
//	b = bias·2^(F_x+F_w−F_b)          e = F_x + F_w − F_out
//	y = clamp(round((W·x + b)/2^e), lo, hi)
//
// (Zhang et al. 2022, section 2.2). A convolution is a layer with many zeros.

// maxAccumulatorBits bounds every partial sum of an accumulator, so that int64
// never overflows and float64 holds accumulators exactly, with room to spare.
const (
	maxAccumulatorBits = 44
	maxAccumulator     = int64(1) << maxAccumulatorBits
	maxWeights         = 1 << 28 // per layer
)

// Layer is one layer. Fields are read-only once the network is made.
type Layer struct {
	In, Out int
	Weights []int32 // Out×In, row by row
	Bias    []int64 // Out, in units of the accumulator
	// Stairs holds one staircase for every neuron, or a single one for all.
	Stairs []Staircase

	// Weight, BiasConfig and Output are the configurations that the integers
	// stand for. They are for reading and writing; a network with real scales
	// has configurations without a fraction.
	Weight, BiasConfig, Output Config
}

// Stair is the staircase of neuron j.
func (l *Layer) Stair(j int) *Staircase {
	if len(l.Stairs) == 1 {
		return &l.Stairs[0]
	}
	return &l.Stairs[j]
}

// Row is neuron j's weights. It belongs to the layer.
func (l *Layer) Row(j int) []int32 { return l.Weights[j*l.In : (j+1)*l.In] }

// Network is a quantized network. Make it by New or by one of the readers. It is
// immutable and safe for concurrent use.
type Network struct {
	Name    string
	Dataset string // what it was trained on, if known: mnist, fashion-mnist, ...
	Input   Config
	Layers  []Layer
}

// New checks a network: sizes that fit, weights and levels in range, and that no
// accumulator, over all inputs, leaves ±2^44.
// Errors: *Error that names the layer.
func New(input Config, layers []Layer) (*Network, error) {
	n := &Network{Input: input, Layers: layers}
	if err := input.Validate(); err != nil {
		return nil, err
	}
	if len(layers) == 0 {
		return nil, errorf("network", "no layers")
	}
	in := layers[0].In
	low, high := input.Min(), input.Max()
	lows, highs := make([]int64, max(in, 0)), make([]int64, max(in, 0))
	for i := range lows {
		lows[i], highs[i] = low, high
	}
	for k := range layers {
		l := &layers[k]
		field := fmt.Sprintf("layer %d", k)
		if l.In != in || l.In < 1 || l.Out < 1 {
			return nil, errorf(field, "%d inputs and %d outputs after %d values", l.In, l.Out, in)
		}
		if err := l.check(field); err != nil {
			return nil, err
		}
		if err := l.checkOverflow(field, lows, highs); err != nil {
			return nil, err
		}
		lows, highs = make([]int64, l.Out), make([]int64, l.Out)
		for j := range lows {
			lows[j], highs[j] = l.Stair(j).Min, l.Stair(j).Max
		}
		in = l.Out
	}
	return n, nil
}

func (l *Layer) check(field string) error {
	if l.In > maxWeights || l.Out > maxWeights/l.In || len(l.Weights) != l.In*l.Out {
		return errorf(field+": weights", "%d for %d×%d", len(l.Weights), l.Out, l.In)
	}
	if len(l.Bias) != l.Out {
		return errorf(field+": bias", "%d for %d neurons", len(l.Bias), l.Out)
	}
	if len(l.Stairs) != 1 && len(l.Stairs) != l.Out {
		return errorf(field+": staircases", "%d for %d neurons", len(l.Stairs), l.Out)
	}
	for j := range l.Stairs {
		s := &l.Stairs[j]
		if s.Min > s.Max || s.Max-s.Min >= 1<<32 || s.Min < -maxAccumulator || s.Max > maxAccumulator {
			return errorf(field+": output range", "[%d, %d]", s.Min, s.Max)
		}
		// The starts of levels have to be exact in float64.
		size := bits.Len64(uint64(max(s.Max, -s.Min)))
		if s.shift < -maxAccumulatorBits || s.shift > maxAccumulatorBits || s.starts == nil && s.shift > 0 && size+s.shift > 50 {
			return errorf(field+": shift", "%d with levels up to %d bits", s.shift, size)
		}
	}
	return nil
}

// checkOverflow bounds accumulators by interval arithmetic that cannot itself
// overflow: a sum is abandoned as soon as it leaves the range.
func (l *Layer) checkOverflow(field string, lows, highs []int64) error {
	for j := range l.Out {
		size := magnitude(l.Bias[j])
		for i, w := range l.Row(j) {
			if size > uint64(maxAccumulator) {
				break
			}
			hi, lo := bits.Mul64(magnitude(int64(w)), max(magnitude(lows[i]), magnitude(highs[i])))
			if hi != 0 || lo > uint64(maxAccumulator) {
				lo = uint64(maxAccumulator) + 1
			}
			size += lo
		}
		if size > uint64(maxAccumulator) {
			return errorf(field, "the accumulator of neuron %d can leave ±2^%d", j, maxAccumulatorBits)
		}
	}
	return nil
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

// Inputs is the number of inputs.
func (n *Network) Inputs() int { return n.Layers[0].In }

// Outputs is the number of outputs.
func (n *Network) Outputs() int { return n.Layers[len(n.Layers)-1].Out }

// Neurons is the number of neurons of all layers, outputs included.
func (n *Network) Neurons() int {
	sum := 0
	for k := range n.Layers {
		sum += n.Layers[k].Out
	}
	return sum
}

// FixedPoint is a layer of the paper's kind: integers with configurations.
type FixedPoint struct {
	Weights []int32 // outputs×inputs, row by row
	Bias    []int32 // in units of BiasConfig
	Weight  Config
	// BiasConfig and Output are the configurations of bias and outputs.
	BiasConfig, Output Config
	// Minimum and Maximum clamp the outputs, within Output's range. Both zero:
	// Output's range.
	Minimum, Maximum int64
}

// NewFixedPoint makes a network of the paper's kind.
// Errors: those of New, and *Error if weights or bias leave their configurations
// or a bias has more fractional bits than its accumulator.
func NewFixedPoint(input Config, inputs int, layers []FixedPoint, tie Tie) (*Network, error) {
	if tie < HalfUp || tie > Floor {
		return nil, errorf("tie", "the rule %d is unknown", int(tie))
	}
	out := make([]Layer, len(layers))
	from, in := input, inputs
	for k := range layers {
		f := &layers[k]
		if in < 1 {
			return nil, errorf(fmt.Sprintf("layer %d", k), "%d inputs", in)
		}
		l, err := f.layer(fmt.Sprintf("layer %d", k), from, in, tie)
		if err != nil {
			return nil, err
		}
		out[k] = l
		from, in = f.Output, l.Out
	}
	return New(input, out)
}

func (f *FixedPoint) layer(field string, from Config, in int, tie Tie) (Layer, error) {
	for _, c := range []Config{from, f.Weight, f.BiasConfig, f.Output} {
		if err := c.Validate(); err != nil {
			return Layer{}, fmt.Errorf("%s: %w", field, err)
		}
	}
	shift := from.Fraction + f.Weight.Fraction - f.BiasConfig.Fraction
	if shift < 0 || shift > 40 {
		return Layer{}, errorf(field+": bias", "%d fractional bits do not fit an accumulator with %d", f.BiasConfig.Fraction, shift+f.BiasConfig.Fraction)
	}
	for i, w := range f.Weights {
		if int64(w) < f.Weight.Min() || int64(w) > f.Weight.Max() {
			return Layer{}, errorf(field+": weights", "number %d is %d, outside of %v", i, w, f.Weight)
		}
	}
	l := Layer{
		In: in, Out: len(f.Bias), Weights: f.Weights, Bias: make([]int64, len(f.Bias)),
		Weight: f.Weight, BiasConfig: f.BiasConfig, Output: f.Output,
	}
	for j, b := range f.Bias {
		if int64(b) < f.BiasConfig.Min() || int64(b) > f.BiasConfig.Max() {
			return Layer{}, errorf(field+": bias", "number %d is %d, outside of %v", j, b, f.BiasConfig)
		}
		l.Bias[j] = int64(b) << shift
	}
	low, high := f.Output.Min(), f.Output.Max()
	if f.Minimum != 0 || f.Maximum != 0 {
		if f.Minimum < low || f.Maximum > high || f.Minimum > f.Maximum {
			return Layer{}, errorf(field+": output range", "[%d, %d] is not within %v", f.Minimum, f.Maximum, f.Output)
		}
		low, high = f.Minimum, f.Maximum
	}
	l.Stairs = []Staircase{ShiftStaircase(from.Fraction+f.Weight.Fraction-f.Output.Fraction, tie, low, high)}
	return l, nil
}
