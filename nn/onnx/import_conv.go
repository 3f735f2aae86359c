package onnx

// Convolution, batch normalisation and pooling.
//
// ONNX's padding comes as numbers or as auto_pad. SAME asks for ceil(n/stride)
// outputs and splits the padding that this needs over both ends, the odd one
// at the end (UPPER) or at the beginning (LOWER); it therefore depends on the
// input's size, which is known here.

import (
	"github.com/vouchnn/vouch/nn"
)

// geometry is the window attributes that convolution and pooling share.
type geometry struct{ kernel, stride, dilation, pad []int }

// window reads them for an input of shape s, whose spatial axes follow the
// first two. kernel is what a weight says, nil if there is none.
func (c *call) window(s nn.Shape, kernel []int) geometry {
	var g geometry
	list := func(name string) []int {
		v, _ := c.intsAttr(name)
		return c.ints(v, name)
	}
	g.kernel, g.stride, g.dilation, g.pad = list("kernel_shape"), list("strides"), list("dilations"), list("pads")
	auto := c.stringAttr("auto_pad", "NOTSET")
	if len(g.kernel) == 0 {
		g.kernel = kernel
	}
	n := len(g.kernel)
	if c.err != nil {
		return g
	}
	if n+2 != len(s) || n == 0 {
		c.badShape("kernel %v for an input %v", g.kernel, s)
		return g
	}
	for k := range kernel {
		if kernel[k] != g.kernel[k] {
			c.badShape("kernel_shape %v, but weights of kernels %v", g.kernel, kernel)
			return g
		}
	}
	switch auto {
	case "NOTSET", "":
	case "VALID":
		g.pad = make([]int, 2*n)
	case "SAME_UPPER", "SAME_LOWER":
		g.pad = c.samePad(s[2:], g, auto == "SAME_UPPER")
	default:
		c.badValue("auto_pad %q", auto)
	}
	return g
}

func (c *call) samePad(in []int, g geometry, upper bool) []int {
	n := len(in)
	pad := make([]int, 2*n)
	at := func(list []int, i int) int {
		if i < len(list) {
			return list[i]
		}
		return 1
	}
	for i, size := range in {
		stride := at(g.stride, i)
		if stride < 1 {
			c.badValue("stride %d", stride)
			return pad
		}
		extent := (g.kernel[i]-1)*at(g.dilation, i) + 1
		total := max(((size+stride-1)/stride-1)*stride+extent-size, 0)
		pad[i], pad[n+i] = total/2, total-total/2
		if !upper {
			pad[i], pad[n+i] = pad[n+i], pad[i]
		}
	}
	return pad
}

func importConv(c *call) []value {
	groups := c.intAttr("group", 1)
	if !c.arity(2, 3) {
		return nil
	}
	w, b := c.floats(1, "weights"), c.floats(2, "bias")
	if c.err != nil {
		return nil
	}
	if len(w.shape) < 3 || groups < 1 {
		c.badShape("weights %v in %d groups", w.shape, groups)
		return nil
	}
	g := c.window(c.shape(0), w.shape[2:])
	if c.err != nil {
		return nil
	}
	cfg := nn.ConvConfig{Kernel: g.kernel, Stride: g.stride, Dilation: g.dilation, Pad: g.pad, Groups: groups}
	var bias []float64
	if b != nil {
		if len(b.shape) != 1 {
			c.badShape("bias %v", b.shape)
			return nil
		}
		bias = c.copied(b.f)
	}
	weight := c.copied(w.f)
	if c.err != nil {
		return nil
	}
	op, err := nn.NewConv(cfg, w.shape[0], w.shape[1]*groups, weight, bias)
	return one(c.add(op, err, c.node(0)))
}

func importBatchNorm(c *call) []value {
	eps := c.floatAttr("epsilon", float64(float32(1e-5)))
	c.ignore("momentum")
	if c.flag("training_mode", false) {
		c.unsupported("training_mode")
	}
	if !c.flag("spatial", true) {
		c.unsupported("spatial = 0")
	}
	c.inference()
	if !c.arity(5, 5) {
		return nil
	}
	var stats [4][]float64
	for k, name := range []string{"scale", "B", "mean", "var"} {
		t := c.floats(k+1, name)
		if c.err != nil {
			return nil
		}
		stats[k] = c.copied(t.f)
	}
	if c.err != nil {
		return nil
	}
	op, err := nn.NewBatchNorm(1, stats[0], stats[1], stats[2], stats[3], eps)
	return one(c.add(op, err, c.node(0)))
}

// pool reads the attributes that both kinds of pooling have.
func (c *call) pool() nn.PoolConfig {
	ceil := c.flag("ceil_mode", false)
	if !c.arity(1, 1) {
		return nn.PoolConfig{}
	}
	g := c.window(c.shape(0), nil)
	return nn.PoolConfig{Kernel: g.kernel, Stride: g.stride, Dilation: g.dilation, Pad: g.pad, CeilMode: ceil}
}

func importAveragePool(c *call) []value {
	cfg := c.pool()
	cfg.CountIncludePad = c.flag("count_include_pad", false)
	if c.err != nil {
		return nil
	}
	op, err := nn.NewAveragePool(cfg)
	return one(c.add(op, err, c.node(0)))
}

func importMaxPool(c *call) []value {
	cfg := c.pool()
	c.ignore("storage_order") // of the indices, which nobody may use here
	if c.err != nil {
		return nil
	}
	op, err := nn.NewMaxPool(cfg)
	return one(c.add(op, err, c.node(0)))
}

func importGlobalAveragePool(c *call) []value {
	if !c.arity(1, 1) {
		return nil
	}
	if len(c.shape(0)) < 3 {
		c.badShape("pooling of %v", c.shape(0))
		return nil
	}
	return one(c.add(nn.NewGlobalAveragePool(2), nil, c.node(0)))
}
