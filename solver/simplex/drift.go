package simplex

import (
	"context"
	"math"
)

// Drift and rebuilding.
//
// Rounding errors of the dictionary are seen by putting the current point, computed
// from T, into the original rows: if T were exact the residuals would vanish. They
// are looked at from time to time and before an answer that does not stand; when
// they are too large the tableau is rebuilt from the matrix and the set of basic
// variables. A basis that turns out singular is repaired by logical variables.

const (
	driftLimit = 1e-10 // relative residual that calls for a rebuild
	driftEvery = 64    // pivots between looks
	singular   = 1e-9  // pivots below this make a basis singular
)

// drift is the greatest residual of the current point in the scaled rows,
// relative to the size of its terms.
func (e *engine) drift() float64 {
	x := make([]float64, e.n+e.m)
	for i, z := range e.basic {
		x[z] = e.xb[i]
	}
	for c, z := range e.nonbasic {
		x[z] = e.xn[c]
	}
	worst := 0.0
	for i := range e.m {
		residual, size := -x[e.n+i], 1+math.Abs(x[e.n+i])
		for k := e.start[i]; k < e.start[i+1]; k++ {
			term := e.value[k] * x[e.index[k]]
			residual += term
			size += math.Abs(term)
		}
		worst = max(worst, math.Abs(residual)/size)
	}
	return worst
}

// checkDrift rebuilds the tableau if it has drifted, and refreshes the values.
func (e *engine) checkDrift(ctx context.Context) outcome {
	if !e.trusted() {
		return e.refresh(ctx)
	}
	if e.age%driftEvery != 0 || e.age == 0 {
		return done
	}
	e.values()
	if !(e.drift() <= driftLimit) {
		return e.refresh(ctx)
	}
	return done
}

// refresh rebuilds the tableau and what follows from it. Shifts of costs and bounds
// are lost.
func (e *engine) refresh(ctx context.Context) outcome {
	if out := e.restore(ctx); out != done {
		return out
	}
	e.load()
	e.values()
	e.prices()
	return done
}

// restore rebuilds the tableau from the matrix and the set of basic variables.
func (e *engine) restore(ctx context.Context) outcome {
	return e.install(ctx, e.places())
}

// places says of every variable where it stands.
func (e *engine) places() []place {
	places := make([]place, e.n+e.m)
	for _, z := range e.basic {
		places[z] = inBasis
	}
	for c, z := range e.nonbasic {
		places[z] = e.at[c]
	}
	return places
}

// install builds the tableau of a basis. What has no pivot stays nonbasic.
func (e *engine) install(ctx context.Context, places []place) outcome {
	enter := make([]int, 0, e.n) // structurals that have to become basic
	leave := make([]bool, e.m)   // rows whose logical has to leave
	for z, at := range places {
		if z < e.n && at == inBasis {
			enter = append(enter, z)
		} else if z >= e.n {
			leave[z-e.n] = at != inBasis
		}
	}
	out := e.rebuild(ctx, enter, leave)
	e.at = append(e.at[:0], make([]place, e.n)...)
	for c, z := range e.nonbasic {
		if e.at[c] = places[z]; e.at[c] == inBasis {
			e.at[c] = atLower
		}
	}
	return out
}
