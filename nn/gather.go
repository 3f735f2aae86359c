package nn

// Selection along one axis: ONNX's Gather with constant indices.

import (
	"fmt"
	"slices"
)

// Gather replaces one axis by the axes of an index tensor.
type Gather struct {
	mover
	axis       int
	indices    []int
	indexShape Shape
}

// NewGather makes a selection of indices along axis. The index tensor's axes
// take the place of that axis; an index without axes drops it. Axis and
// indices may count from the end.
// Errors: *ShapeError if indices do not fill indexShape.
func NewGather(axis int, indices []int, indexShape Shape) (*Gather, error) {
	if indexShape.Size() != len(indices) || len(indices) == 0 {
		return nil, &ShapeError{Op: "Gather", Detail: fmt.Sprintf("%d indices for shape %v", len(indices), indexShape)}
	}
	g := &Gather{axis: axis, indices: slices.Clone(indices), indexShape: indexShape.Clone()}
	g.kind, g.mover.layout = "Gather", g.arrange
	return g, nil
}

// Axis is the axis, as given.
func (g *Gather) Axis() int { return g.axis }

// Indices is the index tensor, as given. The caller must not change it.
func (g *Gather) Indices() ([]int, Shape) { return g.indices, g.indexShape }

func (g *Gather) arrange(in Shape) (layout, error) {
	at, ok := in.Axis(g.axis)
	if !ok {
		return layout{}, g.shapeError("%v has no axis %d", in, g.axis)
	}
	n := in[at]
	for _, i := range g.indices {
		if i < -n || i >= n {
			return layout{}, g.shapeError("index %d into axis %d of %v", i, g.axis, in)
		}
	}
	// The moves see the index tensor as one axis.
	st, offsets := strides(in), make([]int, len(g.indices))
	counts, repeats := map[int]int{}, 0
	for k, i := range g.indices {
		if i < 0 {
			i += n
		}
		offsets[k] = i * st[at]
		counts[i]++
		repeats = max(repeats, counts[i])
	}
	dims := in.Clone()
	dims[at] = len(offsets)
	return layout{
		out: slices.Concat(in[:at], g.indexShape, in[at+1:]), dims: dims, repeats: repeats,
		source: func(axis, i int) int {
			if axis == at {
				return offsets[i]
			}
			return i * st[axis]
		},
	}, nil
}
