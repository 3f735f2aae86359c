package train

// Improved interval arithmetic: a neuron that is active over the whole box is
// the linear function that feeds it. A dense layer behind such neurons is then
// bounded as a linear function of the layer before them, in one step and not in
// two:
//
//	W·relu(P·x + β) = (W∘a)·P·x + (W∘a)·β + W∘t·relu(z)
//
// with a the active neurons, t the undecided ones, z between bounds, and neurons
// that are never active dropped. Which neurons are active depends on the sample,
// so each sample has a product (W∘a)·P of its own: one backward pass through P
// with as many rows as the dense layer has neurons. Never looser than the
// natural bounds.
//
// Source: Xiao et al. 2019, arXiv:1809.03008, appendix, and its code
// (MadryLab/relu_stable), for one layer back.

import (
	"github.com/vouchnn/vouch/internal/blas"
	"github.com/vouchnn/vouch/nn"
)

// composition is a dense node whose bounds are composed.
type composition struct {
	weight              []float32 // [out × mid]
	pre, from           int       // the layer before the ReLU, and what it reads
	out, mid, in        int
	linear              nn.Operator // of pre
	offset              []float32   // of pre, [mid]
	rows, product, mask []float32   // W∘a, (W∘a)·P, a of one sample
}

// composable is the composition of node i, or nil.
func (b *intervals) composable(i int) *composition {
	if c, known := b.joint[i]; known {
		return c
	}
	if b.joint == nil {
		b.joint = map[int]*composition{}
	}
	b.joint[i] = nil
	m := b.m
	d, ok := m.nodes[i].Op.(*nn.Dense)
	if !ok {
		return nil
	}
	j := m.nodes[i].Inputs[0]
	for m.views[j] {
		j = m.nodes[j].Inputs[0]
	}
	if _, ok := m.nodes[j].Op.(nn.ReLU); !ok {
		return nil
	}
	c := &composition{weight: d.Weight().Values32(), pre: m.nodes[j].Inputs[0], out: d.Weight().Shape[0], mid: d.Weight().Shape[1]}
	switch m.nodes[c.pre].Op.(type) {
	case *nn.Dense, *nn.Conv:
	default:
		return nil
	}
	if m.nodes[c.pre].Shape.Size() != c.mid || m.nodes[i].Shape.Size() != c.out {
		return nil
	}
	c.from = m.nodes[c.pre].Inputs[0]
	c.in = m.nodes[c.from].Shape.Size()
	c.linear = b.twins.linear[c.pre]
	c.offset = make([]float32, c.mid)
	m.nodes[c.pre].Op.Forward32(&nn.Call[float32]{
		Batch: 1, InShapes: m.in[c.pre], OutShape: m.nodes[c.pre].Shape, In: [][]float32{make([]float32, c.in)}, Out: c.offset,
	})
	c.rows, c.product, c.mask = make([]float32, c.out*c.mid), make([]float32, c.out*c.in), make([]float32, c.mid)
	b.joint[i] = c
	return c
}

// composed1 prepares rows and product for one sample and returns the bounds of
// the layer before the ReLU.
func (b *intervals) composed1(c *composition, s int) (lower, upper []float32) {
	lower, upper = b.lower[c.pre][s*c.mid:(s+1)*c.mid], b.upper[c.pre][s*c.mid:(s+1)*c.mid]
	for k, l := range lower {
		c.mask[k] = 0
		if l >= 0 {
			c.mask[k] = 1
		}
	}
	for o := range c.out {
		row := c.rows[o*c.mid : (o+1)*c.mid]
		for k, w := range c.weight[o*c.mid : (o+1)*c.mid] {
			row[k] = w * c.mask[k]
		}
	}
	v := b.rowCall(c)
	v.GradOut, v.GradIn = c.rows, [][]float32{c.product}
	clear(c.product)
	c.linear.VJP32(v)
	return lower, upper
}

// rowCall is a call of the layer before the ReLU for one row per neuron.
func (b *intervals) rowCall(c *composition) *nn.Call[float32] {
	return &nn.Call[float32]{Batch: c.out, InShapes: b.m.in[c.pre], OutShape: b.m.nodes[c.pre].Shape}
}

// compose replaces the bounds of node i where it can.
func (b *intervals) compose(i int) {
	c := b.composable(i)
	if c == nil {
		return
	}
	centre, radius := b.cat[c.pre][0][0], b.cat[c.pre][1][0]
	var bias []float32
	if p := b.m.nodes[i].Op.(*nn.Dense).Bias(); p != nil {
		bias = p.Values32()
	}
	for s := range b.batch {
		lower, upper := b.composed1(c, s)
		x, r := centre[s*c.in:(s+1)*c.in], radius[s*c.in:(s+1)*c.in]
		for o := range c.out {
			row := c.product[o*c.in : (o+1)*c.in]
			mid := blas.Dot(row, x) + blas.Dot(c.rows[o*c.mid:(o+1)*c.mid], c.offset)
			if bias != nil {
				mid += bias[o]
			}
			half := blas.AbsDot(row, r)
			low, high := mid-half, mid+half
			for k, w := range c.weight[o*c.mid : (o+1)*c.mid] {
				if lower[k] < 0 && upper[k] > 0 {
					low += min(w, 0) * upper[k]
					high += max(w, 0) * upper[k]
				}
			}
			b.lower[i][s*c.out+o], b.upper[i][s*c.out+o] = low, high
		}
	}
}

// composeBack carries the gradient of a composed node, and tells whether it was
// one.
func (b *intervals) composeBack(i int, params [][][]float32) bool {
	c := b.composable(i)
	if c == nil {
		return false
	}
	grad, back, sum := make([]float32, c.out*c.in), make([]float32, c.out*c.mid), make([]float32, c.mid)
	for s := range b.batch {
		gl, gu := b.gl[i][s*c.out:(s+1)*c.out], b.gu[i][s*c.out:(s+1)*c.out]
		lower, upper := b.composed1(c, s)
		b.composedInput(c, s, gl, gu, grad)
		clear(sum)
		for o := range c.out {
			blas.Axpy(gl[o]+gu[o], c.rows[o*c.mid:(o+1)*c.mid], sum)
		}
		b.composedLayer(c, grad, sum, back, params)
		_, above := b.grad(c.pre)
		above = above[s*c.mid : (s+1)*c.mid]
		for o := range c.out {
			g := params[i][0][o*c.mid : (o+1)*c.mid]
			row := back[o*c.mid : (o+1)*c.mid]
			for k, w := range c.weight[o*c.mid : (o+1)*c.mid] {
				switch {
				case c.mask[k] != 0:
					g[k] += row[k] + (gl[o]+gu[o])*c.offset[k]
				case upper[k] > 0 && lower[k] < 0:
					side := gl[o]
					if w > 0 {
						side = gu[o]
					}
					g[k] += side * upper[k]
					above[k] += side * w
				}
			}
			if len(params[i]) > 1 && params[i][1] != nil {
				params[i][1][o] += gl[o] + gu[o]
			}
		}
	}
	return true
}

// composedInput writes the gradient of the product to grad and adds those of
// the box that it is applied to.
func (b *intervals) composedInput(c *composition, s int, gl, gu, grad []float32) {
	centre, radius := b.cat[c.pre][0][0][s*c.in:(s+1)*c.in], b.cat[c.pre][1][0][s*c.in:(s+1)*c.in]
	var low, high []float32
	if c.from != 0 {
		low, high = b.grad(c.from)
		low, high = low[s*c.in:(s+1)*c.in], high[s*c.in:(s+1)*c.in]
	}
	for o := range c.out {
		mid, half := gl[o]+gu[o], gu[o]-gl[o]
		row, g := c.product[o*c.in:(o+1)*c.in], grad[o*c.in:(o+1)*c.in]
		for k, w := range row {
			h := half
			switch {
			case w < 0:
				h = -half
			case w == 0:
				h = 0
			}
			g[k] = mid*centre[k] + h*radius[k]
			if low != nil {
				low[k] += (mid*w - h*w) / 2
				high[k] += (mid*w + h*w) / 2
			}
		}
	}
}

// composedLayer carries the product's gradient to the rows W∘a, written to
// back, and to the layer before the ReLU, whose bias has the gradient sum.
func (b *intervals) composedLayer(c *composition, grad, sum, back []float32, params [][][]float32) {
	v := b.rowCall(c)
	v.In, v.Out = [][]float32{grad}, back
	c.linear.Forward32(v)
	v = b.rowCall(c)
	v.In, v.GradOut, v.GradIn, v.GradParams = [][]float32{grad}, c.rows, [][]float32{nil}, [][]float32{params[c.pre][0]}
	c.linear.VJP32(v)
	if len(params[c.pre]) > 1 && params[c.pre][1] != nil {
		v = b.rowCall(c)
		v.Batch, v.In, v.GradOut, v.GradIn = 1, [][]float32{grad[:c.in]}, sum, [][]float32{nil}
		v.GradParams = [][]float32{nil, params[c.pre][1]}
		b.m.nodes[c.pre].Op.VJP32(v)
	}
}
