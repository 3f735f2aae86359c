package onnx

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// program turns bytes into a model that is well-formed as a file but means
// anything: random operators on random tensors with random attributes. Where
// flipped bytes hardly get past the decoder, this reaches the operators' rules.
type program struct {
	code []byte
	keep func(m *modelBuilder, last string) bool // whether to keep the last node; nil keeps all
}

// valid keeps the nodes that can be read, so that programs become networks.
func valid(m *modelBuilder, last string) bool {
	tried := &modelBuilder{graph: slices.Clone(m.graph), opset: m.opset}
	_, _, err := tried.output(last).read(nil)
	return err == nil
}

// pick is the next number below n.
func (p *program) pick(n int) int {
	if len(p.code) == 0 {
		return 0
	}
	b := p.code[0]
	p.code = p.code[1:]
	return int(b) % n
}

// sizes is a short list of small numbers from low on.
func (p *program) sizes(low int) []int {
	v := make([]int, p.pick(5))
	for k := range v {
		v[k] = low + p.pick(6)
	}
	return v
}

// fitting are the attributes that each operator knows; a star marks a list.
var fitting = map[string]string{
	"Gemm": "transA transB", "Conv": "*kernel_shape *strides *dilations *pads group", "AveragePool": "*kernel_shape *strides *pads ceil_mode count_include_pad",
	"MaxPool": "*kernel_shape *strides *pads *dilations ceil_mode", "Flatten": "axis", "Squeeze": "*axes", "Unsqueeze": "*axes", "Transpose": "*perm",
	"Reshape": "*shape allowzero", "Concat": "axis", "Slice": "*starts *ends *axes", "Split": "axis *split num_outputs", "Gather": "axis", "Pad": "*pads",
	"ReduceSum": "*axes keepdims noop_with_empty_axes", "ReduceMean": "*axes keepdims", "ReduceProd": "*axes keepdims", "Cast": "to", "Constant": "*value_ints", "Shape": "start end",
}

// attrs are some of the operator's attributes, now and then a wrong one.
func (p *program) attrs(op string) []message {
	known := strings.Fields(fitting[op])
	if p.pick(30) == 1 {
		known = append(known, "axis", "*axes", "mystery")
	}
	var out []message
	for _, a := range known {
		switch name, list := strings.CutPrefix(a, "*"); {
		case p.pick(4) == 0:
		case list:
			out = append(out, intsAttr(name, p.sizes([]int{0, 1, 1, -2}[p.pick(4)])))
		default:
			out = append(out, intAttr(name, p.pick(6)-2))
		}
	}
	return out
}

// inputs is how many inputs the operator takes.
func inputs(op string) int {
	switch op {
	case "Constant":
		return 0
	case "Gemm", "Where", "Range":
		return 3
	case "MatMul", "Conv", "Add", "Sub", "Mul", "Div", "Sum", "Expand", "Concat", "Gather", "Equal", "Pow", "ConstantOfShape":
		return 2
	case "BatchNormalization":
		return 5
	}
	return 1
}

// model builds it.
func (p *program) model(kinds []string) *modelBuilder {
	m := build([]int64{9, 11, 13, 18}[p.pick(4)]).input("x", append([]int{1}, p.sizes(1)...)...)
	have := []string{"x", ""}
	for k := range p.pick(5) {
		name := fmt.Sprintf("f%d", k)
		s := p.sizes(0)
		n := 1
		for _, d := range s {
			n *= d
		}
		have = append(have, name)
		m.floats(name, s, count(n)...)
	}
	for k := range p.pick(5) {
		name := fmt.Sprintf("i%d", k)
		have = append(have, name)
		m.ints(name, p.sizes(-2)...)
	}
	last := "x"
	for k := 0; len(p.code) > 0 && k < 100; k++ {
		op := kinds[p.pick(len(kinds))]
		n := inputs(op)
		if p.pick(3) == 0 {
			n += p.pick(3)
		}
		var io []string
		for range n {
			io = append(io, have[p.pick(len(have))])
		}
		if n > 0 && p.pick(4) > 0 {
			io[p.pick(2)%n] = last
		}
		out := fmt.Sprintf("t%d", k)
		io = append(io, "->", out)
		if op == "Split" {
			io = append(io, out+"b")
		}
		next := &modelBuilder{graph: slices.Clone(m.graph), opset: m.opset}
		next.node(op, io, p.attrs(op)...)
		if p.keep != nil && !p.keep(next, out) {
			continue
		}
		m, last = next, out
		have = append(have, out)
	}
	return m.output(last)
}

func kinds() []string {
	var k []string
	for name := range operators {
		k = append(k, name)
	}
	slices.Sort(k)
	return k
}

// TestRandomOperators runs programs that keep only nodes which can be read, and
// some that keep all.
func TestRandomOperators(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	all := kinds()
	for k := range 1000 {
		code := make([]byte, 50+rng.IntN(400))
		for i := range code {
			code[i] = byte(rng.Uint32())
		}
		p := &program{code: code}
		if k%4 > 0 {
			p.keep = valid
		}
		roundTripIfNetwork(t, p.model(all).bytes())
	}
}

// FuzzOperators lets the fuzzer write the programs.
func FuzzOperators(f *testing.F) {
	all := kinds()
	f.Add([]byte{2, 1, 3, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Fuzz(func(t *testing.T, code []byte) {
		p := &program{code: code, keep: valid}
		roundTripIfNetwork(t, p.model(all).bytes())
	})
}
