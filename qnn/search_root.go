package qnn

import (
	"context"
	"math"
	"sync/atomic"

	"github.com/vouchnn/vouch/internal/parallel"
)

// The beginning of a search: every conjunction over its whole region, bounded and attacked,
// before anything is split.

// root bounds every conjunction over the whole region and attacks those that
// stay open. decided is false if branch and bound has to go on from the stack.
func (s *search) root(ctx context.Context) (witness []float64, decided bool) {
	var open []*domain
	for k := range s.m.rows {
		if d := s.m.newDomain(k); d != nil {
			open = append(open, d)
		}
	}
	if len(open) == 0 {
		return nil, true
	}
	for _, w := range s.workers {
		w.best = make([]candidate, len(s.m.rows))
	}
	if witness = s.attackCenter(open); witness != nil {
		return witness, true
	}
	left, witness := s.boundWhole(ctx, open)
	if witness != nil {
		return witness, true
	}
	s.stack = left
	if ctx.Err() != nil {
		return nil, false
	}
	witness = s.attackOpen(ctx, left)
	s.keepRoots(left)
	for _, w := range s.workers {
		w.best = nil
	}
	return witness, witness != nil || len(left) == 0
}

// boundWhole bounds conjunctions over the whole region. It returns those that stay open,
// sorted; all of them that it has not come to when the context ends.
func (s *search) boundWhole(ctx context.Context, open []*domain) (left []*domain, witness []float64) {
	size := part * len(s.workers)
	o := descentOptions{iterations: s.o.RootIterations, patience: max(s.o.RootIterations/5, 1), rate: 0.15}
	for from := 0; from < len(open); from += size {
		batch := open[from:min(len(open), from+size)]
		if ctx.Err() == nil {
			if witness = s.bound(ctx, batch, o, true); witness != nil {
				return nil, witness
			}
		}
		for _, d := range batch {
			if d.bound >= 0 {
				left = append(left, d)
			}
		}
	}
	sortByBound(left)
	return left, nil
}

// attackCenter follows straight-through gradients from the region's centre.
func (s *search) attackCenter(open []*domain) []float64 {
	if s.o.NoAttack {
		return nil
	}
	reg := s.m.region
	x := make([]float64, len(reg.low))
	for i := range x {
		x[i] = math.Floor((reg.low[i] + reg.high[i]) / 2)
		if reg.center != nil {
			x[i] = min(max(reg.towardCenter(i, reg.center[i]), reg.low[i]), reg.high[i])
		}
	}
	a := s.workers[0].attacker
	for _, d := range open {
		if a.climb(reg, d.conj, x, 4, 0) && reg.contains(a.best) && s.accept(a.best) {
			return a.best
		}
	}
	return nil
}

// attackOpen runs the local search from the best input of each conjunction, the
// weakest first.
func (s *search) attackOpen(ctx context.Context, left []*domain) []float64 {
	if s.o.NoAttack {
		return nil
	}
	a := s.workers[0].attacker
	for k := len(left) - 1; k >= 0 && ctx.Err() == nil; k-- {
		var from *candidate
		for _, w := range s.workers {
			if c := &w.best[left[k].conj]; c.x != nil && (from == nil || c.exact < from.exact || c.exact == from.exact && c.soft < from.soft) {
				from = c
			}
		}
		if from != nil && a.climb(s.m.region, left[k].conj, from.x, 2, s.o.Sweeps) && s.accept(a.best) {
			return a.best
		}
	}
	return nil
}

// keepRoots remembers what the attack needs of the open conjunctions.
func (s *search) keepRoots(left []*domain) {
	p := s.workers[0].pass
	for _, d := range left {
		r := &root{domain: d.clone(nil), open: 1}
		p.adopt([]*domain{d})
		p.load(0, d)
		p.evaluate()
		r.omega = append(r.omega, p.omega[0][:s.m.stages[0].out]...)
		s.roots = append(s.roots, r)
	}
}

// alternate lets every worker try some starts for one of the conjunctions that
// still have domains on the stack, another one each time.
func (s *search) alternate(starts int) []float64 {
	if s.o.NoAttack || starts == 0 {
		return nil
	}
	for _, r := range s.roots {
		r.open = 0
	}
	var live []*root
	for _, d := range s.stack {
		for _, r := range s.roots {
			if r.domain.conj == d.conj {
				if r.open++; r.open == 1 {
					live = append(live, r)
				}
			}
		}
	}
	if len(live) == 0 {
		return nil
	}
	var stop atomic.Int32
	stop.Store(math.MaxInt32)
	parallel.For(len(s.workers), 1, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			w, r := s.workers[k], live[(s.turn+k)%len(live)]
			if stop.Load() > int32(k) && w.attacker.alternate(r.domain, r.domain.v, r.omega, starts) && w.unsafe(w.attacker.best) {
				w.witness = append([]float64(nil), w.attacker.best...)
				stop.Store(min(stop.Load(), int32(k)))
			}
		}
	})
	s.turn += len(s.workers)
	return s.firstWitness(s.workers)
}
