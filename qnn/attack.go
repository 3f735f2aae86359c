package qnn

import (
	"math"
	"math/rand/v2"

	"github.com/vouchnn/vouch/internal/blas"
)

// The integer attack: local search with exact evaluation.
//
// From a start, typically the input that maximises a Lagrangian, each input in
// turn is moved to one of its ends (or back to the centre), and the move is kept
// if it brings the outputs nearer to what is unsafe. A move changes the first
// layer's accumulators by one column of weights; the layers behind are run
// exactly, so rounding and clamps are seen, not approximated. Before that, a few
// steps of the straight-through gradient: the gradient of the unrounded network
// at the current levels, followed to the region's end in one step.

// attacker is the memory of attacks on one goroutine.
type attacker struct {
	m                *model
	probe            *probe
	x, best          []float64
	acc              []float64
	c, neg           []float64
	norm             []float64 // of first-stage rows, squared
	low, high, price []float64
	tried            int
	// Of alternate: disturbances, first-stage weights, what the accumulators should
	// be, by how much they miss it; squared norms of first-stage columns.
	rng                              *rand.Rand
	weight, target, miss, columnNorm []float64
}

func newAttacker(m *model) *attacker {
	st := &m.stages[0]
	a := &attacker{m: m, probe: newProbe(m)}
	a.x, a.best, a.c, a.neg = make([]float64, st.in), make([]float64, st.in), make([]float64, st.in), make([]float64, st.in)
	a.acc, a.norm = make([]float64, st.out), make([]float64, st.out)
	a.low, a.high, a.price = make([]float64, st.out), make([]float64, st.out), make([]float64, st.out)
	for j := range a.norm {
		row := st.w[j*st.in : (j+1)*st.in]
		a.norm[j] = blas.Dot(row, row)
	}
	a.rng = rand.New(rand.NewPCG(1, 2))
	a.weight, a.target, a.miss = make([]float64, st.out), make([]float64, st.out), make([]float64, st.out)
	a.columnNorm = make([]float64, st.in)
	for i := range a.columnNorm {
		c := st.wt[i*st.out : (i+1)*st.out]
		a.columnNorm[i] = blas.Dot(c, c)
	}
	return a
}

// gradient overwrites c with the straight-through gradient, at the probe's last
// run, of the sum of what conjunction k lacks, negated.
func (a *attacker) gradient(k int) {
	m := a.m
	q := &m.rows[k]
	last := len(m.stages) - 1
	omega := make([]float64, m.stages[last].out)
	n := len(omega)
	for r := range q.d {
		blas.Axpy(-1, q.c[r*n:(r+1)*n], omega)
	}
	for s := last; s >= 0; s-- {
		st := &m.stages[s]
		for j := range omega {
			z := a.probe.acc[s][j]
			if s < last && (z < st.base[j] || z > st.base[j]+(float64(st.stair[j].Max+1)-st.min[j])*st.width[j]) {
				omega[j] = 0
			}
			omega[j] /= st.width[j]
		}
		next := make([]float64, st.in)
		if st.out > 0 {
			blas.Gemv(true, st.out, st.in, 1, st.w, st.in, omega, 0, next)
		}
		omega = next
	}
	copy(a.c, omega)
	for _, e := range q.e {
		if e != nil {
			blas.Axpy(-1, e, a.c)
		}
	}
}

// climb follows straight-through gradients from x, at most steps times, and
// then moves single inputs. It reports success, with the input in a.best.
func (a *attacker) climb(reg *region, k int, x []float64, steps, sweeps int) bool {
	copy(a.x, x)
	bestExact, bestSoft := math.Inf(1), math.Inf(1)
	for step := 0; ; step++ {
		a.probe.run(a.x)
		a.tried++
		exact, soft := a.probe.shortfall(k, a.x)
		if exact < bestExact || exact == bestExact && soft < bestSoft {
			bestExact, bestSoft = exact, soft
			copy(a.best, a.x)
		} else if step > 1 {
			break
		}
		if bestExact == 0 {
			return true
		}
		if step == steps {
			break
		}
		a.gradient(k)
		reg.support(a.c, a.x, a.neg)
	}
	return a.sweep(reg, k, sweeps)
}

// sweep moves single inputs of a.best while that helps.
func (a *attacker) sweep(reg *region, k, sweeps int) bool {
	n := a.m.stages[0].out
	a.probe.run(a.best)
	exact, soft := a.probe.shortfall(k, a.best)
	copy(a.acc, a.probe.acc[0])
	for range sweeps {
		moved := false
		for i := range a.best {
			old := a.best[i]
			for _, to := range a.targets(reg, i) {
				if to == old || to < reg.low[i] || to > reg.high[i] {
					continue
				}
				acc := a.probe.acc[0]
				copy(acc, a.acc)
				blas.Axpy(to-old, a.m.stages[0].wt[i*n:(i+1)*n], acc)
				a.probe.runFrom()
				a.tried++
				a.best[i] = to
				e, s := a.probe.shortfall(k, a.best)
				if (e < exact || e == exact && s < soft) && (reg.ball == nil || reg.ball.Contains(a.best)) {
					exact, soft, moved = e, s, true
					copy(a.acc, acc)
					break
				}
				a.best[i] = old
			}
			if exact == 0 {
				return true
			}
		}
		if !moved {
			return false
		}
	}
	return false
}

func (a *attacker) targets(reg *region, i int) [3]float64 {
	center := reg.low[i]
	if reg.center != nil {
		center = reg.center[i]
	}
	return [3]float64{reg.low[i], reg.high[i], center}
}
