package solvertest

import (
	"math"
	"math/big"

	"github.com/vouchnn/vouch/solver"
)

// The slow twin: linear programming in rational arithmetic.
//
// A textbook's two phases on a dictionary of big.Rat (Chvátal 1983, ch. 2 and 3)
// with Bland's rule (1977), which cannot cycle: nothing is rounded, nothing is
// clever, and there is no tolerance. Variables are moved to x ≥ 0, free ones
// split, every finite side of a row and every second bound becomes a row ≤. For
// problems of a dozen variables.

// Exact solves p over the rational numbers; integrality is ignored. The objective
// is nil unless the status is Optimal. p must be valid.
func Exact(p *solver.Problem) (solver.Status, *big.Rat) {
	status, v, _ := exactPoint(p)
	return status, v
}

// exactPoint is Exact with an optimal point.
func exactPoint(p *solver.Problem) (solver.Status, *big.Rat, []*big.Rat) {
	s := standardForm(p)
	if !s.feasible() {
		return solver.Infeasible, nil, nil
	}
	if !s.optimize(s.cost) {
		return solver.Unbounded, nil, nil
	}
	v := new(big.Rat).Add(s.value(s.cost), s.offset)
	if p.Sense == solver.Maximize {
		v.Neg(v)
	}
	return solver.Optimal, v, s.point()
}

// point is the current vertex in the variables of the problem.
func (s *tableau) point() []*big.Rat {
	value := map[int]*big.Rat{}
	for i, z := range s.basic {
		value[z] = s.rhs[i]
	}
	x := make([]*big.Rat, len(s.parts))
	for j, part := range s.parts {
		x[j] = new(big.Rat).Set(part.constant)
		for z, a := range part.of {
			if v := value[z]; v != nil {
				x[j].Add(x[j], new(big.Rat).Mul(a, v))
			}
		}
	}
	return x
}

// tableau is min cost·z, basic = rhs + coefficients·nonbasic, all variables ≥ 0.
// Variables are numbered: the structural ones, then one per row.
type tableau struct {
	basic, nonbasic []int
	rhs             []*big.Rat
	a               [][]*big.Rat
	cost            map[int]*big.Rat // by variable
	offset          *big.Rat
	parts           []affine // the problem's variables
}

// affine is a linear function of the nonnegative variables.
type affine struct {
	constant *big.Rat
	of       map[int]*big.Rat
}

func number(v float64) *big.Rat { return new(big.Rat).SetFloat64(v) }

// standardForm is p, to be minimised, over nonnegative variables.
func standardForm(p *solver.Problem) *tableau {
	var parts []affine // of each variable of p
	var rows []affine  // each ≥ 0
	count := 0
	next := func(sign int64) (int, *big.Rat) { count++; return count - 1, big.NewRat(sign, 1) }
	for _, v := range p.Variables {
		part := affine{new(big.Rat), map[int]*big.Rat{}}
		switch {
		case !math.IsInf(v.Lower, 0):
			k, one := next(1)
			part.constant.Set(number(v.Lower))
			part.of[k] = one
			if !math.IsInf(v.Upper, 0) {
				room := new(big.Rat).Sub(number(v.Upper), number(v.Lower))
				rows = append(rows, affine{room, map[int]*big.Rat{k: big.NewRat(-1, 1)}})
			}
		case !math.IsInf(v.Upper, 0):
			k, minus := next(-1)
			part.constant.Set(number(v.Upper))
			part.of[k] = minus
		default:
			k, one := next(1)
			part.of[k] = one
			k, minus := next(-1)
			part.of[k] = minus
		}
		parts = append(parts, part)
	}
	for _, r := range p.Rows {
		f := combine(parts, r.Columns, r.Values)
		if !math.IsInf(r.Lower, 0) {
			rows = append(rows, f.times(1).plus(new(big.Rat).Neg(number(r.Lower))))
		}
		if !math.IsInf(r.Upper, 0) {
			rows = append(rows, f.times(-1).plus(number(r.Upper)))
		}
	}
	s := newTableau(rows, objective(p, parts), count)
	s.parts = parts
	return s
}

// objective is what p minimises.
func objective(p *solver.Problem, parts []affine) affine {
	var columns []int
	var costs []float64
	for j, v := range p.Variables {
		columns, costs = append(columns, j), append(costs, v.Cost)
	}
	f := combine(parts, columns, costs).plus(number(p.Offset))
	if p.Sense == solver.Maximize {
		f = f.times(-1)
	}
	return f
}

func newTableau(rows []affine, objective affine, count int) *tableau {
	s := &tableau{cost: objective.of, offset: objective.constant}
	for k := range count {
		s.nonbasic = append(s.nonbasic, k)
	}
	for i, r := range rows {
		s.basic = append(s.basic, count+i)
		s.rhs = append(s.rhs, r.constant)
		line := make([]*big.Rat, count)
		for k := range line {
			line[k] = new(big.Rat)
			if v := r.of[k]; v != nil {
				line[k].Set(v)
			}
		}
		s.a = append(s.a, line)
	}
	return s
}

// combine is Σ values·parts.
func combine(parts []affine, columns []int, values []float64) affine {
	f := affine{new(big.Rat), map[int]*big.Rat{}}
	for k, j := range columns {
		v := number(values[k])
		f.constant.Add(f.constant, new(big.Rat).Mul(v, parts[j].constant))
		for z, a := range parts[j].of {
			if f.of[z] == nil {
				f.of[z] = new(big.Rat)
			}
			f.of[z].Add(f.of[z], new(big.Rat).Mul(v, a))
		}
	}
	return f
}

func (f affine) times(sign int64) affine {
	k := big.NewRat(sign, 1)
	g := affine{new(big.Rat).Mul(k, f.constant), map[int]*big.Rat{}}
	for z, a := range f.of {
		g.of[z] = new(big.Rat).Mul(k, a)
	}
	return g
}

func (f affine) plus(c *big.Rat) affine {
	f.constant = new(big.Rat).Add(f.constant, c)
	return f
}

// auxiliary is the variable of phase 1. It is last in Bland's order but leaves as
// soon as it can.
const auxiliary = math.MaxInt

// feasible makes all rhs nonnegative, if that can be.
func (s *tableau) feasible() bool {
	worst := -1
	for i, b := range s.rhs {
		if b.Sign() < 0 && (worst < 0 || b.Cmp(s.rhs[worst]) < 0) {
			worst = i
		}
	}
	if worst < 0 {
		return true
	}
	s.nonbasic = append(s.nonbasic, auxiliary)
	for i := range s.a {
		s.a[i] = append(s.a[i], big.NewRat(1, 1))
	}
	s.pivot(worst, len(s.nonbasic)-1)
	phase1 := map[int]*big.Rat{auxiliary: big.NewRat(1, 1)}
	s.optimize(phase1)
	if s.value(phase1).Sign() != 0 {
		return false
	}
	for i, z := range s.basic {
		if z != auxiliary {
			continue
		}
		q := -1
		for c := range s.nonbasic {
			if s.a[i][c].Sign() != 0 {
				q = c
				break
			}
		}
		if q < 0 { // the row says 0 = 0
			s.basic = append(s.basic[:i], s.basic[i+1:]...)
			s.rhs = append(s.rhs[:i], s.rhs[i+1:]...)
			s.a = append(s.a[:i], s.a[i+1:]...)
			return true
		}
		s.pivot(i, q)
		break
	}
	for c, z := range s.nonbasic {
		if z == auxiliary {
			s.nonbasic = append(s.nonbasic[:c], s.nonbasic[c+1:]...)
			for i := range s.a {
				s.a[i] = append(s.a[i][:c], s.a[i][c+1:]...)
			}
			break
		}
	}
	return true
}

// optimize minimises cost by Bland's rule; false means without end.
func (s *tableau) optimize(cost map[int]*big.Rat) bool {
	for {
		q := -1
		for c, z := range s.nonbasic {
			if (q < 0 || z < s.nonbasic[q]) && s.price(cost, c).Sign() < 0 {
				q = c
			}
		}
		if q < 0 {
			return true
		}
		r := -1
		var least *big.Rat
		for i := range s.basic {
			if s.a[i][q].Sign() >= 0 {
				continue
			}
			t := new(big.Rat).Quo(s.rhs[i], s.a[i][q])
			t.Neg(t)
			if r < 0 || t.Cmp(least) < 0 || t.Cmp(least) == 0 && s.basic[i] < s.basic[r] {
				r, least = i, t
			}
		}
		if r < 0 {
			return false
		}
		s.pivot(r, q)
	}
}

// price is the reduced cost of column c.
func (s *tableau) price(cost map[int]*big.Rat, c int) *big.Rat {
	d := new(big.Rat)
	if v := cost[s.nonbasic[c]]; v != nil {
		d.Set(v)
	}
	for i, z := range s.basic {
		if v := cost[z]; v != nil {
			d.Add(d, new(big.Rat).Mul(v, s.a[i][c]))
		}
	}
	return d
}

// value is cost at the current vertex.
func (s *tableau) value(cost map[int]*big.Rat) *big.Rat {
	t := new(big.Rat)
	for i, z := range s.basic {
		if v := cost[z]; v != nil {
			t.Add(t, new(big.Rat).Mul(v, s.rhs[i]))
		}
	}
	return t
}

// pivot exchanges the variables of row r and column q.
func (s *tableau) pivot(r, q int) {
	inverse := new(big.Rat).Inv(s.a[r][q])
	row := make([]*big.Rat, len(s.nonbasic))
	for c := range row {
		row[c] = new(big.Rat).Neg(new(big.Rat).Mul(s.a[r][c], inverse))
	}
	row[q] = inverse
	constant := new(big.Rat).Neg(new(big.Rat).Mul(s.rhs[r], inverse))
	for i := range s.a {
		f := s.a[i][q]
		if i == r || f.Sign() == 0 {
			continue
		}
		s.rhs[i] = new(big.Rat).Add(s.rhs[i], new(big.Rat).Mul(f, constant))
		for c := range row {
			if c == q {
				continue
			}
			s.a[i][c] = new(big.Rat).Add(s.a[i][c], new(big.Rat).Mul(f, row[c]))
		}
		s.a[i][q] = new(big.Rat).Mul(f, inverse)
	}
	s.a[r], s.rhs[r] = row, constant
	s.basic[r], s.nonbasic[q] = s.nonbasic[q], s.basic[r]
}
