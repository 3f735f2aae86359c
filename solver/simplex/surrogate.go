package simplex

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

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
// Which row: candidates are those that Farkas rays of some random dives need most, and
// the last rows, where models put the question. Each is tried at the root, and the one
// taken whose activity, as a share of its range, can least exceed what it has to: the
// row that is closest to making the problem infeasible.

const (
	surrogateDives = 12
	surrogateTries = 24 // candidates by proofs
	surrogateLast  = 4  // candidates by place
	surrogateWork  = 40 // times the root's iterations, for dives and again for candidates
)

// surrogate gives the problem an objective, if a row has one to lend. The worker's root
// is solved; it is to be solved again afterwards.
func (s *search) surrogate(ctx context.Context, w *worker) {
	count := make([]int, len(s.p.Rows))
	rng := rand.New(rand.NewPCG(s.opts.Seed, 0x5e))
	w.keep()
	most := surrogateWork * (w.r.total + 200)
	for range surrogateDives {
		if ctx.Err() != nil || w.r.total > most {
			break
		}
		for i, y := range s.randomDive(ctx, w, rng) {
			if r := &s.p.Rows[i]; y != 0 && (math.IsInf(r.Lower, -1) || math.IsInf(r.Upper, 1)) {
				count[i]++
			}
		}
		w.d.reset(w.rootLower, w.rootUpper)
		w.back()
	}
	row, closest := -1, math.Inf(1)
	w.r.setBounds(w.rootLower, w.rootUpper)
	for _, i := range s.surrogateRows(count) {
		costs, enough := s.costsOf(i)
		if w.r.total > 2*most {
			break
		}
		for j, c := range costs {
			w.r.s.p.Variables[j].Cost = c
		}
		w.r.s.e.setObjective(w.r.s.p)
		if w.r.solve(ctx, math.Inf(1), 0) != relaxed {
			continue
		}
		a := w.d.activity(&s.p.Rows[i])
		if share := (enough - w.r.bound) / (a.most - a.least); share < closest {
			closest, row = share, i
		}
	}
	if row >= 0 {
		s.lend(row)
	}
}

// surrogateRows lists the candidates, given in how many proofs each row was.
func (s *search) surrogateRows(count []int) []int {
	var rows []int
	for i := range s.p.Rows {
		if r := &s.p.Rows[i]; math.IsInf(r.Lower, -1) || math.IsInf(r.Upper, 1) {
			rows = append(rows, i)
		}
	}
	last := rows[max(0, len(rows)-surrogateLast):]
	rows = append([]int{}, rows[:len(rows)-len(last)]...)
	slices.SortStableFunc(rows, func(a, b int) int { return count[b] - count[a] })
	return append(rows[:min(len(rows), surrogateTries)], last...)
}

// costsOf is row i's activity as an objective to be minimised, and the value that it
// must not exceed.
func (s *search) costsOf(i int) (costs []float64, enough float64) {
	r := &s.p.Rows[i]
	sign, end := -1.0, -r.Lower
	if math.IsInf(r.Lower, -1) {
		sign, end = 1, r.Upper
	}
	costs = make([]float64, len(s.p.Variables))
	for k, j := range r.Columns {
		costs[j] = sign * r.Values[k]
	}
	return costs, end
}

// lend makes row i the objective.
func (s *search) lend(i int) {
	costs, end := s.costsOf(i)
	for j, c := range costs {
		s.p.Variables[j].Cost = c
	}
	s.constant, s.p.Offset = s.p.Offset, 0
	s.setGrid()
	s.lent = true
	s.enough = end + 1e-9*max(1, math.Abs(end))
	if s.grid > 0 {
		s.enough = end + 1e-6*s.grid
	}
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
