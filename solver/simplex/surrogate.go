package simplex

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/vouchnn/vouch/solver"
)

// An objective for problems without one.
//
// Where all points are equally good, as in proofs that nothing is feasible, linear
// programs say yes or no and nothing in between: pseudo-costs, reduced costs and
// strong branching are blind. So a row lends its activity as an objective: a row that
// asks for Σ aⱼxⱼ ≥ l becomes "maximise Σ aⱼxⱼ", and a box is gone when the bound falls
// below l. The row stays where it is, so nothing is lost; the first point ends the
// search.
//
// Which row: some random dives are made, each ends with a Farkas ray, and the row that
// most of them need is taken. What makes a problem infeasible, as the property that a
// verifier asks about, is part of every proof, while the rest varies from one to the
// next.

const surrogateDives = 12

// surrogate gives the problem an objective. The worker's root is solved; it is to be
// solved again afterwards. False means that there is no row for it.
func (s *search) surrogate(ctx context.Context, w *worker) bool {
	count := make([]int, len(s.p.Rows))
	rng := rand.New(rand.NewPCG(s.opts.Seed, 0x5e))
	w.keep()
	for range surrogateDives {
		if ctx.Err() != nil {
			return false
		}
		for i, y := range s.randomDive(ctx, w, rng) {
			if r := &s.p.Rows[i]; y != 0 && (math.IsInf(r.Lower, -1) || math.IsInf(r.Upper, 1)) {
				count[i]++
			}
		}
		w.d.reset(w.rootLower, w.rootUpper)
		w.back()
	}
	row := -1
	for i, c := range count {
		if c > 0 && (row < 0 || c > count[row]) {
			row = i
		}
	}
	if row < 0 {
		return false
	}
	r := &s.p.Rows[row]
	sign, end := -1.0, -r.Lower // minimise −activity, which has to be ≤ −Lower
	if math.IsInf(r.Lower, -1) {
		sign, end = 1, r.Upper
	}
	s.constant, s.p.Offset = s.p.Offset, 0
	for k, j := range r.Columns {
		s.p.Variables[j].Cost = sign * r.Values[k]
	}
	s.setGrid()
	s.lent = true
	s.enough = end + 1e-9*max(1, math.Abs(end))
	if s.grid > 0 {
		s.enough = end + 1e-6*s.grid
	}
	return true
}

// randomDive fixes variables to near integers in random order until nothing is left,
// and returns the proof of that, or nil.
func (s *search) randomDive(ctx context.Context, w *worker, rng *rand.Rand) []float64 {
	w.r.setBounds(w.rootLower, w.rootUpper)
	for range diveRounds {
		v := w.r.solve(ctx, math.Inf(1), 0)
		if v == empty {
			return w.r.s.e.farkasRay()
		}
		fractional := w.fractions(s.integers, s.near)
		if v != relaxed || len(fractional) == 0 {
			return nil
		}
		for range 1 + len(fractional)/diveFixes {
			j := fractional[rng.IntN(len(fractional))]
			x := math.Floor(w.r.x[j] + rng.Float64())
			if x >= w.d.lower[j] && x <= w.d.upper[j] {
				w.d.lower[j], w.d.upper[j] = x, x
			}
		}
		w.r.setBounds(w.d.lower, w.d.upper) // rows, not propagation, are to say no
	}
	return nil
}

// hasCosts reports whether points differ in value.
func hasCosts(p *solver.Problem) bool {
	for j := range p.Variables {
		if p.Variables[j].Cost != 0 {
			return true
		}
	}
	return false
}
