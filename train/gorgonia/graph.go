package gorgonia

// A network as a Gorgonia expression. Parameters are nodes of their own, which
// several evaluations of the network in one expression share: TRADES and NBC
// look at two points.
//
// Dense weights are stored transposed, since x·W is what Gorgonia multiplies.
// A gradient that is asked for accumulates over runs, so each expression is run
// once, on a tape machine of its own.

import (
	"fmt"
	"math"
	"slices"

	_ "go4.org/unsafe/assume-no-moving-gc" // see doc.go
	g "gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"github.com/vouchnn/vouch/nn"
)

// expression is a graph under construction.
type expression struct {
	net    nn.Network
	g      *g.ExprGraph
	batch  int
	params map[[2]int]*g.Node // by node and parameter
}

func newExpression(net nn.Network, batch int) (*expression, error) {
	e := &expression{net: net, g: g.NewGraph(), batch: batch, params: map[[2]int]*g.Node{}}
	for i, n := range net.Nodes() {
		if n.Op == nil {
			continue
		}
		for k, p := range n.Op.Params() {
			shape, data := []int(p.Shape), slices.Clone(p.Values())
			switch n.Op.(type) {
			case *nn.Dense:
				if k == 0 {
					data, shape = transposed(data, shape[0], shape[1]), []int{shape[1], shape[0]}
				} else {
					shape = []int{1, shape[0]}
				}
			case *nn.Conv:
				if len(n.Shape) < 3 {
					return nil, unsupported(n, "convolution along one axis")
				}
				if k == 1 {
					shape = []int{1, shape[0], 1, 1}
				}
			default:
				return nil, unsupported(n, "")
			}
			e.params[[2]int{i, k}] = e.constant(fmt.Sprintf("p%d_%d", i, k), data, shape...)
		}
	}
	return e, nil
}

func unsupported(n nn.Node, detail string) error {
	return &nn.UnsupportedError{Node: n.Name, Op: n.Op.Kind(), Detail: "in Gorgonia " + detail}
}

// constant is a node with a value.
func (e *expression) constant(name string, data []float64, shape ...int) *g.Node {
	return g.NewTensor(e.g, tensor.Float64, len(shape), g.WithShape(shape...), g.WithName(name),
		g.WithValue(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))))
}

func transposed(a []float64, rows, columns int) []float64 {
	out := make([]float64, len(a))
	for i := range rows {
		for j := range columns {
			out[j*rows+i] = a[i*columns+j]
		}
	}
	return out
}

// evaluate adds the network at the points of input to the expression and
// returns all its nodes; those of vectors are [batch × size].
func (e *expression) evaluate(input *g.Node) ([]*g.Node, error) {
	nodes := e.net.Nodes()
	v := make([]*g.Node, len(nodes))
	v[0] = input
	for i := 1; i < len(nodes); i++ {
		in := make([]*g.Node, len(nodes[i].Inputs))
		for k, j := range nodes[i].Inputs {
			in[k] = v[j]
		}
		var err error
		if v[i], err = e.node(i, &nodes[i], in); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// node adds one operator.
func (e *expression) node(i int, n *nn.Node, in []*g.Node) (*g.Node, error) {
	switch op := n.Op.(type) {
	case *nn.Dense:
		out, err := g.Mul(e.flat(in[0]), e.params[[2]int{i, 0}])
		if err != nil || op.Bias() == nil {
			return out, err
		}
		return g.BroadcastAdd(out, e.params[[2]int{i, 1}], nil, []byte{0})
	case *nn.Conv:
		c := op.Config()
		if c.Pad[0] != c.Pad[2] || c.Pad[1] != c.Pad[3] || c.Groups != 1 {
			return nil, unsupported(*n, "padding that differs by side, or groups")
		}
		out, err := g.Conv2d(in[0], e.params[[2]int{i, 0}], tensor.Shape(c.Kernel), c.Pad[:2], c.Stride, c.Dilation)
		if err != nil || op.Bias() == nil {
			return out, err
		}
		return g.BroadcastAdd(out, e.params[[2]int{i, 1}], nil, []byte{0, 2, 3})
	case nn.ReLU:
		return g.Rectify(in[0])
	case nn.Sigmoid:
		return g.Sigmoid(in[0])
	case nn.Tanh:
		return g.Tanh(in[0])
	case nn.Add:
		return g.Add(in[0], in[1])
	case *nn.MaxPool:
		c := op.Config()
		if len(c.Kernel) != 2 || slices.Max(c.Pad) > 0 || c.CeilMode || slices.Max(c.Dilation) > 1 {
			return nil, unsupported(*n, "pooling with padding or dilation")
		}
		return g.MaxPool2D(in[0], tensor.Shape(c.Kernel), []int{0, 0}, c.Stride)
	case nn.Identity:
		return in[0], nil
	case nn.Flatten, *nn.Reshape, *nn.Squeeze, *nn.Unsqueeze:
		return g.Reshape(in[0], append(tensor.Shape{e.batch}, n.Shape...))
	}
	return nil, unsupported(*n, "")
}

// flat is a node as [batch × size].
func (e *expression) flat(v *g.Node) *g.Node {
	if len(v.Shape()) == 2 {
		return v
	}
	return g.Must(g.Reshape(v, tensor.Shape{e.batch, v.Shape().TotalSize() / e.batch}))
}

// rows sums each row of a [batch × size].
func rows(v *g.Node) *g.Node { return g.Must(g.Sum(v, 1)) }

// crossEntropy is the mean of −ln p(label) = lse(y) − y[label].
func (e *expression) crossEntropy(output *g.Node, labels []int) *g.Node {
	k := e.flat(output).Shape()[1]
	hot := make([]float64, len(labels)*k)
	for i, l := range labels {
		hot[i*k+l] = -1 / float64(e.batch)
	}
	y := e.flat(output)
	along := g.Must(g.Sum(g.Must(g.HadamardProd(y, e.constant("labels", hot, e.batch, k)))))
	return g.Must(g.Add(along, e.mean(logSumExp(y))))
}

// logSumExp is ln Σ exp of each row. The logarithm of a SoftMax would be
// plainer, but Gorgonia takes it in the SoftMax's own memory, which another term
// of the expression may share.
func logSumExp(v *g.Node) *g.Node { return g.Must(g.Log(rows(g.Must(g.Exp(v))))) }

// divergence is the mean of KL(softmax(y) ‖ softmax(z)), as
// Σ p·(y − z) − lse(y) + lse(z).
func (e *expression) divergence(y, z *g.Node) *g.Node {
	y, z = e.flat(y), e.flat(z)
	along := e.mean(g.Must(g.HadamardProd(g.Must(g.SoftMax(y)), g.Must(g.Sub(y, z)))))
	return g.Must(g.Add(along, e.mean(g.Must(g.Sub(logSumExp(z), logSumExp(y))))))
}

// mean is the sum of all, by the number of samples.
func (e *expression) mean(v *g.Node) *g.Node {
	return e.times(g.Must(g.Sum(v)), 1/float64(e.batch))
}

func (e *expression) times(v *g.Node, f float64) *g.Node {
	return g.Must(g.Mul(v, g.NewConstant(f)))
}

// consistency is the mean of NBC, with dense ranks.
func (e *expression) consistency(at, near []*g.Node) *g.Node {
	nodes := e.net.Nodes()
	var hidden, sizes []int
	for _, n := range nodes {
		if _, ok := n.Op.(nn.Elementwise); ok && n.Inputs[0] != 0 && !slices.Contains(hidden, n.Inputs[0]) {
			hidden = append(hidden, n.Inputs[0])
			sizes = append(sizes, nodes[n.Inputs[0]].Shape.Size())
		}
	}
	slices.Sort(sizes)
	sizes = slices.Compact(sizes)
	sum := e.times(e.divergence(at[e.net.Output()], near[e.net.Output()]), -1)
	for _, i := range hidden {
		a, b := e.flat(at[i]), e.flat(near[i])
		dot := rows(g.Must(g.HadamardProd(a, b)))
		square := g.Must(g.HadamardProd(rows(g.Must(g.Square(a))), rows(g.Must(g.Square(b)))))
		cos := g.Must(g.HadamardDiv(dot, g.Must(g.Sqrt(square))))
		rank := slices.Index(sizes, nodes[i].Shape.Size()) + 1
		sum = g.Must(g.Add(sum, e.times(e.mean(cos), math.Ldexp(1, -rank))))
	}
	return sum
}
