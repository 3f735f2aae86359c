package nn

// Permutation of axes: ONNX's Transpose.

import "slices"

// Transpose permutes axes: output axis i is input axis perm[i].
type Transpose struct {
	mover
	perm []int
}

// NewTranspose makes a transposition; no perm reverses all axes.
// Errors: *ValueError unless perm is a permutation.
func NewTranspose(perm []int) (*Transpose, error) {
	if _, ok := markAxes(perm, len(perm)); !ok || slices.ContainsFunc(perm, func(a int) bool { return a < 0 }) {
		return nil, valueErrorf("Transpose", "%v is not a permutation", perm)
	}
	t := &Transpose{perm: slices.Clone(perm)}
	t.kind, t.mover.layout = "Transpose", t.arrange
	return t, nil
}

// Perm is the permutation as given. The caller must not change it.
func (t *Transpose) Perm() []int { return t.perm }

func (t *Transpose) arrange(in Shape) (layout, error) {
	perm := t.perm
	if len(perm) == 0 {
		for i := range in {
			perm = append(perm, len(in)-1-i)
		}
	}
	if len(perm) != len(in) {
		return layout{}, t.shapeError("permutation %v of %v", perm, in)
	}
	out, st := in.Clone(), strides(in)
	for i, a := range perm {
		out[i] = in[a]
	}
	return layout{out: out, dims: out, repeats: 1, source: func(axis, i int) int { return i * st[perm[axis]] }}, nil
}
