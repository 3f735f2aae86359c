package gorgonia

import (
	"fmt"

	g "gorgonia.org/gorgonia"

	"github.com/vouchnn/vouch/nn"
)

// Objective is a weighted sum of means over a batch; terms of weight 0 are left
// out. NBC has dense ranks.
type Objective struct {
	CrossEntropy float64 // at the samples
	Adversarial  float64 // cross-entropy at the neighbours
	Divergence   float64 // KL(p(x) ‖ p(x′))
	Consistency  float64 // NBC(x, x′)
}

// Result is an objective's value and gradients.
type Result struct {
	Value  float64
	Params [][][]float64 // by node and parameter, in package nn's layout
	Input  []float64     // with respect to the samples, [batch × inputs]; nil if they do not matter
}

// Gradients is an objective of net at samples x and neighbours, both [batch ×
// inputs], with the samples' labels. near may be nil where no term needs it.
// Errors: *nn.UnsupportedError for an operator that Gorgonia lacks, and
// Gorgonia's own. Not safe for concurrent use.
func Gradients(net nn.Network, o Objective, x, near []float32, labels []int) (res *Result, err error) {
	defer func() {
		if r := recover(); r != nil { // Must
			err = fmt.Errorf("gorgonia: %v", r)
		}
	}()
	batch := len(labels)
	e, err := newExpression(net, batch)
	if err != nil {
		return nil, err
	}
	at := e.points("x", x)
	var first, second []*g.Node
	if o.CrossEntropy != 0 || o.Divergence != 0 || o.Consistency != 0 {
		if first, err = e.evaluate(at); err != nil {
			return nil, err
		}
	}
	if o.Adversarial != 0 || o.Divergence != 0 || o.Consistency != 0 {
		if second, err = e.evaluate(e.points("near", near)); err != nil {
			return nil, err
		}
	}
	out := net.Output()
	var sum *g.Node
	term := func(weight float64, of func() *g.Node) {
		if weight == 0 {
			return
		}
		v := e.times(of(), weight)
		if sum != nil {
			v = g.Must(g.Add(sum, v))
		}
		sum = v
	}
	term(o.CrossEntropy, func() *g.Node { return e.crossEntropy(first[out], labels) })
	term(o.Adversarial, func() *g.Node { return e.crossEntropy(second[out], labels) })
	term(o.Divergence, func() *g.Node { return e.divergence(first[out], second[out]) })
	term(o.Consistency, func() *g.Node { return e.consistency(first, second) })
	if first == nil {
		at = nil
	}
	return e.derive(sum, at)
}

// points is a batch of points as a node of the input's shape.
func (e *expression) points(name string, x []float32) *g.Node {
	data := make([]float64, len(x))
	for i, v := range x {
		data[i] = float64(v)
	}
	return e.constant(name, data, append([]int{e.batch}, nn.InputShape(e.net)...)...)
}

// derive runs the expression and collects its gradients; input may be nil.
func (e *expression) derive(sum, input *g.Node) (*Result, error) {
	var wrt g.Nodes
	if input != nil {
		wrt = g.Nodes{input}
	}
	for _, p := range e.params {
		wrt = append(wrt, p)
	}
	if _, err := g.Grad(sum, wrt...); err != nil {
		return nil, err
	}
	vm := g.NewTapeMachine(e.g, g.BindDualValues(wrt...))
	defer vm.Close()
	if err := vm.RunAll(); err != nil {
		return nil, err
	}
	res := &Result{Value: sum.Value().Data().(float64), Params: make([][][]float64, len(e.net.Nodes()))}
	if input != nil {
		var err error
		if res.Input, err = gradient(input); err != nil {
			return nil, err
		}
	}
	for key, p := range e.params {
		d, err := gradient(p)
		if err != nil {
			return nil, err
		}
		op := e.net.Nodes()[key[0]].Op
		if res.Params[key[0]] == nil {
			res.Params[key[0]] = make([][]float64, len(op.Params()))
		}
		if dense, ok := op.(*nn.Dense); ok && key[1] == 0 {
			s := dense.Weight().Shape
			d = transposed(d, s[1], s[0])
		}
		res.Params[key[0]][key[1]] = d
	}
	return res, nil
}

// gradient is a copy of a node's gradient.
func gradient(n *g.Node) ([]float64, error) {
	v, err := n.Grad()
	if err != nil {
		return nil, err
	}
	d, ok := v.Data().([]float64)
	if !ok {
		return nil, fmt.Errorf("gorgonia: gradient of %s is a %T", n.Name(), v.Data())
	}
	return append([]float64(nil), d...), nil
}
