package simplex

import "math"

// Fix and propagate.
//
// The integer variables are fixed one after the other, in the order in which the
// problem has them, to the integer nearest to the linear program's value that
// propagation does not refute (Berthold & Hendel 2015, "Shift-and-
// propagate", J. Heuristics 21, without the shifts). Models that compute one thing from
// another, as encodings of networks do, have the inputs first; once they are fixed the
// rest follows. No linear program is solved: continuous variables stay where they are,
// or at the nearest place that is left.

const (
	fixEvery = 8  // nodes between attempts in a task
	fixTries = 12 // values for a variable
)

// mayFix limits attempts to searches that lack a point.
func (k *task) mayFix() bool { return math.IsInf(k.best, 1) }

// fixAndPropagate looks for a point near the node's and comes back to the node's box.
// x is the node's point.
func (k *task) fixAndPropagate(w *worker, x []float64) {
	lower, upper := append([]float64{}, w.d.lower...), append([]float64{}, w.d.upper...)
	ok := true
	for _, j := range k.integers {
		if w.d.lower[j] < w.d.upper[j] {
			if ok = w.fixNear(j, x[j]); !ok {
				break
			}
		}
	}
	if ok {
		z := append([]float64{}, w.d.lower...)
		for j := range z {
			if !k.p.Variables[j].Integer {
				z[j] = min(max(x[j], w.d.lower[j]), w.d.upper[j])
			}
		}
		k.offer(z)
	}
	w.d.reset(lower, upper)
}

// fixNear fixes variable j to the integer nearest to x that propagation does not
// refute, among the first fixTries; false if there is none.
func (w *worker) fixNear(j int, x float64) bool {
	copy(w.lower, w.d.lower)
	copy(w.upper, w.d.upper)
	low, high := w.lower[j], w.upper[j]
	at := min(max(math.Round(x), low), high)
	side := 1.0
	if x < at {
		side = -1
	}
	for try := range fixTries {
		v := at + side*float64((try+1)/2)
		if side = -side; v < low || v > high {
			continue
		}
		if w.d.fix(j, v) && w.d.propagate() {
			return true
		}
		w.d.forget()
		copy(w.d.lower, w.lower)
		copy(w.d.upper, w.upper)
	}
	return false
}
