package nn

// Rewriting a network into fewer nodes.
//
// Exporters split layers (MatMul, then Add), spell out normalisations (Sub,
// Div, BatchNormalization) and sprinkle reshapes. Every node costs a pass over
// memory, a bound to propagate and, for a verifier, another layer to bound
// loosely or to write into a linear program. Simplify removes what does not
// change the function over the real numbers:
//
//   - Identity, views and arithmetic without effect go; chains of views become
//     one Reshape; a Transpose that only moves axes of size 1 is a view;
//   - arithmetic with a constant merges with arithmetic with a constant, and
//     a sum with a Constant node becomes one;
//   - arithmetic with a constant and BatchNorm fold into the Dense or Conv
//     before or after them (fold.go), across views;
//   - a Dense directly behind a Dense merges with it if that is less work.
//
// A node folds only into one that nobody else reads. Folding rounds; the new
// layers count by how much (folded.go), so that a bound computed on the result
// is a bound of the original. A fold whose coefficients would leave the range
// of float32, or come near float64's underflow, is not made.
//
// The rewriting works on a copy of the node list, in place: a node that is
// folded away becomes a view or is replaced by its input in all its readers,
// so that the order stays topological. Rules apply until none does; each one
// removes a node from the live part or turns one into a simpler kind.

import (
	"fmt"
	"slices"
)

// Simplify rewrites net into an equivalent network with fewer nodes.
//
// Guarantee: the same function over the real numbers, but for roundings in
// folded coefficients, which Magnitude64 and Rounding of the new layers cover.
// Operators that do not change are shared with net. A folded layer keeps the
// name it had.
// Errors: those of Builder.
func Simplify(net Network) (*Graph, error) {
	s := &simplifier{nodes: slices.Clone(net.Nodes()), output: net.Output()}
	for i := range s.nodes {
		s.nodes[i].Inputs = slices.Clone(s.nodes[i].Inputs)
	}
	rules := []func(int) bool{s.dropTrivial, s.mergeViews, s.addConstant, s.mergeArith, s.foldAfter, s.foldBefore, s.mergeDense}
	s.count()
	for changed := true; changed; {
		changed = false
		for i := 1; i < len(s.nodes); i++ {
			for _, rule := range rules {
				if s.uses[i] > 0 && rule(i) {
					changed = true
					s.count()
				}
			}
		}
	}
	return s.build()
}

// simplifier is the node list being rewritten.
type simplifier struct {
	nodes  []Node
	output int
	uses   []int // readers among live nodes, the caller of the network being one
}

// count recomputes uses.
func (s *simplifier) count() {
	s.uses = make([]int, len(s.nodes))
	s.uses[s.output]++
	for i := len(s.nodes) - 1; i > 0; i-- {
		if s.uses[i] > 0 {
			for _, j := range s.nodes[i].Inputs {
				s.uses[j]++
			}
		}
	}
}

// build makes a graph of the live nodes.
func (s *simplifier) build() (*Graph, error) {
	b := NewBuilder(s.nodes[0].Shape)
	b.NameInput(s.nodes[0].Name)
	at := make([]int, len(s.nodes))
	for i := 1; i < len(s.nodes); i++ {
		if s.uses[i] == 0 {
			continue
		}
		n := &s.nodes[i]
		in := make([]int, len(n.Inputs))
		for k, j := range n.Inputs {
			in[k] = at[j]
		}
		at[i] = b.Add(n.Name, n.Op, in...)
		if b.Err() == nil && !b.Shape(at[i]).Equal(n.Shape) {
			return nil, &ShapeError{Node: n.Name, Op: n.Op.Kind(), Detail: fmt.Sprintf("Simplify made %v of %v", b.Shape(at[i]), n.Shape)}
		}
	}
	return b.Build(at[s.output])
}

// input is the node that node i reads first.
func (s *simplifier) input(i int) *Node { return &s.nodes[s.nodes[i].Inputs[0]] }

// bypass makes every reader of node i read node j instead.
func (s *simplifier) bypass(i, j int) {
	for k := range s.nodes {
		for m, in := range s.nodes[k].Inputs {
			if in == i {
				s.nodes[k].Inputs[m] = j
			}
		}
	}
	if s.output == i {
		s.output = j
	}
}

// reshape makes node i a view of its first input.
func (s *simplifier) reshape(i int) {
	if n := &s.nodes[i]; s.input(i).Shape.Equal(n.Shape) {
		s.bypass(i, n.Inputs[0])
	} else {
		n.Op, n.Inputs = NewReshape(n.Shape), n.Inputs[:1]
	}
}

// dropTrivial removes node i if it passes its input on, at most reshaped.
func (s *simplifier) dropTrivial(i int) bool {
	n := &s.nodes[i]
	if len(n.Inputs) != 1 {
		return false
	}
	in := s.input(i).Shape
	switch op := n.Op.(type) {
	case Concat:
	case *Transpose:
		if !op.isView(in) {
			return false
		}
	case *ConstArith:
		if !op.isNeutral() || in.Size() != n.Shape.Size() {
			return false
		}
	default:
		if !isView(op) || !in.Equal(n.Shape) {
			return false
		}
	}
	s.reshape(i)
	return true
}

// isView reports whether only axes of size 1 change their order.
func (t *Transpose) isView(in Shape) bool {
	if len(t.perm) == 0 {
		return len(in) < 2 || in.Size() == slices.Max(in)
	}
	last := -1
	for _, a := range t.perm {
		if in[a] != 1 {
			if a < last {
				return false
			}
			last = a
		}
	}
	return true
}

// isNeutral reports whether a adds exactly 0 or multiplies by exactly 1.
func (a *ConstArith) isNeutral() bool {
	if a.folded > 0 || a.kind == ArithSub && a.constFirst {
		return false
	}
	neutral := 0.0
	if a.kind == ArithMul || a.kind == ArithDiv {
		neutral = 1
	}
	for _, v := range a.c64 {
		if v != neutral {
			return false
		}
	}
	return true
}

// mergeViews makes a view of a view one Reshape.
func (s *simplifier) mergeViews(i int) bool {
	n := &s.nodes[i]
	if !isView(n.Op) || s.input(i).Op == nil || !isView(s.input(i).Op) {
		return false
	}
	n.Inputs = []int{s.input(i).Inputs[0]}
	s.reshape(i)
	return true
}

// addConstant makes a sum or difference with a Constant arithmetic with it.
func (s *simplifier) addConstant(i int) bool {
	n := &s.nodes[i]
	kind := ArithAdd
	switch n.Op.(type) {
	case Add:
	case Sub:
		kind = ArithSub
	default:
		return false
	}
	if len(n.Inputs) != 2 {
		return false
	}
	for k, j := range n.Inputs {
		c, ok := s.nodes[j].Op.(*Constant)
		if !ok {
			continue
		}
		op, err := NewConstArith(kind, c.v64, c.shape, k == 0)
		if err != nil {
			return false
		}
		n.Op, n.Inputs = op, []int{n.Inputs[1-k]}
		return true
	}
	return false
}
