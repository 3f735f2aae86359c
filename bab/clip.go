package bab

// Clipping the box by the property.
//
// Branch and bound is after inputs at which every inequality of some open
// conjunction holds. Inequality k has the linear lower bound a·x + o, so such
// an input satisfies a·x + o ≤ 0, and therefore in each dimension
//
//	a_j·x_j ≤ −o − Σ_{i≠j} min a_i·x_i,
//
// which cuts a slab off the box. What is cut needs no further work. With
// several conjunctions open the box around what each of them leaves is kept.
//
// Source: the idea of Zhou et al. 2025 (Clip-and-Verify), for the property's
// own linear bounds. All steps are rounded so that the box keeps too much.

import (
	"math"

	"github.com/vouchnn/vouch/bounds"
)

// clip narrows box (bounds of node 0) by the linear bounds in r. It reports
// false if nothing is left: no open conjunction is possible.
func (g *group) clip(d *domain, r *bounds.DomainResult, box bounds.Interval) bool {
	n := len(box.Lower)
	if r.Coef == nil {
		return true
	}
	low, high := make([]float64, n), make([]float64, n)
	left := false
	hull := bounds.Interval{Lower: make([]float64, n), Upper: make([]float64, n)}
	for _, c := range d.open {
		copy(low, box.Lower)
		copy(high, box.Upper)
		possible := true
		for f := g.rows[c][0]; f < g.rows[c][1] && possible; f++ {
			possible = cut(r.Coef[f*n:(f+1)*n], r.Offset[f], low, high)
		}
		if !possible {
			continue
		}
		for j := range n {
			if !left || low[j] < hull.Lower[j] {
				hull.Lower[j] = low[j]
			}
			if !left || high[j] > hull.Upper[j] {
				hull.Upper[j] = high[j]
			}
		}
		left = true
	}
	if left {
		copy(box.Lower, hull.Lower)
		copy(box.Upper, hull.Upper)
	}
	return left
}

// cut narrows the box to what can satisfy a·x + offset ≤ 0, and reports false
// if nothing can.
func cut(a []float64, offset float64, low, high []float64) bool {
	const unit = 0x1p-53
	least, mass := offset, math.Abs(offset)
	for j, v := range a {
		t := math.Min(v*low[j], v*high[j])
		least += t
		mass += math.Abs(t)
	}
	// Everything below is off by at most this much.
	slack := 4 * float64(len(a)+8) * unit * mass
	slack += 0x1p-900
	if math.IsNaN(least) || math.IsInf(least, 0) || math.IsNaN(slack) || math.IsInf(slack, 0) {
		return true
	}
	if least-slack > 0 {
		return false
	}
	for j, v := range a {
		if v == 0 || low[j] == high[j] {
			continue
		}
		// v·x_j ≤ room, where the other terms are at their least.
		room := math.Min(v*low[j], v*high[j]) - least + slack
		edge := room / v
		edge += 4 * unit * math.Abs(edge) * sign(v)
		if math.IsNaN(edge) {
			continue
		}
		if v > 0 && edge < high[j] {
			high[j] = math.Max(edge, low[j])
		}
		if v < 0 && edge > low[j] {
			low[j] = math.Min(edge, high[j])
		}
	}
	return true
}

func sign(v float64) float64 {
	if v < 0 {
		return -1
	}
	return 1
}
