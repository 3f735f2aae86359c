package nn

import (
	"errors"
	"fmt"
	"math"
)

// Network is what every verifier and trainer in this module consumes: an
// acyclic graph of operators with one input and one output.
//
// Implementations are read-only and safe for concurrent use.
type Network interface {
	// Nodes lists the nodes in topological order: every node's inputs come
	// before it. Node 0 is the input and has a nil Op. The caller must not
	// change the slice.
	Nodes() []Node
	// Output is the index of the output node.
	Output() int
}

// Node is one node of a Network.
type Node struct {
	Name   string
	Op     Operator // nil for the input
	Inputs []int    // indices of earlier nodes, in the operator's order
	Shape  Shape    // of the node's output
}

// InputShape is the shape of net's input.
func InputShape(net Network) Shape { return net.Nodes()[0].Shape }

// OutputShape is the shape of net's output.
func OutputShape(net Network) Shape { return net.Nodes()[net.Output()].Shape }

// InShapes is the shapes of the inputs of node i.
func InShapes(net Network, i int) []Shape {
	nodes := net.Nodes()
	s := make([]Shape, len(nodes[i].Inputs))
	for k, j := range nodes[i].Inputs {
		s[k] = nodes[j].Shape
	}
	return s
}

// MaxElements is the largest tensor that a Graph accepts, in elements per
// sample. It keeps a malformed file from asking for absurd amounts of memory.
const MaxElements = 1 << 28

// Graph is the Network of this package. Build one with a Builder.
type Graph struct {
	nodes  []Node
	output int
}

// Nodes implements Network.
func (g *Graph) Nodes() []Node { return g.nodes }

// Output implements Network.
func (g *Graph) Output() int { return g.output }

// Builder assembles a Graph node by node. Errors stick: after the first one
// every Add is a no-op and Build reports it.
//
//	b := nn.NewBuilder(nn.Shape{4})
//	h := b.Add("hidden", dense1, b.Input())
//	h = b.Add("relu", nn.ReLU{}, h)
//	g, err := b.Build(b.Add("out", dense2, h))
type Builder struct {
	nodes []Node
	err   error
}

// NewBuilder starts a graph whose input has the given shape.
func NewBuilder(input Shape) *Builder {
	b := &Builder{nodes: []Node{{Name: "input", Shape: input.Clone()}}}
	b.err = checkShape(input, "input", "")
	return b
}

// Input is the index of the input node.
func (b *Builder) Input() int { return 0 }

// NameInput gives the input node a name other than "input".
func (b *Builder) NameInput(name string) { b.nodes[0].Name = name }

// Add appends a node and returns its index. Its shape is inferred.
// Errors, reported by Build: *ShapeError, *ValueError.
func (b *Builder) Add(name string, op Operator, inputs ...int) int {
	if b.err != nil {
		return 0
	}
	if op == nil {
		b.err = &ValueError{Node: name, Detail: "no operator"}
		return 0
	}
	shapes := make([]Shape, len(inputs))
	for i, j := range inputs {
		if j < 0 || j >= len(b.nodes) {
			b.err = &ValueError{Node: name, Op: op.Kind(), Detail: fmt.Sprintf("input %d is not a node added before", j)}
			return 0
		}
		shapes[i] = b.nodes[j].Shape
	}
	out, err := op.OutShape(shapes)
	if err == nil {
		err = checkShape(out, name, op.Kind())
	}
	if err == nil {
		err = checkParams(op)
	}
	if err != nil {
		b.err = atNode(err, name)
		return 0
	}
	b.nodes = append(b.nodes, Node{Name: name, Op: op, Inputs: append([]int(nil), inputs...), Shape: out})
	return len(b.nodes) - 1
}

// Shape is the shape of node i, or nil after an error.
func (b *Builder) Shape(i int) Shape {
	if b.err != nil || i < 0 || i >= len(b.nodes) {
		return nil
	}
	return b.nodes[i].Shape
}

// Err is the first error so far.
func (b *Builder) Err() error { return b.err }

// Build finishes the graph with the given output node. Nodes that the output
// does not depend on are left out (the input always stays).
func (b *Builder) Build(output int) (*Graph, error) {
	if b.err != nil {
		return nil, b.err
	}
	if output < 0 || output >= len(b.nodes) {
		return nil, &ValueError{Detail: fmt.Sprintf("output %d is not a node", output)}
	}
	need := make([]bool, len(b.nodes))
	need[0], need[output] = true, true
	for i := output; i > 0; i-- {
		if need[i] {
			for _, j := range b.nodes[i].Inputs {
				need[j] = true
			}
		}
	}
	at := make([]int, len(b.nodes))
	g := &Graph{}
	for i, n := range b.nodes {
		if !need[i] {
			continue
		}
		at[i] = len(g.nodes)
		in := make([]int, len(n.Inputs))
		for k, j := range n.Inputs {
			in[k] = at[j]
		}
		g.nodes = append(g.nodes, Node{Name: n.Name, Op: n.Op, Inputs: in, Shape: n.Shape})
	}
	g.output = at[output]
	return g, nil
}

func checkShape(s Shape, node, op string) error {
	n := s.Size()
	if n <= 0 || n > MaxElements {
		return &ShapeError{Node: node, Op: op, Detail: fmt.Sprintf("%v has no elements or more than %d", s, MaxElements)}
	}
	return nil
}

func checkParams(op Operator) error {
	for _, p := range op.Params() {
		if p == nil {
			continue
		}
		for i, v := range p.Values() {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return &ValueError{Op: op.Kind(), Detail: fmt.Sprintf("parameter %s[%d] is %v", p.Name, i, v)}
			}
			if math.IsInf(float64(p.v32[i]), 0) {
				return &ValueError{Op: op.Kind(), Detail: fmt.Sprintf("parameter %s[%d] = %g exceeds float32", p.Name, i, v)}
			}
		}
	}
	return nil
}

// atNode fills the node's name into an operator's error.
func atNode(err error, name string) error {
	var s *ShapeError
	var v *ValueError
	var u *UnsupportedError
	switch {
	case errors.As(err, &s) && s.Node == "":
		s.Node = name
	case errors.As(err, &v) && v.Node == "":
		v.Node = name
	case errors.As(err, &u) && u.Node == "":
		u.Node = name
	}
	return err
}
