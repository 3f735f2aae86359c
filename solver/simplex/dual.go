package simplex

import (
	"context"
	"math"
)

// The dual simplex method.
//
// It keeps the reduced costs' signs and removes violations of bounds one row at
// a time: the row with the greatest violation per length of its edge leaves
// (Forrest & Goldfarb 1992, "Steepest-edge simplex algorithms for linear
// programming", Math. Program. 57; lengths start exact and follow Devex), the
// column that keeps the signs enters (dual_ratio.go). It starts after every change of bounds, and
// on a new problem wherever the first point is infeasible.
//
// Signs it needs at the start are made, not found: a boxed variable moves to its
// other bound, any other wrong reduced cost is shifted to zero, as if its cost
// were another (Koberstein 2005, "The Dual Simplex Method", Sect. 4.5: cost
// modification). Primal simplex removes the shifts afterwards. So no artificial
// bounds are needed, and a row that cannot be repaired proves infeasibility
// whatever the costs are.

// stallLimit is how many steps without progress are borne before perturbing.
const stallLimit = 40

// perturbation is the relative size of the first; each next is ten times that.
const perturbation = 1e-7

// makeDualFeasible gives every reduced cost its sign.
func (e *engine) makeDualFeasible() {
	moved := false
	for c, d := range e.d {
		switch {
		case e.at[c] == fixed || d == 0:
		case e.at[c] == atLower && d < 0:
			if math.IsInf(e.un[c], 1) {
				e.shift(c)
				break
			}
			e.at[c], e.xn[c], moved = atUpper, e.un[c], true
		case e.at[c] == atUpper && d > 0:
			if math.IsInf(e.ln[c], -1) {
				e.shift(c)
				break
			}
			e.at[c], e.xn[c], moved = atLower, e.ln[c], true
		case e.at[c] == atZero:
			e.shift(c)
		}
	}
	if moved {
		e.values()
	}
}

// shift makes a reduced cost zero.
func (e *engine) shift(c int) { e.d[c], e.shifted = 0, true }

// dual runs until no row violates its bounds.
func (e *engine) dual(ctx context.Context) outcome {
	e.makeDualFeasible()
	e.measure(priceRows)
	e.reckon()
	e.stall = 0
	for {
		r := e.leaving()
		if r < 0 {
			return done
		}
		if e.objective > e.cut {
			return passed
		}
		if out := e.poll(ctx); out != done {
			return out
		}
		sign := 1.0 // the variable has to grow
		if e.xb[r] > e.ub[r] {
			sign = -1
		}
		q, rest := e.dualRatio(r, sign)
		if q < 0 || math.Abs(e.row(r)[q]) < smallPivot {
			if q < 0 && e.drift() <= driftLimit { // after a rebuild another row would come first
				return e.proveInfeasible(r, sign, rest)
			}
			if e.age > 0 { // is it so, or rounding?
				if out := e.restart(ctx); out != done {
					return out
				}
				continue
			}
			if q < 0 {
				return e.proveInfeasible(r, sign, rest)
			}
		}
		e.dualStep(r, q, sign)
		if out := e.checkDrift(ctx); out != done {
			return out
		}
		if e.age == 0 {
			e.again()
		}
		if e.stall > stallLimit {
			e.perturbCosts()
		}
	}
}

// restart rebuilds T in the middle of the dual method.
func (e *engine) restart(ctx context.Context) outcome {
	out := e.refresh(ctx)
	if out == done {
		e.again()
	}
	return out
}

// again goes on after T has been rebuilt. A perturbation that was needed is lost by
// that, and made anew: else the same steps of length zero lead to the same rebuilding.
func (e *engine) again() {
	e.makeDualFeasible()
	if e.upsets > 0 {
		e.upsets--
		e.perturbCosts()
	}
	e.measure(priceRows)
	e.reckon()
}

// reckon computes the objective at the current point, where it is asked for. With
// the signs that reduced costs have, no feasible point is better, shifts aside.
func (e *engine) reckon() {
	e.objective = math.Inf(-1)
	if math.IsInf(e.cut, 1) {
		return
	}
	e.objective = 0
	for i, z := range e.basic {
		if z < e.n {
			e.objective += e.cost[z] * e.xb[i]
		}
	}
	for c, z := range e.nonbasic {
		if z < e.n {
			e.objective += e.cost[z] * e.xn[c]
		}
	}
}

// leaving is the row to leave, or −1.
func (e *engine) leaving() int {
	r, best := -1, 0.0
	lb, ub, w := e.lb[:len(e.xb)], e.ub[:len(e.xb)], e.weightRow[:len(e.xb)]
	for i, x := range e.xb {
		v := max(lb[i]-x, x-ub[i])
		if v > e.feasible && v*v > best*w[i] && e.violation(i) != 0 {
			r, best = i, v*v/w[i]
		}
	}
	return r
}

// dualStep flips what the ratio test passed, moves to the violated bound and
// pivots.
func (e *engine) dualStep(r, q int, sign float64) {
	e.changes = e.changes[:0]
	for _, c := range e.flips {
		change := e.un[c] - e.ln[c]
		if e.at[c] == atUpper {
			change, e.at[c], e.xn[c] = -change, atLower, e.ln[c]
		} else {
			e.at[c], e.xn[c] = atUpper, e.un[c]
		}
		e.changes = append(e.changes, change)
		e.objective += e.d[c] * change
	}
	e.move(e.flips, e.changes, e.xb)
	alpha := e.row(r)[q]
	if e.d[q] != 0 && (e.d[q] > 0) != (alpha*sign > 0) {
		e.shift(q) // the sign was wrong within the tolerance
	}
	bound, to := e.lb[r], atLower
	if sign < 0 {
		bound, to = e.ub[r], atUpper
	}
	column := e.gather(q)
	step := (bound - e.xb[r]) / alpha
	e.objective += e.d[q] * step
	if e.d[q]*step > progress {
		e.stall = 0
	} else {
		e.stall++
	}
	for i, a := range column {
		e.xb[i] += step * a
	}
	e.exchange(r, q, e.xn[q]+step, to, priceRows)
	e.mendSigns()
}

// mendSigns shifts what the tolerant ratio test let change sign.
func (e *engine) mendSigns() {
	for c, d := range e.d {
		if d < 0 && (e.at[c] == atLower || e.at[c] == atZero) || d > 0 && (e.at[c] == atUpper || e.at[c] == atZero) {
			e.shift(c)
		}
	}
}

// perturbCosts moves every reduced cost away from zero, at random, so that steps
// cannot be of length zero again and again (Koberstein 2005, Sect. 6.3.3).
func (e *engine) perturbCosts() {
	size := perturbation * math.Pow(10, float64(min(e.upsets, 3)))
	for c := range e.d {
		by := size * (1 + math.Abs(e.d[c])) * (1 + e.random.Float64())
		switch e.at[c] {
		case atLower:
			e.d[c] += by
		case atUpper:
			e.d[c] -= by
		}
	}
	e.shifted = true
	e.stall = 0
	e.upsets++
}
