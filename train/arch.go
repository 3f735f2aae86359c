package train

// Architectures: stacks of layers, and the networks of the NBC paper by name.
//
// The sizes are those of the VNN-COMP networks that the paper trains, with a
// ReLU behind every layer but the last. M2's convolutions have TensorFlow's SAME
// padding, which on 28×28 with kernel 5 and stride 2 is one before and two
// after.

import (
	"fmt"

	"github.com/vouchnn/vouch/nn"
)

// Layer is one layer of a stack: Conv, Dense, BatchNorm, AveragePool, MaxPool or
// Activation.
type Layer interface {
	add(s *stack) (int, error)
}

// Conv is a convolution with a square kernel and a bias.
type Conv struct {
	Out, Kernel int
	Stride      int   // default 0: 1
	Pad         []int // top, left, bottom, right; one number for all; default none
	Groups      int   // default 0: 1
}

// Dense is a fully connected layer with a bias. What it reads is flattened.
type Dense struct{ Out int }

// BatchNorm normalises channels, or features.
type BatchNorm struct{}

// AveragePool averages over square windows.
type AveragePool struct{ Kernel, Stride int }

// MaxPool takes the maximum of square windows.
type MaxPool struct{ Kernel, Stride int }

// Activation is an operator without parameters, such as nn.ReLU{}.
type Activation struct{ Op nn.Operator }

// stack is a network being built.
type stack struct {
	b    *nn.Builder
	at   int
	uses map[string]int
}

// Stack builds the layers one behind the other on inputs of the given shape.
// Parameters are zero; see Initialize.
// Errors: *nn.ShapeError, *nn.ValueError.
func Stack(input nn.Shape, layers ...Layer) (*nn.Graph, error) {
	s := &stack{b: nn.NewBuilder(input), uses: map[string]int{}}
	for _, l := range layers {
		at, err := l.add(s)
		if err == nil {
			err = s.b.Err()
		}
		if err != nil {
			return nil, err
		}
		s.at = at
	}
	return s.b.Build(s.at)
}

// Classifier is Stack with a ReLU behind every Conv and Dense layer but the
// last layer.
func Classifier(input nn.Shape, layers ...Layer) (*nn.Graph, error) {
	var all []Layer
	for i, l := range layers {
		all = append(all, l)
		switch l.(type) {
		case Conv, Dense:
			if i < len(layers)-1 {
				all = append(all, Activation{nn.ReLU{}})
			}
		}
	}
	return Stack(input, all...)
}

// push adds an operator under a name with a number.
func (s *stack) push(kind string, op nn.Operator) int {
	s.uses[kind]++
	return s.b.Add(fmt.Sprintf("%s%d", kind, s.uses[kind]), op, s.at)
}

// channels is the size of the channel axis of what the layer reads.
func (s *stack) channels() (int, error) {
	shape := s.b.Shape(s.at)
	if len(shape) < 3 {
		return 0, &nn.ShapeError{Op: "Conv", Detail: fmt.Sprintf("reads %v, want [channels height width]", shape)}
	}
	return shape[len(shape)-3], nil
}

func (c Conv) add(s *stack) (int, error) {
	in, err := s.channels()
	if err != nil {
		return 0, err
	}
	pad := c.Pad
	if len(pad) == 1 {
		pad = []int{pad[0], pad[0], pad[0], pad[0]}
	}
	groups, stride := max(c.Groups, 1), max(c.Stride, 1)
	if c.Out <= 0 || c.Kernel <= 0 || in%groups != 0 {
		return 0, &nn.ValueError{Op: "Conv", Detail: fmt.Sprintf("%d kernels of %d, %d groups of %d channels", c.Out, c.Kernel, groups, in)}
	}
	cfg := nn.ConvConfig{Kernel: []int{c.Kernel, c.Kernel}, Stride: []int{stride, stride}, Pad: pad, Groups: groups}
	op, err := nn.NewConv(cfg, c.Out, in, make([]float64, c.Out*in/groups*c.Kernel*c.Kernel), make([]float64, c.Out))
	if err != nil {
		return 0, err
	}
	return s.push("conv", op), nil
}

func (d Dense) add(s *stack) (int, error) {
	shape := s.b.Shape(s.at)
	if d.Out <= 0 {
		return 0, &nn.ValueError{Op: "Dense", Detail: fmt.Sprintf("%d outputs", d.Out)}
	}
	if len(shape) > 2 || len(shape) == 2 && shape[0] != 1 {
		s.at = s.push("flatten", nn.Flatten{Axis: 0})
	}
	n := shape.Size()
	op, err := nn.NewDense(d.Out, n, make([]float64, d.Out*n), make([]float64, d.Out))
	if err != nil {
		return 0, err
	}
	return s.push("fc", op), nil
}

func (BatchNorm) add(s *stack) (int, error) {
	shape := s.b.Shape(s.at)
	axis := -1
	if len(shape) > 2 {
		axis = -3
	}
	at, ok := shape.Axis(axis)
	if !ok {
		return 0, &nn.ShapeError{Op: "BatchNormalization", Detail: fmt.Sprintf("reads %v", shape)}
	}
	n := shape[at]
	ones := func() []float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = 1
		}
		return v
	}
	epsilon := float32(1e-5) // as files in ONNX have it
	op, err := nn.NewBatchNorm(at, ones(), make([]float64, n), make([]float64, n), ones(), float64(epsilon))
	if err != nil {
		return 0, err
	}
	return s.push("norm", op), nil
}

func (p AveragePool) add(s *stack) (int, error) {
	op, err := nn.NewAveragePool(nn.PoolConfig{Kernel: []int{p.Kernel, p.Kernel}, Stride: []int{max(p.Stride, 1), max(p.Stride, 1)}})
	if err != nil {
		return 0, err
	}
	return s.push("pool", op), nil
}

func (p MaxPool) add(s *stack) (int, error) {
	op, err := nn.NewMaxPool(nn.PoolConfig{Kernel: []int{p.Kernel, p.Kernel}, Stride: []int{max(p.Stride, 1), max(p.Stride, 1)}})
	if err != nil {
		return 0, err
	}
	return s.push("pool", op), nil
}

func (a Activation) add(s *stack) (int, error) {
	if a.Op == nil {
		return 0, &nn.ValueError{Op: "Activation", Detail: "has no operator"}
	}
	name := "act"
	if _, ok := a.Op.(nn.ReLU); ok {
		name = "relu"
	}
	return s.push(name, a.Op), nil
}

// Architecture is a network of the paper.
type Architecture struct {
	ID, Name string
	Input    nn.Shape
	Layers   []Layer
}

var (
	mnist = nn.Shape{1, 28, 28}
	cifar = nn.Shape{3, 32, 32}
)

// big is conv_big: four convolutions and three dense layers.
var big = []Layer{
	Conv{Out: 32, Kernel: 3, Pad: []int{1}},
	Conv{Out: 32, Kernel: 4, Stride: 2, Pad: []int{1}},
	Conv{Out: 64, Kernel: 3, Pad: []int{1}},
	Conv{Out: 64, Kernel: 4, Stride: 2, Pad: []int{1}},
	Dense{512},
	Dense{512},
	Dense{10},
}

// Architectures lists the networks of the paper.
func Architectures() []Architecture {
	return []Architecture{
		{"M1", "cnn_4_layer", mnist, []Layer{Conv{Out: 16, Kernel: 4, Stride: 2, Pad: []int{1}}, Conv{Out: 32, Kernel: 4, Stride: 2, Pad: []int{1}}, Dense{100}, Dense{10}}},
		{"M2", "relu_stable", mnist, []Layer{Conv{Out: 16, Kernel: 5, Stride: 2, Pad: []int{1, 1, 2, 2}}, Conv{Out: 32, Kernel: 5, Stride: 2, Pad: []int{1, 1, 2, 2}}, Dense{100}, Dense{10}}},
		{"M3", "conv_big", mnist, big},
		{"C1", "marabou_medium", cifar, []Layer{Conv{Out: 16, Kernel: 4, Stride: 2}, Conv{Out: 32, Kernel: 4, Stride: 2}, Dense{128}, Dense{64}, Dense{10}}},
		{"C2", "marabou_large", cifar, []Layer{Conv{Out: 32, Kernel: 4, Stride: 2}, Conv{Out: 64, Kernel: 4, Stride: 2}, Dense{128}, Dense{64}, Dense{10}}},
		{"C3", "conv_big", cifar, big},
	}
}

// NewNetwork builds the architecture of an ID such as "M1".
// Errors: *ValueError for an unknown one.
func NewNetwork(id string) (*nn.Graph, error) {
	var known []string
	for _, a := range Architectures() {
		if a.ID == id {
			return Classifier(a.Input, a.Layers...)
		}
		known = append(known, a.ID)
	}
	return nil, valuef("architecture", "is %q, want one of %v", id, known)
}
