package bounds

import (
	"fmt"

	"github.com/vouchnn/vouch/nn"
)

// Model is a network prepared for bounding: each node with its rule, the
// constant parts of the affine ones, and which nodes feed a nonlinear one.
// It is immutable and safe for concurrent use, as long as the network's
// parameters do not change.
type Model struct {
	net      nn.Network
	nodes    []nn.Node
	output   int
	size     []int
	inShapes [][]nn.Shape
	rules    []rule
	// feeds[i] lists the nonlinear nodes that consume node i.
	feeds [][]int
	// arriving[i] bounds how many rounding errors a coefficient of node i can
	// collect while the contributions of all its consumers are added up: each
	// of a consumer's additions may round what others have added before.
	arriving []int
	// consumers[i] is the number of edges from node i.
	consumers []int
	// exact[i] says that interval arithmetic alone gives the exact range of
	// node i over a box.
	exact           []bool
	inputs, outputs int
	tunable         bool // every rule can carry values forward along its lines
	// keeper[i] is the activation whose live neurons are all that a pass needs
	// of node i, or 0 if it needs all elements (live.go).
	keeper  []int
	slim    bool // some node has a keeper
	weights int  // of all dense layers
}

// rule is how one node is bounded. Implementations are stateless: what they
// compute for a batch of domains lives in the state.
type rule interface {
	// interval writes bounds of the node from those of its inputs.
	interval(s *state, i int)
	// linear reports whether the node is affine in its inputs.
	linear() bool
	// relax prepares what backward needs from the bounds of the inputs.
	relax(s *state, i int)
	// wanted marks the elements of the k-th input whose tighter bounds would
	// help in domain d.
	wanted(s *state, i, k, d int, mark []bool)
	// backward adds the coefficients of the node to those of its inputs and
	// to the rows' constants.
	backward(p *pass, i int)
}

// Compile prepares net. Errors: *nn.UnsupportedError for an operator that has
// no rule: one that is neither nn.Affine, nor nn.Elementwise with a
// relaxation, nor nn.MaxPool.
func Compile(net nn.Network) (*Model, error) {
	nodes := net.Nodes()
	m := &Model{
		net: net, nodes: nodes, output: net.Output(),
		size: make([]int, len(nodes)), inShapes: make([][]nn.Shape, len(nodes)), rules: make([]rule, len(nodes)),
		feeds: make([][]int, len(nodes)), arriving: make([]int, len(nodes)), consumers: make([]int, len(nodes)), exact: make([]bool, len(nodes)),
	}
	independent := make([]bool, len(nodes))
	independent[0], m.exact[0] = true, true
	for i, n := range nodes {
		m.size[i] = n.Shape.Size()
		m.inShapes[i] = nn.InShapes(net, i)
		if i == 0 {
			continue
		}
		r, err := newRule(n, m.inShapes[i], m.size[i])
		if err != nil {
			return nil, err
		}
		m.rules[i] = r
		for _, j := range n.Inputs {
			m.consumers[j]++
			m.arriving[j] += arrivals(r, m.inShapes[i])
			if !r.linear() && (len(m.feeds[j]) == 0 || m.feeds[j][len(m.feeds[j])-1] != i) {
				m.feeds[j] = append(m.feeds[j], i)
			}
		}
		if a, ok := n.Op.(nn.Affine); ok && len(n.Inputs) == 1 && independent[n.Inputs[0]] {
			m.exact[i] = true
			forward, _ := a.Rounding(m.inShapes[i])
			_, arith := n.Op.(*nn.ConstArith)
			independent[i] = (forward == 0 || arith) && m.size[i] <= m.size[n.Inputs[0]]
		}
	}
	m.tunable = true
	for i := 1; i < len(nodes); i++ {
		if _, ok := m.rules[i].(forwardRule); !ok {
			m.tunable = false
		}
	}
	m.inputs, m.outputs = m.size[0], m.size[m.output]
	m.findKeepers()
	return m, nil
}

// Network is the network that the model was compiled from; node indices of
// queries and results are its.
func (m *Model) Network() nn.Network { return m.net }

// Nonlinear lists the nodes whose operator is not affine, in order.
func (m *Model) Nonlinear() []int {
	var out []int
	for i := 1; i < len(m.nodes); i++ {
		if !m.rules[i].linear() {
			out = append(out, i)
		}
	}
	return out
}

// Preactivations lists the nodes that feed a nonlinear one, in order: the
// nodes whose intervals decide how tight the relaxations are.
func (m *Model) Preactivations() []int {
	var out []int
	for i := range m.nodes {
		if len(m.feeds[i]) > 0 {
			out = append(out, i)
		}
	}
	return out
}

func newRule(n nn.Node, in []nn.Shape, size int) (rule, error) {
	switch op := n.Op.(type) {
	case nn.Affine:
		return newAffine(op, in, size), nil
	case nn.Elementwise:
		if hasRelaxation(op) {
			return elementwise{op}, nil
		}
	case *nn.MaxPool:
		return newMaxPool(op, in[0]), nil
	}
	return nil, &nn.UnsupportedError{Node: n.Name, Op: n.Op.Kind(), Detail: fmt.Sprintf("no rule for bounds of %T", n.Op)}
}

// arrivals is how many additions to one coefficient of an input a rule's
// backward makes at most, and the roundings within them.
func arrivals(r rule, in []nn.Shape) int {
	switch r := r.(type) {
	case *affine:
		_, b := r.op.Rounding(in)
		return b + 1
	case *maxPool:
		return r.overlap + 1
	}
	return 2
}

// arrivingAt is the largest arriving of the inputs of node i, and whether any
// of them has other consumers.
func (m *Model) arrivingAt(i int) (n int, shared bool) {
	for _, j := range m.nodes[i].Inputs {
		n = max(n, m.arriving[j])
		shared = shared || m.consumers[j] > 1
	}
	return n, shared
}
