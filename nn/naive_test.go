package nn

// The dumb twin of every operator: values in 400-bit arithmetic, one output at
// a time, straight from the definition, with no plan, no broadcast loop and no
// kernel of the package.

import (
	"math/big"
	"slices"
)

type num = *big.Float

const naivePrec = 400

func exact(x float64) num { return new(big.Float).SetPrec(naivePrec).SetFloat64(x) }

func exacts(x []float64) []num {
	r := make([]num, len(x))
	for i, v := range x {
		r[i] = exact(v)
	}
	return r
}

func plus(a, b num) num  { return exact(0).Add(a, b) }
func minus(a, b num) num { return exact(0).Sub(a, b) }
func times(a, b num) num { return exact(0).Mul(a, b) }
func over(a, b num) num  { return exact(0).Quo(a, b) }

// each calls f with every multi-index of s, in row-major order.
func each(s Shape, f func(at []int)) {
	at := make([]int, len(s))
	for range s.Size() {
		f(at)
		for i := len(s) - 1; i >= 0; i-- {
			if at[i]++; at[i] < s[i] {
				break
			}
			at[i] = 0
		}
	}
}

// flat is the offset of a multi-index, of which leading surplus axes are
// dropped and axes of size 1 are taken as 0 (as in broadcasting).
func flat(s Shape, at []int) int {
	at = at[len(at)-len(s):]
	n := 0
	for i, d := range s {
		n *= d
		if d != 1 {
			n += at[i]
		}
	}
	return n
}

// naive is op at x, one sample.
func naive(op Operator, in []Shape, x [][]num) []num {
	out, err := op.OutShape(in)
	if err != nil {
		panic(err)
	}
	y := make([]num, 0, out.Size())
	element := naiveElement(op, in, x, out)
	each(out, func(at []int) { y = append(y, element(at)) })
	return y
}

func naiveElement(op Operator, in []Shape, x [][]num, out Shape) func(at []int) num {
	switch op := op.(type) {
	case *Dense:
		return func(at []int) num {
			s, i := exact(0), slices.Clone(at)
			o, last := at[len(at)-1], len(at)-1
			if op.bias != nil {
				s = exact(op.bias.Values()[o])
			}
			for k := range in[0][last] {
				i[last] = k
				s = plus(s, times(exact(op.weight.Values()[o*in[0][last]+k]), x[0][flat(in[0], i)]))
			}
			return s
		}
	case *MatMulLeft:
		return func(at []int) num {
			s, i, row := exact(0), slices.Clone(at), len(at)-2
			for k := range in[0][row] {
				i[row] = k
				s = plus(s, times(exact(op.weight.Values()[at[row]*in[0][row]+k]), x[0][flat(in[0], i)]))
			}
			return s
		}
	case *Conv:
		return naiveConv(op, in[0], x[0])
	case *AveragePool:
		return naiveAverage(op.pool, in[0], x[0])
	case *MaxPool:
		return naiveMax(op.pool, in[0], x[0])
	case GlobalAveragePool:
		axes := []int{}
		first, _ := in[0].Axis(op.Axis)
		for a := first; a < len(in[0]); a++ {
			axes = append(axes, a)
		}
		return naiveReduce(in[0], x[0], axes, true, true)
	case *Reduce:
		axes := []int{}
		for a := range in[0] {
			if len(op.axes) == 0 || slices.Contains(op.axes, a) || slices.Contains(op.axes, a-len(in[0])) {
				axes = append(axes, a)
			}
		}
		return naiveReduce(in[0], x[0], axes, op.keepDims, op.kind == ReduceMean)
	case *BatchNorm:
		return func(at []int) num {
			axis, _ := in[0].Axis(op.axis)
			c := at[axis]
			deviation := exact(0).Sqrt(plus(exact(op.variance.Values()[c]), exact(op.epsilon)))
			v := over(minus(x[0][flat(in[0], at)], exact(op.mean.Values()[c])), deviation)
			return plus(times(v, exact(op.scale.Values()[c])), exact(op.bias.Values()[c]))
		}
	case *ConstArith:
		return func(at []int) num {
			a, b := x[0][flat(in[0], at)], exact(op.c64[flat(op.shape, at)])
			if op.constFirst {
				a, b = b, a
			}
			return [...]func(a, b num) num{plus, minus, times, over}[op.kind](a, b)
		}
	case Add:
		return func(at []int) num {
			s := exact(0)
			for k := range x {
				s = plus(s, x[k][flat(in[k], at)])
			}
			return s
		}
	case Sub:
		return func(at []int) num { return minus(x[0][flat(in[0], at)], x[1][flat(in[1], at)]) }
	case *Constant:
		return func(at []int) num { return exact(op.v64[flat(out, at)]) }
	case Concat:
		return func(at []int) num {
			axis, _ := out.Axis(op.Axis)
			i := slices.Clone(at)
			for k := range x {
				if i[axis] < in[k][axis] {
					return x[k][flatExact(in[k], i)]
				}
				i[axis] -= in[k][axis]
			}
			panic("beyond the last input")
		}
	case Elementwise:
		return func(at []int) num {
			v, _ := x[0][flat(in[0], at)].Float64()
			return exact(op.Value(v))
		}
	}
	if isView(op) {
		return func(at []int) num { return x[0][flatExact(out, at)] }
	}
	return naiveMove(op, in[0], x[0])
}

// flatExact is flat without broadcasting.
func flatExact(s Shape, at []int) int {
	n := 0
	for i, d := range s {
		n = n*d + at[i]
	}
	return n
}

func naiveMove(op Operator, in Shape, x []num) func(at []int) num {
	switch op := op.(type) {
	case *Transpose:
		return func(at []int) num {
			i := make([]int, len(at))
			for k := range at {
				if len(op.perm) == 0 {
					i[len(at)-1-k] = at[k]
				} else {
					i[op.perm[k]] = at[k]
				}
			}
			return x[flatExact(in, i)]
		}
	case *Slice:
		return func(at []int) num {
			i := slices.Clone(at)
			for k, a := range op.axes {
				axis, _ := in.Axis(a)
				i[axis] = naiveRange(op.starts[k], op.ends[k], op.steps[k], in[axis])[at[axis]]
			}
			return x[flatExact(in, i)]
		}
	case *Gather:
		return func(at []int) num {
			axis, _ := in.Axis(op.axis)
			r := len(op.indexShape)
			k := op.indices[flatExact(op.indexShape, at[axis:axis+r])]
			if k < 0 {
				k += in[axis]
			}
			return x[flatExact(in, slices.Concat(at[:axis], []int{k}, at[axis+r:]))]
		}
	case *Pad:
		return func(at []int) num {
			i := slices.Clone(at)
			for k := range i {
				i[k] -= op.before[k]
				if i[k] < 0 || i[k] >= in[k] {
					return exact(op.value)
				}
			}
			return x[flatExact(in, i)]
		}
	}
	panic("no twin for " + op.Kind())
}

// naiveRange is the indices of the slice start:end:step of n elements.
func naiveRange(start, end, step, n int) []int {
	var r []int
	for i := range n {
		// i is taken if it lies between start and end and on the grid.
		s, e := start, end
		if s < 0 {
			s += n
		}
		if e < 0 {
			e += n
		}
		if step > 0 {
			s = max(s, 0)
			if i >= s && i < e && (i-s)%step == 0 {
				r = append(r, i)
			}
		} else {
			s = min(max(s, 0), n-1) // ONNX clamps where Python would take nothing
			if i <= s && i > e && (s-i)%-step == 0 {
				r = append(r, i)
			}
		}
	}
	if step < 0 {
		slices.Reverse(r)
	}
	return r
}

// geometry is a window over the last axes, spelled out.
type geometry struct{ kernel, stride, dilation, pad []int }

// visit calls f for every kernel position k at output position at, with the
// input position (which may lie in the padding).
func (g geometry) visit(at []int, f func(k, pos []int)) {
	pos := make([]int, len(g.kernel))
	each(g.kernel, func(k []int) {
		for i := range k {
			pos[i] = at[i]*g.stride[i] - g.pad[i] + k[i]*g.dilation[i]
		}
		f(k, pos)
	})
}

// inside reports whether pos lies on axes of the given sizes, extended by
// before and after.
func inside(pos, size, before, after []int) bool {
	for i, p := range pos {
		if p < -before[i] || p >= size[i]+after[i] {
			return false
		}
	}
	return true
}

func naiveConv(v *Conv, in Shape, x []num) func(at []int) num {
	n := len(v.config.Kernel)
	g := geometry{v.config.Kernel, v.config.Stride, v.config.Dilation, v.config.Pad}
	perGroup, none := v.weight.Shape[1], make([]int, n)
	return func(at []int) num {
		lead := len(at) - n - 1
		o := at[lead]
		s := exact(0)
		if v.bias != nil {
			s = exact(v.bias.Values()[o])
		}
		for c := range perGroup {
			g.visit(at[lead+1:], func(k, pos []int) {
				if !inside(pos, in[lead+1:], none, none) {
					return
				}
				channel := o/(v.weight.Shape[0]/v.config.Groups)*perGroup + c
				w := v.weight.Values()[flatExact(v.weight.Shape, slices.Concat([]int{o, c}, k))]
				s = plus(s, times(exact(w), x[flatExact(in, slices.Concat(at[:lead], []int{channel}, pos))]))
			})
		}
		return s
	}
}

func naiveAverage(p *pool, in Shape, x []num) func(at []int) num {
	n := len(p.config.Kernel)
	g := geometry{p.config.Kernel, p.config.Stride, p.config.Dilation, p.config.Pad}
	none := make([]int, n)
	return func(at []int) num {
		lead := len(at) - n
		s, count := exact(0), 0
		g.visit(at[lead:], func(_, pos []int) {
			switch {
			case inside(pos, in[lead:], none, none):
				s = plus(s, x[flatExact(in, slices.Concat(at[:lead], pos))])
				count++
			case p.config.CountIncludePad && inside(pos, in[lead:], p.config.Pad[:n], p.config.Pad[n:]):
				count++
			}
		})
		return over(s, exact(float64(count)))
	}
}

func naiveMax(p *pool, in Shape, x []num) func(at []int) num {
	n := len(p.config.Kernel)
	g := geometry{p.config.Kernel, p.config.Stride, p.config.Dilation, p.config.Pad}
	none := make([]int, n)
	return func(at []int) num {
		lead := len(at) - n
		var best num
		g.visit(at[lead:], func(_, pos []int) {
			if !inside(pos, in[lead:], none, none) {
				return
			}
			if v := x[flatExact(in, slices.Concat(at[:lead], pos))]; best == nil || v.Cmp(best) > 0 {
				best = v
			}
		})
		return best
	}
}

func naiveReduce(in Shape, x []num, axes []int, keep, mean bool) func(at []int) num {
	return func(at []int) num {
		s, count := exact(0), 0
		each(in, func(i []int) {
			k := 0
			for a := range in {
				switch {
				case slices.Contains(axes, a):
					if keep {
						k++
					}
					continue
				case at[k] != i[a]:
					return
				}
				k++
			}
			s = plus(s, x[flatExact(in, i)])
			count++
		})
		if mean {
			s = over(s, exact(float64(count)))
		}
		return s
	}
}

// naiveNetwork is net at x, every operator by its twin.
func naiveNetwork(net Network, x []num) []num {
	values := make([][]num, len(net.Nodes()))
	values[0] = x
	for i, n := range net.Nodes() {
		if i == 0 {
			continue
		}
		in := make([][]num, len(n.Inputs))
		for k, j := range n.Inputs {
			in[k] = values[j]
		}
		values[i] = naive(n.Op, InShapes(net, i), in)
	}
	return values[net.Output()]
}
