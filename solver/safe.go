package solver

import (
	"math"
	"slices"
)

// Bounds that hold whatever the solver did.
//
// For every y the Lagrangian Σ yᵢsᵢ + Σ dⱼxⱼ with d = c − Aᵀy equals the
// objective wherever s = Ax, so its least value over the boxes of s (row bounds)
// and x (variable bounds) is a lower bound of the optimum. The least value is a
// sum of one product per row and per variable. Neumaier & Shcherbina 2004, "Safe
// bounds in linear and mixed-integer linear programming", Math. Program. 99,
// Sect. 2, evaluate it with directed rounding; here d is an enclosure of about
// twice the precision (rounding.go) and the sum is rounded down. Nothing is
// assumed of y: bad duals make a weak bound, never a wrong one.
//
// An infinite bound makes the least value −∞ as soon as its dj has the wrong
// sign, be it by one rounding error. Three repairs are tried, in this order:
//   - bounds that the rows imply (implied.go) stand in for infinite ones; every
//     feasible point satisfies them, so the bound stays valid;
//   - duals close to y at which such reduced costs vanish exactly are shown to exist
//     and enclosed (correct.go);
//   - y is moved a little along a row of that variable until the sign is right
//     (repair); any y will do.
//
// SafeInfeasible is the same with c = 0: a positive bound on the constant 0
// leaves no feasible point. Cost: O(nonzeros), about ten operations each; several
// passes, and an elimination of limited size, where infinite bounds need repairs.

// SafeBound bounds p's optimum: from below when minimising, from above when
// maximising. It holds over the real numbers for p's coefficients as they are,
// whatever the row duals; where no finite bound can be shown it is the sense's
// Worst. Of an infeasible problem any value is a bound. Integrality is ignored,
// so the bound is that of the relaxation. It panics if there are not as many
// duals as rows. p must be valid. Safe for concurrent use.
func SafeBound(p *Problem, rowDuals []float64) float64 {
	sign := 1.0
	if p.Sense == Maximize {
		sign = -1
	}
	return sign * safeLower(p, rowDuals, sign, sign)
}

// SafeInfeasible reports whether ray, one number per row as in
// Solution.FarkasRay, proves that p has no feasible point, integrality aside. It
// panics if there are not as many numbers as rows. p must be valid. Safe for
// concurrent use.
func SafeInfeasible(p *Problem, ray []float64) bool {
	return safeLower(p, ray, 1, 0) > 0
}

// safeLower bounds min cost·(Σ cⱼxⱼ + offset) from below with duals sign·y.
func safeLower(p *Problem, y []float64, sign, cost float64) float64 {
	if len(y) != len(p.Rows) {
		panic("solver: not one dual value per row")
	}
	l := lagrangian{p: p, cost: cost, d: make([]enclosure, len(p.Variables))}
	l.lower, l.upper = make([]float64, len(p.Variables)), make([]float64, len(p.Variables))
	for j := range p.Variables {
		l.lower[j], l.upper[j] = p.Variables[j].Lower, p.Variables[j].Upper
	}
	l.y = make([]float64, len(y))
	for i, v := range y {
		l.y[i] = l.clean(i, sign*v)
	}
	v := l.least()
	if !math.IsInf(v, -1) {
		return v
	}
	imply(p, l.lower, l.upper)
	if v = l.least(); !math.IsInf(v, -1) {
		return v
	}
	given := slices.Clone(l.y)
	if v = l.corrected(); !math.IsInf(v, -1) {
		return v
	}
	l.y = given
	for range repairs {
		if v = l.least(); !math.IsInf(v, -1) || !l.repair() {
			return v
		}
	}
	return l.least()
}

// repairs is how often duals are moved before giving up.
const repairs = 4

// lagrangian is a dual point of a problem to be minimised.
type lagrangian struct {
	p            *Problem
	cost         float64 // factor of the costs: 1, −1, or 0 for Farkas rays
	y            []float64
	lower, upper []float64 // of the variables, perhaps implied
	d            []enclosure

	// Of corrected duals, which are within radius of y; otherwise nil.
	radius []float64
	zero   []bool // variables whose reduced cost vanishes at them
}

// clean drops a dual value that is not a number or whose sign needs a bound that
// row i does not have.
func (l *lagrangian) clean(i int, y float64) float64 {
	r := &l.p.Rows[i]
	if math.IsNaN(y) || math.IsInf(y, 0) ||
		y > 0 && math.IsInf(r.Lower, -1) || y < 0 && math.IsInf(r.Upper, 1) {
		return 0
	}
	return y
}

// least bounds the Lagrangian's least value from below and computes d.
func (l *lagrangian) least() float64 {
	var total enclosure
	for j := range l.p.Variables {
		l.d[j] = enclosure{sum: l.cost * l.p.Variables[j].Cost}
	}
	total.add(l.cost * l.p.Offset)
	for i, y := range l.y {
		if y == 0 && l.radius == nil {
			continue
		}
		r := &l.p.Rows[i]
		for k, j := range r.Columns {
			l.d[j].addProduct(-r.Values[k], y)
		}
		switch {
		case l.radius != nil && l.radius[i] > 0:
			if !l.addWide(&total, i) {
				return math.Inf(-1)
			}
		case y > 0:
			total.addProduct(y, r.Lower)
		case y < 0:
			total.addProduct(y, r.Upper)
		}
	}
	least := 0.0
	for j := range l.d {
		if l.zero == nil || !l.zero[j] {
			if least = l.addVariable(&total, j); math.IsInf(least, -1) {
				break
			}
		}
	}
	if math.IsInf(least, -1) {
		return least
	}
	low, _ := total.bounds()
	return low
}

// addWide adds the term of row i for all duals within its radius, and widens the
// reduced costs accordingly. It reports whether the term is finite.
func (l *lagrangian) addWide(total *enclosure, i int) bool {
	r, e := &l.p.Rows[i], l.radius[i]
	for k, j := range r.Columns {
		wide := mulUp(math.Abs(r.Values[k]), e)
		l.d[j].low, l.d[j].high = addDown(l.d[j].low, -wide), addUp(l.d[j].high, wide)
	}
	v := leastProduct(addDown(l.y[i], -e), addUp(l.y[i], e), r.Lower, r.Upper)
	if math.IsInf(v, -1) {
		return false
	}
	total.add(v)
	return true
}

// addVariable adds the least value of dⱼxⱼ, and returns −Inf if that is it.
func (l *lagrangian) addVariable(total *enclosure, j int) float64 {
	low, high := l.d[j].bounds()
	switch {
	case low == high && low > 0 && !math.IsInf(l.lower[j], 0):
		total.addProduct(low, l.lower[j])
		return 0
	case low == high && low < 0 && !math.IsInf(l.upper[j], 0):
		total.addProduct(low, l.upper[j])
		return 0
	}
	v := leastProduct(low, high, l.lower[j], l.upper[j])
	if !math.IsInf(v, -1) {
		total.add(v)
	}
	return v
}

// repair moves y so that the reduced costs of variables with an infinite bound
// get the sign that the bound asks for. It changes one row per such variable,
// the one with the greatest coefficient among those whose bounds allow it.
func (l *lagrangian) repair() bool {
	best := make([]int, len(l.d)) // 1 + row
	size := make([]float64, len(l.d))
	for i := range l.p.Rows {
		r := &l.p.Rows[i]
		for k, j := range r.Columns {
			move := l.wrong(j) / r.Values[k]
			if move == 0 || math.IsNaN(move) || l.clean(i, l.y[i]+move) == 0 {
				continue
			}
			if a := math.Abs(r.Values[k]); a > size[j] {
				size[j], best[j] = a, i+1
			}
		}
	}
	moved := false
	for j := range best {
		if best[j] == 0 {
			continue
		}
		r := &l.p.Rows[best[j]-1]
		for k, c := range r.Columns {
			if c == j {
				move := l.wrong(j) / r.Values[k] * (1 + 0x1p-40)
				y := &l.y[best[j]-1]
				*y += move + math.Copysign(math.Abs(*y)*0x1p-51, move) // more than rounding takes
				moved = true
			}
		}
	}
	return moved
}

// wrong is by how much the reduced cost of variable j has a sign that one of its
// infinite bounds forbids.
func (l *lagrangian) wrong(j int) float64 {
	low, high := l.d[j].bounds()
	switch {
	case low < 0 && math.IsInf(l.upper[j], 1):
		return low
	case high > 0 && math.IsInf(l.lower[j], -1):
		return high
	}
	return 0
}
