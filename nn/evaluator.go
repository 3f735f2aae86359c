package nn

// Evaluation of a network, one sample or a batch.
//
// An Evaluator owns one buffer per node and reuses it from call to call, so
// that the hot loops of attack and training do not allocate. It belongs to one
// goroutine; make several for several. A node's buffer lives until the next
// Forward: nothing is recycled inside one pass, because the backward pass
// reads it.

// Evaluator computes values and gradients of one network in one precision.
// Not safe for concurrent use.
type Evaluator[T Float] struct {
	net    Network
	nodes  []Node
	output int
	in     [][]Shape
	values [][]T // per node, [batch × size]; values[0] is the caller's
	grads  [][]T
	filled []bool // by node: grads holds this pass's numbers
	calls  []Call[T]
	batch  int
}

// NewEvaluator prepares an evaluator for net.
func NewEvaluator[T Float](net Network) *Evaluator[T] {
	nodes := net.Nodes()
	e := &Evaluator[T]{
		net: net, nodes: nodes, output: net.Output(),
		in: make([][]Shape, len(nodes)), values: make([][]T, len(nodes)), grads: make([][]T, len(nodes)), filled: make([]bool, len(nodes)),
		calls: make([]Call[T], len(nodes)),
	}
	for i, n := range nodes {
		e.in[i] = InShapes(net, i)
		e.calls[i] = Call[T]{
			InShapes: e.in[i], OutShape: n.Shape,
			In: make([][]T, len(n.Inputs)), GradIn: make([][]T, len(n.Inputs)),
		}
	}
	return e
}

// Forward evaluates batch samples x [batch × input size] and returns the
// outputs [batch × output size]. The result is valid until the next Forward;
// x must stay unchanged until the Backward that belongs to it.
// Precondition: len(x) == batch × input size.
func (e *Evaluator[T]) Forward(x []T, batch int) []T {
	if len(x) != batch*e.nodes[0].Shape.Size() {
		panic("nn: Forward: x does not hold batch × input size numbers")
	}
	e.batch = batch
	e.values[0] = x
	for i := 1; i < len(e.nodes); i++ {
		n := &e.nodes[i]
		e.values[i] = resize(e.values[i], batch*n.Shape.Size())
		c := &e.calls[i]
		c.Batch, c.Out = batch, e.values[i]
		for k, j := range n.Inputs {
			c.In[k] = e.values[j]
		}
		forward(n.Op, c)
	}
	return e.values[e.output]
}

// Value is the value of node i from the last Forward, [batch × size].
func (e *Evaluator[T]) Value(i int) []T { return e.values[i] }

// Backward propagates gradOut [batch × output size] of the last Forward back
// and returns the gradient with respect to the input [batch × input size],
// valid until the next Backward. If params is not nil, gradients of node i's
// parameters are added to params[i], one slice per parameter (a nil params[i]
// is skipped).
func (e *Evaluator[T]) Backward(gradOut []T, params [][][]T) []T {
	for i := range e.nodes {
		e.grads[i] = resize(e.grads[i], e.batch*e.nodes[i].Shape.Size())
		e.filled[i] = false
	}
	copy(e.grads[e.output], gradOut)
	e.filled[e.output] = true
	for i := e.output; i > 0; i-- {
		n := &e.nodes[i]
		c := &e.calls[i]
		e.ready(i)
		c.Batch, c.Out, c.GradOut, c.GradParams = e.batch, e.values[i], e.grads[i], nil
		_, c.Overwrite = n.Op.(Overwriter)
		c.Overwrite = c.Overwrite && len(n.Inputs) == 1 && !e.filled[n.Inputs[0]]
		for k, j := range n.Inputs {
			if c.Overwrite {
				e.filled[j] = true
			}
			e.ready(j)
			c.In[k], c.GradIn[k] = e.values[j], e.grads[j]
		}
		if params != nil {
			c.GradParams = params[i]
		}
		vjp(n.Op, c)
	}
	e.ready(0)
	return e.grads[0]
}

// ready clears the gradient of a node that nothing was written to yet.
func (e *Evaluator[T]) ready(i int) {
	if !e.filled[i] {
		clear(e.grads[i])
		e.filled[i] = true
	}
}

// Evaluate computes net at one sample in float64.
// Errors: *ShapeError if x does not have the input's size.
func Evaluate(net Network, x []float64) ([]float64, error) {
	if n := InputShape(net).Size(); len(x) != n {
		return nil, &ShapeError{Detail: "input has " + Shape{len(x)}.String() + " elements, the network takes " + InputShape(net).String()}
	}
	y := NewEvaluator[float64](net).Forward(x, 1)
	return append([]float64(nil), y...), nil
}

func forward[T Float](op Operator, c *Call[T]) {
	switch c := any(c).(type) {
	case *Call[float64]:
		op.Forward64(c)
	case *Call[float32]:
		op.Forward32(c)
	}
}

func vjp[T Float](op Operator, c *Call[T]) {
	switch c := any(c).(type) {
	case *Call[float64]:
		op.VJP64(c)
	case *Call[float32]:
		op.VJP32(c)
	}
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
