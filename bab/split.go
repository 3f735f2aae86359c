package bab

// What to split.
//
// Input: the dimension whose width, weighted by the coefficients of the linear
// lower bounds of the open conjunctions, is largest; it is what the bound can
// gain at first order. A dimension that is out of proportion, lopsided times as
// wide as the chosen one measured by the whole region, goes first: a zero
// coefficient must not keep it from ever being cut.
//
// Neuron: those whose relaxation costs the bound most
// (bounds.DomainResult.Impact), as in BaBSR (Bunel et al. 2020, §5.2), with
// the coefficients of the functions themselves in place of an estimate, or as a
// caller's rule says (branching.go); among the best few, fsb.go looks closer. ReLUs
// are cut at zero, S-curves where their relaxation gains most.

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// plan chooses the split of every domain and returns those that stay open:
// what has no neuron left to split is settled (leaf.go), or goes on with the box.
func (s *search) plan(ctx context.Context, open []root) ([]root, *spec.Counterexample, error) {
	if s.kind == SplitNeuron {
		if err := s.filter(ctx, open); err != nil {
			return nil, nil, err
		}
		still, cex, err := s.leaves(ctx, open)
		if err != nil || cex != nil {
			return nil, cex, err
		}
		open = still
	}
	for _, o := range open {
		if s.kind != SplitNeuron || o.d.split.node < 0 {
			o.d.split = s.e.bestInput(s.g, o.d, o.r)
		}
	}
	return open, nil, nil
}

// bestInput is the input to halve; node −1 if none can be halved.
func (e *engine) bestInput(g *group, d *domain, r *bounds.DomainResult) split {
	n := e.prop.Inputs
	lo, up := r.Nodes[0].Lower, r.Nodes[0].Upper
	score := make([]float64, n)
	for _, c := range d.open {
		_, f := g.best(c, r)
		if f < 0 || r.Coef == nil {
			continue
		}
		for j, a := range r.Coef[f*n : (f+1)*n] {
			score[j] += math.Abs(a) * (up[j] - lo[j])
		}
	}
	whole := e.prop.Cases[d.caseIndex].Region.Box()
	best, widest := split{node: -1}, split{node: -1}
	bestScore, bestShare, widestShare := -1.0, 0.0, -1.0
	for j := range n {
		mid := 0.5*lo[j] + 0.5*up[j]
		if !(lo[j] < mid && mid < up[j]) {
			continue
		}
		v, share := score[j], (up[j]-lo[j])/(whole.Upper[j]-whole.Lower[j])
		if math.IsNaN(v) {
			v = 0
		}
		if v > bestScore || (v == bestScore && share > bestShare) {
			best, bestScore, bestShare = split{0, j, mid}, v, share
		}
		if share > widestShare {
			widest, widestShare = split{0, j, mid}, share
		}
	}
	if widestShare > lopsided*bestShare {
		return widest
	}
	return best
}

// lopsided is how much wider than the chosen dimension another may be.
const lopsided = 16

// bestNeurons is the most promising neurons to split by their scores, best first.
func (e *engine) bestNeurons(r *bounds.DomainResult, scores [][]float64, most int) []split {
	type candidate struct {
		split
		score float64
	}
	var best []candidate
	for i, of := range scores[:min(len(scores), len(r.Impact))] {
		if of == nil || r.Impact[i] == nil {
			continue
		}
		node := e.net.Nodes()[i]
		j := node.Inputs[0]
		for k, v := range of[:min(len(of), len(r.Nodes[j].Lower))] {
			if !(v > 0) || (len(best) == most && v <= best[most-1].score) {
				continue
			}
			point, ok := splitPoint(node.Op, r.Nodes[j].Lower[k], r.Nodes[j].Upper[k])
			if !ok {
				continue
			}
			c := candidate{split{j, k, point}, v}
			at, _ := slices.BinarySearchFunc(best, v, func(c candidate, v float64) int { return cmp.Compare(v, c.score) })
			best = slices.Insert(best, at, c)
			if len(best) > most {
				best = best[:most]
			}
		}
	}
	if len(best) == 0 {
		if c := e.widestReLU(r); c.node >= 0 {
			return []split{c}
		}
		return nil
	}
	out := make([]split, len(best))
	for k, c := range best {
		out[k] = c.split
	}
	return out
}

// widestReLU is the undecided ReLU that is farthest from being decided, for
// domains whose bound depends on none: in a part where the functions are
// constant, say. What is left to show is then that nothing is in it, and that
// takes the neurons before the splits.
func (e *engine) widestReLU(r *bounds.DomainResult) split {
	best, widest := split{node: -1}, 0.0
	for i := range r.Impact {
		node := e.net.Nodes()[i]
		switch node.Op.(type) {
		case nn.ReLU, nn.LeakyReLU:
		default:
			continue
		}
		j := node.Inputs[0]
		for k, lo := range r.Nodes[j].Lower {
			if v := min(-lo, r.Nodes[j].Upper[k]); v > widest {
				best, widest = split{j, k, 0}, v
			}
		}
		if best.node >= 0 {
			return best // of the first layer that has any
		}
	}
	return best
}

// splitPoint is where to cut a neuron's interval: a piecewise linear
// activation at its kink, others where the relaxations of the two halves leave
// the least area between their lines (Shi et al. 2024, arXiv:2405.21063, §3.3),
// out of a few places.
func splitPoint(op nn.Operator, lower, upper float64) (float64, bool) {
	switch op.(type) {
	case nn.ReLU, nn.LeakyReLU:
		return 0, lower < 0 && 0 < upper
	}
	f, ok := op.(nn.Elementwise)
	middle := 0.5*lower + 0.5*upper
	if !ok || !(upper-lower >= 1e-9*(1+math.Abs(middle))) || math.IsInf(upper-lower, 0) {
		return 0, false
	}
	best, least := middle, math.Inf(1)
	for _, share := range [...]float64{0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8} {
		p := lower + share*(upper-lower)
		if a := area(f, lower, p) + area(f, p, upper); a < least {
			best, least = p, a
		}
	}
	return best, lower < best && best < upper
}

// area is the area between the two lines of an activation's relaxation.
func area(f nn.Elementwise, lower, upper float64) float64 {
	l := bounds.Relax(f, bounds.Range{Lower: lower, Upper: upper})
	return ((l.UpperSlope-l.LowerSlope)*0.5*(lower+upper) + l.UpperIntercept - l.LowerIntercept) * (upper - lower)
}
