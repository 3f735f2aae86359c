package qdq

import (
	"math/big"

	"github.com/vouchnn/vouch/nn/onnx"
)

// QuantizeLinear and DequantizeLinear: from levels to the numbers they stand for, and back.

// scales reads scale and zero point, inputs 1 and 2. The scales are exact.
func (d *reader) scales(n *onnx.RawNode) (scale []*big.Rat, zero []int64, kind string, err error) {
	s, z := d.in(n, 1), d.in(n, 2)
	if s == nil || s.constant == nil || len(s.constant.floats) == 0 {
		return nil, nil, "", d.unsupported(n, "the scale is not constant")
	}
	for i, f := range s.constant.floats {
		r := new(big.Rat).SetFloat64(f)
		if r == nil || r.Sign() <= 0 {
			return nil, nil, "", d.bad(n, "scale %d is %v", i, f)
		}
		scale = append(scale, r)
	}
	zero = make([]int64, len(scale))
	if len(n.Inputs) > 2 && n.Inputs[2] != "" {
		if z == nil || z.constant == nil || len(z.constant.ints) != len(scale) {
			return nil, nil, "", d.unsupported(n, "the zero point is not constant or not one for each scale")
		}
		copy(zero, z.constant.ints)
		if t := d.m.Constants[n.Inputs[2]]; t != nil {
			kind = t.Type
		}
	}
	return scale, zero, kind, nil
}

// quantize ends a layer, or makes the network's input.
func (d *reader) quantize(n *onnx.RawNode) (*value, error) {
	scale, zero, kind, err := d.scales(n)
	if err != nil {
		return nil, err
	}
	r, ok := ranges[kind]
	switch {
	case !ok:
		return nil, d.unsupported(n, "to %s", kind)
	case len(scale) != 1:
		return nil, d.unsupported(n, "activations with a scale per channel")
	case zero[0] < r[0] || zero[0] > r[1]:
		return nil, d.bad(n, "zero point %d is not in [%d, %d]", zero[0], r[0], r[1])
	}
	l := &levels{scale: scale[0], zero: zero[0], low: r[0], high: r[1]}
	v := d.in(n, 0)
	if v == nil || v.sums == nil && v.levels == nil {
		if n.Inputs[0] != d.name || d.input != nil {
			return nil, d.unsupported(n, "of what is neither the input nor a layer's sums")
		}
		l.layer = -1
		d.input = l
		return &value{levels: l, shape: d.shape}, nil
	}
	if v.levels != nil {
		if w := v.levels; w.real && w.scale.Cmp(l.scale) == 0 && w.zero == l.zero && w.low == l.low && w.high == l.high {
			again := *w
			again.real = false
			return &value{levels: &again, shape: v.shape}, nil
		}
		s, err := d.identity(n, v)
		if err != nil {
			return nil, err
		}
		v = s
	}
	if err := d.close(n, v.sums, l); err != nil {
		return nil, err
	}
	return &value{levels: l, shape: v.shape}, nil
}

// dequantize makes a constant or gives levels their real meaning.
func (d *reader) dequantize(n *onnx.RawNode) (*value, error) {
	scale, zero, _, err := d.scales(n)
	if err != nil {
		return nil, err
	}
	v := d.in(n, 0)
	if v != nil && v.constant != nil {
		return d.constant(n, v, scale, zero)
	}
	if len(scale) != 1 {
		return nil, d.unsupported(n, "activations with a scale per channel")
	}
	if v == nil && n.Inputs[0] == d.name && d.input == nil {
		// The network's input is quantized already: its type is that of the zero point.
		r, ok := ranges[d.typeOf(n)]
		if !ok {
			return nil, d.unsupported(n, "from %s", d.typeOf(n))
		}
		d.input = &levels{scale: scale[0], zero: zero[0], low: r[0], high: r[1], layer: -1}
		v = &value{levels: d.input, shape: d.shape}
	}
	if v == nil || v.levels == nil || v.levels.real {
		return nil, d.unsupported(n, "of what is not quantized")
	}
	l := *v.levels
	l.scale, l.zero, l.real = scale[0], zero[0], true
	return &value{levels: &l, shape: v.shape}, nil
}

func (d *reader) typeOf(n *onnx.RawNode) string {
	if len(n.Inputs) > 2 {
		if t := d.m.Constants[n.Inputs[2]]; t != nil {
			return t.Type
		}
	}
	return "uint8"
}

func (d *reader) constant(n *onnx.RawNode, v *value, scale []*big.Rat, zero []int64) (*value, error) {
	if v.constant.ints == nil {
		return nil, d.unsupported(n, "of a constant that is not integral")
	}
	axis := 1
	if a, ok := n.Int["axis"]; ok {
		axis = int(a)
	}
	if axis < 0 {
		axis += len(v.shape)
	}
	c := &constant{ints: make([]int64, len(v.constant.ints)), scale: scale, axis: axis}
	if len(scale) > 1 && (axis < 0 || axis >= len(v.shape) || v.shape[axis] != len(scale)) {
		return nil, d.bad(n, "%d scales for axis %d of %v", len(scale), axis, v.shape)
	}
	stride := 1
	for k := len(v.shape) - 1; k > axis; k-- {
		stride *= v.shape[k]
	}
	for i, q := range v.constant.ints {
		z := zero[0]
		if len(scale) > 1 {
			z = zero[i/stride%len(scale)]
		}
		c.ints[i] = q - z
	}
	return &value{constant: c, shape: v.shape}, nil
}
