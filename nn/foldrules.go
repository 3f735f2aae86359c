package nn

// The rules of Simplify that fold one node into another: which nodes may be
// folded. How is fold.go's.

import "math"

// source is the node that node i gets its elements from, through views. Each
// node on the way, and the source, must have no other reader.
func (s *simplifier) source(i int) (int, bool) {
	for {
		if len(s.nodes[i].Inputs) != 1 {
			return 0, false
		}
		i = s.nodes[i].Inputs[0]
		if i == 0 || s.uses[i] != 1 {
			return 0, false
		}
		if !isView(s.nodes[i].Op) {
			return i, true
		}
	}
}

// channelPlane is the number of elements of each channel of op's input or
// output of shape s: element i belongs to channel i/plane mod channels.
func channelPlane(op Operator, s Shape) int {
	if v, ok := op.(*Conv); ok {
		return s[len(s)-len(v.windows):].Size()
	}
	return 1
}

// foldAfter folds node i into the layer before it.
func (s *simplifier) foldAfter(i int) bool {
	j, ok := s.source(i)
	if !ok {
		return false
	}
	l := linearOf(s.nodes[j].Op)
	if l == nil {
		return false
	}
	e := elementsOf(&s.nodes[i], s.input(i).Shape)
	if e == nil {
		return false
	}
	if e = e.perChannel(l.out, channelPlane(s.nodes[j].Op, s.nodes[j].Shape)); e == nil {
		return false
	}
	op, ok := l.after(e)
	if !ok {
		return false
	}
	s.nodes[j].Op = op
	s.reshape(i)
	return true
}

// foldBefore folds what comes before layer i into it.
func (s *simplifier) foldBefore(i int) bool {
	l := linearOf(s.nodes[i].Op)
	if l == nil {
		return false
	}
	j, ok := s.source(i)
	if !ok || len(s.nodes[j].Inputs) != 1 {
		return false
	}
	e := elementsOf(&s.nodes[j], s.input(j).Shape)
	if e == nil {
		return false
	}
	if e = e.perChannel(l.in, channelPlane(s.nodes[i].Op, s.input(i).Shape)); e == nil {
		return false
	}
	if v, ok := s.nodes[i].Op.(*Conv); ok && e.shifts() {
		for _, p := range v.config.Pad {
			if p != 0 {
				return false
			}
		}
	}
	op, ok := l.before(e)
	if !ok {
		return false
	}
	s.nodes[i].Op = op
	s.reshape(j)
	return true
}

// mergeArith merges two constant sums, or two constant products.
func (s *simplifier) mergeArith(i int) bool {
	second, ok := s.nodes[i].Op.(*ConstArith)
	if !ok {
		return false
	}
	j := s.nodes[i].Inputs[0]
	first, ok := s.nodes[j].Op.(*ConstArith)
	if !ok || s.uses[j] != 1 {
		return false
	}
	op, ok := mergedArith(first, second)
	if !ok {
		return false
	}
	s.nodes[i].Op, s.nodes[i].Inputs = op, s.nodes[j].Inputs
	return true
}

// mergedArith is second ∘ first as one operator.
func mergedArith(first, second *ConstArith) (*ConstArith, bool) {
	additive := first.kind <= ArithSub
	shape, ok := Broadcast(first.shape, second.shape)
	if !ok || additive != (second.kind <= ArithSub) {
		return nil, false
	}
	n := shape.Size()
	expand := func(v []float64, s Shape) []float64 {
		x := make([]float64, n)
		broadcast(assignSum, tensor[float64]{x, shape}, tensor[float64]{v, s}, noBias)
		return x
	}
	x, y := expand(first.c64, first.shape), expand(second.c64, second.shape)
	ax, ay := expand(first.abs, first.shape), expand(second.abs, second.shape)
	kind, constFirst := ArithAdd, false
	if additive {
		sign1, shift1 := first.signs()
		sign2, shift2 := second.signs()
		if sign1*sign2 < 0 {
			kind, constFirst = ArithSub, true
		}
		for i := range x {
			x[i], ax[i] = sign2*shift1*x[i]+shift2*y[i], ax[i]+ay[i]
		}
	} else {
		kind = ArithMul
		for i := range x {
			a, b := x[i], y[i]
			switch {
			case first.kind == second.kind: // a·b, or 1/(a·b)
				kind = first.kind
			case first.kind == ArithDiv: // b/a
				a, b = b, 1/a
			default: // a/b
				b = 1 / b
			}
			if x[i] = a * b; !safeProduct(a, b) {
				return nil, false
			}
			ax[i] = math.Abs(x[i])
		}
	}
	op, err := NewConstArith(kind, x, shape, constFirst)
	if err != nil {
		return nil, false
	}
	op.abs, op.folded = ax, first.folded+second.folded+3
	return op, true
}

// mergeDense merges node i with the Dense right before it, if one matrix is
// less work than two. The product of two matrices that are themselves rounded
// could cancel, and its error would no longer be relative; those stay apart.
func (s *simplifier) mergeDense(i int) bool {
	second, ok := s.nodes[i].Op.(*Dense)
	if !ok {
		return false
	}
	j := s.nodes[i].Inputs[0]
	first, ok := s.nodes[j].Op.(*Dense)
	if !ok || s.uses[j] != 1 || first.folded.weight+second.folded.weight > 0 {
		return false
	}
	mid, in := first.dims()
	out, _ := second.dims()
	if out*in >= mid*(in+out) {
		return false
	}
	op, ok := mergedDense(first, second)
	if !ok {
		return false
	}
	s.nodes[i].Op, s.nodes[i].Inputs = op, s.nodes[j].Inputs
	return true
}

func mergedDense(first, second *Dense) (*Dense, bool) {
	mid, in := first.dims()
	out, _ := second.dims()
	w := make([]float64, out*in)
	for o := range out {
		row := second.weight.Values()[o*mid : (o+1)*mid]
		for i := range in {
			for k, v := range row {
				if !safeProduct(v, first.weight.Values()[k*in+i]) {
					return nil, false
				}
			}
			w[o*in+i] = product(row, first.weight.Values()[i:], in)
		}
	}
	// The bias is that of second, preceded by a shift by first's.
	e := newElements(mid)
	for i := range e.scale {
		e.scale[i] = 1
	}
	if first.bias != nil {
		e.shift, e.magnitude, e.shiftRounding = first.bias.Values(), first.bias.abs(), first.folded.bias
	}
	shifted, ok := linearOf(second).before(e)
	if !ok || !representable(w) {
		return nil, false
	}
	b := shifted.(*Dense)
	d, err := NewDense(out, in, w, paramValues[float64](b.bias))
	if err != nil {
		return nil, false
	}
	d.folded = folded{weight: 2, bias: b.folded.bias}
	if d.bias != nil {
		d.bias.magnitude = b.bias.magnitude
	}
	return d, true
}
