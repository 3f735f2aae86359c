package qnn

import (
	"context"
	"math"
	"sync/atomic"

	"github.com/vouchnn/vouch/internal/parallel"
)

// From cheap bounds to tight ones.
//
// Most regions are decided by some hundreds of domains under the bound of dual.go, most of
// these with the share of a conjunction's accumulators (descent.go, moveShare) left at one,
// and some only if it moves: after shareRound rounds it does, and what is open begins anew.
// Where that does not decide either, more domains help little, and two tighter bounds pay.
// They are turned on after hullRound rounds, for good: the conjunctions that are still open
// begin anew from the whole region. Where the first stage's levels are weighed by one
// stage behind them, simplex.go replaces the descent and chooses the cut; hull.go, ten
// times as expensive, bounds what is left open.

const (
	shareRound         = 30
	hullRound          = 60
	hullRootIterations = 300 // backward passes for a whole region, at most
	hullIterations     = 40  // the same for a part
)

// again is the whole region once more for every conjunction that is still open.
func (s *search) again() []*domain {
	live := map[int]bool{}
	for _, d := range s.stack {
		live[d.conj] = true
	}
	var roots []*domain
	for _, r := range s.roots {
		if live[r.domain.conj] {
			roots = append(roots, r.domain.clone(nil))
		}
	}
	return roots
}

// deepen turns the tight bound on. It returns an unsafe input if one turned up.
func (s *search) deepen(ctx context.Context) []float64 {
	if len(s.m.stages) < 2 {
		return nil
	}
	shape := newHullShape(s.m)
	if shape == nil {
		return nil
	}
	roots := s.again()
	s.shape = shape
	for _, w := range s.workers {
		w.hull, w.linear = newHull(shape), newProgram(shape)
	}
	var stop atomic.Int32
	stop.Store(math.MaxInt32)
	parallel.For(len(s.workers), 1, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			for i := k; i < len(roots); i += len(s.workers) {
				s.workers[k].boundByHull(ctx, roots[i], hullRootIterations, 0.05, &stop, int32(k))
			}
		}
	})
	if x := s.firstWitness(s.workers); x != nil {
		return x
	}
	s.stats.Domains += len(roots)
	s.stack = s.stack[:0]
	for _, d := range roots {
		if d.bound >= 0 {
			s.stack = append(s.stack, d)
		}
	}
	sortByBound(s.stack)
	return nil
}

// boundDeep bounds the domains of list.
func (s *search) boundDeep(ctx context.Context, w *worker, list []*domain, o descentOptions, stop *atomic.Int32, order int32) {
	var rest []*domain
	for _, d := range list {
		if !w.linear.fits(d) {
			rest = append(rest, d)
			continue
		}
		if ctx.Err() != nil || stop.Load() < order {
			return
		}
		w.boundBySimplex(d, stop, order)
		if d.bound >= 0 {
			w.boundByHull(ctx, d, hullIterations, 0.1, stop, order)
		}
	}
	if len(rest) > 0 {
		w.pass.descend(rest, o, w.visit(stop, order))
	}
	for _, d := range rest {
		if d.bound >= 0 {
			w.boundByHull(ctx, d, hullIterations, 0.1, stop, order)
		}
	}
}

// boundBySimplex bounds a domain, and looks at the inputs that the program names.
func (w *worker) boundBySimplex(d *domain, stop *atomic.Int32, order int32) {
	l, a := w.linear, w.attacker
	l.bound(d)
	if d.bound < 0 {
		return
	}
	l.count++
	a.probe.run(l.pass.x)
	a.tried++
	if exact, _ := a.probe.shortfall(d.conj, l.pass.x); exact == 0 && w.unsafe(l.pass.x) {
		w.witness = append([]float64(nil), l.pass.x...)
		stop.Store(min(stop.Load(), order))
		return
	}
	if l.count%8 != 1 {
		return
	}
	l.point(a.neg)
	if a.dive(d, a.neg, l.pass.omega[0][:l.n]) && w.unsafe(a.best) {
		w.witness = append([]float64(nil), a.best...)
		stop.Store(min(stop.Load(), order))
	}
}

func (w *worker) boundByHull(ctx context.Context, d *domain, iterations int, rate float64, stop *atomic.Int32, order int32) {
	if !w.hull.fits(d) || d.branch.neuron < 0 || ctx.Err() != nil || stop.Load() < order {
		return
	}
	w.hull.descend(ctx, d, iterations, rate, func(x []float64) bool {
		a := w.attacker
		a.probe.run(x)
		a.tried++
		if exact, _ := a.probe.shortfall(d.conj, x); exact == 0 && w.unsafe(x) {
			w.witness = append([]float64(nil), x...)
			stop.Store(min(stop.Load(), order))
			return true
		}
		return false
	})
}
