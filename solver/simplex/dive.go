package simplex

import (
	"context"
	"math"
)

// Dives.
//
// A dive looks for a point: it fixes a variable to a near integer, propagates, solves
// the linear program again, and so on, with one change of mind where that leaves
// nothing (Achterberg 2007, Sect. 9.2). Which variable goes first makes the kinds:
//   - fractional: the one nearest to an integer, towards it;
//   - guided: the one nearest to the incumbent, towards it (Danna, Rothberg & Le Pape
//     2005);
//   - locks: the one with the fewest rows that object, that way;
//   - steep: the one whose rounding costs least by pseudo-costs.
//
// The node's tableau comes back afterwards.

type diveKind int

const (
	diveFractional diveKind = iota
	diveGuided
	diveLocks
	diveSteep
	diveKinds
)

const (
	diveEvery  = 6  // every so many tasks one dives
	diveRounds = 60 // linear programs of a dive
	diveFixes  = 8  // dives fix a share of 1/diveFixes of the fractional variables at once
)

// diveHere says whether this task dives at its first node.
func (k *task) diveHere() bool { return k.number%diveEvery == 0 }

// dive makes one dive from the node, of a kind that changes from task to task.
func (k *task) dive(ctx context.Context, w *worker) {
	kind := diveKind(k.number / diveEvery % int(diveKinds))
	if kind == diveGuided && k.incumbent == nil {
		kind = diveFractional
	}
	k.diveAs(ctx, w, kind)
}

// diveAs dives from the node whose linear program is solved, and comes back to it.
func (k *task) diveAs(ctx context.Context, w *worker, kind diveKind) {
	w.keep()
	x, bound, plain, believed := w.r.x, w.r.bound, w.r.plain, w.r.believed
	fractional := append([]int{}, w.fractional...)
	lower, upper := append([]float64{}, w.d.lower...), append([]float64{}, w.d.upper...)
	for range diveRounds {
		if ctx.Err() != nil || !k.diveStep(ctx, w, kind) {
			break
		}
		k.tryRounding(w, w.fractions(k.integers, k.near))
		if len(w.fractional) == 0 {
			z := append([]float64{}, w.r.x...)
			roundIntegers(w.r.s.p, z)
			if !k.offer(z) && len(k.integers) < len(z) && k.follow(ctx, w, z) == relaxed {
				k.offerFollowed(w)
			}
			break
		}
	}
	w.d.reset(lower, upper)
	w.r.setBounds(lower, upper)
	w.restore()
	w.r.x, w.r.bound, w.r.plain, w.r.believed = x, bound, plain, believed
	w.fractional = append(w.fractional[:0], fractional...)
}

// diveStep fixes some variables and solves; false ends the dive.
func (k *task) diveStep(ctx context.Context, w *worker, kind diveKind) bool {
	copy(w.lower, w.d.lower)
	copy(w.upper, w.d.upper)
	j, up := k.divePick(w, kind)
	for range 1 + len(w.fractional)/diveFixes {
		if j < 0 {
			break
		}
		v := w.r.x[j]
		ok := up && w.d.setLower(j, math.Ceil(v)) || !up && w.d.setUpper(j, math.Floor(v))
		if !ok || !w.d.propagate() {
			break
		}
		j, up = k.divePick(w, kind)
	}
	if v := k.diveSolve(ctx, w); v == relaxed || v == halted {
		return v == relaxed
	}
	lower, upper := append([]float64{}, w.lower...), append([]float64{}, w.upper...)
	w.d.reset(lower, upper) // the other way, once
	j, up = k.divePick(w, kind)
	if j < 0 {
		return false
	}
	v := w.r.x[j]
	ok := !up && w.d.setLower(j, math.Ceil(v)) || up && w.d.setUpper(j, math.Floor(v))
	return ok && w.d.propagate() && k.diveSolve(ctx, w) == relaxed
}

// diveSolve solves the box of the dive; an empty box is empty.
func (k *task) diveSolve(ctx context.Context, w *worker) verdict {
	for j := range w.d.lower {
		if w.d.lower[j] > w.d.upper[j] {
			return empty
		}
	}
	x := w.r.x
	w.r.setBounds(w.d.lower, w.d.upper)
	v := w.r.solve(ctx, k.cutoff(), 0)
	if v != relaxed {
		w.r.x = x
	}
	return v
}

// divePick is the next variable to move and the direction; −1 if none is left.
func (k *task) divePick(w *worker, kind diveKind) (pick int, up bool) {
	pick = -1
	least := math.Inf(1)
	for _, j := range w.fractional {
		v := w.r.x[j]
		if v < w.d.lower[j]+k.near || v > w.d.upper[j]-k.near { // moved already
			continue
		}
		f := v - math.Floor(v)
		u, c := f > 0.5, min(f, 1-f)
		switch kind {
		case diveGuided:
			u = k.incumbent[j] > v
			c = math.Abs(k.incumbent[j] - v)
		case diveLocks:
			u = k.up[j] < k.down[j] || k.up[j] == k.down[j] && u
			c += float64(min(k.up[j], k.down[j]))
		case diveSteep:
			down, rise := k.costs.gain(j, goDown, f), k.costs.gain(j, goUp, 1-f)
			u, c = rise < down, min(rise, down)
		}
		if c < least {
			least, pick, up = c, j, u
		}
	}
	return pick, up
}
