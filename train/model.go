package train

// What training needs to know of a network before it starts: which nodes only
// give a tensor another shape, which are hidden layers, and which behave
// differently while training.

import (
	"fmt"
	"math"
	"slices"

	"github.com/vouchnn/vouch/nn"
)

// model is a network prepared for training.
type model struct {
	net      nn.Network
	nodes    []nn.Node
	in       [][]nn.Shape
	output   int
	inputs   int
	outputs  int
	views    []bool // nodes that only give a tensor another shape
	root     []int  // by node: what it is a view of, or itself
	heavy    []int  // nodes with parameters, those with the costliest gradients first
	numbers  int    // of all nodes' values, for one sample
	hidden   []int  // nodes that an activation reads, ascending
	dropout  []float64
	quant    *quantizer // nil unless training for integers
	batch    []bool     // BatchNorm nodes that use the batch's statistics
	modal    bool       // training and evaluation differ
	params   []parameter
	weights  int // numbers of all parameters
	momentum float64
}

// parameter is one tensor that training changes.
type parameter struct {
	*nn.Param
	node, index int  // of the node and among its parameters
	from, to    int  // place in the flat vector of all
	weight      bool // a matrix or kernel, as opposed to a bias or a scale
}

// newModel prepares net. Dropout rates go by node name.
func newModel(net nn.Network, opts *Options) (*model, error) {
	nodes := net.Nodes()
	m := &model{
		net: net, nodes: nodes, output: net.Output(), in: make([][]nn.Shape, len(nodes)),
		inputs: nodes[0].Shape.Size(), outputs: nn.OutputShape(net).Size(),
		views: make([]bool, len(nodes)), dropout: make([]float64, len(nodes)), batch: make([]bool, len(nodes)),
		momentum: 0.1,
	}
	for i := 1; i < len(nodes); i++ {
		n := &nodes[i]
		m.in[i] = nn.InShapes(net, i)
		switch op := n.Op.(type) {
		case nn.Identity, nn.Flatten, *nn.Reshape, *nn.Squeeze, *nn.Unsqueeze:
			m.views[i] = true
		case nn.Elementwise:
			if j := n.Inputs[0]; j != 0 && !slices.Contains(m.hidden, j) {
				m.hidden = append(m.hidden, j)
			}
		case *nn.BatchNorm:
			m.batch[i] = !opts.FreezeStatistics
			m.modal = m.modal || m.batch[i]
			m.addParams(i, op.Params()[:2])
			continue
		}
		m.addParams(i, n.Op.Params())
	}
	slices.Sort(m.hidden)
	if err := m.addDropout(opts.Dropout); err != nil {
		return nil, err
	}
	if opts.Quantization != nil {
		q, err := newQuantizer(m, opts.Quantization)
		if err != nil {
			return nil, err
		}
		m.quant = q
	}
	m.settleViews()
	m.sortHeavy()
	return m, nil
}

// settleViews makes nodes whose values are changed no views, and finds the
// roots of those that are.
func (m *model) settleViews() {
	m.root = make([]int, len(m.nodes))
	for i := range m.nodes {
		m.root[i] = i
		m.numbers += m.nodes[i].Shape.Size()
		if m.dropout[i] > 0 || m.quant != nil && m.quant.nodes[i] != (FixedPoint{}) {
			m.views[i] = false
		}
		if m.views[i] {
			m.root[i] = m.root[m.nodes[i].Inputs[0]]
		}
	}
}

// sortHeavy lists the nodes with parameters by the cost of their gradients.
func (m *model) sortHeavy() {
	cost := map[int]int{}
	for _, p := range m.params {
		if cost[p.node] == 0 {
			m.heavy = append(m.heavy, p.node)
		}
		// Each of a channel's weights meets each of its outputs.
		cost[p.node] += (p.to - p.from) * max(1, m.nodes[p.node].Shape.Size()/max(1, p.Shape[0]))
	}
	slices.SortStableFunc(m.heavy, func(a, b int) int { return cost[b] - cost[a] })
}

func (m *model) addParams(node int, params []*nn.Param) {
	for k, p := range params {
		if p == nil {
			continue
		}
		n := len(p.Values())
		m.params = append(m.params, parameter{Param: p, node: node, index: k, from: m.weights, to: m.weights + n, weight: len(p.Shape) > 1})
		m.weights += n
	}
}

func (m *model) addDropout(rates map[string]float64) error {
	for name, rate := range rates {
		if !(rate >= 0 && rate < 1) {
			return valuef("Options.Dropout", "at node %q is %v, want [0, 1)", name, rate)
		}
		i := slices.IndexFunc(m.nodes, func(n nn.Node) bool { return n.Name == name && n.Op != nil })
		if i < 0 {
			return valuef("Options.Dropout", "names the node %q, which the network does not have", name)
		}
		m.dropout[i] = rate
		m.modal = m.modal || rate > 0
	}
	return nil
}

// pull copies the network's parameters to the flat vector.
func (m *model) pull(w []float32) {
	for _, p := range m.params {
		copy(w[p.from:p.to], p.Values32())
	}
}

// push sets the network's parameters from the flat vector.
func (m *model) push(w []float32) {
	for _, p := range m.params {
		p.Set32(w[p.from:p.to])
	}
}

// statistics is the parameters that training does not descend on but keeps
// up to date: means and variances of BatchNorm nodes, in order.
func (m *model) statistics() []*nn.Param {
	var s []*nn.Param
	for i, on := range m.batch {
		if on {
			s = append(s, m.nodes[i].Op.Params()[2:]...)
		}
	}
	return s
}

// gradients cuts a flat vector into slices by node and parameter, as
// nn.Call.GradParams has them.
func (m *model) gradients(flat []float32) [][][]float32 {
	out := make([][][]float32, len(m.nodes))
	for i := 1; i < len(m.nodes); i++ {
		if k := len(m.nodes[i].Op.Params()); k > 0 {
			out[i] = make([][]float32, k)
		}
	}
	for _, p := range m.params {
		out[p.node][p.index] = flat[p.from:p.to]
	}
	return out
}

// checkFinite reports the first parameter that is not a finite number.
func (m *model) checkFinite(w []float32) error {
	for _, p := range m.params {
		for i, v := range w[p.from:p.to] {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return fmt.Errorf("train: node %q, parameter %s[%d] is %v", m.nodes[p.node].Name, p.Name, i, v)
			}
		}
	}
	return nil
}
