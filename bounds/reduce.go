package bounds

// Smaller networks for one domain.
//
// Over one domain many ReLUs are inactive: their inputs are never positive and
// their outputs zero. Between two dense layers such a neuron can be left out,
// with its row of the layer before and its column of the layer behind. What is
// left computes the same function on the domain, in exact arithmetic, with a
// fraction of the products: of 256 neurons in a layer of an MNIST network often
// 50 are left. It pays where hundreds of rows are carried through one domain.
//
// Nodes keep their indices; what changes is their sizes.

import (
	"slices"

	"github.com/vouchnn/vouch/nn"
)

// reducer builds the part of a network that decides one node over one domain.
// Its state holds a single domain, all nodes before the node bounded.
type reducer struct {
	s     *state
	nodes []nn.Node // reduced, up to the last node asked for
	kept  [][]int   // per node: its elements that are left; nil for all
	users [][]int   // per node: its consumers
}

// reducedNet is the nodes of a reducer as a network.
type reducedNet []nn.Node

// Nodes implements nn.Network.
func (n reducedNet) Nodes() []nn.Node { return n }

// Output implements nn.Network.
func (n reducedNet) Output() int { return len(n) - 1 }

func newReducer(s *state) *reducer {
	n := len(s.m.nodes)
	r := &reducer{s: s, kept: make([][]int, n), users: make([][]int, n), nodes: s.m.nodes[:1:1]}
	for i, node := range s.m.nodes {
		for _, j := range node.Inputs {
			r.users[j] = append(r.users[j], i)
		}
	}
	return r
}

// upTo is a state, bounded and relaxed, of the reduced network whose output is
// the node, with all of the node's elements. The node is not a ReLU between
// dense layers.
func (r *reducer) upTo(node int) *state {
	s := r.s
	for i := len(r.nodes); i < node; i++ {
		r.nodes = append(r.nodes, r.reduced(i, true))
	}
	nodes := append(slices.Clip(r.nodes), r.reduced(node, false))
	m, err := Compile(reducedNet(nodes))
	if err != nil {
		panic("bounds: a reduced network does not compile: " + err.Error()) // its operators did before
	}
	domain := s.domains[0]
	domain.Known, domain.Splits, domain.Warm = nil, nil, nil
	out := newState(m, []Domain{domain}, s.relaxer)
	for i := range nodes {
		gather(out.lower[i], s.lower[i], r.kept[i])
		gather(out.upper[i], s.upper[i], r.kept[i])
	}
	for k, lo := range out.lower[0] {
		out.magnitude[0][k] = max(-lo, out.upper[0][k])
	}
	for i := 1; i < len(nodes); i++ {
		m.rules[i].relax(out, i)
	}
	return out
}

// reduced is node i with what is left of its inputs and, if wanted, of itself.
func (r *reducer) reduced(i int, outputs bool) nn.Node {
	n := r.s.m.nodes[i]
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
	n := r.s.m.nodes[i]
	if _, ok := n.Op.(nn.ReLU); ok {
		return r.kept[n.Inputs[0]]
	}
	if _, ok := n.Op.(*nn.Dense); !ok || i == r.s.m.output || len(r.users[i]) != 1 || len(n.Shape) == 0 || n.Shape[len(n.Shape)-1] != n.Shape.Size() {
		return nil
	}
	relu := r.users[i][0]
	if _, ok := r.s.m.nodes[relu].Op.(nn.ReLU); !ok || relu == r.s.m.output {
		return nil
	}
	for _, j := range r.users[relu] {
		if _, ok := r.s.m.nodes[j].Op.(*nn.Dense); !ok {
			return nil
		}
	}
	var live []int
	for k, up := range r.s.upper[i] {
		if up > 0 {
			live = append(live, k)
		}
	}
	switch len(live) {
	case len(r.s.upper[i]):
		return nil
	case 0:
		return []int{0} // a layer has at least one neuron
	}
	return live
}

// gather copies the listed elements of src, or all, to dst.
func gather(dst, src []float64, list []int) {
	if list == nil {
		copy(dst, src)
		return
	}
	for k, i := range list {
		dst[k] = src[i]
	}
}
