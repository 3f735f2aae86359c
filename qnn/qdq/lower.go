package qdq

import (
	"math"
	"math/big"

	"github.com/vouchnn/vouch/nn/onnx"
	"github.com/vouchnn/vouch/qnn"
)

// From float operators on dequantized tensors to integer layers.
//
// With inputs (n − z_x)·s_x and weights (m − z_w)·s_w, a sum is s_x·s_w times an
// integer, the accumulator Σ (m − z_w)·(n − z_x), plus a real bias. Dividing by the
// output's scale, rounding and clamping is a staircase of that integer
// (qnn.ScaledStaircase), with another one for each channel where scales or biases
// differ. A ReLU in between raises the lower clamp to the zero point. Padding of a
// convolution is the real number 0, whose accumulator share is 0.

const maxElements = 1 << 28

// operand is the quantized input of an affine operator.
func (d *reader) operand(n *onnx.RawNode) (*value, *levels, error) {
	v := d.in(n, 0)
	if v == nil || v.levels == nil || !v.levels.real {
		return nil, nil, d.unsupported(n, "its input is not dequantized")
	}
	if v.levels.layer != len(d.layers)-1 {
		return nil, nil, d.unsupported(n, "it does not read the layer before: the network branches")
	}
	return v, v.levels, nil
}

// weights is a constant of integers with the scale of each output channel.
func (d *reader) weights(n *onnx.RawNode, k, axis int) (v *value, scale func(channel int) *big.Rat, err error) {
	v = d.in(n, k)
	if v == nil || v.constant == nil || v.constant.scale == nil {
		return nil, nil, d.unsupported(n, "input %d is not a dequantized constant", k)
	}
	c := v.constant
	if len(c.scale) == 1 {
		return v, func(int) *big.Rat { return c.scale[0] }, nil
	}
	if c.axis != axis {
		return nil, nil, d.unsupported(n, "weights with a scale along axis %d, want %d", c.axis, axis)
	}
	return v, func(channel int) *big.Rat { return c.scale[channel] }, nil
}

// reals is a constant as rational numbers.
func (d *reader) reals(n *onnx.RawNode, v *value) ([]*big.Rat, error) {
	if v == nil || v.constant == nil {
		return nil, d.unsupported(n, "the bias is not constant")
	}
	c := v.constant
	var out []*big.Rat
	for i, x := range c.ints {
		if c.scale == nil {
			return nil, d.unsupported(n, "a bias of integers without a scale")
		}
		s := c.scale[0]
		if len(c.scale) > 1 {
			s = c.scale[i%len(c.scale)]
		}
		out = append(out, new(big.Rat).Mul(new(big.Rat).SetInt64(x), s))
	}
	for i, x := range c.floats {
		r := new(big.Rat).SetFloat64(x)
		if r == nil {
			return nil, d.bad(n, "bias %d is %v", i, x)
		}
		out = append(out, r)
	}
	return out, nil
}

// newSums makes an affine function without a bias.
func newSums(from *levels, in, out int, scale func(j int) *big.Rat) *sums {
	s := &sums{from: from, in: in, out: out, w: make([]int32, in*out), shift: make([]int64, out)}
	for j := range out {
		s.scale = append(s.scale, new(big.Rat).Mul(from.scale, scale(j)))
		s.bias = append(s.bias, new(big.Rat))
	}
	return s
}

func (d *reader) gemm(n *onnx.RawNode) (*value, error) {
	alpha, hasAlpha := n.Float["alpha"]
	beta, hasBeta := n.Float["beta"]
	if n.Int["transA"] != 0 || hasAlpha && alpha != 1 || hasBeta && beta != 1 {
		return nil, d.unsupported(n, "alpha %v, beta %v, transA %d", alpha, beta, n.Int["transA"])
	}
	v, err := d.product(n, n.Int["transB"] != 0)
	if err != nil || len(n.Inputs) < 3 || n.Inputs[2] == "" {
		return v, err
	}
	return v, d.addBias(n, v.sums, d.in(n, 2), 1)
}

func (d *reader) matMul(n *onnx.RawNode) (*value, error) { return d.product(n, false) }

// product is the dense layer of inputs 0 and 1.
func (d *reader) product(n *onnx.RawNode, transposed bool) (*value, error) {
	x, from, err := d.operand(n)
	if err != nil {
		return nil, err
	}
	axis := 1
	if transposed {
		axis = 0
	}
	w, scale, err := d.weights(n, 1, axis)
	if err != nil {
		return nil, err
	}
	in := size(x.shape)
	if len(w.shape) != 2 || w.shape[1-axis] != in || w.shape[axis] < 1 || len(x.shape) != 1 {
		return nil, d.unsupported(n, "weights %v for an input %v", w.shape, x.shape)
	}
	s := newSums(from, in, w.shape[axis], scale)
	for j := range s.out {
		for i := range in {
			at := i*s.out + j
			if transposed {
				at = j*in + i
			}
			if err := s.set(d, n, j, i, w.constant.ints[at]); err != nil {
				return nil, err
			}
		}
	}
	return &value{sums: s, shape: []int{s.out}}, nil
}

// set puts a weight, and what the input's zero point adds for it.
func (s *sums) set(d *reader, n *onnx.RawNode, j, i int, w int64) error {
	if w > math.MaxInt16*2 || w < -math.MaxInt16*2 {
		return d.bad(n, "weight %d", w)
	}
	s.w[j*s.in+i] += int32(w)
	s.shift[j] -= w * s.from.zero
	return nil
}

// addBias adds a constant of out/stride numbers, each for stride neurons, or one.
func (d *reader) addBias(n *onnx.RawNode, s *sums, v *value, stride int) error {
	b, err := d.reals(n, v)
	if err != nil {
		return err
	}
	if len(b) != 1 && len(b)*stride != s.out {
		return d.bad(n, "a bias of %d numbers for %d neurons", len(b), s.out)
	}
	for j := range s.bias {
		k := 0
		if len(b) > 1 {
			k = j / stride
		}
		s.bias[j] = new(big.Rat).Add(s.bias[j], b[k])
	}
	return nil
}

// add is a bias after MatMul.
func (d *reader) add(n *onnx.RawNode) (*value, error) {
	a, b := d.in(n, 0), d.in(n, 1)
	if a != nil && a.constant != nil {
		a, b = b, a
	}
	if a == nil || a.sums == nil || a.sums.relu || len(a.shape) != 1 {
		return nil, d.unsupported(n, "only a bias of dense sums is added")
	}
	s := *a.sums
	s.bias = append([]*big.Rat(nil), s.bias...)
	return &value{sums: &s, shape: a.shape}, d.addBias(n, &s, b, 1)
}

func (d *reader) relu(n *onnx.RawNode) (*value, error) {
	v := d.in(n, 0)
	if v != nil && v.levels != nil && v.levels.real {
		s, err := d.identity(n, v)
		if err != nil {
			return nil, err
		}
		v = s
	}
	if v == nil || v.sums == nil {
		return nil, d.unsupported(n, "of what is not a layer's sums")
	}
	s := *v.sums
	s.relu = true
	return &value{sums: &s, shape: v.shape}, nil
}

// identity passes levels on as sums, to be quantized anew.
func (d *reader) identity(n *onnx.RawNode, v *value) (*value, error) {
	k := size(v.shape)
	if !v.levels.real || v.levels.layer != len(d.layers)-1 || k > 1<<14 {
		return nil, d.unsupported(n, "requantization of this tensor")
	}
	s := newSums(v.levels, k, k, func(int) *big.Rat { return big.NewRat(1, 1) })
	for j := range k {
		if err := s.set(d, n, j, j, 1); err != nil {
			return nil, err
		}
	}
	return &value{sums: s, shape: v.shape}, nil
}

// close makes a layer of sums that are quantized to l.
func (d *reader) close(n *onnx.RawNode, s *sums, l *levels) error {
	layer := qnn.Layer{In: s.in, Out: s.out, Weights: s.w, Bias: s.shift, Weight: qnn.Config{Signed: true, Bits: 9}, BiasConfig: qnn.Config{Signed: true, Bits: qnn.MaxBits}}
	layer.Output = configOf(l.low, l.high)
	low := l.low
	if s.relu {
		low = max(low, l.zero)
	}
	inverse := new(big.Rat).Inv(l.scale)
	cache := map[string]qnn.Staircase{}
	for j := range s.out {
		scale := new(big.Rat).Mul(s.scale[j], inverse)
		offset := new(big.Rat).Mul(s.bias[j], inverse)
		key := scale.RatString() + " " + offset.RatString()
		stair, ok := cache[key]
		if !ok {
			// ONNX rounds before it adds the zero point, so ties go by the parity
			// without it.
			var err error
			stair, err = qnn.ScaledStaircase(scale, offset, qnn.HalfEven, low-l.zero, l.high-l.zero)
			if err != nil {
				return d.bad(n, "%v", err)
			}
			stair.Min, stair.Max = low, l.high
			cache[key] = stair
		}
		layer.Stairs = append(layer.Stairs, stair)
	}
	d.layers = append(d.layers, layer)
	l.layer = len(d.layers) - 1
	return nil
}
