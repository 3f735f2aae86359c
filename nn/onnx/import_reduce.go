package onnx

// ReduceSum and ReduceMean.

import (
	"github.com/vouchnn/vouch/nn"
)

// reduction is the axes to reduce and whether they stay with size 1. No axes
// means all of them, unless noop_with_empty_axes says none.
func (c *call) reduction() (axes []int, keep bool) {
	keep = c.flag("keepdims", true)
	noop := c.flag("noop_with_empty_axes", false)
	if !c.arity(1, 2) {
		return nil, keep
	}
	rank := len(c.shape(0))
	list, _ := c.list("axes", 1)
	marked := c.axes(list, rank)
	for i, m := range marked {
		if m || len(list) == 0 && !noop {
			axes = append(axes, i)
		}
	}
	return axes, keep
}

func importReduceSum(c *call) []value  { return c.reduce(nn.ReduceSum) }
func importReduceMean(c *call) []value { return c.reduce(nn.ReduceMean) }

func (c *call) reduce(kind nn.ReduceKind) []value {
	axes, keep := c.reduction()
	if c.err != nil {
		return nil
	}
	if len(axes) == 0 {
		return one(c.same())
	}
	op, err := nn.NewReduce(kind, axes, keep)
	return one(c.add(op, err, c.node(0)))
}
