package qnn

import (
	"math"
	"slices"
)

// Domains bounded by simplex.go, and where to cut them.
//
// At the basis that simplex.go ends with, a neuron whose piece is in the basis lies
// between ends of its hull's pieces: there the hull is above the staircase, and nowhere
// else. For both parts of a cut there, the multipliers can be moved along the neuron's
// row of the inverse, which is what the first pivot in the part would do, and the
// program's fall along that line is known exactly from one product with the row
// (Driebeek 1966, Tomlin 1971, with bounds flipped). The neuron whose parts fall most,
// by the product of both falls, is cut.

// program bounds domains by simplex.go, on one goroutine.
type program struct {
	*hullProgram
	pass  *pass // one slot
	count int   // domains that stayed open
}

func newProgram(shape *hullShape) *program {
	return &program{hullProgram: newHullProgram(shape), pass: newPass(shape.m, 1)}
}

// fits reports whether a domain can be bounded here: its conjunction is a function of
// accumulators behind one stage, and its inputs are all of the region's.
func (l *program) fits(d *domain) bool {
	return len(l.m.stages) == 2 && d.region == l.m.region && l.m.rows[d.conj].acc != nil
}

// pivotLimit ends a program that circles; few need a tenth.
const pivotLimit = 120

// bound lowers d's bound by new multipliers of the first stage, narrows d, and leaves
// basis and cut in it.
func (l *program) bound(d *domain) {
	p := l.pass
	p.adopt([]*domain{d})
	p.load(0, d)
	l.optimise(d)
	if d.bound < 0 {
		return
	}
	d.branch = l.branch(d)
	if !p.tighten(0) {
		d.bound = math.Inf(-1)
		return
	}
	if b := d.branch; b.neuron >= 0 && (d.first[b.neuron] >= b.level || b.level > d.last[b.neuron]) {
		d.branch = l.branch(d)
	}
}

// optimise finds the first stage's multipliers for those of the pass behind it, and
// keeps all in d if they bound it better.
func (l *program) optimise(d *domain) {
	p, n := l.pass, l.n
	p.evaluateAbove()
	base := p.value[0]
	for j, w := range p.omega[0][:n] {
		base += w * float64(d.first[j])
	}
	l.hullProgram.load(d, p.omega[0][:n])
	goal := -base - 1e-6*(math.Abs(base)+1)
	for range 3 {
		l.solve(goal, pivotLimit)
		for j, y := range l.y {
			p.v[0][j] = y / l.width[j]
		}
		p.evaluate()
		bound := p.value[0] + p.margin(0)
		if bound < d.bound {
			d.bound = bound
			copy(d.v, p.v[0][:n])
			copy(d.v[n:], p.v[1][:l.m.stages[1].out])
		}
		if bound < 0 || !(l.value < goal) {
			break
		}
		goal -= bound + 1e-6*(math.Abs(base)+1)
	}
	d.basis = slices.Clone(l.head)
}

// branch picks the cut by both parts' falls.
func (l *program) branch(d *domain) branch {
	best, score := branch{neuron: -1}, -1.0
	p := l.pass
	for r, c := range l.head {
		j := (int(c) - l.k) / 3
		if int(c) < l.k || d.first[j] == d.last[j] {
			continue
		}
		omega := p.omega[0][j]
		z := min(max(l.accumulator(j, d.low[j]), d.low[j]), d.high[j])
		gap, level, upper := l.m.hullGap(0, j, d, omega, z)
		if gap < 1e-9 {
			continue
		}
		b := branch{neuron: j, level: level, upper: upper}
		if c, ok := l.m.kink(0, j, d, omega); ok {
			b.level, b.upper = c, z >= float64(l.m.stages[0].stair[j].Start(int64(c)))
		}
		l.tableau(r)
		below := l.fall(r, j, d, b.level, false, z)
		above := l.fall(r, j, d, b.level, true, z)
		top, floor := 1.05*p.value[0], 1e-3*p.value[0]+1e-9
		if v := max(min(below, top), floor) * max(min(above, top), floor); v > score {
			best, score = b, v
		}
	}
	if best.neuron >= 0 {
		return best
	}
	for _, s := range [...]int{0, 1} {
		for j := range l.m.stages[s].out {
			k := l.m.offset[s] + j
			if d.first[k] < d.last[k] && (s == 0 || l.m.rows[d.conj].uses[j]) {
				return branch{neuron: k, level: d.last[k]}
			}
		}
	}
	d.x = make([]float64, len(p.neg))
	l.point(d.x)
	return best
}

// fall is by how much the program falls, at least, in the part of d below or from
// level on of neuron j, whose piece is in row r of the basis and whose accumulator is
// z. It needs the row's tableau.
func (l *program) fall(r, j int, d *domain, level int32, upper bool, z float64) float64 {
	omega, y, width := l.pass.omega[0][j], l.y[j], l.width[j]
	low, high, first, last := d.low[j], d.high[j], d.first[j], d.last[j]
	side := -1.0
	stair := l.m.stages[0].stair[j]
	if start := stair.Start(int64(level)); upper {
		low, first, side = float64(start), int32(stair.Level(start)), 1
	} else {
		high, last = float64(start-1), int32(stair.Level(start-1))
	}
	var length, slope [3]float64
	l.m.hullPieces(j, low, high, first, last, omega, &length, &slope)
	fall := omega*float64(d.first[j]-first) - y*(d.low[j]-low)/width
	reach := low / width // the part's accumulator, with the multiplier a little moved
	l.collect(r, side, j)
	for s, x := range slope {
		old := l.k + 3*j + s
		fall += max(l.cost[old-l.k]-y, 0)*l.length[old-l.k] - max(x-y, 0)*length[s]
		if upper && x > y || !upper && x >= y {
			reach += length[s]
		}
		if upper && x > y || !upper && x < y {
			l.steps = append(l.steps, ratio{math.Abs(x - y), length[s], int32(old)})
		}
	}
	need := side * (reach - z/width)
	if need <= 0 {
		return fall
	}
	theta := crossing(l.steps, need)
	if math.IsInf(theta, 1) {
		return theta
	}
	fall += need * theta
	for _, s := range l.steps {
		if s.theta < theta {
			fall -= s.weight * (theta - s.theta)
		}
	}
	return fall
}
