package bounds

// Smaller networks for one domain.
//
// Over one domain many ReLUs are inactive: their inputs are never positive and
// their outputs zero. Between two dense layers such a neuron can be left out,
// with its row of the layer before and its column of the layer behind. What is
// left computes the same function on the domain, in exact arithmetic, with a
// fraction of the products: of 256 neurons in a layer of an MNIST network often
// 50 are left.
//
// A pass leaves such neurons out by itself (live.go). Branch and bound goes on
// with a smaller network, once the whole region is bounded, so that intervals and
// what is kept of each domain are smaller too. Nodes keep their indices; what
// changes is their sizes.

import (
	"slices"

	"github.com/vouchnn/vouch/nn"
)

// Reduced is a network without some neurons that are inactive in a domain. In
// that domain, and in every part of it, it computes the same function.
type Reduced struct {
	// Model is the smaller network. Nodes have the indices of the whole one.
	Model *Model
	kept  [][]int // per node: its elements that are left; nil for all
}

// Reduce leaves out neurons that the bounds of all nodes show to be inactive.
func (m *Model) Reduce(nodes []Interval) *Reduced {
	upper := make([][]float64, len(nodes))
	for i, n := range nodes {
		upper[i] = n.Upper
	}
	r := newReducer(m, upper)
	return &Reduced{Model: r.model(m.output), kept: r.kept}
}

// Intervals is bounds of nodes of the whole network as bounds of the smaller
// one's. Nodes that nothing is known of stay so.
func (r *Reduced) Intervals(nodes []Interval) []Interval {
	out := slices.Clone(nodes[:min(len(nodes), len(r.Model.nodes))])
	for i, n := range out {
		if n.Lower != nil && r.kept[i] != nil {
			out[i] = Interval{pick(n.Lower, r.kept[i]), pick(n.Upper, r.kept[i])}
		}
	}
	return out
}

// Result is a result for the whole network as one for the smaller one.
func (r *Reduced) Result(x *DomainResult) DomainResult {
	out := *x
	out.Nodes = r.Intervals(x.Nodes)
	out.Impact = slices.Clone(x.Impact)
	for i, v := range x.Impact {
		if v != nil && r.kept[i] != nil {
			out.Impact[i] = pick(v, r.kept[i])
		}
	}
	if x.Warm != nil {
		out.Warm = &Warm{alpha: map[warmKey][]float32{}, beta: x.Warm.beta}
		for key, v := range x.Warm.alpha {
			if k := r.kept[key.node]; k != nil {
				v = pick(v, k)
			}
			out.Warm.alpha[key] = v
		}
	}
	return out
}

// reducer builds reduced networks, each up to some node. The bounds of all
// nodes before it must be final.
type reducer struct {
	m     *Model
	upper [][]float64 // per node: upper bounds
	nodes []nn.Node   // reduced, up to the last node asked for
	kept  [][]int     // as in Reduced
	users [][]int     // per node: its consumers
}

// reducedNet is the nodes of a reducer as a network.
type reducedNet []nn.Node

// Nodes implements nn.Network.
func (n reducedNet) Nodes() []nn.Node { return n }

// Output implements nn.Network.
func (n reducedNet) Output() int { return len(n) - 1 }

func newReducer(m *Model, upper [][]float64) *reducer {
	n := len(m.nodes)
	r := &reducer{m: m, upper: upper, kept: make([][]int, n), users: make([][]int, n), nodes: m.nodes[:1:1]}
	for i, node := range m.nodes {
		for _, j := range node.Inputs {
			r.users[j] = append(r.users[j], i)
		}
	}
	return r
}

// model is the reduced network whose output is the node, with all of the node's
// elements. The node is not a ReLU between dense layers.
func (r *reducer) model(node int) *Model {
	for i := len(r.nodes); i < node; i++ {
		r.nodes = append(r.nodes, r.reduced(i, true))
	}
	nodes := append(slices.Clip(r.nodes), r.reduced(node, false))
	m, err := Compile(reducedNet(nodes))
	if err != nil {
		panic("bounds: a reduced network does not compile: " + err.Error()) // its operators did before
	}
	return m
}

// reduced is node i with what is left of its inputs and, if wanted, of itself.
func (r *reducer) reduced(i int, outputs bool) nn.Node {
	n := r.m.nodes[i]
	kept := []int(nil)
	if outputs {
		kept = r.live(i)
	}
	r.kept[i] = kept
	if d, ok := n.Op.(*nn.Dense); ok {
		n.Op = d.Restrict(kept, r.kept[n.Inputs[0]])
	}
	if kept != nil {
		n.Shape = n.Shape.Clone()
		n.Shape[len(n.Shape)-1] = len(kept)
	}
	return n
}

// live lists the elements of node i that are not left out: those of a ReLU
// between dense layers, and of the layer in front of it, that are not known to
// be inactive. It is nil if nothing is left out.
func (r *reducer) live(i int) []int {
	n := r.m.nodes[i]
	if _, ok := n.Op.(nn.ReLU); ok {
		return r.kept[n.Inputs[0]]
	}
	if _, ok := n.Op.(*nn.Dense); !ok || i == r.m.output || len(r.users[i]) != 1 || len(n.Shape) == 0 || n.Shape[len(n.Shape)-1] != n.Shape.Size() {
		return nil
	}
	relu := r.users[i][0]
	if _, ok := r.m.nodes[relu].Op.(nn.ReLU); !ok || relu == r.m.output {
		return nil
	}
	for _, j := range r.users[relu] {
		if _, ok := r.m.nodes[j].Op.(*nn.Dense); !ok {
			return nil
		}
	}
	var live []int
	for k, up := range r.upper[i] {
		if up > 0 {
			live = append(live, k)
		}
	}
	switch len(live) {
	case len(r.upper[i]):
		return nil
	case 0:
		return []int{0} // a layer has at least one neuron
	}
	return live
}

func pick[T any](x []T, list []int) []T {
	out := make([]T, len(list))
	for k, i := range list {
		out[k] = x[i]
	}
	return out
}
