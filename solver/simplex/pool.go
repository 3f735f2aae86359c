package simplex

import (
	"context"

	"github.com/vouchnn/vouch/solver"
)

// Bases of earlier objectives.
//
// Where the rows stay and only the objective changes, as in the ranges of a star set's
// neurons, every basis that was optimal stays feasible, not only the last one. A session
// keeps those of the last few objectives with their points, and the primal method starts
// from the one whose point is best for the new objective: a scalar product for each.
// The last one is often the worst of all, as after the least value of a neuron its
// greatest is asked for. On star sets this leaves 55 to 65 % of the pivots, for four bases
// as well as for sixteen.
//
// A dense tableau is kept whole, and coming back to it costs a copy, about as much as
// one pivot. Of a factored one only the places are kept, and coming back costs a
// factorisation. Any change but that of the objective empties the pool: after it the
// last basis is the closest. Bases are put aside when the next objective comes, so
// sessions that never change theirs pay nothing.

// poolSize is how many bases are kept, beside the current one.
const poolSize = 8

// pool is the bases of earlier objectives.
type pool struct {
	kept    []pooled
	next    int  // bases put so far; the ring's place of the next
	optimal bool // the engine's basis is that of an optimum
	asked   bool // the engine's basis was put, and the objective is new
}

// pooled is a feasible basis with its point, in the problem's units.
type pooled struct {
	point  []float64
	at     []place // of T's columns, for a dense tableau
	save   saved
	places []place // of all variables, for a factored one
}

// forget empties the pool.
func (l *pool) forget() { *l = pool{kept: l.kept[:0]} }

// put keeps the engine's basis, if it is that of an optimum.
func (s *session) put() {
	l := &s.pool
	if !l.optimal || s.stale {
		return
	}
	l.optimal = false
	size := min(poolSize, int(s.memory()/(8*int64(s.e.m+1)*int64(s.e.n+1)))-1)
	if _, inFull := s.e.tableau.(*dense); !inFull {
		size = poolSize
	}
	if size <= 0 {
		return
	}
	k := l.next % size
	if l.next++; k == len(l.kept) {
		if k < cap(l.kept) {
			l.kept = l.kept[:k+1] // with the room it had
		} else {
			l.kept = append(l.kept, pooled{})
		}
	}
	b := &l.kept[k]
	b.point = s.e.point(s.p)
	l.asked = true
	if _, inFull := s.e.tableau.(*dense); inFull {
		s.e.save(&b.save)
		b.at = append(b.at[:0], s.e.at...)
		return
	}
	b.places = s.e.places()
}

// pick makes the best of the kept bases that of the engine, once for an objective. The
// last one is the engine's already.
func (s *session) pick(ctx context.Context) outcome {
	l := &s.pool
	if !l.asked {
		return done
	}
	l.asked = false
	last := (l.next - 1) % len(l.kept)
	best, value := last, s.worth(last)
	for k := range l.kept {
		if v := s.worth(k); v < value {
			best, value = k, v
		}
	}
	if best == last {
		return done
	}
	b := &l.kept[best]
	if _, inFull := s.e.tableau.(*dense); inFull {
		s.e.back(&b.save)
		copy(s.e.at, b.at)
		return done
	}
	return s.e.install(ctx, b.places)
}

// worth is the objective, to be minimised, at a kept point.
func (s *session) worth(k int) float64 {
	v := s.p.Value(s.pool.kept[k].point)
	if s.p.Sense == solver.Maximize {
		return -v
	}
	return v
}
