package simplex

import (
	"context"
	"math"
)

// Nodes that cannot be branched on in the usual way: those whose integer variables have
// integers, and those without a linear program's answer.

// leaf is a node whose integer variables have integers. If the continuous variables
// can follow the rounding the node may be done; if not, the variable that was rounded
// most is branched on, or any that is left.
func (k *task) leaf(ctx context.Context, w *worker, n *node) (next *node, finished bool) {
	x := append([]float64{}, w.r.x...)
	value, believed := w.r.s.p.Value(x), w.r.believed
	roundIntegers(w.r.s.p, x)
	j, most := -1, -1.0
	for _, i := range k.integers {
		if w.d.lower[i] < w.d.upper[i] {
			if v := math.Abs(w.r.x[i] - x[i]); v > most {
				j, most = i, v
			}
		}
	}
	basis := w.r.s.e.places()
	if !k.offer(x) && len(k.integers) < len(x) {
		switch k.follow(ctx, w, x) {
		case halted:
			k.nodes--
			return nil, false
		case relaxed:
			k.offerFollowed(w)
		}
	}
	if n.bound >= k.cutoff() {
		k.discard()
		return nil, true
	}
	if good := !math.IsNaN(believed) && !k.lent && k.best <= value+1e-6*max(1, math.Abs(value)); good {
		k.lost = min(k.lost, value) // as good as a linear program's answer
		return nil, true
	}
	if j < 0 || math.Abs(x[j]) > 0x1p52 { // nothing to branch on
		k.stuck = min(k.stuck, n.bound)
		k.doubtful = k.doubtful || j >= 0
		return nil, true
	}
	v := w.d.lower[j]
	if x[j] > v {
		v = x[j] - 1
	}
	next = k.branch(w, n, j, v+0.5, x[j] > v)
	other := k.list[len(k.list)-1]
	next.basis, other.basis = basis, basis
	next.j, other.j = -1, -1 // nothing to learn from
	return next, true
}

// follow solves for the continuous variables with the integers of x.
func (k *task) follow(ctx context.Context, w *worker, x []float64) verdict {
	copy(w.lower, w.d.lower)
	copy(w.upper, w.d.upper)
	for _, j := range k.integers {
		w.lower[j], w.upper[j] = x[j], x[j]
	}
	w.r.setBounds(w.lower, w.upper)
	return w.r.solve(ctx, k.cutoff(), 0)
}

// offerFollowed offers the point that follow found.
func (k *task) offerFollowed(w *worker) {
	z := append([]float64{}, w.r.x...)
	roundIntegers(w.r.s.p, z)
	k.offer(z)
}

// blind branches without a linear program: the widest box is halved. A box without
// width cannot be resolved.
func (k *task) blind(w *worker, n *node) *node {
	j, most := -1, 0.0
	for _, i := range k.integers {
		if width := w.d.upper[i] - w.d.lower[i]; width > most {
			j, most = i, width
		}
	}
	if j < 0 {
		k.doubtful = true
		return nil
	}
	at := w.d.lower[j] + math.Floor(most/2)
	switch {
	case math.IsInf(w.d.lower[j], -1) && math.IsInf(w.d.upper[j], 1):
		at = 0
	case math.IsInf(w.d.lower[j], -1):
		at = w.d.upper[j] - 1
	case math.IsInf(w.d.upper[j], 1):
		at = w.d.lower[j]
	}
	x := w.r.x
	w.r.x = nil
	next := k.branch(w, n, j, at+0.5, false)
	w.r.x = x
	return next
}
