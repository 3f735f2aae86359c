package qnn

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sync/atomic"

	"github.com/vouchnn/vouch/internal/parallel"
	"github.com/vouchnn/vouch/spec"
)

// Branch and bound over domains.
//
// Domains wait on a stack. Each round takes a batch from the top, bounds it on
// all processors, and pushes the parts of those that stay open, the more
// promising part last. Where every neuron has one level left, the outputs are
// constant and the question is whether an integer input meets all ranges:
// the attack tries, then inputs are halved until a bound or a single point
// decides. So the search is complete. Batches are cut the same way whatever the
// number of processors, and the first counterexample in the order of the batch
// counts: same options, same answer.

// search is one region's branch and bound.
type search struct {
	m       *model
	o       Options
	stack   []*domain
	spare   []*domain
	workers []*worker
	stats   *spec.Stats
	accept  func(x []float64) bool // replays an input; true ends the search
	reach   []float64              // per input: sum of first-stage weights
	roots   []*root                // conjunctions that bounds alone left open
	turn    int                    // how often alternate went over the roots
	shape   *hullShape             // not nil: domains that stay open are bounded by hull.go
	shared  bool                   // the share of accumulators moves, also in the passes of dual.go
}

// root is a conjunction over the whole region, for the attack.
type root struct {
	domain *domain
	omega  []float64 // weights of the first stage's levels
	open   int       // domains on the stack
}

// worker is what one part of a batch needs.
type worker struct {
	pass     *pass
	attacker *attacker
	witness  []float64 // not nil: an input that is unsafe
	unsafe   func(x []float64) bool
	best     []candidate
	hull     *hull
	linear   *program
}

// candidate is the input that came nearest to a conjunction.
type candidate struct {
	x           []float64
	exact, soft float64
}

// part is the number of domains that a worker bounds at a time.
const part = 32

func newSearch(m *model, o Options, stats *spec.Stats, accept, unsafe func(x []float64) bool) *search {
	s := &search{m: m, o: o, stats: stats, accept: accept, reach: make([]float64, len(m.region.low))}
	st := &m.stages[0]
	for j := range st.out {
		for i := range s.reach {
			s.reach[i] += math.Abs(st.w[j*st.in+i])
		}
	}
	for range o.parts() {
		s.workers = append(s.workers, &worker{pass: newPass(m, part), attacker: newAttacker(m), unsafe: unsafe})
	}
	return s
}

// visit lets a worker look at every input that its pass names. stop is shared by
// the workers of a round.
func (w *worker) visit(stop *atomic.Int32, order int32) found {
	return func(k int) bool {
		if stop.Load() < order {
			return true
		}
		p := w.pass
		in, n := p.m.stages[0].in, p.m.stages[0].out
		probe := w.attacker.probe
		copy(probe.acc[0], p.acc[0][k*n:(k+1)*n])
		probe.runFrom()
		w.attacker.tried++
		x := p.x[k*in : (k+1)*in]
		conj := p.domain[k].conj
		exact, soft := probe.shortfall(conj, x)
		if exact == 0 && w.unsafe(x) {
			w.witness = append([]float64(nil), x...)
			stop.Store(min(stop.Load(), order))
			return true
		}
		if w.best != nil {
			if b := &w.best[conj]; b.x == nil || exact < b.exact || exact == b.exact && soft < b.soft {
				b.x, b.exact, b.soft = append(b.x[:0], x...), exact, soft
			}
		}
		return false
	}
}

// polish dives from some of the domains that stay open, where alternate does not
// know the region.
func (w *worker) polish(stop *atomic.Int32, order int32) func(d *domain, x, omega []float64) {
	count := 0
	return func(d *domain, x, omega []float64) {
		if count++; count%8 != 1 || stop.Load() < order {
			return
		}
		if w.attacker.dive(d, x, omega) && w.unsafe(w.attacker.best) {
			w.witness = append([]float64(nil), w.attacker.best...)
			stop.Store(min(stop.Load(), order))
		}
	}
}

// bound optimises a batch on all workers. It returns an unsafe input if one
// turned up that passes the replay.
func (s *search) bound(ctx context.Context, batch []*domain, o descentOptions, fresh bool) []float64 {
	var stop atomic.Int32
	stop.Store(math.MaxInt32)
	parts := (len(batch) + part - 1) / part
	parallel.For(parts, 1, func(lo, hi int) {
		for k := lo; k < hi; k++ {
			w := s.workers[k]
			w.witness = nil
			list := batch[k*part : min(len(batch), (k+1)*part)]
			if fresh {
				w.pass.adopt(list)
				w.pass.initialise()
			}
			w.pass.polish = nil
			w.pass.whole = !s.shared && s.shape == nil
			if !s.o.NoAttack && s.m.region.ball != nil {
				w.pass.polish = w.polish(&stop, int32(k))
			}
			if s.shape != nil && !fresh {
				s.boundDeep(ctx, w, list, o, &stop, int32(k))
				continue
			}
			w.pass.descend(list, o, w.visit(&stop, int32(k)))
		}
	})
	s.stats.Domains += len(batch)
	return s.firstWitness(s.workers[:parts])
}

// firstWitness is the first worker's unsafe input that passes the replay.
func (s *search) firstWitness(workers []*worker) []float64 {
	for _, w := range workers {
		s.stats.Attacks += w.attacker.tried
		w.attacker.tried = 0
	}
	for _, w := range workers {
		if w.witness != nil && s.accept(w.witness) {
			return w.witness
		}
		w.witness = nil
	}
	return nil
}

// run goes on until the stack is empty, an unsafe input is found or a limit is
// reached. reason is ReasonNone if the stack is empty.
func (s *search) run(ctx context.Context) (witness []float64, reason spec.Reason) {
	o := descentOptions{iterations: s.o.Iterations, patience: max(s.o.Iterations/4, 1), rate: 0.05}
	size := part * len(s.workers)
	parts := make([]*domain, 0, size)
	for round := 0; len(s.stack) > 0; round++ {
		if reason = s.limit(ctx); reason != spec.ReasonNone {
			return nil, reason
		}
		if round == s.o.shareAfter-1 && s.shape == nil {
			s.shared = true
			if s.stack, witness = s.boundWhole(ctx, s.again()); witness != nil {
				return witness, spec.ReasonNone
			}
		}
		if round == s.o.deepenAfter-1 {
			if witness = s.deepen(ctx); witness != nil {
				return witness, spec.ReasonNone
			}
		}
		if witness = s.alternate(s.starts(round)); witness != nil {
			return witness, spec.ReasonNone
		}
		s.stats.MaxFrontier = max(s.stats.MaxFrontier, len(s.stack))
		parts = parts[:0]
		for len(s.stack) > 0 && len(parts)+2 <= size {
			d := s.stack[len(s.stack)-1]
			s.stack = s.stack[:len(s.stack)-1]
			var first, second *domain
			if first, second, witness = s.split(d); witness != nil {
				return witness, spec.ReasonNone
			}
			for _, c := range []*domain{first, second} {
				if c != nil {
					parts = append(parts, c)
				}
			}
			s.free(d)
		}
		if witness = s.bound(ctx, parts, o, false); witness != nil {
			return witness, spec.ReasonNone
		}
		for _, d := range slices.Backward(parts) {
			if d.bound >= 0 {
				s.stack = append(s.stack, d)
			} else {
				s.free(d)
			}
		}
		if s.o.Progress != nil {
			s.o.Progress(Progress{Domains: s.stats.Domains, Open: len(s.stack)})
		}
	}
	return nil, spec.ReasonNone
}

func (s *search) limit(ctx context.Context) spec.Reason {
	if reason := contextReason(ctx); reason != spec.ReasonNone {
		return reason
	}
	switch {
	case s.o.MaxDomains > 0 && s.stats.Domains >= s.o.MaxDomains:
		return spec.ReasonNodeLimit
	case int64(len(s.stack))*s.domainBytes() > s.o.MaxMemory:
		return spec.ReasonMemory
	}
	return spec.ReasonNone
}

// split cuts a domain in two, the more promising part first. A part that cannot
// hold an unsafe input is nil. A domain whose levels are all decided is cut
// along an input, after an attack.
func (s *search) split(d *domain) (first, second *domain, witness []float64) {
	s.stats.Splits++
	if d.branch.neuron >= 0 {
		below, above := s.m.cut(d, s.take)
		if d.branch.upper {
			return above, below, nil
		}
		return below, above, nil
	}
	a := s.workers[0].attacker
	if d.region.point() {
		a.probe.run(d.region.low)
		if exact, _ := a.probe.shortfall(d.conj, d.region.low); exact == 0 && d.region.contains(d.region.low) && s.accept(d.region.low) {
			return nil, nil, d.region.low
		}
		return nil, nil, nil
	}
	n := s.m.stages[0].out
	if !s.o.NoAttack && d.x != nil {
		copy(a.x, d.x)
		if a.settle(d.region, d.conj, d.low[:n], d.high[:n], 100) && s.accept(a.best) {
			return nil, nil, a.best
		}
	}
	first, second = s.m.cutInput(d, d.region.widest(s.reach))
	return first, second, nil
}

// take hands out a domain's memory for use again, or nil.
func (s *search) take() *domain {
	if len(s.spare) == 0 {
		return nil
	}
	d := s.spare[len(s.spare)-1]
	s.spare = s.spare[:len(s.spare)-1]
	return d
}

func (s *search) free(d *domain) {
	d.price, d.basis = nil, nil
	if len(s.spare) < 4*part*len(s.workers) {
		s.spare = append(s.spare, d)
	}
}

// domainBytes is about how much memory an open domain takes.
func (s *search) domainBytes() int64 {
	n := int64(s.m.total)*32 + 256
	if s.shape != nil {
		n += 4 * int64(len(s.shape.w)*len(s.shape.columns))
	}
	return n
}

// sortByBound puts the domains with the greatest bounds last, which is where the
// search goes on.
func sortByBound(list []*domain) {
	slices.SortStableFunc(list, func(a, b *domain) int { return cmp.Compare(a.bound, b.bound) })
}

// starts is how many inputs alternate starts from in this round: what the first
// hundreds did not find is rare.
func (s *search) starts(round int) int {
	switch {
	case round < 20:
		return 6
	case round%4 == 0:
		return 2
	}
	return 0
}
