package bounds

// Live neurons.
//
// Where a ReLU is off in a domain both of its lines are zero, and so is the
// coefficient in front of it. In networks of dense layers, between a third and
// two thirds of all neurons are off in a typical sub-problem. A backward pass
// over the rows of one domain may therefore leave them out: the coefficients of
// an activation and of the layer before it are kept for live neurons alone, and
// a layer's matrix is cut down to the live neurons on both of its sides. With a
// share q of live neurons a product costs q² of the full one, everything else q.
// Nothing is lost: with both lines zero the neuron's output is zero in the whole
// domain, and its terms with it.
//
// The rows of a domain are then one block. Where the matrices are large and the
// rows few, cutting the matrices for each domain costs more than it saves. Such
// rows go together with those of other domains and keep all their elements, since
// the order of a sum over them must not depend on the batch around a domain. But
// their products too are taken between the neurons alone that are live in any of
// the block's domains: a product adds its terms one by one, and leaving out
// zeros does not change a bit (union.go).

import (
	"slices"
	"sync"

	"github.com/vouchnn/vouch/internal/blas"
	"github.com/vouchnn/vouch/nn"
)

const (
	// smallWeights is how many weights a network has at most whose matrices are
	// cut down whatever the number of rows.
	smallWeights = 1 << 15
	// manyRows is from how many rows on larger matrices are.
	manyRows = 48
	// liveDomains is how many domains of a small network are bounded at once,
	// so that what belongs to them stays in cache.
	liveDomains = 16
)

// findKeepers finds the activations, between dense layers, whose dead neurons a
// pass may leave out. Networks with other operators that multiply are left as
// they are: those want the rows of many domains at once.
func (m *Model) findKeepers() {
	m.keeper = make([]int, len(m.nodes))
	consumers := make([][]int, len(m.nodes))
	for i := 1; i < len(m.nodes); i++ {
		for _, j := range m.nodes[i].Inputs {
			consumers[j] = append(consumers[j], i)
		}
		switch r := m.rules[i].(type) {
		case elementwise:
		case *affine:
			m.weights += len(r.weight)
			if _, arith := r.op.(*nn.ConstArith); r.weight == nil && !arith {
				if _, b := r.op.Rounding(m.inShapes[i]); b > 0 {
					return
				}
			}
		default:
			return
		}
	}
	dense := func(i int) bool {
		a, ok := m.rules[i].(*affine)
		return ok && a.weight != nil
	}
	for i := 1; i < len(m.nodes); i++ {
		if _, ok := m.rules[i].(elementwise); !ok || i == m.output {
			continue
		}
		z := m.nodes[i].Inputs[0]
		if z == 0 || z == m.output || !dense(z) || len(consumers[z]) != 1 || slices.ContainsFunc(consumers[i], func(c int) bool { return !dense(c) }) {
			continue
		}
		m.keeper[i], m.keeper[z], m.slim = i, i, true
	}
}

// nodeView is what a pass reads of one node in one domain, for live neurons.
type nodeView struct {
	live      []int32 // indices of the elements, rising; nil means all
	lines     blas.Lines
	magnitude []float64
	bias      []float64
	weight    []float64 // of a dense node, between live neurons; nil means all
}

// position is where element e is among the live ones. It must be one of them.
func (v *nodeView) position(e int) int {
	if v.live == nil {
		return e
	}
	k, _ := slices.BinarySearch(v.live, int32(e))
	return k
}

// view is a domain as a pass over its live neurons sees it, by node.
type view []nodeView

// makeViews makes room for the views of all domains, if there are to be any.
func (s *state) makeViews() {
	if s.m.slim {
		s.views = s.scratch.views(s.count, len(s.m.nodes))
	}
}

// findLive makes the views of activation i and of the node before it.
func (s *state) findLive(i int) {
	if curveOf(s.m.rules[i].(elementwise).op) != nil {
		return // never zero; tangent.go counts on all elements
	}
	z, size, ls := s.m.nodes[i].Inputs[0], s.m.size[i], &s.lines[i]
	list := make([]int32, 0, size)
	for d := range s.count {
		low, high := s.span(ls.lowerSlope, i, d), s.span(ls.upperSlope, i, d)
		lowAt, highAt := s.span(ls.lowerIntercept, i, d), s.span(ls.upperIntercept, i, d)
		list = list[:0]
		for k := range size {
			if low[k] != 0 || high[k] != 0 || lowAt[k] != 0 || highAt[k] != 0 || s.isSplit(d, z, k) {
				list = append(list, int32(k))
			}
		}
		n := len(list)
		if n == size {
			continue
		}
		v, w := &s.views[d][i], &s.views[d][z]
		v.live = append(s.scratch.indices(n), list...)
		w.live = v.live
		pick := func(from []float64) []float64 {
			to := s.scratch.floats(n)
			for k, e := range v.live {
				to[k] = from[e]
			}
			return to
		}
		v.lines = blas.Lines{LowSlope: pick(low), HighSlope: pick(high), Low: pick(lowAt), High: pick(highAt)}
		v.magnitude = pick(s.span(s.magnitude[i], i, d))
		w.magnitude = pick(s.span(s.magnitude[z], z, d))
		if bias := s.m.rules[z].(*affine).bias; bias != nil {
			w.bias = pick(bias)
		}
	}
}

func (s *state) isSplit(d, node, element int) bool {
	for _, c := range s.domains[d].Splits {
		if c.Node == node && c.Index == element {
			return true
		}
	}
	return false
}

// cutMatrices makes the matrices of domain d up to a node.
func (s *state) cutMatrices(d, upto int) {
	v := s.views[d]
	for i := 1; i <= upto; i++ {
		a, ok := s.m.rules[i].(*affine)
		if !ok || a.weight == nil || v[i].weight != nil || s.m.keeper[i] > upto {
			continue
		}
		j := s.m.nodes[i].Inputs[0]
		rows, columns := v[i].live, v[j].live
		if rows == nil && columns == nil {
			continue
		}
		m, n := s.width(v, i), s.width(v, j)
		w := s.scratch.floats(max(m*n, 1))[:m*n]
		for r := range m {
			from := a.weight[r*s.m.size[j]:]
			if rows != nil {
				from = a.weight[int(rows[r])*s.m.size[j]:]
			}
			pickRow(w[r*n:(r+1)*n], from[:s.m.size[j]], columns)
		}
		v[i].weight = w
	}
}

// pickRow copies the listed elements of a row; nil lists all.
func pickRow(dst, row []float64, list []int32) {
	if list == nil {
		copy(dst, row)
		return
	}
	dst = dst[:len(list)]
	for k, e := range list {
		dst[k] = row[e]
	}
}

// width is how many elements of node i a view keeps; v may be nil.
func (s *state) width(v view, i int) int {
	if v != nil && v[i].live != nil {
		return len(v[i].live)
	}
	return s.m.size[i]
}

// slim tells whether so many rows of a domain are worth cut matrices.
func (s *state) slim(rows int) bool {
	return s.views != nil && (s.m.weights <= smallWeights || rows >= manyRows)
}

// scratch is memory that a batch uses and results do not keep.
type scratch struct {
	pool      [][]float64
	at, used  int
	want      int // the size of the next piece
	indexPool []int32
	nodes     []nodeView
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}

// floats returns n numbers, which may hold anything.
func (c *scratch) floats(n int) []float64 {
	for c.at < len(c.pool) && len(c.pool[c.at])-c.used < n {
		c.at, c.used = c.at+1, 0
	}
	if c.at == len(c.pool) {
		c.pool = append(c.pool, make([]float64, max(n, c.want, 1<<15)))
	}
	x := c.pool[c.at][c.used : c.used+n : c.used+n]
	c.used += n
	return x
}

// indices returns room for n numbers.
func (c *scratch) indices(n int) []int32 {
	if cap(c.indexPool)-len(c.indexPool) < n {
		c.indexPool = make([]int32, 0, max(n, 1<<13))
	}
	k := len(c.indexPool)
	c.indexPool = c.indexPool[:k+n]
	return c.indexPool[k : k : k+n]
}

// views returns empty views of so many nodes in so many domains.
func (c *scratch) views(domains, nodes int) []view {
	c.nodes = grow(c.nodes, domains*nodes)
	clear(c.nodes)
	v := make([]view, domains)
	for d := range v {
		v[d] = c.nodes[d*nodes : (d+1)*nodes]
	}
	return v
}

// giveBack returns the memory; nothing of it may be used any more.
func (c *scratch) giveBack() {
	if len(c.pool) > 1 { // one piece next time
		c.want = 0
		for _, p := range c.pool {
			c.want += len(p)
		}
		c.pool = nil
	}
	c.at, c.used, c.indexPool = 0, 0, c.indexPool[:0]
	scratches.Put(c)
}
