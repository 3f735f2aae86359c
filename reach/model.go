package reach

import "github.com/vouchnn/vouch/nn"

// Model is a network made ready for reachability, for any number of regions and
// properties. It is read-only and safe for concurrent use.
type Model struct {
	net    nn.Network // as the caller gave it
	nodes  []nn.Node  // simplified
	output int
	rules  []rule
	last   []int // the last node that reads a node
	depth  int   // nodes that are not affine
}

// rule is what reachability knows of a node: one of the three.
type rule struct {
	affine     *affine
	activation nn.Elementwise
	pool       *windows
}

// Compile prepares net. The network is simplified first (nn.Simplify), which folds
// batch normalisation and constants into the layers beside them.
// Errors: *nn.UnsupportedError for an operator that is neither affine nor MaxPool,
// ReLU, LeakyReLU, Sigmoid, Tanh or Arctan; those of nn.Simplify.
func Compile(net nn.Network) (*Model, error) {
	simple, err := nn.Simplify(net)
	if err != nil {
		return nil, err
	}
	m := &Model{net: net, nodes: simple.Nodes(), output: simple.Output()}
	m.rules, m.last = make([]rule, len(m.nodes)), make([]int, len(m.nodes))
	for i, n := range m.nodes {
		for _, j := range n.Inputs {
			m.last[j] = i
		}
		if i == 0 {
			continue
		}
		in := nn.InShapes(simple, i)
		r := &m.rules[i]
		switch op := n.Op.(type) {
		case nn.Affine:
			r.affine = newAffine(op, in, n.Shape)
			continue
		case *nn.MaxPool:
			if r.pool, err = newWindows(op, in[0], n.Shape); err != nil {
				return nil, err
			}
		case nn.Elementwise:
			if !supported(op) {
				return nil, unsupported(n)
			}
			r.activation = op
		default:
			return nil, unsupported(n)
		}
		m.depth++
	}
	m.last[m.output], m.last[0] = len(m.nodes), len(m.nodes)
	return m, nil
}

func unsupported(n nn.Node) error {
	return &nn.UnsupportedError{Node: n.Name, Op: n.Op.Kind(), Detail: "reachability has no rule for it"}
}

// Inputs and Outputs are the network's dimensions.
func (m *Model) Inputs() int { return m.nodes[0].Shape.Size() }

// Outputs is the number of the network's outputs.
func (m *Model) Outputs() int { return m.nodes[m.output].Shape.Size() }
