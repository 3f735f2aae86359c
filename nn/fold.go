package nn

// The arithmetic of Simplify's folds.
//
// Everything that folds into a layer is, element by element, s·x + t: a
// constant sum, difference, product or quotient, or a batch normalisation.
// Behind a layer W·x + b with s and t equal for all elements of an output
// channel this is (s·W)·x + (s·b + t); before it, with s and t equal for all
// elements of an input channel, (W·s)·x + (b + W·t). The latter holds for a
// convolution only if t = 0 or nothing is padded, since padding is put on
// after t is added.
//
// Sums of products are added up as unevaluated pairs of float64 (Ogita, Rump
// and Oishi 2005, Dot2), so that they cost one rounding, plus n²u² times the
// magnitude of their terms, which the counts below cover for any n < 2²⁶.

import (
	"math"
	"math/big"
)

// elements is out[i] = scale[i]·in[i] + shift[i], computed with roundings:
//
//	|scale − exact| ≤ γ(scaleRounding)·|scale|
//	|shift − exact| ≤ γ(shiftRounding)·magnitude
type elements struct {
	scale, shift, magnitude      []float64
	scaleRounding, shiftRounding int
}

func newElements(n int) *elements {
	return &elements{scale: make([]float64, n), shift: make([]float64, n), magnitude: make([]float64, n)}
}

// elementsOf is node n, which reads a tensor of shape in, as elements; nil if
// it is not element-wise affine.
func elementsOf(n *Node, in Shape) *elements {
	if n.Shape.Size() != in.Size() {
		return nil
	}
	switch op := n.Op.(type) {
	case *ConstArith:
		return op.elements(n.Shape)
	case *BatchNorm:
		return op.elements(in)
	}
	return nil
}

func (a *ConstArith) elements(out Shape) *elements {
	e := newElements(out.Size())
	c, magnitude := make([]float64, len(e.scale)), make([]float64, len(e.scale))
	broadcast(assignSum, tensor[float64]{c, out}, tensor[float64]{a.c64, a.shape}, noBias)
	broadcast(assignSum, tensor[float64]{magnitude, out}, tensor[float64]{a.abs, a.shape}, noBias)
	switch a.kind {
	case ArithMul:
		e.scale, e.scaleRounding = c, a.folded
	case ArithDiv:
		for i, v := range c {
			e.scale[i] = 1 / v
		}
		e.scaleRounding = a.folded + 2
	default:
		sign, shiftSign := a.signs()
		for i, v := range c {
			e.scale[i], e.shift[i] = sign, shiftSign*v
		}
		e.magnitude, e.shiftRounding = magnitude, a.folded
	}
	return e
}

// signs writes a sum or difference as sign·x + shiftSign·constant.
func (a *ConstArith) signs() (sign, shiftSign float64) {
	switch {
	case a.kind == ArithSub && a.constFirst:
		return -1, 1
	case a.kind == ArithSub:
		return 1, -1
	}
	return 1, 1
}

func (b *BatchNorm) elements(in Shape) *elements {
	e := newElements(in.Size())
	plane, channels := b.plane(in), len(b.scale.Values())
	for i := range e.scale {
		ch := i / plane % channels
		f, m, t := b.factor(ch), b.mean.Values()[ch], b.bias.Values()[ch]
		e.scale[i], e.shift[i] = f, t-f*m
		e.magnitude[i] = math.Abs(t) + math.Abs(f*m)
	}
	e.scaleRounding, e.shiftRounding = 4, 6 // +, √, /; then · and −
	return e
}

// perChannel reduces e to one element per channel, when element i belongs to
// channel i/plane mod channels; nil if a channel's elements differ.
func (e *elements) perChannel(channels, plane int) *elements {
	r := newElements(channels)
	r.scaleRounding, r.shiftRounding = e.scaleRounding, e.shiftRounding
	for i := range e.scale {
		ch := i / plane % channels
		if i < channels*plane && i%plane == 0 {
			r.scale[ch], r.shift[ch], r.magnitude[ch] = e.scale[i], e.shift[i], e.magnitude[i]
		}
		if r.scale[ch] != e.scale[i] || r.shift[ch] != e.shift[i] || r.magnitude[ch] != e.magnitude[i] {
			return nil
		}
	}
	return r
}

// shifts reports whether e adds anything.
func (e *elements) shifts() bool {
	for i, v := range e.shift {
		if v != 0 || e.magnitude[i] != 0 {
			return true
		}
	}
	return false
}

// linear is a Dense or Conv being folded into.
type linear struct {
	weight, bias, magnitude []float64 // bias and magnitude nil for none
	folded                  folded
	out, in                 int              // channels
	inChannel               func(at int) int // of a weight
	build                   func(w, b []float64) (Operator, *Param, *folded, error)
}

func linearOf(op Operator) *linear {
	switch op := op.(type) {
	case *Dense:
		out, in := op.dims()
		return &linear{
			weight: op.weight.Values(), bias: paramValues[float64](op.bias), magnitude: absValues(op.bias),
			folded: op.folded, out: out, in: in,
			inChannel: func(at int) int { return at % in },
			build: func(w, b []float64) (Operator, *Param, *folded, error) {
				d, err := NewDense(out, in, w, b)
				if err != nil {
					return nil, nil, nil, err
				}
				return d, d.bias, &d.folded, nil
			},
		}
	case *Conv:
		in, out := op.Channels()
		perGroup, kernel := op.weight.Shape[1], op.weight.Shape[2:].Size()
		return &linear{
			weight: op.weight.Values(), bias: paramValues[float64](op.bias), magnitude: absValues(op.bias),
			folded: op.folded, out: out, in: in,
			inChannel: func(at int) int {
				group := at / (perGroup * kernel) / (out / op.config.Groups)
				return group*perGroup + at/kernel%perGroup
			},
			build: func(w, b []float64) (Operator, *Param, *folded, error) {
				c, err := NewConv(op.config, out, in, w, b)
				if err != nil {
					return nil, nil, nil, err
				}
				return c, c.bias, &c.folded, nil
			},
		}
	}
	return nil
}

// finish makes the operator with new parameters; false if they are not fit.
func (l *linear) finish(w, b, magnitude []float64, f folded) (Operator, bool) {
	if !representable(w) || !representable(b) {
		return nil, false
	}
	op, bias, dst, err := l.build(w, b)
	if err != nil {
		return nil, false
	}
	*dst = f
	if bias != nil {
		bias.magnitude = magnitude
	}
	return op, true
}

// after is the layer followed by e, which holds one element per output
// channel.
func (l *linear) after(e *elements) (Operator, bool) {
	w, row := make([]float64, len(l.weight)), len(l.weight)/l.out
	exact := true
	for i, v := range l.weight {
		s := e.scale[i/row]
		if w[i] = v * s; !safeProduct(v, s) {
			return nil, false
		}
		exact = exact && (s == 1 || s == -1)
	}
	f := folded{weight: l.folded.weight, bias: l.folded.bias}
	if !exact || e.scaleRounding > 0 {
		f.weight += e.scaleRounding + 2
	}
	if l.bias == nil && !e.shifts() {
		return l.finish(w, nil, nil, folded{weight: f.weight})
	}
	b, magnitude := make([]float64, l.out), make([]float64, l.out)
	for o := range b {
		b[o], magnitude[o] = e.shift[o], e.magnitude[o]
		if l.bias != nil {
			if !safeProduct(l.bias[o], e.scale[o]) {
				return nil, false
			}
			b[o] += l.bias[o] * e.scale[o]
			magnitude[o] += l.magnitude[o] * math.Abs(e.scale[o])
		}
	}
	f.bias = max(f.bias+e.scaleRounding+1, e.shiftRounding) + 2
	return l.finish(w, b, magnitude, f)
}

// before is the layer preceded by e, which holds one element per input
// channel.
func (l *linear) before(e *elements) (Operator, bool) {
	w := make([]float64, len(l.weight))
	exact := true
	for i, v := range l.weight {
		s := e.scale[l.inChannel(i)]
		if w[i] = v * s; !safeProduct(v, s) {
			return nil, false
		}
		exact = exact && (s == 1 || s == -1)
	}
	f := l.folded
	if !exact || e.scaleRounding > 0 {
		f.weight += e.scaleRounding + 2
	}
	if !e.shifts() {
		return l.finish(w, l.bias, l.magnitude, f)
	}
	b, magnitude, row := make([]float64, l.out), make([]float64, l.out), len(w)/l.out
	for o := range b {
		var sum pair
		if l.bias != nil {
			sum.add(l.bias[o], 1)
			magnitude[o] = l.magnitude[o]
		}
		for i := o * row; i < (o+1)*row; i++ {
			v, ch := l.weight[i], l.inChannel(i)
			if !safeProduct(v, e.shift[ch]) {
				return nil, false
			}
			sum.add(v, e.shift[ch])
			magnitude[o] += math.Abs(v) * e.magnitude[ch]
		}
		b[o] = sum.value()
	}
	f.bias = max(l.folded.bias, l.folded.weight+e.shiftRounding) + 4
	return l.finish(w, b, magnitude, f)
}

// pair is a sum of products, kept as high + low.
type pair struct{ high, low float64 }

func (p *pair) add(x, y float64) {
	product := x * y
	rest := math.FMA(x, y, -product)
	sum := p.high + product
	back := sum - p.high
	p.low += (p.high - (sum - back)) + (product - back) + rest
	p.high = sum
}

func (p *pair) value() float64 { return p.high + p.low }

// safeProduct reports whether x·y is 0 or far enough from float64's underflow
// for its rounding error to be relative, even in a pair.
func safeProduct(x, y float64) bool {
	return x == 0 || y == 0 || math.Abs(x*y) > 0x1p-900
}

// representable reports whether float32 can hold every number, if not exactly.
func representable(x []float64) bool {
	for _, v := range x {
		if math.IsNaN(v) || math.IsInf(float64(float32(v)), 0) {
			return false
		}
	}
	return true
}

// product is Σ xᵢ·yᵢ, yᵢ being stride apart, rounded once.
func product(x, y []float64, stride int) float64 {
	var sum pair
	magnitude := 0.0
	for i, v := range x {
		sum.add(v, y[i*stride])
		magnitude += math.Abs(v * y[i*stride])
	}
	n := float64(len(x))
	if math.Abs(sum.value()) >= magnitude*n*n*0x1p-50 {
		return sum.value()
	}
	const exact = 4400 // bits, enough for any sum of products of float64
	total, term := new(big.Float).SetPrec(exact), new(big.Float).SetPrec(exact)
	for i, v := range x {
		term.Mul(new(big.Float).SetFloat64(v), new(big.Float).SetFloat64(y[i*stride]))
		total.Add(total, term)
	}
	r, _ := total.Float64()
	return r
}
