package train

// Tangents of a pass along one direction per sample, and the walk back through
// them (jacobian.go says why).

import (
	"math"

	"github.com/vouchnn/vouch/nn"
)

// dual is the tangents of a pass.
type dual struct {
	m      *model
	t, g   [][]float32 // by node: tangents, and gradients with respect to them
	filled []bool
}

func newDual(m *model) *dual {
	k := len(m.nodes)
	return &dual{m: m, t: make([][]float32, k), g: make([][]float32, k), filled: make([]bool, k)}
}

// grad is the gradient with respect to the tangent of node i, to be added to.
func (d *dual) grad(i int) []float32 {
	if !d.filled[i] {
		d.g[i] = grown(d.g[i], len(d.t[i]))
		clear(d.g[i])
		d.filled[i] = true
	}
	return d.g[i]
}

// call is a call of node i on tangents.
func (d *dual) call(i, batch int) *nn.Call[float32] {
	n := &d.m.nodes[i]
	c := &nn.Call[float32]{Batch: batch, InShapes: d.m.in[i], OutShape: n.Shape, In: make([][]float32, len(n.Inputs)), Out: d.t[i]}
	for k, j := range n.Inputs {
		c.In[k] = d.t[j]
	}
	return c
}

// forward computes the tangents along u [batch × inputs] at the points of p.
func (d *dual) forward(p *Pass, tw *twins, u []float32) {
	clear(d.filled)
	d.t[0] = u
	for i := 1; i < len(d.m.nodes); i++ {
		n := &d.m.nodes[i]
		d.t[i] = grown(d.t[i], p.batch*n.Shape.Size())
		switch op := n.Op.(type) {
		case *nn.MaxPool:
			j := n.Inputs[0]
			d.pool(op, i, p.seen[j], d.t[j], p.batch)
		case nn.Elementwise:
			// f′·ẋ is the vector–Jacobian product of a diagonal Jacobian.
			j := n.Inputs[0]
			clear(d.t[i])
			op.VJP32(&nn.Call[float32]{
				Batch: p.batch, InShapes: d.m.in[i], OutShape: n.Shape, In: [][]float32{p.seen[j]}, Out: p.raw[i],
				GradOut: d.t[j], GradIn: [][]float32{d.t[i]},
			})
		default:
			tw.linear[i].Forward32(d.call(i, p.batch))
		}
	}
}

// pool is the tangent of a MaxPool: that of each window's first maximum.
func (d *dual) pool(op *nn.MaxPool, i int, x, t []float32, batch int) {
	start, index, err := op.Windows(d.m.in[i][0])
	if err != nil {
		panic(err) // the shape has been checked when the network was built
	}
	in, out := d.m.in[i][0].Size(), d.m.nodes[i].Shape.Size()
	for s := range batch {
		for o := range out {
			best := index[start[o]]
			for _, e := range index[start[o]+1 : start[o+1]] {
				if x[s*in+e] > x[s*in+best] {
					best = e
				}
			}
			d.t[i][s*out+o] = t[s*in+best]
		}
	}
}

// back carries the gradients of the tangents to the parameters and to the
// values of p, which a later walk back through p carries on.
func (d *dual) back(p *Pass, tw *twins, params [][][]float32) {
	for i := len(d.m.nodes) - 1; i > 0; i-- {
		if !d.filled[i] {
			continue
		}
		n := &d.m.nodes[i]
		c := d.call(i, p.batch)
		c.GradOut, c.GradIn = d.g[i], make([][]float32, len(n.Inputs))
		for k, j := range n.Inputs {
			if j != 0 {
				c.GradIn[k] = d.grad(j)
			}
		}
		if monotone(n.Op) {
			j := n.Inputs[0]
			c.In[0], c.Out = p.seen[j], p.raw[i]
			if j != 0 {
				n.Op.VJP32(c)
				curve(n.Op, p, j, d.t[j], d.g[i])
			}
			continue
		}
		twin := tw.linear[i]
		if own := twin.Params(); own != nil && params[i] != nil {
			c.GradParams = make([][]float32, len(own))
			c.GradParams[0] = params[i][0]
		}
		twin.VJP32(c)
	}
}

// curve adds f″(x)·ẋ·g to the gradient of node j's values.
func curve(op nn.Operator, p *Pass, j int, t, g []float32) {
	var second func(x float64) float64
	switch op.(type) {
	case nn.Sigmoid:
		second = func(x float64) float64 {
			s := nn.Sigmoid{}.Value(x)
			return nn.Sigmoid{}.Derivative(x) * (1 - 2*s)
		}
	case nn.Tanh:
		second = func(x float64) float64 { return -2 * math.Tanh(x) * nn.Tanh{}.Derivative(x) }
	case nn.Arctan:
		second = func(x float64) float64 { return -2 * x / ((1 + x*x) * (1 + x*x)) }
	default:
		return
	}
	grad := p.Grad(j)
	for i, x := range p.seen[j] {
		grad[i] += float32(second(float64(x))) * t[i] * g[i]
	}
}
