package dualapp

// Values of pre-activations, in single precision and many inputs at a time.
//
// The nodes that depend on the input through affine operators alone (the prefix:
// a first layer, and what prepares its input) are affine functions z(x) = W·x + b.
// On a cube of radius r around x0 their values at x0 + r·d are z(x0) + r·W·d, and
// W·d does not depend on cube or radius. So directions d are carried through the
// prefix once, and for each cube its values cost one multiplication and addition
// each, where a first layer would cost a row of W.

import (
	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
)

// plan is which nodes of a network pre-activations need. Immutable.
type plan struct {
	nodes  []nn.Node
	shapes [][]nn.Shape
	size   []int
	target []int  // nodes that feed a nonlinear one, rising
	need   []bool // a target depends on the node
	prefix []bool // the node depends on the input through affine operators alone
	entry  []int  // prefix nodes that later needed nodes read, or that are targets
}

func newPlan(m *bounds.Model) *plan {
	net := m.Network()
	p := &plan{nodes: net.Nodes(), target: m.Preactivations()}
	n := len(p.nodes)
	p.shapes, p.size, p.need, p.prefix = make([][]nn.Shape, n), make([]int, n), make([]bool, n), make([]bool, n)
	entry := make([]bool, n)
	for _, i := range p.target {
		p.need[i] = true
	}
	for i := n - 1; i > 0; i-- {
		for _, j := range p.nodes[i].Inputs {
			p.need[j] = p.need[j] || p.need[i]
		}
	}
	p.prefix[0] = true
	for i, node := range p.nodes {
		p.shapes[i], p.size[i] = nn.InShapes(net, i), node.Shape.Size()
		if i == 0 {
			continue
		}
		_, p.prefix[i] = node.Op.(nn.Affine)
		for _, j := range node.Inputs {
			p.prefix[i] = p.prefix[i] && p.prefix[j]
		}
		for _, j := range node.Inputs {
			entry[j] = entry[j] || (p.need[i] && !p.prefix[i] && p.prefix[j])
		}
	}
	for _, i := range p.target {
		entry[i] = entry[i] || p.prefix[i]
	}
	for i, e := range entry {
		if e {
			p.entry = append(p.entry, i)
		}
	}
	return p
}

// ancestors marks what node i depends on, itself included.
func (p *plan) ancestors(i int) []bool {
	mark := make([]bool, len(p.nodes))
	mark[i] = true
	for k := i; k > 0; k-- {
		if mark[k] {
			for _, j := range p.nodes[k].Inputs {
				mark[j] = true
			}
		}
	}
	return mark
}

// evaluator owns the values of one batch. Not safe for concurrent use.
type evaluator struct {
	*plan
	values [][]float32 // per node, [batch × size]
	grads  [][]float32
	call   nn.Call[float32]
}

func newEvaluator(p *plan) *evaluator {
	return &evaluator{plan: p, values: make([][]float32, len(p.nodes)), grads: make([][]float32, len(p.nodes))}
}

// room is the values of node i for a batch, to be written.
func (e *evaluator) room(i, batch int) []float32 {
	e.values[i] = resize(e.values[i], batch*e.size[i])
	return e.values[i]
}

// forward computes the marked nodes. Those that are not marked must have values.
func (e *evaluator) forward(batch int, mark func(i int) bool) {
	for i := 1; i < len(e.nodes); i++ {
		if !mark(i) {
			continue
		}
		if t := tableOf(e.nodes[i].Op); t != nil {
			t.apply(e.values[e.nodes[i].Inputs[0]], e.room(i, batch))
			continue
		}
		e.prepare(i, batch)
		e.call.Out = e.room(i, batch)
		e.nodes[i].Op.Forward32(&e.call)
	}
}

// prepare sets the call up for node i.
func (e *evaluator) prepare(i, batch int) {
	in, grads := e.call.In[:0], e.call.GradIn[:0]
	for _, j := range e.nodes[i].Inputs {
		in = append(in, e.values[j])
	}
	e.call = nn.Call[float32]{Batch: batch, InShapes: e.shapes[i], OutShape: e.nodes[i].Shape, In: in, GradIn: grads}
}

// gradient is the gradient of grads[i], set by the caller, with respect to the
// input, at the values of the last forward. mark is the ancestors of i.
func (e *evaluator) gradient(i, batch int, mark []bool) []float32 {
	for k := range i {
		if mark[k] {
			e.grads[k] = resize(e.grads[k], batch*e.size[k])
			clear(e.grads[k])
		}
	}
	for k := i; k > 0; k-- {
		if !mark[k] {
			continue
		}
		e.prepare(k, batch)
		e.call.Out, e.call.GradOut = e.values[k], e.grads[k]
		for _, j := range e.nodes[k].Inputs {
			e.call.GradIn = append(e.call.GradIn, e.grads[j])
		}
		e.nodes[k].Op.VJP32(&e.call)
	}
	return e.grads[0]
}

// extremes is the least and greatest value of every target while batches pass.
type extremes struct {
	*plan
	under []bounds.Interval
}

func newExtremes(p *plan) *extremes {
	x := &extremes{p, make([]bounds.Interval, len(p.nodes))}
	for _, i := range p.target {
		both := make([]float64, 2*p.size[i])
		x.under[i] = bounds.Interval{Lower: both[:p.size[i]:p.size[i]], Upper: both[p.size[i]:]}
	}
	return x
}

// add takes in the values [batch × size] of node i; the first of all sets them.
func (x *extremes) add(i int, values []float32, first bool) {
	lo, up := x.under[i].Lower, x.under[i].Upper
	n := len(lo)
	if first {
		for k, v := range values[:n] {
			lo[k], up[k] = float64(v), float64(v)
		}
		values = values[n:]
	}
	for ; len(values) > 0; values = values[n:] {
		for k, v := range values[:n] {
			lo[k], up[k] = min(lo[k], float64(v)), max(up[k], float64(v))
		}
	}
}

func narrow(dst []float32, x []float64) {
	for i, v := range x {
		dst[i] = float32(v)
	}
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
