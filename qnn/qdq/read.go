package qdq

import (
	"fmt"
	"io"
	"math/big"
	"os"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/nn/onnx"
	"github.com/vouchnn/vouch/qnn"
)

// Info is what a file says beside the integers.
type Info struct {
	// An input or output integer n stands for (n − Zero)·Scale.
	InputScale, OutputScale float64
	InputZero, OutputZero   int64
}

// value is what a tensor's name stands for. Exactly one of constant, levels and
// sums is set.
type value struct {
	constant *constant
	levels   *levels
	sums     *sums
	shape    []int // without the batch axis; of constants all axes
}

// constant is real numbers: ints·scale (per index of axis) or floats.
type constant struct {
	ints   []int64
	scale  []*big.Rat
	axis   int
	floats []float64
}

// levels is a quantized tensor, or the real numbers (n − zero)·scale that it
// stands for.
type levels struct {
	scale     *big.Rat
	zero      int64
	low, high int64
	real      bool
	layer     int // that makes it; −1: the input
}

// sums is an affine function of a quantized tensor that waits for QuantizeLinear.
type sums struct {
	from    *levels
	in, out int
	w       []int32
	scale   []*big.Rat // per neuron, of an accumulator
	bias    []*big.Rat // per neuron, real
	shift   []int64    // per neuron: what zero points add to the accumulator
	relu    bool
}

// reader walks a graph.
type reader struct {
	file   string
	m      *onnx.RawModel
	values map[string]*value
	input  *levels
	name   string // of the graph's input
	shape  []int
	layers []qnn.Layer
	last   int // layer whose levels may be read
}

// ReadFile reads a model from a .onnx file, plain or gzip.
// Errors: those of Read, *fs.PathError.
func ReadFile(path string) (*qnn.Network, *Info, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	return Read(f, path)
}

// Read reads a model. It is a chain: each layer reads the one before. name stands
// for the file in errors.
// Errors: *nn.UnsupportedError for operators and uses that have no integer form
// here, *nn.ValueError and *nn.ShapeError for scales and sizes, *nn.FormatError,
// *qnn.Error.
func Read(r io.Reader, name string) (*qnn.Network, *Info, error) {
	m, err := onnx.ReadRaw(r, name, nil)
	if err != nil {
		return nil, nil, err
	}
	d := &reader{file: name, m: m, values: map[string]*value{}, last: -1}
	if len(m.Inputs) != 1 || len(m.Outputs) != 1 {
		return nil, nil, &nn.UnsupportedError{File: name, Detail: fmt.Sprintf("quantized: %d inputs and %d outputs, want one each", len(m.Inputs), len(m.Outputs))}
	}
	d.name = m.Inputs[0].Name
	if dims := m.Inputs[0].Dims; len(dims) > 0 {
		d.shape = dims[1:]
	}
	for k, t := range m.Constants {
		d.values[k] = &value{constant: &constant{ints: t.Ints, floats: t.Floats}, shape: t.Shape}
	}
	for i := range m.Nodes {
		if err := d.node(&m.Nodes[i]); err != nil {
			return nil, nil, err
		}
	}
	return d.finish()
}

func (d *reader) finish() (*qnn.Network, *Info, error) {
	out := d.values[d.m.Outputs[0]]
	if out == nil || out.levels == nil || out.levels.layer != len(d.layers)-1 || out.levels.layer < 0 {
		return nil, nil, &nn.UnsupportedError{File: d.file, Node: d.m.Outputs[0], Detail: "quantized: the output is not what the last QuantizeLinear makes"}
	}
	config := configOf(d.input.low, d.input.high)
	n, err := qnn.New(config, d.layers)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", d.file, err)
	}
	info := &Info{InputZero: d.input.zero, OutputZero: out.levels.zero}
	info.InputScale, _ = d.input.scale.Float64()
	info.OutputScale, _ = out.levels.scale.Float64()
	return n, info, nil
}

// configOf is the configuration of integers from low to high, one of ranges.
func configOf(low, high int64) qnn.Config {
	for bits := 1; bits <= qnn.MaxBits; bits++ {
		for _, signed := range []bool{false, true} {
			c := qnn.Config{Signed: signed, Bits: bits}
			if c.Min() == low && c.Max() == high {
				return c
			}
		}
	}
	panic("qdq: not the range of a type")
}

// unsupported reports a node, or a use of it.
func (d *reader) unsupported(n *onnx.RawNode, format string, args ...any) error {
	return &nn.UnsupportedError{File: d.file, Node: n.Name, Op: n.Op, Detail: "quantized: " + fmt.Sprintf(format, args...)}
}

func (d *reader) bad(n *onnx.RawNode, format string, args ...any) error {
	return &nn.ValueError{File: d.file, Node: n.Name, Op: n.Op, Detail: fmt.Sprintf(format, args...)}
}

// in is input k of n, nil if it is left out.
func (d *reader) in(n *onnx.RawNode, k int) *value {
	if k >= len(n.Inputs) || n.Inputs[k] == "" {
		return nil
	}
	return d.values[n.Inputs[k]]
}

func (d *reader) node(n *onnx.RawNode) error {
	if n.Domain != "" && n.Domain != "ai.onnx" || len(n.Outputs) < 1 || len(n.Other) > 0 {
		return d.unsupported(n, "domain %q, other attributes %v", n.Domain, n.Other)
	}
	var v *value
	var err error
	switch n.Op {
	case "Constant":
		t := n.Tensor["value"]
		if t == nil {
			return d.unsupported(n, "a constant that is no tensor")
		}
		v = &value{constant: &constant{ints: t.Ints, floats: t.Floats}, shape: t.Shape}
	case "QuantizeLinear":
		v, err = d.quantize(n)
	case "DequantizeLinear":
		v, err = d.dequantize(n)
	case "Gemm":
		v, err = d.gemm(n)
	case "MatMul":
		v, err = d.matMul(n)
	case "Conv":
		v, err = d.conv(n)
	case "Add":
		v, err = d.add(n)
	case "Relu":
		v, err = d.relu(n)
	case "Flatten", "Reshape", "Identity", "Dropout", "Squeeze", "Unsqueeze":
		v, err = d.reshape(n)
	default:
		err = d.unsupported(n, "no integer form")
	}
	if err != nil {
		return err
	}
	d.values[n.Outputs[0]] = v
	return nil
}

// reshape passes numbers on in their order. Only flat shapes matter afterwards.
func (d *reader) reshape(n *onnx.RawNode) (*value, error) {
	v := d.in(n, 0)
	if v == nil || v.constant != nil {
		if len(n.Inputs) > 0 && n.Inputs[0] == d.name {
			d.name = n.Outputs[0] // of a float input, before it is quantized
			if n.Op != "Identity" && n.Op != "Dropout" {
				d.shape = []int{size(d.shape)}
			}
			return &value{}, nil
		}
		return nil, d.unsupported(n, "of what is not quantized")
	}
	out := *v
	if n.Op != "Identity" && n.Op != "Dropout" {
		out.shape = []int{size(v.shape)}
	}
	return &out, nil
}

func size(shape []int) int {
	n := 1
	for _, s := range shape {
		n *= s
	}
	return n
}

var ranges = map[string][2]int64{
	"": {0, 255}, "uint8": {0, 255}, "int8": {-128, 127}, "uint16": {0, 65535}, "int16": {-32768, 32767},
}
