package qnn

import (
	"math"

	"github.com/vouchnn/vouch/internal/blas"
)

// Inputs for given ranges.
//
// Where every level is decided, or a bound suggests levels, the question is
// whether an integer input delivers accumulators within given ranges. Real
// inputs are found by cyclic projection onto violated ranges and the box
// (Kaczmarz 1937; Gubin, Polyak & Raik 1967), aiming a little inside. Rounding
// them one by one, each in the direction that keeps the sum of all rounding
// errors in the accumulators small, moves accumulators by a few units only,
// where a level is hundreds of units wide. Failing proves nothing.

// settle looks for an integer input of reg with first-stage accumulators between
// low and high, starting from a.x, and reports whether conjunction k holds at what
// it finds, which is in a.best.
func (a *attacker) settle(reg *region, k int, low, high []float64, cycles int) bool {
	st := &a.m.stages[0]
	for range cycles {
		moved := false
		for j := range st.out {
			row := st.w[j*st.in : (j+1)*st.in]
			z := blas.Dot(row, a.x) + st.b[j]
			inside := min(12, (high[j]-low[j])/2)
			miss := 0.0
			switch {
			case z < low[j]+inside:
				miss = low[j] + inside - z
			case z > high[j]-inside:
				miss = high[j] - inside - z
			}
			if miss == 0 || a.norm[j] == 0 {
				continue
			}
			moved = moved || math.Abs(miss) > inside
			// Inputs at their ends cannot follow, hence the extra length.
			blas.Axpy(1.3*miss/a.norm[j], row, a.x)
			for i, v := range a.x {
				a.x[i] = min(max(v, reg.low[i]), reg.high[i])
			}
		}
		if !moved {
			break
		}
	}
	a.roundTogether(reg)
	a.probe.run(a.best)
	a.tried++
	if exact, _ := a.probe.shortfall(k, a.best); exact == 0 && reg.contains(a.best) {
		return true
	}
	a.repair(reg, low, high)
	a.probe.runFrom()
	a.tried++
	exact, _ := a.probe.shortfall(k, a.best)
	return exact == 0 && reg.contains(a.best)
}

// repair moves single inputs of a.best by one, always the one that lowers the sum
// of squared violations most, while that helps. The probe's first-stage
// accumulators belong to a.best before and after.
func (a *attacker) repair(reg *region, low, high []float64) {
	st := &a.m.stages[0]
	acc := a.probe.acc[0]
	for range 60 {
		violated := false
		for j, z := range acc {
			// A violated range pulls; the others must not become violated.
			a.price[j] = max(low[j]-z, 0) - max(z-high[j], 0)
			violated = violated || a.price[j] != 0
		}
		if !violated {
			return
		}
		blas.Gemv(true, st.out, st.in, 1, st.w, st.in, a.price, 0, a.c)
		best, step, gain := -1, 0.0, 0.0
		for i, pull := range a.c {
			to := 1.0
			if pull < 0 {
				to = -1
			}
			if x := a.best[i] + to; pull == 0 || x < reg.low[i] || x > reg.high[i] || math.Abs(pull) <= gain {
				continue
			}
			if g := a.gain(acc, st.wt[i*st.out:(i+1)*st.out], to, low, high); g > gain {
				best, step, gain = i, to, g
			}
		}
		if best < 0 {
			return
		}
		a.best[best] += step
		blas.Axpy(step, st.wt[best*st.out:(best+1)*st.out], acc)
	}
}

// gain is by how much a step along a column lowers the sum of squared violations,
// halved.
func (a *attacker) gain(acc, column []float64, step float64, low, high []float64) float64 {
	sum := 0.0
	for j, z := range acc {
		old := a.price[j]
		z += step * column[j]
		now := max(low[j]-z, 0) + max(z-high[j], 0)
		sum += old*old - now*now
	}
	return sum / 2
}

// roundTogether rounds a.x to a.best, keeping the accumulators' drift small.
func (a *attacker) roundTogether(reg *region) {
	n := a.m.stages[0].out
	drift := a.acc
	clear(drift)
	for i, v := range a.x {
		f := math.Floor(v)
		part := v - f
		if part == 0 {
			a.best[i] = v
			continue
		}
		column := a.m.stages[0].wt[i*n : (i+1)*n]
		// |drift − part·c|² against |drift + (1−part)·c|².
		dot, norm := blas.Dot(column, drift), blas.Dot(column, column)
		down := -2*part*dot + part*part*norm
		up := 2*(1-part)*dot + (1-part)*(1-part)*norm
		to := f
		if up < down && f+1 <= reg.high[i] {
			to = f + 1
		}
		a.best[i] = to
		blas.Axpy(to-v, column, drift)
	}
}

// dive looks for an unsafe input near x, the average of inputs that a bound named
// for domain d, with weights omega of the first stage's levels. From the levels at
// x, neurons are moved to the next level that helps, those first that are near it
// and weigh much, until the outputs of these levels are unsafe; then settle looks
// for an input that has them, or better ones.
func (a *attacker) dive(d *domain, x, omega []float64) bool {
	st := &a.m.stages[0]
	copy(a.x, x)
	copy(a.low, d.low[:st.out])
	copy(a.high, d.high[:st.out])
	for j := range st.out {
		z := blas.Dot(st.w[j*st.in:(j+1)*st.in], a.x) + st.b[j]
		a.acc[j] = min(max(math.Floor(z), a.low[j]), a.high[j])
		level := st.stair[j].Level(int64(a.acc[j]))
		switch w := omega[j]; { // no neuron may lose what it has
		case w > 0 && level > int64(d.first[j]):
			a.low[j] = max(a.low[j], float64(st.stair[j].Start(level)))
		case w < 0 && level < int64(d.last[j]):
			a.high[j] = min(a.high[j], float64(st.stair[j].Start(level+1)-1))
		}
	}
	copy(a.probe.acc[0], a.acc)
	for range 2 * st.out {
		a.probe.runFrom()
		a.tried++
		if exact, _ := a.probe.shortfall(d.conj, a.x); exact == 0 {
			return a.settle(d.region, d.conj, a.low, a.high, 60)
		}
		best := -1
		for j := range st.out {
			a.price[j] = a.stepPrice(j, d, omega[j])
			if a.price[j] >= 0 && (best < 0 || a.price[j] < a.price[best]) {
				best = j
			}
		}
		if best < 0 {
			return false
		}
		level := int64(a.probe.levels[0][best])
		if omega[best] > 0 {
			a.low[best] = float64(st.stair[best].Start(level + 1))
			a.probe.acc[0][best] = a.low[best]
		} else {
			a.high[best] = float64(st.stair[best].Start(level) - 1)
			a.probe.acc[0][best] = a.high[best]
		}
	}
	return false
}

// stepPrice is how far the next helpful level of neuron j is, over what it gains;
// negative if there is none.
func (a *attacker) stepPrice(j int, d *domain, w float64) float64 {
	st := &a.m.stages[0]
	level := int64(a.probe.levels[0][j])
	switch {
	case w > 0 && level < int64(d.last[j]):
		return (float64(st.stair[j].Start(level+1)) - a.acc[j]) / (w * math.Sqrt(1+a.norm[j]))
	case w < 0 && level > int64(d.first[j]):
		return (a.acc[j] - float64(st.stair[j].Start(level)-1)) / (-w * math.Sqrt(1+a.norm[j]))
	}
	return -1
}
