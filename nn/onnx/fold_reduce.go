package onnx

// Constant folding of ReduceSum and ReduceProd.

import "github.com/vouchnn/vouch/nn"

func foldReduceSum(c *call) []*tensor  { return c.foldReduce(sum, 0) }
func foldReduceProd(c *call) []*tensor { return c.foldReduce(product, 1) }

// foldReduce combines the elements along some axes, starting from start.
func (c *call) foldReduce(op arithmetic, start int64) []*tensor {
	axes, keep := c.reduction()
	if c.err != nil {
		return nil
	}
	t := c.in[0].c
	kept := t.shape.Clone()
	for _, a := range axes {
		kept[a] = 1
	}
	out := c.make(kept, t.elem)
	if err := c.spend(t.size()); err != nil || out == nil {
		c.fail(err)
		return nil
	}
	for k := range out.size() {
		if t.isFloat() {
			out.f[k] = float64(start)
		} else {
			out.i[k] = start
		}
	}
	own, to := strides(t.shape), strides(kept)
	for k := range t.size() {
		at := 0
		for a, st := range own {
			if kept[a] > 1 {
				at += k / st % t.shape[a] * to[a]
			}
		}
		if !t.isFloat() {
			out.i[at], _ = op.ints(out.i[at], t.i[k])
			continue
		}
		v, exact := op.floats(out.f[at], t.f[k])
		if out.f[at] = v; !exact {
			c.roundedNode()
		}
	}
	if !keep {
		var s nn.Shape
		drop := c.marked(axes, len(kept))
		for i, d := range kept {
			if !drop[i] {
				s = append(s, d)
			}
		}
		out.shape = s
	}
	return c.checked(out)
}

func (c *call) marked(axes []int, rank int) []bool {
	m := make([]bool, rank)
	for _, a := range axes {
		m[a] = true
	}
	return m
}
