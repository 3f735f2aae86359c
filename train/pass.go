package train

// Reverse mode over a network, a batch at a time.
//
// A Pass evaluates the network at a batch of points and keeps every node's
// values. A loss reads them, at the output or at any node, and adds the
// gradient of what it computed to the same place; when all losses have had
// their say, one walk from the output to the input carries all gradients back
// together. So the losses of a sum share one forward and one backward pass for
// each set of points, however many they are.
//
// The whole batch goes through one operator before the next, and the operator
// spreads it over the processors (internal/blas, internal/conv). Each of these
// gives the same bits for any number of processors, so the sum over the batch
// needs no locks and no order of its own. Nothing is allocated once warm: a
// gradient is written to a buffer before it is added to, and a change of shape
// passes its buffer on.
//
// In training mode a pass also drops units out, normalises by the batch's own
// statistics, and rounds to fixed point (batchnorm.go, dropout.go,
// quantize.go).

import (
	"math/rand/v2"

	"github.com/vouchnn/vouch/nn"
)

// Pass is the network at a batch of points. Losses get one from a Step.
// Not safe for concurrent use.
type Pass struct {
	m        *model
	batch    int
	training bool
	x        []float32
	seen     [][]float32 // by node, what its readers read: [batch × size]
	raw      [][]float32 // by node, what its operator computed
	grads    [][]float32 // by node, with respect to seen
	filled   []bool      // by node: grads holds numbers of this pass
	used     bool        // a loss asked for a gradient
	calls    []nn.Call[float32]
	own      [][]float32 // buffers behind raw
	post     [][]float32 // buffers behind seen where it differs from raw
	masks    [][]float32 // of dropout and of rounding
	norms    []normState
}

func newPass(m *model) *Pass {
	k := len(m.nodes)
	p := &Pass{
		m: m, seen: make([][]float32, k), raw: make([][]float32, k), grads: make([][]float32, k), filled: make([]bool, k),
		calls: make([]nn.Call[float32], k), own: make([][]float32, k), post: make([][]float32, k), masks: make([][]float32, k),
		norms: make([]normState, k),
	}
	for i, n := range m.nodes {
		p.calls[i] = nn.Call[float32]{
			InShapes: m.in[i], OutShape: n.Shape, In: make([][]float32, len(n.Inputs)), GradIn: make([][]float32, len(n.Inputs)),
		}
	}
	return p
}

// run evaluates batch points x [batch × inputs], which must stay as they are
// until the pass is done. rng is for dropout.
func (p *Pass) run(x []float32, batch int, training bool, rng *rand.Rand) {
	m := p.m
	p.batch, p.training, p.used, p.x = batch, training && m.modal, false, x
	p.seen[0], p.raw[0] = x, x
	clear(p.filled)
	if m.quant != nil {
		p.seen[0] = m.quant.input(p, x)
	}
	for i := 1; i < len(m.nodes); i++ {
		n := &m.nodes[i]
		if m.views[i] {
			p.raw[i] = p.seen[n.Inputs[0]]
		} else {
			p.own[i] = grown(p.own[i], batch*n.Shape.Size())
			p.raw[i] = p.own[i]
			c := &p.calls[i]
			c.Batch, c.Out = batch, p.raw[i]
			for k, j := range n.Inputs {
				c.In[k] = p.seen[j]
			}
			if p.training && m.batch[i] {
				p.normForward(i)
			} else {
				n.Op.Forward32(c)
			}
		}
		p.seen[i] = p.raw[i]
		if p.training && m.dropout[i] > 0 {
			p.drop(i, rng)
		}
		if m.quant != nil {
			m.quant.node(p, i)
		}
	}
}

// Batch is the number of points.
func (p *Pass) Batch() int { return p.batch }

// X is the points, [batch × inputs]. The caller must not change it.
func (p *Pass) X() []float32 { return p.x }

// Output is the network's outputs, [batch × outputs]. The caller must not
// change it.
func (p *Pass) Output() []float32 { return p.seen[p.m.output] }

// Value is the values of a node, [batch × size]. The caller must not change it.
func (p *Pass) Value(node int) []float32 { return p.seen[node] }

// Grad is where a loss adds its gradient with respect to Value(node).
func (p *Pass) Grad(node int) []float32 {
	p.used = true
	p.ready(node)
	return p.grads[node]
}

// GradOutput is Grad of the network's output.
func (p *Pass) GradOutput() []float32 { return p.Grad(p.m.output) }

// ready makes a node's gradient one that can be added to.
func (p *Pass) ready(i int) {
	if !p.filled[i] {
		p.grads[i] = grown(p.grads[i], p.batch*p.m.nodes[i].Shape.Size())
		clear(p.grads[i])
		p.filled[i] = true
	}
}

// back carries the gradients that losses have added from the output to the
// parameters, adding to params (by node and parameter; nil for none), and, if
// wanted, to the input, whose gradient it returns. A second call would count
// gradients twice: one back a run.
func (p *Pass) back(params [][][]float32, input bool) []float32 {
	m := p.m
	for i := len(m.nodes) - 1; i > 0; i-- {
		if !p.filled[i] {
			continue // nothing depends on it
		}
		n := &m.nodes[i]
		if m.quant != nil {
			m.quant.nodeBack(p, i)
		}
		if p.training && m.dropout[i] > 0 {
			multiply(p.grads[i], p.masks[i])
		}
		first := n.Inputs
		if m.views[i] {
			p.passOn(i, first[0])
			continue
		}
		p.vjp(i, params, input)
	}
	if !input {
		return nil
	}
	p.ready(0)
	if m.quant != nil {
		m.quant.inputBack(p)
	}
	return p.grads[0]
}

// passOn moves the gradient of a view to what it is a view of.
func (p *Pass) passOn(i, j int) {
	if !p.filled[j] {
		p.grads[i], p.grads[j] = p.grads[j], p.grads[i]
		p.filled[j] = true
		return
	}
	add(p.grads[j], p.grads[i])
}

// vjp carries the gradient of node i to its inputs and parameters.
func (p *Pass) vjp(i int, params [][][]float32, input bool) {
	n, c := &p.m.nodes[i], &p.calls[i]
	c.Batch, c.Out, c.GradOut, c.GradParams = p.batch, p.raw[i], p.grads[i], nil
	if params != nil {
		c.GradParams = params[i]
	}
	_, c.Overwrite = n.Op.(nn.Overwriter)
	c.Overwrite = c.Overwrite && len(n.Inputs) == 1 && !p.filled[n.Inputs[0]]
	for k, j := range n.Inputs {
		c.In[k], c.GradIn[k] = p.seen[j], nil
		if j == 0 && !input {
			continue
		}
		if c.Overwrite {
			p.grads[j] = grown(p.grads[j], p.batch*p.m.nodes[j].Shape.Size())
			p.filled[j] = true
		}
		p.ready(j)
		c.GradIn[k] = p.grads[j]
	}
	if p.training && p.m.batch[i] {
		p.normBack(i)
		return
	}
	if c.GradParams == nil && allNil(c.GradIn) {
		return
	}
	n.Op.VJP32(c)
}

func allNil(s [][]float32) bool {
	for _, v := range s {
		if v != nil {
			return false
		}
	}
	return true
}

// grown is s with n elements, whatever they hold.
func grown[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
