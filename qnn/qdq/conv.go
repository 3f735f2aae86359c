package qdq

import (
	"math/big"

	"github.com/vouchnn/vouch/nn/onnx"
)

// A convolution as a matrix: one row for each output position, zeros outside of
// the window. Memory is outputs × inputs; larger ones are refused.

// geometry is a two-dimensional convolution.
type geometry struct {
	channels, height, width, filters, kh, kw int
	stride, dilation                         [2]int
	pad                                      [4]int // top, left, bottom, right
	group                                    int
}

func (d *reader) conv(n *onnx.RawNode) (*value, error) {
	x, from, err := d.operand(n)
	if err != nil {
		return nil, err
	}
	w, scale, err := d.weights(n, 1, 0)
	if err != nil {
		return nil, err
	}
	g, err := d.geometry(n, x.shape, w.shape)
	if err != nil {
		return nil, err
	}
	oh := (g.height+g.pad[0]+g.pad[2]-g.dilation[0]*(g.kh-1)-1)/g.stride[0] + 1
	ow := (g.width+g.pad[1]+g.pad[3]-g.dilation[1]*(g.kw-1)-1)/g.stride[1] + 1
	in, area := g.channels*g.height*g.width, oh*ow
	if oh < 1 || ow < 1 || in > maxElements/(g.filters*area) {
		return nil, d.unsupported(n, "%d×%d outputs of %d channels from %d inputs", oh, ow, g.filters, in)
	}
	s := newSums(from, in, g.filters*area, func(j int) *big.Rat { return scale(j / area) })
	for j := range s.out {
		if err := d.window(n, s, g, w.constant.ints, j, j/area, j/ow%oh, j%ow); err != nil {
			return nil, err
		}
	}
	v := &value{sums: s, shape: []int{g.filters, oh, ow}}
	if len(n.Inputs) < 3 || n.Inputs[2] == "" {
		return v, nil
	}
	return v, d.addBias(n, s, d.in(n, 2), area)
}

// window fills row j, the output of filter f at (y, x).
func (d *reader) window(n *onnx.RawNode, s *sums, g geometry, w []int64, j, f, y, x int) error {
	per := g.channels / g.group
	for c := range per {
		channel := f/(g.filters/g.group)*per + c
		for a := range g.kh {
			row := y*g.stride[0] - g.pad[0] + a*g.dilation[0]
			if row < 0 || row >= g.height {
				continue
			}
			for b := range g.kw {
				col := x*g.stride[1] - g.pad[1] + b*g.dilation[1]
				if col < 0 || col >= g.width {
					continue
				}
				weight := w[((f*per+c)*g.kh+a)*g.kw+b]
				if err := s.set(d, n, j, (channel*g.height+row)*g.width+col, weight); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (d *reader) geometry(n *onnx.RawNode, in, w []int) (geometry, error) {
	g := geometry{stride: [2]int{1, 1}, dilation: [2]int{1, 1}, group: 1}
	if len(in) != 3 || len(w) != 4 || size(in) < 1 || size(w) < 1 {
		return g, d.unsupported(n, "weights %v on an input %v", w, in)
	}
	g.channels, g.height, g.width = in[0], in[1], in[2]
	g.filters, g.kh, g.kw = w[0], w[2], w[3]
	if auto := n.String["auto_pad"]; auto != "" && auto != "NOTSET" && auto != "VALID" {
		return g, d.unsupported(n, "auto_pad %s", auto)
	}
	for name, to := range map[string][]int{"strides": g.stride[:], "dilations": g.dilation[:], "pads": g.pad[:]} {
		v, ok := n.Ints[name]
		if !ok {
			continue
		}
		if len(v) != len(to) {
			return g, d.bad(n, "%s has %d numbers", name, len(v))
		}
		for i := range to {
			least := int64(1)
			if name == "pads" {
				least = 0
			}
			if v[i] < least || v[i] > 1<<20 {
				return g, d.bad(n, "%s is %v", name, v)
			}
			to[i] = int(v[i])
		}
	}
	if v, ok := n.Int["group"]; ok {
		g.group = int(v)
	}
	if g.group < 1 || g.channels%g.group != 0 || g.filters%g.group != 0 || w[1] != g.channels/g.group {
		return g, d.bad(n, "%d groups, weights %v, %d channels", g.group, w, g.channels)
	}
	return g, nil
}
