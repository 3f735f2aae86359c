package nn

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// Shape is the sizes of a tensor's axes, outermost first. A scalar has no axes.
//
// Shapes in this package are per sample: the batch that a Network is evaluated
// on is never one of their axes. A network read from ONNX keeps the leading
// axis of its file (of size 1), so that axis numbers in the file keep their
// meaning.
type Shape []int

// Size is the number of elements. A shape too large for an int yields -1.
func (s Shape) Size() int {
	n := 1
	for _, d := range s {
		if d < 0 {
			return -1
		}
		if d != 0 && n > math.MaxInt/d {
			return -1
		}
		n *= d
	}
	return n
}

// Equal reports whether s and t have the same axes.
func (s Shape) Equal(t Shape) bool { return slices.Equal(s, t) }

// Clone is an independent copy.
func (s Shape) Clone() Shape { return slices.Clone(s) }

// String is the shape as it is written in messages: [1 28 28].
func (s Shape) String() string {
	parts := make([]string, len(s))
	for i, d := range s {
		parts[i] = strconv.Itoa(d)
	}
	return "[" + strings.Join(parts, " ") + "]"
}

// Axis turns an axis number that may count from the end (-1 is the last) into
// one in [0, len(s)), and reports whether there is such an axis.
func (s Shape) Axis(axis int) (int, bool) {
	if axis < 0 {
		axis += len(s)
	}
	return axis, axis >= 0 && axis < len(s)
}
