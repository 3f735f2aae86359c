package nn

// Constant padding: ONNX's Pad in mode "constant". As in ONNX, a negative
// amount removes elements instead.

import "slices"

// Pad puts constant elements before and after each axis.
type Pad struct {
	mover
	before, after []int
}

// NewPad makes a padding by value of every axis.
// Errors: *ValueError.
func NewPad(before, after []int, value float64) (*Pad, error) {
	if len(before) != len(after) {
		return nil, valueErrorf("Pad", "begins %v and ends %v differ in length", before, after)
	}
	for _, n := range slices.Concat(before, after) {
		if n < -MaxElements || n > MaxElements {
			return nil, valueErrorf("Pad", "%d elements are not in [%d, %d]", n, -MaxElements, MaxElements)
		}
	}
	if err := checkConstant("Pad", []float64{value}, nil); err != nil {
		return nil, err
	}
	p := &Pad{before: slices.Clone(before), after: slices.Clone(after)}
	p.kind, p.mover.layout, p.value = "Pad", p.arrange, value
	return p, nil
}

// Amounts is the padding of each axis. The caller must not change it.
func (p *Pad) Amounts() (before, after []int) { return p.before, p.after }

// Value is the value of the padding.
func (p *Pad) Value() float64 { return p.value }

func (p *Pad) arrange(in Shape) (layout, error) {
	if len(p.before) != len(in) {
		return layout{}, p.shapeError("padding of %d axes for an input of %v", len(p.before), in)
	}
	out, st := in.Clone(), strides(in)
	for i := range out {
		out[i] += p.before[i] + p.after[i]
	}
	source := func(axis, i int) int {
		if i -= p.before[axis]; i < 0 || i >= in[axis] {
			return nowhere
		}
		return i * st[axis]
	}
	return layout{out: out, dims: out, repeats: 1, source: source}, nil
}
