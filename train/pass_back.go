package train

import (
	"sync/atomic"

	"github.com/vouchnn/vouch/internal/parallel"
	"github.com/vouchnn/vouch/nn"
)

// The way back of a pass: gradients of inputs and parameters.

// back carries the gradients that losses have added from the output to the
// parameters, adding to params (by node and parameter; nil for none), and, if
// wanted, to the input, whose gradient it returns. A second call would count
// gradients twice: one back a run.
func (p *Pass) back(params [][][]float32, input bool) []float32 {
	m := p.m
	p.plan(input)
	if p.whole() {
		p.backWhole(params)
	} else {
		m.spread(p.batch, func(lo, hi int) {
			l := p.lane()
			for i := len(m.nodes) - 1; i > 0; i-- {
				p.vjp(l, i, lo, hi, nil)
			}
			p.lanes.put(l)
		})
		if params != nil {
			p.weigh(params)
		}
	}
	if !input {
		return nil
	}
	g := p.Grad(0)
	if m.quant != nil {
		m.quant.inputBack(p)
	}
	return g
}

// plan decides, for all samples alike, which gradients there will be, and who
// is the first to write to them.
func (p *Pass) plan(input bool) {
	m := p.m
	for i := len(m.nodes) - 1; i > 0; i-- {
		if m.views[i] || !p.filled[i] {
			continue // nothing of its own, or nothing depends on it
		}
		n := &m.nodes[i]
		_, first := n.Op.(nn.Overwriter)
		for k, j := range n.Inputs {
			j = m.root[j]
			switch {
			case j == 0 && !input:
				p.needs[i][k] = skip
				continue
			case p.filled[j]:
				p.needs[i][k] = addTo
				continue
			case first && len(n.Inputs) == 1:
				p.needs[i][k] = overwrite
			default:
				p.needs[i][k] = clearIt
			}
			p.grads[j] = grown(p.grads[j], p.batch*m.nodes[j].Shape.Size())
			p.filled[j] = true
		}
	}
}

func (p *Pass) backWhole(params [][][]float32) {
	m, l := p.m, p.lane()
	for i := len(m.nodes) - 1; i > 0; i-- {
		if m.views[i] || !p.filled[i] {
			continue
		}
		if m.quant != nil {
			m.quant.nodeBack(p, i)
		}
		if p.training && m.dropout[i] > 0 {
			multiply(p.grads[i], p.masks[i])
		}
		var own [][]float32
		if params != nil {
			own = params[i]
		}
		p.vjp(l, i, 0, p.batch, own)
	}
	p.lanes.put(l)
}

// vjp carries the gradient of node i at the samples from lo to hi to its
// inputs, and to its parameters unless params is nil.
func (p *Pass) vjp(l []nn.Call[float32], i, lo, hi int, params [][]float32) {
	if p.m.views[i] || !p.filled[i] {
		return
	}
	n, c := &p.m.nodes[i], &l[i]
	c.Batch, c.Out, c.GradOut = hi-lo, p.rows(i, p.raw[i], lo, hi), p.rows(i, p.grads[i], lo, hi)
	c.GradParams, c.Overwrite = params, false
	wanted := params != nil
	for k, j := range n.Inputs {
		c.In[k], c.GradIn[k] = p.rows(j, p.seen[j], lo, hi), nil
		if p.needs[i][k] == skip {
			continue
		}
		wanted = true
		c.GradIn[k] = p.rows(j, p.grads[p.m.root[j]], lo, hi)
		switch p.needs[i][k] {
		case overwrite:
			c.Overwrite = true
		case clearIt:
			clear(c.GradIn[k])
		}
	}
	switch {
	case p.training && p.m.batch[i]:
		p.normBack(i, c)
	case wanted:
		n.Op.VJP32(c)
	}
}

// weigh adds to the gradients of the parameters, from the whole batch. Starting
// a goroutine on a sleeping processor takes as long as a small layer, so with few
// processors each takes nodes, the costliest first; with more processors than
// nodes all of them work on one node after the other.
func (p *Pass) weigh(params [][][]float32) {
	workers, next := parallel.Free(), new(atomic.Int64)
	if workers > len(p.m.heavy) {
		workers = 1
	}
	parallel.For(workers, 1, func(lo, hi int) {
		for range hi - lo {
			p.weighNext(params, next)
		}
	})
}

// weighNext takes nodes until there are none.
func (p *Pass) weighNext(params [][][]float32, next *atomic.Int64) {
	l := p.lane()
	for {
		at := int(next.Add(1)) - 1
		if at >= len(p.m.heavy) {
			break
		}
		i := p.m.heavy[at]
		if !p.filled[i] || params[i] == nil {
			continue
		}
		n, c := &p.m.nodes[i], &l[i]
		c.Batch, c.Out, c.GradOut, c.GradParams, c.Overwrite = p.batch, p.raw[i], p.grads[i], params[i], false
		for k, j := range n.Inputs {
			c.In[k], c.GradIn[k] = p.seen[j], nil
		}
		n.Op.VJP32(c)
	}
	p.lanes.put(l)
}
