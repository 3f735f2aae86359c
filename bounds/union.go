package bounds

// Products between the neurons that are live in any domain of a block, for blocks
// of rows that keep all elements (live.go). The coefficients are gathered,
// multiplied by the cut matrix and scattered; the elements left out are zero.
// The results are those of the full product, bit for bit, as long as an element
// is one sum, which holds up to blas.OneSum terms. Copying takes time in
// proportion to a row, which the product saves many times over.

import (
	"slices"

	"github.com/vouchnn/vouch/internal/blas"
)

// unionRows is from how many rows on, counted once per pass over them, cut
// matrices pay.
const unionRows = 48

// union is the live neurons of a block, by node; nil stands for all.
type union struct {
	scratch *scratch
	live    [][]int32
	weight  [][]float64 // cut matrices, made when they are needed
	from    []float64   // gathered
	to      []float64   // to be scattered
}

// newUnion is the union for rows that several passes use; nil if it saves too
// little.
func (s *state) newUnion(rows []row, start, passes int, c *scratch) *union {
	if s.views == nil || len(rows)*passes < unionRows {
		return nil
	}
	u := &union{scratch: c}
	for i := 1; i <= start; i++ {
		size := s.m.size[i]
		if s.m.keeper[i] != i || s.lines[i].lowerSlope == nil || size > blas.OneSum {
			continue
		}
		mark, count := make([]bool, size), 0
		for r, w := range rows {
			if r == 0 || w.domain != rows[r-1].domain {
				count += s.markLive(i, w.domain, mark)
			}
		}
		if count > size*3/4 {
			continue
		}
		if u.live == nil {
			u.live, u.weight = make([][]int32, len(s.m.nodes)), make([][]float64, len(s.m.nodes))
		}
		list := make([]int32, 0, count)
		for k, m := range mark {
			if m {
				list = append(list, int32(k))
			}
		}
		u.live[i], u.live[s.m.nodes[i].Inputs[0]] = list, list
	}
	if u.live == nil {
		return nil
	}
	return u
}

// markLive marks the live neurons of activation i in domain d and returns how
// many were not marked before.
func (s *state) markLive(i, d int, mark []bool) int {
	ls, z, fresh := &s.lines[i], s.m.nodes[i].Inputs[0], 0
	low, high := s.span(ls.lowerSlope, i, d), s.span(ls.upperSlope, i, d)
	lowAt, highAt := s.span(ls.lowerIntercept, i, d), s.span(ls.upperIntercept, i, d)
	for k, m := range mark {
		if !m && (low[k] != 0 || high[k] != 0 || lowAt[k] != 0 || highAt[k] != 0 || s.isSplit(d, z, k)) {
			mark[k] = true
			fresh++
		}
	}
	return fresh
}

// cuts tells whether the product of node i, whose input is j, is worth cutting.
func (u *union) cuts(a *affine, i, j int) bool {
	return u != nil && a.weight != nil && (u.live[i] != nil || u.live[j] != nil)
}

// matrix is the matrix of node i between live neurons, [m × n].
func (u *union) matrix(a *affine, size, i, j int) (w []float64, m, n int) {
	n, m = size, len(a.weight)/size
	if u.live[i] != nil {
		m = len(u.live[i])
	}
	if u.live[j] != nil {
		n = len(u.live[j])
	}
	if u.weight[i] == nil {
		w := u.scratch.floats(max(m*n, 1))[:m*n]
		for r := range m {
			row := r
			if u.live[i] != nil {
				row = int(u.live[i][r])
			}
			pickRow(w[r*n:(r+1)*n], a.weight[row*size:(row+1)*size], u.live[j])
		}
		u.weight[i] = w
	}
	return u.weight[i], m, n
}

// gather picks the listed elements of rows; nil lists all and copies nothing.
func (u *union) gather(rows int, from []float64, list []int32) []float64 {
	if list == nil {
		return from
	}
	size, n := len(from)/rows, len(list)
	u.from = slices.Grow(u.from[:0], rows*n)[:rows*n]
	for r := range rows {
		pickRow(u.from[r*n:(r+1)*n], from[r*size:(r+1)*size], list)
	}
	return u.from
}

// carryUnion is the product of affine.carry.
func (p *pass) carryUnion(a *affine, i, j int) {
	u, rows, size := p.union, len(p.rows), p.s.m.size[j]
	w, k, n := u.matrix(a, size, i, j)
	from := u.gather(rows, p.coef[i], u.live[i])
	to, fresh := p.target(j)
	beta := 1.0
	if fresh {
		beta = 0
	}
	list := u.live[j]
	if list == nil {
		p.gemm(false, rows, n, k, from, k, w, n, beta, to, n)
		return
	}
	u.to = slices.Grow(u.to[:0], rows*n)[:rows*n]
	p.gemm(false, rows, n, k, from, k, w, n, 0, u.to, n)
	if fresh {
		clear(to)
	}
	for r := range rows {
		dst := to[r*size : (r+1)*size]
		for k, v := range u.to[r*n : (r+1)*n] {
			dst[list[k]] += v
		}
	}
}

// alongUnion carries values forward through node i.
func (p *pass) alongUnion(a *affine, i, j int) {
	t, u, rows, size := p.tune, p.union, len(p.rows), p.s.m.size[i]
	w, m, k := u.matrix(a, p.s.m.size[j], i, j)
	in := u.gather(rows, t.values[j][:rows*p.s.m.size[j]], u.live[j])
	out, list := t.values[i], u.live[i]
	if list != nil {
		u.to = slices.Grow(u.to[:0], rows*m)[:rows*m]
		out = u.to
	}
	beta := 0.0
	if a.bias != nil {
		beta = 1
		for r := range rows {
			pickRow(out[r*m:(r+1)*m], a.bias, list)
		}
	}
	p.gemm(true, rows, m, k, in, k, w, k, beta, out, m)
	if list == nil {
		return
	}
	clear(t.values[i])
	for r := range rows {
		dst := t.values[i][r*size : (r+1)*size]
		for k, v := range out[r*m : (r+1)*m] {
			dst[list[k]] = v
		}
	}
}

// gemm is a product on one processor where the others are busy.
func (p *pass) gemm(tB bool, m, n, k int, a []float64, lda int, b []float64, ldb int, beta float64, c []float64, ldc int) {
	if p.s.serial {
		blas.GemmSerial(false, tB, m, n, k, 1, a, lda, b, ldb, beta, c, ldc)
		return
	}
	blas.Gemm(false, tB, m, n, k, 1, a, lda, b, ldb, beta, c, ldc)
}
