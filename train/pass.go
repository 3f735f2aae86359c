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
// No sample of a batch knows of another, except where weights' gradients are
// summed. So a batch is cut into shares, one for each processor, and each share
// goes through the whole network, forward or back, without waiting for the
// others; then the weights' gradients are computed from the whole batch, node
// by node, by operators that spread over the processors themselves
// (internal/blas, internal/conv). A sample's numbers do not depend on the share
// it is in, and a sum over the batch is one and the same computation however
// many processors there are: so are all bits. Nothing is allocated once warm but
// a few words: a gradient is written to a buffer before it is added to, and a
// change of shape shares its input's gradient.
//
// In training mode a pass may also drop units out, normalise by the batch's own
// statistics, and round to fixed point (batchnorm.go, dropout.go, quantize.go).
// Then the batch goes through one operator before the next, as a whole.

import (
	"math/rand/v2"
	"sync"

	"github.com/vouchnn/vouch/internal/parallel"
	"github.com/vouchnn/vouch/nn"
)

// Pass is the network at a batch of points. Losses get one from a Step.
// Not safe for concurrent use.
type Pass struct {
	m        *model
	first    int // number of its first point in the batch under attack
	batch    int
	training bool
	x        []float32
	seen     [][]float32 // by node, what its readers read: [batch × size]
	raw      [][]float32 // by node, what its operator computed
	grads    [][]float32 // by root, with respect to seen
	filled   []bool      // by root: grads holds numbers of this pass
	needs    [][]need    // by node and input
	used     bool        // a loss asked for a gradient
	lanes    lanes
	own      [][]float32 // buffers behind raw
	post     [][]float32 // buffers behind seen where it differs from raw
	masks    [][]float32 // of dropout and of rounding
	norms    []normState
	logs     []float64 // of the outputs' softmax: [batch × outputs]
}

// need is what becomes of an input's gradient.
type need uint8

const (
	skip      need = iota // nobody wants it
	addTo                 // others have written to it
	overwrite             // the operator is the first and heeds nn.Call.Overwrite
	clearIt               // the operator is the first and adds
)

// lanes is calls of operators, a set for each goroutine.
type lanes struct {
	sync.Mutex
	free [][]nn.Call[float32]
}

func newPass(m *model) *Pass {
	k := len(m.nodes)
	p := &Pass{
		m: m, seen: make([][]float32, k), raw: make([][]float32, k), grads: make([][]float32, k), filled: make([]bool, k),
		needs: make([][]need, k), own: make([][]float32, k), post: make([][]float32, k), masks: make([][]float32, k),
		norms: make([]normState, k),
	}
	for i, n := range m.nodes {
		p.needs[i] = make([]need, len(n.Inputs))
	}
	return p
}

// lane borrows a set of calls; p.lanes.put gives it back.
func (p *Pass) lane() []nn.Call[float32] {
	p.lanes.Lock()
	defer p.lanes.Unlock()
	if last := len(p.lanes.free) - 1; last >= 0 {
		l := p.lanes.free[last]
		p.lanes.free = p.lanes.free[:last]
		return l
	}
	l := make([]nn.Call[float32], len(p.m.nodes))
	for i, n := range p.m.nodes {
		l[i] = nn.Call[float32]{
			InShapes: p.m.in[i], OutShape: n.Shape, In: make([][]float32, len(n.Inputs)), GradIn: make([][]float32, len(n.Inputs)),
		}
	}
	return l
}

func (l *lanes) put(calls []nn.Call[float32]) {
	l.Lock()
	l.free = append(l.free, calls)
	l.Unlock()
}

// whole says that samples are not independent, or that what is done to them
// beside the operators takes a batch as a whole.
func (p *Pass) whole() bool { return p.training || p.m.quant != nil }

// shareOf is the number of samples that shares are multiples of: as many as
// internal/conv takes at a time.
const shareOf = 16

// spread cuts n samples into shares, one for each processor that is free.
func (m *model) spread(n int, f func(lo, hi int)) {
	least := 1 + grain/(shareOf*m.numbers)
	parallel.For((n+shareOf-1)/shareOf, least, func(lo, hi int) { f(lo*shareOf, min(hi*shareOf, n)) })
}

// run evaluates batch points x [batch × inputs], which must stay as they are
// until the pass is done. rng is for dropout.
func (p *Pass) run(x []float32, batch int, training bool, rng *rand.Rand) {
	m := p.m
	p.batch, p.training, p.used, p.x = batch, training && m.modal, false, x
	p.seen[0], p.raw[0] = x, x
	clear(p.filled)
	if p.whole() {
		p.runWhole(rng)
		return
	}
	for i := 1; i < len(m.nodes); i++ {
		p.place(i)
	}
	m.spread(batch, func(lo, hi int) {
		l := p.lane()
		for i := 1; i < len(m.nodes); i++ {
			p.forward(l, i, lo, hi)
		}
		p.lanes.put(l)
	})
}

func (p *Pass) runWhole(rng *rand.Rand) {
	m, l := p.m, p.lane()
	if m.quant != nil {
		p.seen[0] = m.quant.input(p, p.x)
	}
	for i := 1; i < len(m.nodes); i++ {
		p.place(i)
		p.forward(l, i, 0, p.batch)
		if p.training && m.dropout[i] > 0 {
			p.drop(i, rng)
		}
		if m.quant != nil {
			m.quant.node(p, i)
		}
	}
	p.lanes.put(l)
}

// place chooses where the values of node i will be.
func (p *Pass) place(i int) {
	n := &p.m.nodes[i]
	if p.m.views[i] {
		p.raw[i] = p.seen[n.Inputs[0]]
	} else {
		p.own[i] = grown(p.own[i], p.batch*n.Shape.Size())
		p.raw[i] = p.own[i]
	}
	p.seen[i] = p.raw[i]
}

// rows is what of a node's numbers belongs to the samples from lo to hi.
func (p *Pass) rows(node int, numbers []float32, lo, hi int) []float32 {
	size := p.m.nodes[node].Shape.Size()
	return numbers[lo*size : hi*size]
}

// forward evaluates node i at the samples from lo to hi.
func (p *Pass) forward(l []nn.Call[float32], i, lo, hi int) {
	if p.m.views[i] {
		return
	}
	n, c := &p.m.nodes[i], &l[i]
	c.Batch, c.Out = hi-lo, p.rows(i, p.raw[i], lo, hi)
	for k, j := range n.Inputs {
		c.In[k] = p.rows(j, p.seen[j], lo, hi)
	}
	if p.training && p.m.batch[i] {
		p.normForward(i, c)
		return
	}
	n.Op.Forward32(c)
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
	node = p.m.root[node]
	if !p.filled[node] {
		p.grads[node] = grown(p.grads[node], p.batch*p.m.nodes[node].Shape.Size())
		clear(p.grads[node])
		p.filled[node] = true
	}
	return p.grads[node]
}

// GradOutput is Grad of the network's output.
func (p *Pass) GradOutput() []float32 { return p.Grad(p.m.output) }

// grown is s with n elements, whatever they hold.
func grown[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
