package nn

// What rounding Simplify left behind in a layer.
//
// Folding a constant into a layer computes new weights and biases, and that
// rounds. The layer then differs a little from the network it came from, and
// whoever bounds the original through it must know by how much. A folded layer
// therefore counts the roundings in its weights and in its bias, and its bias
// remembers the magnitude of the terms that it was added up from
// (Param.magnitude). With that, Affine's promise holds for the original
// real-number function:
//
//	|weight − exact weight| ≤ γ(weight)·|weight|
//	|bias − exact bias|     ≤ γ(bias)·magnitude
//
// A layer that was not folded has the zero value.

// folded counts the roundings that made a layer's parameters.
type folded struct{ weight, bias int }

// extra is how many roundings folding adds to those of an evaluation.
func (f folded) extra() int { return max(f.weight, f.bias) }
