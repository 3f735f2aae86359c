package qnn

import (
	"math"

	"github.com/vouchnn/vouch/internal/blas"
)

// Counterexamples by alternating directions.
//
// Unsafe inputs maximise Σ ω_j·q_j(z_j) over the first stage's accumulators that
// inputs of the box can deliver. As in the bound, every accumulator has two names,
// here with a quadratic penalty added to the price,
//
//	Σ ω_j·q_j(ẑ_j) − v_j·(ẑ_j − z_j) − ρ/2·(ẑ_j − z_j)²,   z = W·x + b,
//
// and the two sides move in turns (ADMM: Glowinski & Marroco 1975; on a function
// that is not concave a heuristic, Takapoui, Moehle, Boyd & Bemporad 2017). For
// ẑ the maximum is exact, level by level. Integer inputs move one by one, each to
// its best value. Then the prices follow the difference. ρ grows until both sides
// agree; every input on the way is run through the network. Starts differ in
// inputs, prices and a disturbance of ω.

// alternate tries starts from domain d with its prices v and weights omega of the
// first stage; it reports success with the input in a.best.
func (a *attacker) alternate(d *domain, v, omega []float64, starts int) bool {
	if d.region.ball != nil || a.m.stages[0].out == 0 {
		return false
	}
	st := &a.m.stages[0]
	n := st.out
	mean := 0.0
	for _, w := range omega {
		mean += math.Abs(w) / float64(n)
	}
	if mean == 0 {
		return false
	}
	for start := range starts {
		for i := range a.best {
			low, high := d.region.low[i], d.region.high[i]
			a.best[i] = low + math.Floor(a.rng.Float64()*(high-low+1))
		}
		for j, w := range omega {
			a.weight[j] = w
			if start > 0 {
				a.weight[j] *= 1 + 0.3*(2*a.rng.Float64()-1)
			}
			a.price[j] = v[j]
		}
		rho := 2 * mean / (st.width[0] * st.width[0]) * math.Exp(1.5*(2*a.rng.Float64()-1))
		if a.alternateFrom(d, rho, 60) {
			return true
		}
	}
	return false
}

// alternateFrom takes turns from a.best with a.weight, a.price.
func (a *attacker) alternateFrom(d *domain, rho float64, turns int) bool {
	st := &a.m.stages[0]
	n := st.out
	a.probe.run(a.best)
	z := a.acc
	copy(z, a.probe.acc[0])
	for turn := range turns {
		for j := range n {
			a.target[j] = a.nearest(d, j, z[j]-a.price[j]/rho, rho)
			a.miss[j] = a.target[j] + a.price[j]/rho - z[j]
		}
		for range 2 {
			if !a.follow(d.region, z) {
				break
			}
		}
		copy(a.probe.acc[0], z)
		a.probe.runFrom()
		a.tried++
		exact, _ := a.probe.shortfall(d.conj, a.best)
		if exact == 0 {
			return true
		}
		for j := range n {
			a.price[j] += 0.5 * rho * (a.target[j] - z[j])
		}
		if turn > 5 {
			rho *= 1.05
		}
	}
	return false
}

// follow moves each input of a.best to where the accumulators z miss their targets
// least.
func (a *attacker) follow(reg *region, z []float64) bool {
	st := &a.m.stages[0]
	n := st.out
	moved := false
	for i, old := range a.best {
		low, high := reg.low[i], reg.high[i]
		if low == high || a.columnNorm[i] == 0 {
			continue
		}
		column := st.wt[i*n : (i+1)*n]
		to := min(max(math.Round(old+blas.Dot(column, a.miss)/a.columnNorm[i]), low), high)
		if to != old {
			a.best[i] = to
			blas.Axpy(old-to, column, a.miss)
			blas.Axpy(to-old, column, z)
			moved = true
		}
	}
	return moved
}

// nearest is the accumulator ẑ of d's range that maximises ω·q(ẑ) − ρ/2·(ẑ − z)².
func (a *attacker) nearest(d *domain, j int, z, rho float64) float64 {
	st := a.m.stages[0].stair[j]
	w := a.weight[j]
	at := min(max(z, d.low[j]), d.high[j])
	level := int64(math.Floor(at))
	level = st.Level(level)
	best := w*float64(level) - rho/2*(at-z)*(at-z)
	step := int64(1)
	if w < 0 {
		step = -1
	}
	for t := level + step; t >= int64(d.first[j]) && t <= int64(d.last[j]); t += step {
		var edge float64
		if step > 0 {
			edge = float64(st.Start(t))
		} else {
			edge = float64(st.Start(t+1) - 1)
		}
		value := w*float64(t) - rho/2*(edge-z)*(edge-z)
		if value <= best {
			break
		}
		best, at = value, edge
	}
	return at
}
