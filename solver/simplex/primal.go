package simplex

import (
	"context"
	"math"
)

// The primal simplex method.
//
// It keeps to the bounds and improves the objective one column at a time: that
// with the steepest edge enters (Goldfarb & Reid 1977; lengths start exact and
// follow Devex). It runs after every change of the objective, and removes the shifts
// that the dual method left.
//
// The ratio test passes over bounds by the tolerance and takes the greatest pivot
// among the rows that block within (Harris 1973, "Pivot selection methods of the
// Devex LP code"). When steps of length zero go on, bounds are widened at random;
// the true ones come back at the end, and the dual method repairs what that
// leaves.

// progress is what the scaled objective has to gain for a step to count: steps of the
// size of the tolerance do not.
const progress = 1e-9

// primal runs until no reduced cost has the wrong sign. The current point must be
// feasible.
func (e *engine) primal(ctx context.Context) outcome {
	if e.stall = 0; e.entering() < 0 { // weights do not matter
		return done
	}
	e.measure(priceColumns)
	for {
		q := e.entering()
		if q < 0 {
			return done
		}
		if out := e.poll(ctx); out != done {
			return out
		}
		direction := 1.0 // of the entering variable
		if e.d[q] > 0 {
			direction = -1
		}
		r, step := e.primalRatio(e.gather(q), direction)
		flip := e.un[q] - e.ln[q]
		if r < 0 && math.IsInf(flip, 1) || r >= 0 && flip > step && math.Abs(e.column[r]) < smallPivot {
			if e.age > 0 {
				if out := e.refresh(ctx); out != done {
					return out
				}
				e.measure(priceColumns)
				if !e.primalFeasible() {
					return done // the caller looks and repairs
				}
				continue
			}
			if r < 0 {
				return e.proveUnbounded(q, direction)
			}
		}
		e.primalStep(r, q, direction, step)
		if out := e.checkDrift(ctx); out != done {
			return out
		}
		if e.age == 0 {
			e.measure(priceColumns)
			if !e.primalFeasible() {
				return done
			}
		}
		if e.stall > stallLimit {
			e.widenBounds()
		}
	}
}

// entering is the column to enter, or −1.
func (e *engine) entering() int {
	q, best := -1, 0.0
	at, w := e.at[:len(e.d)], e.weightCol[:len(e.d)]
	for c, d := range e.d {
		if d > -e.optimal && d < e.optimal || d*d <= best*w[c] {
			continue
		}
		switch at[c] {
		case atLower:
			if d > 0 {
				continue
			}
		case atUpper:
			if d < 0 {
				continue
			}
		case fixed:
			continue
		}
		q, best = c, d*d/w[c]
	}
	return q
}

// primalRatio finds the row that blocks, −1 if none does, and the step to it.
func (e *engine) primalRatio(column []float64, direction float64) (r int, step float64) {
	r = -1
	limit := math.Inf(1)
	xb := e.xb[:len(column)]
	ends := [2][]float64{e.ub[:len(column)], e.lb[:len(column)]} // ahead, by the sign of a
	for i, a := range column {
		a *= direction // signs cannot be predicted, and divisions are dear: most rows do not block
		size := math.Abs(a)
		if room := (ends[math.Float64bits(a)>>63][i]-xb[i])*a + e.feasible*size; room < limit*a*a && size > noise {
			r, limit = i, room/(a*a)
		}
	}
	if r < 0 {
		return -1, limit
	}
	best := noise
	step = (ends[math.Float64bits(column[r]*direction)>>63][r] - xb[r]) / (column[r] * direction)
	for i, a := range column {
		a *= direction
		if size := math.Abs(a); size > best {
			if room := (ends[math.Float64bits(a)>>63][i] - xb[i]) / a; room <= limit {
				r, best, step = i, size, room
			}
		}
	}
	return r, max(step, 0)
}

// primalStep moves column q's variable by step, or to its other bound if that
// comes first, and pivots unless it does.
func (e *engine) primalStep(r, q int, direction, step float64) {
	flip := e.un[q] - e.ln[q]
	if r < 0 || flip <= step {
		step = flip
		r = -1
	}
	if step*math.Abs(e.d[q]) > progress {
		e.stall = 0
	} else {
		e.stall++
	}
	for i, a := range e.column {
		e.xb[i] += direction * step * a
	}
	if r < 0 {
		e.at[q], e.xn[q] = atUpper, e.un[q]
		if direction < 0 {
			e.at[q], e.xn[q] = atLower, e.ln[q]
		}
		return
	}
	to := atLower
	if direction*e.column[r] > 0 {
		to = atUpper
	}
	e.exchange(r, q, e.xn[q]+direction*step, to, priceColumns)
}

// widenBounds moves the basic variables' bounds outward at random, so that steps
// cannot be of length zero again and again.
func (e *engine) widenBounds() {
	size := perturbation * math.Pow(10, float64(min(e.upsets, 3)))
	for i := range e.lb {
		e.lb[i] -= size * (1 + math.Abs(e.lb[i])) * (1 + e.random.Float64())
		e.ub[i] += size * (1 + math.Abs(e.ub[i])) * (1 + e.random.Float64())
	}
	e.widened = true
	e.stall = 0
	e.upsets++
}

// proveUnbounded keeps the direction as a proof.
func (e *engine) proveUnbounded(q int, direction float64) outcome {
	e.ray = make([]float64, e.n+e.m)
	e.ray[e.nonbasic[q]] = direction
	for i, a := range e.column {
		a *= direction
		if math.Abs(a) > noise || a > 0 && math.IsInf(e.ub[i], 1) || a < 0 && math.IsInf(e.lb[i], -1) {
			e.ray[e.basic[i]] = a
		}
	}
	return unbounded
}
