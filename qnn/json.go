package qnn

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// Integer networks as JSON, the format of the published benchmark networks after
// conversion. A layer is a matrix of integers with its configurations:
//
//	acc = W·a + (b << bias_shift)
//	y   = clamp((acc + 2^(shift-1)) >> shift, out_min, out_max)
//
// "tie" names another rule than half up. A layer with real scales has "starts"
// in place of "shift": for every neuron, or once for all, the least accumulator
// of each level above out_min.

type jsonNetwork struct {
	Name    string      `json:"name,omitempty"`
	Dataset string      `json:"dataset,omitempty"`
	Tie     string      `json:"tie,omitempty"`
	Input   jsonInput   `json:"input"`
	Layers  []jsonLayer `json:"layers"`
}

type jsonInput struct {
	Bits   int   `json:"bits"`
	Frac   int   `json:"frac"`
	Signed bool  `json:"signed"`
	Dim    int   `json:"dim"`
	Min    int64 `json:"min"`
	Max    int64 `json:"max"`
}

type jsonLayer struct {
	In        int       `json:"in_dim"`
	Out       int       `json:"out_dim"`
	InBits    int       `json:"in_bits"`
	InFrac    int       `json:"in_frac"`
	WBits     int       `json:"w_bits"`
	WFrac     int       `json:"w_frac"`
	BBits     int       `json:"b_bits"`
	BFrac     int       `json:"b_frac"`
	OutBits   int       `json:"out_bits"`
	OutFrac   int       `json:"out_frac"`
	OutSigned bool      `json:"out_signed"`
	OutMin    int64     `json:"out_min"`
	OutMax    int64     `json:"out_max"`
	BiasShift int       `json:"bias_shift"`
	Shift     int       `json:"shift"`
	Starts    [][]int64 `json:"starts,omitempty"`
	W         [][]int32 `json:"W"`
	B         []int64   `json:"b"`
}

// ReadJSON reads a network.
// Errors: *Error that names the layer and what is wrong, or the decoder's with
// the position in the text.
func ReadJSON(r io.Reader) (*Network, error) {
	var f jsonNetwork
	d := json.NewDecoder(r)
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("qnn: JSON, byte %d: %w", d.InputOffset(), err)
	}
	tie, err := ParseTie(f.Tie)
	if err != nil {
		return nil, err
	}
	input := Config{Signed: f.Input.Signed, Bits: f.Input.Bits, Fraction: f.Input.Frac}
	if err := input.Validate(); err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	if f.Input.Min != input.Min() || f.Input.Max != input.Max() {
		return nil, errorf("input", "range [%d, %d] is not that of %v", f.Input.Min, f.Input.Max, input)
	}
	layers := make([]Layer, len(f.Layers))
	for k := range f.Layers {
		if layers[k], err = f.Layers[k].layer(fmt.Sprintf("layer %d", k), tie); err != nil {
			return nil, err
		}
	}
	if len(layers) > 0 && f.Input.Dim != layers[0].In {
		return nil, errorf("input", "dim is %d, but layer 0 has %d inputs", f.Input.Dim, layers[0].In)
	}
	n, err := New(input, layers)
	if err != nil {
		return nil, err
	}
	n.Name, n.Dataset = f.Name, f.Dataset
	return n, nil
}

func (f *jsonLayer) layer(field string, tie Tie) (Layer, error) {
	l := Layer{
		In: f.In, Out: f.Out,
		Weight:     Config{Signed: true, Bits: f.WBits, Fraction: f.WFrac},
		BiasConfig: Config{Signed: true, Bits: f.BBits, Fraction: f.BFrac},
		Output:     Config{Signed: f.OutSigned, Bits: f.OutBits, Fraction: f.OutFrac},
	}
	if f.In < 1 || len(f.W) != f.Out || len(f.B) != f.Out {
		return l, errorf(field, "W has %d rows and b %d values for %d neurons of %d inputs", len(f.W), len(f.B), f.Out, f.In)
	}
	if f.BiasShift < 0 || f.BiasShift > 40 {
		return l, errorf(field+": bias_shift", "%d is not in [0, 40]", f.BiasShift)
	}
	for j, row := range f.W {
		if len(row) != f.In {
			return l, errorf(field+": W", "row %d has %d values for %d inputs", j, len(row), f.In)
		}
		l.Weights = append(l.Weights, row...)
	}
	for j, b := range f.B {
		if b > maxAccumulator>>f.BiasShift || b < -(maxAccumulator>>f.BiasShift) {
			return l, errorf(field+": b", "value %d is %d, too large for a shift by %d", j, b, f.BiasShift)
		}
		l.Bias = append(l.Bias, b<<f.BiasShift)
	}
	if f.Starts == nil {
		l.Stairs = []Staircase{ShiftStaircase(f.Shift, tie, f.OutMin, f.OutMax)}
		return l, nil
	}
	for j, starts := range f.Starts {
		if f.OutMax-f.OutMin != int64(len(starts)) {
			return l, errorf(field+": starts", "row %d has %d values for levels %d to %d", j, len(starts), f.OutMin, f.OutMax)
		}
		for k, a := range starts {
			if k > 0 && a < starts[k-1] || a > maxAccumulator || a < -maxAccumulator {
				return l, errorf(field+": starts", "row %d, value %d is %d, out of order or range", j, k, a)
			}
		}
		l.Stairs = append(l.Stairs, Staircase{Min: f.OutMin, Max: f.OutMax, tie: tie, starts: starts})
	}
	return l, nil
}

// WriteJSON writes n in the format that ReadJSON reads.
func WriteJSON(w io.Writer, n *Network) error {
	f := jsonNetwork{
		Name: n.Name, Dataset: n.Dataset,
		Input: jsonInput{
			Bits: n.Input.Bits, Frac: n.Input.Fraction, Signed: n.Input.Signed,
			Dim: n.Inputs(), Min: n.Input.Min(), Max: n.Input.Max(),
		},
	}
	from := n.Input
	for k := range n.Layers {
		l := &n.Layers[k]
		if tie := l.Stairs[0].tie; k == 0 && tie != HalfUp {
			f.Tie = tie.String()
		}
		g, err := writeLayer(l, from)
		if err != nil {
			return fmt.Errorf("layer %d: %w", k, err)
		}
		f.Layers = append(f.Layers, g)
		from = l.Output
	}
	return json.NewEncoder(w).Encode(&f)
}

func writeLayer(l *Layer, from Config) (jsonLayer, error) {
	s := &l.Stairs[0]
	f := jsonLayer{
		In: l.In, Out: l.Out, InBits: from.Bits, InFrac: from.Fraction,
		WBits: l.Weight.Bits, WFrac: l.Weight.Fraction, BBits: l.BiasConfig.Bits, BFrac: l.BiasConfig.Fraction,
		OutBits: l.Output.Bits, OutFrac: l.Output.Fraction, OutSigned: l.Output.Signed,
		OutMin: s.Min, OutMax: s.Max, Shift: s.shift,
		BiasShift: from.Fraction + l.Weight.Fraction - l.BiasConfig.Fraction,
	}
	for j := range l.Stairs {
		t := &l.Stairs[j]
		if t.Min != s.Min || t.Max != s.Max || (t.starts == nil) != (s.starts == nil) || t.starts == nil && j > 0 {
			return f, errorf("staircases", "neuron %d has another range than neuron 0", j)
		}
		if t.starts != nil {
			f.Starts = append(f.Starts, t.starts)
		}
	}
	for _, b := range l.Bias {
		if f.BiasShift < 0 || f.BiasShift > 40 || b&(1<<f.BiasShift-1) != 0 {
			f.BiasShift = 0
		}
	}
	for j := range l.Out {
		f.W = append(f.W, l.Row(j))
		f.B = append(f.B, l.Bias[j]>>f.BiasShift)
	}
	return f, nil
}

// ReadFile reads a network from a .json file, plain or with .gz after it.
// Errors: those of ReadJSON, with the path.
func ReadFile(path string) (*Network, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var r io.Reader = bytes.NewReader(text)
	if strings.HasSuffix(strings.ToLower(path), ".gz") {
		if r, err = gzip.NewReader(r); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	n, err := ReadJSON(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return n, nil
}
