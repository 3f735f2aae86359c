package reach

// Affine operators, exactly: the linear part on every generator, the whole map on
// the centre, rounding into the slack (form.go).
//
// How the generators go through depends on the operator:
//
//	views, + constant       shared as they are
//	BatchNorm, · constant   element by element, in their patches
//	Conv, AveragePool       patch by patch (patches.go)
//	Dense                   as a matrix (product.go)
//	Add, Sub                merged by variable
//	all else, a caller's    the operator's own Forward on dense batches
//
// Operators that are given weights through nn.Simplify carry the roundings of
// folding in Rounding, which the slack pays for like any other.

import (
	"math"
	"slices"

	"github.com/vouchnn/vouch/nn"
)

// affine is an affine operator made ready for inputs of given shapes. It is not
// changed after that and safe for concurrent use.
type affine struct {
	op    nn.Affine
	in    []nn.Shape
	out   nn.Shape
	moves bool    // numbers are only moved about
	gamma float64 // of one output, generators included
	bias  []float64
	terms []float64 // |b|, which the generators' sums lose precision to; nil if they do not
	// carry is the linear part on the generators. The forms have the operator's
	// input shapes.
	carry func(ins []*form) (generators, view)
}

// newAffine prepares op. Its inputs have been checked by a Builder.
func newAffine(op nn.Affine, in []nn.Shape, out nn.Shape) *affine {
	a := &affine{op: op, in: in, out: out}
	f, b := op.Rounding(in)
	a.moves = f == 0
	a.gamma = gamma(max(f, b) + 4)
	zero := make([]*form, len(in))
	for i, s := range in {
		zero[i] = &form{centre: make([]float64, s.Size())}
	}
	a.bias = a.centre(zero)
	a.choose()
	return a
}

// choose picks how generators go through.
func (a *affine) choose() {
	if len(a.in) == 1 && a.in[0].Size() == a.out.Size() && a.shares() {
		a.carry = func(ins []*form) (generators, view) { return ins[0].gens, ins[0].view }
		return
	}
	switch op := a.op.(type) {
	case *nn.BatchNorm:
		a.carry = a.diagonal()
		return
	case *nn.ConstArith:
		if a.in[0].Size() == a.out.Size() {
			a.carry = a.diagonal()
			return
		}
	case *nn.Conv:
		if c := newConvolution(op, a.in[0], a.out); c != nil {
			a.carry = c.carry
			return
		}
	case *nn.AveragePool:
		a.carry = newPooling(op, a.in[0], a.out).carry
		return
	case *nn.Dense:
		if w := op.Weight(); w.Shape[1] == a.in[0].Size() {
			a.carry = newProduct(w.Values(), w.Shape[0], w.Shape[1]).carry
			return
		}
	case nn.Add:
		if a.sameShapes() {
			a.carry = func(ins []*form) (generators, view) { return merge(ins, 1) }
			return
		}
	case nn.Sub:
		if a.sameShapes() {
			a.carry = func(ins []*form) (generators, view) { return merge(ins, -1) }
			return
		}
	}
	for _, v := range a.bias {
		if v != 0 && !a.moves {
			a.terms = a.magnitude(nil)
			break
		}
	}
	a.carry = a.generic
}

// shares reports whether generators pass as they are.
func (a *affine) shares() bool {
	switch op := a.op.(type) {
	case nn.Identity, nn.Flatten, *nn.Reshape, *nn.Squeeze, *nn.Unsqueeze:
		return true
	case *nn.ConstArith:
		return op.Arith() == nn.ArithAdd || op.Arith() == nn.ArithSub && !op.ConstFirst()
	}
	return false
}

func (a *affine) sameShapes() bool {
	for _, s := range a.in {
		if !s.Equal(a.out) {
			return false
		}
	}
	return true
}

// apply is the image of forms over the same variables, of whose box b is.
func (a *affine) apply(ins []*form, b *box) *form {
	out := &form{shape: a.out, centre: a.centre(ins)}
	out.gens, out.view = a.carry(ins)
	out.slack = a.errors(ins, b)
	return out
}

// centre is the operator's value at the centres.
func (a *affine) centre(ins []*form) []float64 {
	c := a.call(1)
	for i, f := range ins {
		c.In[i] = f.centre
	}
	a.op.Forward64(c)
	return c.Out
}

func (a *affine) call(batch int) *nn.Call[float64] {
	return &nn.Call[float64]{
		Batch: batch, InShapes: a.in, OutShape: a.out,
		In: make([][]float64, len(a.in)), Out: make([]float64, batch*a.out.Size()),
	}
}

// magnitude is |W|·x + |b|, with x zero if sizes is nil.
func (a *affine) magnitude(sizes [][]float64) []float64 {
	c := a.call(1)
	for i, s := range a.in {
		if sizes == nil {
			c.In[i] = make([]float64, s.Size())
		} else {
			c.In[i] = sizes[i]
		}
	}
	a.op.Magnitude64(c, true)
	return c.Out
}

// errors is the slack of the image.
func (a *affine) errors(ins []*form, b *box) []float64 {
	var slack []float64
	for _, f := range ins {
		if f.slack != nil {
			slack = a.spreadSlack(ins)
			break
		}
	}
	if a.moves {
		return slack
	}
	sizes := make([][]float64, len(ins))
	reach := 0.0
	for i, f := range ins {
		sizes[i] = f.spread(b).size
		if a.terms != nil {
			for _, j := range f.gens.vars {
				reach += b.reach[j]
			}
		}
	}
	errs := a.magnitude(sizes)
	for i, m := range errs {
		e := m * a.gamma
		if a.terms != nil {
			e += 3 * a.gamma * reach * a.terms[i]
		}
		if slack != nil {
			e += slack[i]
		}
		errs[i] = e*spare + tiny
	}
	return errs
}

// spreadSlack is |W|·slack.
func (a *affine) spreadSlack(ins []*form) []float64 {
	c := a.call(1)
	for i, f := range ins {
		if c.In[i] = f.slack; f.slack == nil {
			c.In[i] = make([]float64, len(f.centre))
		}
	}
	a.op.Magnitude64(c, false)
	for i, v := range c.Out {
		c.Out[i] = v * (1 + a.gamma) * spare
	}
	return c.Out
}

// diagonal is for operators that multiply every element by a number of its own.
func (a *affine) diagonal() func([]*form) (generators, view) {
	n := a.in[0].Size()
	factor := make([]float64, n)
	ones := make([]float64, n)
	for i := range ones {
		ones[i] = 1
	}
	a.op.VJP64(&nn.Call[float64]{Batch: 1, InShapes: a.in, OutShape: a.out, GradOut: ones, In: make([][]float64, 1), GradIn: [][]float64{factor}})
	return func(ins []*form) (generators, view) { return ins[0].scaled(factor), ins[0].view }
}

// scaled is the generators with every element i multiplied by factor[i];
// generators that vanish are dropped.
func (f *form) scaled(factor []float64) generators {
	src := &f.gens
	out := generators{
		vars: make([]int32, 0, src.count()), patches: make([]patch, 0, src.count()),
		start: make([]int, 1, src.count()+1), data: make([]float64, len(src.data)),
	}
	at := 0
	for k, p := range src.patches {
		from := src.values(k)
		to := out.data[at : at+len(from)]
		zero := true
		f.view.lines(p, func(stored, flat, length int) {
			s, d := from[stored:stored+length], to[stored:stored+length]
			for i, w := range factor[flat : flat+length] {
				d[i] = s[i] * w
				zero = zero && d[i] == 0
			}
		})
		if zero {
			continue
		}
		at += len(from)
		out.vars, out.patches, out.start = append(out.vars, src.vars[k]), append(out.patches, p), append(out.start, at)
	}
	out.data = out.data[:at]
	return out
}

// merge adds forms, of which those after the first are multiplied by sign.
func merge(ins []*form, sign float64) (generators, view) {
	v := ins[0].view
	if slices.ContainsFunc(ins, func(f *form) bool { return f.view != v }) {
		v = viewOf(ins[0].shape)
		ins = slices.Clone(ins)
		for i := range ins {
			ins[i] = ins[i].within(v)
		}
	}
	at := make([]int, len(ins))
	out := generators{start: []int{0}}
	for {
		next := int32(math.MaxInt32)
		for i, f := range ins {
			if at[i] < f.gens.count() {
				next = min(next, f.gens.vars[at[i]])
			}
		}
		if next == math.MaxInt32 {
			return out, v
		}
		p := patch{int32(v.height), 0, int32(v.width), 0}
		for i, f := range ins {
			if at[i] < f.gens.count() && f.gens.vars[at[i]] == next {
				q := f.gens.patches[at[i]]
				p = patch{min(p.y0, q.y0), max(p.y1, q.y1), min(p.x0, q.x0), max(p.x1, q.x1)}
			}
		}
		dst := out.append(v, next, p)
		for i, f := range ins {
			if at[i] < f.gens.count() && f.gens.vars[at[i]] == next {
				s := sign
				if i == 0 {
					s = 1
				}
				v.addPatch(dst, p, f.gens.values(at[i]), f.gens.patches[at[i]], s)
				at[i]++
			}
		}
	}
}

// addPatch adds s times the values of patch q to those of p, which contains q.
func (v view) addPatch(dst []float64, p patch, src []float64, q patch, s float64) {
	for c := range v.channels {
		for y := q.y0; y < q.y1; y++ {
			from := src[(c*q.height()+int(y-q.y0))*q.width():][:q.width()]
			to := dst[(c*p.height()+int(y-p.y0))*p.width()+int(q.x0-p.x0):][:q.width()]
			for i, x := range from {
				to[i] += s * x
			}
		}
	}
}

// genericBlock is how many generators the generic way takes at a time.
const genericBlock = 64

// generic sends dense batches of generators through the operator.
func (a *affine) generic(ins []*form) (generators, view) {
	v := viewOf(a.out)
	out := generators{start: []int{0}}
	vars := variablesOf(ins)
	size := a.out.Size()
	at := make([]int, len(ins))
	for from := 0; from < len(vars); from += genericBlock {
		block := vars[from:min(from+genericBlock, len(vars))]
		c := a.call(len(block))
		for i, f := range ins {
			n := len(f.centre)
			c.In[i] = make([]float64, len(block)*n)
			for r, j := range block {
				if at[i] < f.gens.count() && f.gens.vars[at[i]] == j {
					f.fill(at[i], c.In[i][r*n:(r+1)*n])
					at[i]++
				}
			}
		}
		a.op.Forward64(c)
		for r, j := range block {
			row := c.Out[r*size : (r+1)*size]
			for i, b := range a.bias {
				row[i] -= b
			}
			out.appendFull(v, j, row)
		}
	}
	return out, v
}

// variablesOf is the variables that occur in any of the forms, ascending.
func variablesOf(ins []*form) []int32 {
	if len(ins) == 1 {
		return ins[0].gens.vars
	}
	most := int32(-1)
	for _, f := range ins {
		if n := f.gens.count(); n > 0 {
			most = max(most, f.gens.vars[n-1])
		}
	}
	seen := make([]bool, most+1)
	for _, f := range ins {
		for _, j := range f.gens.vars {
			seen[j] = true
		}
	}
	var vars []int32
	for j, s := range seen {
		if s {
			vars = append(vars, int32(j))
		}
	}
	return vars
}
