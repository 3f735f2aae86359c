package bab

// What to split.
//
// Input: the dimension whose width, weighted by the coefficients of the linear
// lower bounds of the open conjunctions, is largest; it is what the bound can
// gain at first order. A dimension that is out of proportion, lopsided times as
// wide as the chosen one measured by the whole region, goes first: a zero
// coefficient must not keep it from ever being cut. Neuron: the one whose relaxation costs the bound most
// (bounds.DomainResult.Impact), as in BaBSR (Bunel et al. 2020, §5.2), with
// the coefficients of the functions themselves in place of an estimate. ReLUs
// are cut at zero, S-curves in the middle.

import (
	"math"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
)

func (e *engine) chooseSplit(kind SplitKind, g *group, d *domain, r *bounds.DomainResult) split {
	if kind == SplitNeuron {
		if s := e.bestNeuron(r); s.node >= 0 {
			return s
		}
	}
	return e.bestInput(g, d, r)
}

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

func (e *engine) bestNeuron(r *bounds.DomainResult) split {
	best, bestImpact := split{node: -1}, 0.0
	for i, impact := range r.Impact {
		if impact == nil {
			continue
		}
		node := e.net.Nodes()[i]
		j := node.Inputs[0]
		in := r.Nodes[j]
		for k, v := range impact {
			if v <= bestImpact {
				continue
			}
			point := 0.0
			switch node.Op.(type) {
			case nn.ReLU, nn.LeakyReLU:
			default:
				point = 0.5*in.Lower[k] + 0.5*in.Upper[k]
				if in.Upper[k]-in.Lower[k] < 1e-9*(1+math.Abs(point)) {
					continue
				}
			}
			if in.Lower[k] < point && point < in.Upper[k] {
				best, bestImpact = split{j, k, point}, v
			}
		}
	}
	if best.node < 0 {
		return e.widestReLU(r)
	}
	return best
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
