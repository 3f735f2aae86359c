package simplex

import (
	"context"
	"math"
	"slices"
)

// What to branch on: reliability branching.
//
// Variables are ranked by pseudo-costs. The first few whose pseudo-costs rest on less
// than reliable observations are tried: both children's linear programs are solved for
// some iterations from the node's basis (strong branching), which also tells the
// pseudo-costs. The search for a better one ends when several tries in a row bring
// none (Achterberg, Koch & Martin 2005, "Branching rules revisited", Oper. Res. Lett.
// 33, Alg. 2 and Sect. 2.4). A child that turns out empty or too poor, by proof,
// moves the bound the other way.

const (
	reliable    = 4
	lookAhead   = 6
	mostTrials  = 30
	trialPivots = 60
	trialsFree  = 3000 // iterations of trials, beyond half of the others
)

// choice is what came of looking for a branching.
type choice struct {
	j         int
	upward    bool
	moves     []move // bounds that trials have shown
	tightened bool
	dead      bool // neither child has anything
	stopped   bool // the context ended
}

// choose picks a variable among the fractional ones.
func (k *task) choose(ctx context.Context, w *worker, fractional []int) choice {
	x := append([]float64{}, w.r.x...)
	value := w.r.s.p.Value(x)
	order, score := k.rank(x, fractional)
	c := choice{j: -1}
	best, idle, trials := -1.0, 0, 0
	trying := false
	for _, j := range order {
		s := score[j]
		if k.costs.reliability(j) < reliable && trials < mostTrials && k.mayTry(w) {
			if !trying {
				w.keep()
				trying = true
			}
			trials++
			down, up := k.trial(ctx, w, j, x[j], goDown, value), k.trial(ctx, w, j, x[j], goUp, value)
			if ctx.Err() != nil {
				c.stopped = true
				break
			}
			switch {
			case down.gone && up.gone:
				c.dead = true
			case down.gone:
				c.moves = append(c.moves, move{j, false, math.Ceil(x[j])})
			case up.gone:
				c.moves = append(c.moves, move{j, true, math.Floor(x[j])})
			}
			if c.dead {
				break
			}
			s = product(down.gain, up.gain)
		}
		if s > best {
			best, idle = s, 0
			c.j = j
		} else if idle++; trying && idle >= lookAhead {
			break
		}
	}
	if trying {
		w.restore()
		w.r.x = x
	}
	c.tightened = len(c.moves) > 0 && !c.dead && !c.stopped
	if c.j >= 0 {
		c.upward = k.prefersUp(c.j, x[c.j])
	}
	return c
}

// rank orders variables by the scores that pseudo-costs give them.
func (k *task) rank(x []float64, fractional []int) (order []int, score map[int]float64) {
	order = append([]int{}, fractional...)
	score = make(map[int]float64, len(order))
	for _, j := range order {
		score[j] = k.costs.score(j, x[j])
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case score[a] > score[b]:
			return -1
		case score[a] < score[b]:
			return 1
		}
		return a - b
	})
	return order, score
}

// prefersUp tells which child to plunge into: towards the incumbent, otherwise to the
// nearer integer.
func (k *task) prefersUp(j int, x float64) bool {
	f := x - math.Floor(x)
	if k.incumbent != nil && k.point == nil {
		return k.incumbent[j] > x
	}
	return f > 0.5
}

// mayTry bounds the iterations of trials by those of the search.
func (k *task) mayTry(w *worker) bool {
	others := k.search.iterations - k.search.trials + w.r.total - k.before - k.trials
	return k.search.trials+k.trials <= others/2+trialsFree
}

// trialResult is what solving a child for some iterations brought.
type trialResult struct {
	gain float64 // of the objective
	gone bool    // shown to have nothing better
}

// trial solves one child of the current node, whose tableau w.keep has saved.
func (k *task) trial(ctx context.Context, w *worker, j int, x float64, direction int, value float64) trialResult {
	e, v := w.r.s.e, &w.r.s.p.Variables[j]
	lower, upper := v.Lower, v.Upper
	stretch := x - math.Floor(x)
	if direction == goDown {
		v.Upper = math.Floor(x)
	} else {
		v.Lower = math.Ceil(x)
		stretch = v.Lower - x
	}
	e.setVariable(j, v.Lower, v.Upper)
	defer func() {
		v.Lower, v.Upper = lower, upper
		e.setVariable(j, lower, upper)
		w.back()
	}()
	cutoff := k.cutoff()
	e.prepare(&w.r.s.opts)
	e.given = trialPivots
	e.cut = 1e300
	if !math.IsInf(cutoff, 1) {
		e.cut = (cutoff - w.r.s.p.Offset + 1e-6*max(1, math.Abs(cutoff))) * e.costBy
	}
	e.load()
	e.values()
	e.prices()
	out := e.dual(ctx)
	k.trials += e.count
	w.r.total += e.count
	if out == stopped || out == trouble {
		return trialResult{}
	}
	if out == infeasible && w.r.proves(e.farkasRay()) {
		return trialResult{gain: 1e20, gone: true}
	}
	if out == infeasible {
		return trialResult{}
	}
	after := e.objective/e.costBy + w.r.s.p.Offset
	r := trialResult{gain: max(0, after-value)}
	if out == passed || after >= cutoff {
		if e.shifted {
			e.prices()
		}
		if w.r.lagrangian(e.duals()) >= cutoff {
			k.discard()
			r.gone = true
		}
	}
	if out != exhausted && stretch > 0 {
		k.note(observation{j, direction, r.gain / stretch})
	}
	return r
}

// keep saves the tableau of the node.
func (w *worker) keep() {
	w.r.s.e.save(&w.save)
	w.at = append(w.at[:0], w.r.s.e.at...)
}

// back returns to what keep saved. Values are computed by whoever solves next.
func (w *worker) back() {
	w.r.s.e.back(&w.save)
	copy(w.r.s.e.at, w.at)
}

// restore is back, with all values, for places to be read off.
func (w *worker) restore() {
	w.back()
	w.r.s.e.load()
}
