package onnx

// From a decoded file to a graph.
//
// The importer walks the file's nodes in topological order and keeps, for every
// tensor name, what it stands for: a constant, or a node of the graph under
// construction. A node whose inputs are all constant is computed on the spot
// (fold*.go); any other becomes one or a few operators of package nn
// (import*.go). Only nodes that an output depends on are looked at.
//
// A file can name one large constant from many small nodes, or ask for a large
// constant in a few bytes. So everything that is computed or copied is charged
// to one budget in proportion to the file.

import (
	"fmt"
	"slices"

	"github.com/vouchnn/vouch/nn"
)

type importer struct {
	file    string
	model   *model
	dims    map[string]int
	b       *nn.Builder
	env     map[string]value
	uses    map[string]int  // how often a tensor is an input of a node or an output
	bare    map[string]bare // MatMuls, for an Add to complete
	budget  int             // elements that may still be computed or copied
	rounded []string
}

// value is what a tensor name stands for: a constant if c is not nil, else a
// node of the graph. The zero value is an optional input left out.
type value struct {
	c    *tensor
	node int
	set  bool
}

func constant(t *tensor) value { return value{c: t, set: true} }

func newImporter(file string, m *model, opts *Options, size int) *importer {
	im := &importer{
		file: file, model: m, env: map[string]value{}, uses: map[string]int{}, bare: map[string]bare{},
		budget: 1<<22 + 2*size,
	}
	if opts != nil {
		im.dims = opts.Dims
	}
	return im
}

// spend charges n elements, and fails when the budget is used up.
func (im *importer) spend(n int) error {
	if n < 0 || n > im.budget {
		return &nn.ValueError{File: im.file, Detail: "constants grow out of proportion to the file"}
	}
	im.budget -= n
	return nil
}

func (im *importer) run() (*nn.Graph, *Info, error) {
	if err := im.checkOpset(); err != nil {
		return nil, nil, err
	}
	if err := im.initializers(); err != nil {
		return nil, nil, err
	}
	info := &Info{
		Name: im.model.graph.name, Producer: im.model.producer, IR: im.model.irVersion, Opset: im.model.opset[""],
	}
	if im.model.version != "" {
		info.Producer += " " + im.model.version
	}
	var err error
	if info.Inputs, err = im.inputs(); err != nil {
		return nil, nil, err
	}
	order, err := im.order()
	if err != nil {
		return nil, nil, err
	}
	for _, n := range order {
		if err := im.node(n); err != nil {
			return nil, nil, locate(err, im.file, label(n), n.op)
		}
	}
	out, err := im.outputs(info)
	if err != nil {
		return nil, nil, err
	}
	info.Rounded = im.rounded
	g, err := im.b.Build(out)
	return g, info, err
}

// maxOpset is the newest operator set whose definitions were read for this
// package. Newer files are refused: an operator may have changed its meaning.
const maxOpset = 24

func (im *importer) checkOpset() error {
	v, ok := im.model.opset[""]
	if !ok {
		if len(im.model.opset) > 0 {
			return &nn.UnsupportedError{File: im.file, Detail: "no version of ONNX's own operator set is declared"}
		}
		im.model.opset[""] = 1 // as files before IR version 3
		return nil
	}
	if v < 1 || v > maxOpset {
		return &nn.UnsupportedError{File: im.file, Detail: fmt.Sprintf("operator set version %d, not in [1, %d]", v, maxOpset)}
	}
	return nil
}

func (im *importer) initializers() error {
	for _, p := range im.model.graph.initializers {
		if p.name == "" {
			return &nn.FormatError{File: im.file, Offset: -1, Field: "initializer", Detail: "has no name"}
		}
		if im.env[p.name].set {
			return &nn.FormatError{File: im.file, Offset: -1, Field: p.name, Detail: "two initializers of one name"}
		}
		t, err := p.decode(im.file, p.name)
		if err != nil {
			return err
		}
		im.env[p.name] = constant(t)
	}
	return nil
}

// inputs declares the graph's input and cuts it into the file's inputs.
func (im *importer) inputs() ([]Port, error) {
	var ports []Port
	seen := map[string]bool{}
	total := 0
	for _, v := range im.model.graph.inputs {
		if seen[v.name] || v.name == "" {
			return nil, &nn.FormatError{File: im.file, Offset: -1, Field: v.name, Detail: "two inputs of one name, or one without"}
		}
		seen[v.name] = true
		if im.env[v.name].set {
			continue // an initializer that old files declare as an input too
		}
		s, err := im.inputShape(v)
		if err != nil {
			return nil, err
		}
		ports = append(ports, Port{Name: v.name, Shape: s})
		if total += s.Size(); total > nn.MaxElements {
			return nil, &nn.ShapeError{File: im.file, Node: v.name, Detail: fmt.Sprintf("inputs have more than %d elements", nn.MaxElements)}
		}
	}
	switch len(ports) {
	case 0:
		return nil, &nn.FormatError{File: im.file, Offset: -1, Field: "GraphProto", Detail: "no input that is not an initializer"}
	case 1:
		im.b = nn.NewBuilder(ports[0].Shape)
		im.b.NameInput(ports[0].Name)
		im.env[ports[0].Name] = value{node: 0, set: true}
		return ports, im.b.Err()
	}
	im.b = nn.NewBuilder(nn.Shape{total})
	at := 0
	for _, p := range ports {
		n := p.Shape.Size()
		part, err := im.part(at, n, p)
		if err != nil {
			return nil, err
		}
		im.env[p.Name] = value{node: part, set: true}
		at += n
	}
	return ports, im.b.Err()
}

// part cuts elements [at, at+n) out of the flat input and gives them p's shape.
func (im *importer) part(at, n int, p Port) (int, error) {
	s, err := nn.NewSlice([]int{at}, []int{at + n}, []int{0}, []int{1})
	if err != nil {
		return 0, err
	}
	return im.b.Add(p.Name, nn.NewReshape(p.Shape), im.b.Add(p.Name+"/slice", s, im.b.Input())), im.b.Err()
}

// inputShape is the shape of one sample of an input: a symbolic or unknown
// first axis has size 1.
func (im *importer) inputShape(v valueInfo) (nn.Shape, error) {
	if !v.tensor || !v.hasShape {
		return nil, &nn.UnsupportedError{File: im.file, Node: v.name, Detail: "input is not a tensor of a declared shape"}
	}
	if !isFloat(v.elem) {
		return nil, &nn.UnsupportedError{File: im.file, Node: v.name, Detail: "input of " + typeName(v.elem)}
	}
	if len(v.dims) > maxRank {
		return nil, &nn.ShapeError{File: im.file, Node: v.name, Detail: fmt.Sprintf("input has %d axes, more than %d", len(v.dims), maxRank)}
	}
	s := make(nn.Shape, len(v.dims))
	for i, d := range v.dims {
		named, ok := im.dims[d.param]
		switch {
		case d.param != "" && ok:
			s[i] = named
		case d.value > 0 && d.value <= nn.MaxElements:
			s[i] = int(d.value)
		case d.value > 0 || d.value < -1:
			return nil, &nn.ShapeError{File: im.file, Node: v.name, Detail: fmt.Sprintf("axis %d of the input has size %d", i, d.value)}
		case i == 0:
			s[i] = 1
		default:
			return nil, &nn.ShapeError{File: im.file, Node: v.name, Detail: fmt.Sprintf("axis %d of the input is %q, which Options.Dims does not give", i, d.param)}
		}
	}
	if n := s.Size(); n < 1 || n > nn.MaxElements {
		return nil, &nn.ShapeError{File: im.file, Node: v.name, Detail: fmt.Sprintf("input %v has more than %d elements", s, nn.MaxElements)}
	}
	return s, nil
}

// outputs is the node of the graph's output: the file's only output, or all of
// them flattened and concatenated.
func (im *importer) outputs(info *Info) (int, error) {
	var nodes []int
	for _, o := range im.model.graph.outputs {
		v := im.env[o.name]
		if v.c != nil {
			op, err := im.constant(v.c)
			if err != nil {
				return 0, locate(err, im.file, o.name, "")
			}
			v.node = im.b.Add(o.name, op)
		}
		if v.node == 0 { // the input itself: give the graph a node to output
			v.node = im.b.Add(o.name, nn.Identity{}, 0)
		}
		if err := im.b.Err(); err != nil {
			return 0, err
		}
		info.Outputs = append(info.Outputs, Port{Name: o.name, Shape: im.b.Shape(v.node).Clone()})
		nodes = append(nodes, v.node)
	}
	if len(nodes) == 1 {
		return nodes[0], nil
	}
	for i, n := range nodes {
		p := info.Outputs[i]
		nodes[i] = im.b.Add(p.Name+"/flatten", nn.NewReshape(nn.Shape{p.Shape.Size()}), n)
	}
	return im.b.Add("outputs", nn.Concat{Axis: 0}, nodes...), im.b.Err()
}

// node brings one node of the file into the graph.
func (im *importer) node(n *node) error {
	if n.domain != "" && n.domain != "ai.onnx" {
		return &nn.UnsupportedError{Detail: fmt.Sprintf("operator of domain %q", n.domain)}
	}
	op, ok := operators[n.op]
	if !ok {
		return &nn.UnsupportedError{}
	}
	c := &call{importer: im, n: n, name: label(n), used: make([]bool, len(n.attrs))}
	folding := true
	for _, name := range n.inputs {
		v := im.env[name] // order() made sure that it is there
		c.in = append(c.in, v)
		folding = folding && (!v.set || v.c != nil)
	}
	var out []value
	switch {
	case folding && op.fold != nil:
		for _, t := range op.fold(c) {
			out = append(out, value{c: t, set: t != nil})
		}
	case op.build != nil:
		out = op.build(c)
	default:
		c.unsupported("inputs that are not constant")
	}
	if c.err != nil {
		return c.err
	}
	if err := c.leftover(); err != nil {
		return err
	}
	for i, name := range n.outputs {
		if name == "" {
			continue
		}
		if i < len(out) && out[i].set {
			im.env[name] = out[i]
		} else if im.uses[name] > 0 {
			return &nn.UnsupportedError{Detail: fmt.Sprintf("use of output %d", i)}
		}
	}
	return nil
}

// label is what errors call a node: its name or, where it has none, that of its
// first output.
func label(n *node) string {
	if n.name == "" && len(n.outputs) > 0 {
		return n.outputs[0]
	}
	return n.name
}

// constant is an operator without inputs that yields t.
func (im *importer) constant(t *tensor) (nn.Operator, error) {
	if err := im.spend(t.size()); err != nil {
		return nil, err
	}
	if !t.isFloat() {
		return nil, &nn.UnsupportedError{Detail: "constant of " + typeName(t.elem) + " where a tensor of numbers is computed"}
	}
	return nn.NewConstant(slices.Clone(t.f), t.shape.Clone())
}
