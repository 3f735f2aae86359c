package bounds

import (
	"context"
	"math"
	"math/bits"

	"github.com/vouchnn/vouch/internal/blas"
)

// The ascent of one function's bound; envelope_proof.go proves what it ends with.

// patchAscent is the variables of one function.
type patchAscent struct {
	g      *patches
	t      *patchStart
	groups []patchGroup
	bend   []int     // the neurons with a slope of their own
	coef   []float64 // of the linear part
	least  []float64 // its minimiser
	first  []float64 // Adam's moments, of the lines and then of the slopes
	second []float64
	buf    []float64
}

// patchGroup is neurons with negative factors that read the same inputs.
type patchGroup struct {
	list    int // of inputs
	members []int
	line    []float64 // λ
	best    []float64 // that of the best bound
	// after is Σ factor·ReLU at the corners, where these are enumerated; scaled and
	// offset are the members' weights and biases times their factors otherwise.
	after  []float64
	scaled [][]float64
	offset []float64
	at     int // the corner or pattern that is least
}

const (
	// together is how many neurons at most are taken together that read many inputs.
	together = 4
	// bendRate and lineRate are the first steps, of slopes and, as a share of their
	// mean size, of lines; in the end they are lastRate of that. Lines and slopes that
	// go on from those of a larger domain begin with warmRate of it.
	bendRate = 0.1
	lineRate = 0.05
	lastRate = 0.01
	warmRate = 0.3
	// patchCheck is how often an ascent asks whether it is done or hopeless.
	patchCheck = 25
	// restShare is the share of what is missing to a proof that an ascent must gain from
	// one time to the next.
	restShare = 0.01
)

// ascend is the best bound that is proven within so many iterations, and the groups and
// lines that it has.
func (g *patches) ascend(ctx context.Context, t *patchStart, warm *jointWarm, iterations int) (float64, *jointWarm) {
	a := g.newAscent(t, warm)
	best, before := math.Inf(-1), math.Inf(-1)
	alpha := make([]float64, len(t.alpha))
	decay := math.Pow(lastRate, 1/float64(iterations))
	rate, scale := 1.0, a.scale()
	if warm != nil {
		rate = warmRate
	}
	for it := range iterations {
		if v := a.value(); v > best || it == 0 {
			best = v
			a.keep()
			copy(alpha, t.alpha)
		}
		if it%patchCheck == patchCheck-1 {
			if best > 0 && a.provenAt(alpha) > 0 {
				break
			}
			checks := (iterations - it) / patchCheck // that are left, each of which gains less
			hopeless := warm == nil && best+(best-before)*float64(checks) <= 0 && it > iterations/4
			rests := best-before < restShare*-best
			if ctx.Err() != nil || best <= 0 && (hopeless || rests) {
				break
			}
			before = best
		}
		a.step(it, rate*lineRate*scale, rate*bendRate)
		rate *= decay
	}
	return a.provenAt(alpha), a.export()
}

// newAscent makes the groups, as they were where that is known.
func (g *patches) newAscent(t *patchStart, warm *jointWarm) *patchAscent {
	n := g.s.m.inputs
	a := &patchAscent{g: g, t: t, coef: make([]float64, n), least: make([]float64, n)}
	old := map[int32]int{}  // by group there: the group here
	room := map[int][]int{} // by list: the groups with room for more
	open := func() int {
		a.groups = append(a.groups, patchGroup{})
		return len(a.groups) - 1
	}
	join := func(at, k int) *patchGroup {
		p, u := &a.groups[at], &g.rows.neurons[k]
		if p.line == nil {
			p.list, p.line = u.reads, make([]float64, len(u.weight))
		}
		p.members = append(p.members, k)
		return p
	}
	var others []int
	for _, k := range g.open {
		switch v := t.after[k]; {
		case v > 0:
			a.bend = append(a.bend, k)
		case math.IsNaN(v): // after an overflow
			t.value = v
		case v == 0:
		case warm == nil || warm.group[k] < 0:
			others = append(others, k)
		default:
			from := warm.group[k]
			at, ok := old[from]
			if !ok {
				at = open()
				old[from] = at
			}
			p := join(at, k)
			if !ok {
				for i, v := range warm.lines[from] {
					p.line[i] = float64(v)
				}
			}
		}
	}
	for at := range a.groups {
		if p := &a.groups[at]; len(g.rows.reads[p.list]) <= g.corners || len(p.members) < together {
			room[p.list] = append(room[p.list], at)
		}
	}
	for _, k := range others {
		list := g.rows.neurons[k].reads
		if len(room[list]) == 0 {
			room[list] = append(room[list], open())
		}
		p := join(room[list][0], k)
		if len(p.line) > g.corners && len(p.members) == together {
			room[list] = room[list][1:]
		}
		for i, w := range g.rows.neurons[k].weight {
			p.line[i] += t.after[k] * g.chord[k] * w
		}
	}
	lines, most := 0, 0
	for at := range a.groups {
		a.prepare(&a.groups[at])
		lines += len(a.groups[at].line)
		most = max(most, len(a.groups[at].line))
	}
	a.first, a.second = make([]float64, lines+len(a.bend)), make([]float64, lines+len(a.bend))
	a.buf = make([]float64, max(most, 1<<min(most, g.corners)))
	return a
}

// prepare computes what stays the same of a group.
func (a *patchAscent) prepare(p *patchGroup) {
	p.best = make([]float64, len(p.line))
	copy(p.best, p.line)
	if len(p.line) <= a.g.corners {
		p.after = make([]float64, 1<<len(p.line))
		for _, k := range p.members {
			for c, y := range a.g.values[k] {
				p.after[c] += a.t.after[k] * y
			}
		}
		return
	}
	for _, k := range p.members {
		u := &a.g.rows.neurons[k]
		row := make([]float64, len(u.weight))
		for i, w := range u.weight {
			row[i] = a.t.after[k] * w
		}
		p.scaled, p.offset = append(p.scaled, row), append(p.offset, a.t.after[k]*u.bias)
	}
}

// scale is the mean size of the lines.
func (a *patchAscent) scale() float64 {
	sum, n := 0.0, 1
	for k := range a.groups {
		for _, v := range a.groups[k].line {
			sum += math.Abs(v)
			n++
		}
	}
	return sum / float64(n)
}

// keep remembers the lines.
func (a *patchAscent) keep() {
	for k := range a.groups {
		copy(a.groups[k].best, a.groups[k].line)
	}
}

// export is the groups and their best lines.
func (a *patchAscent) export() *jointWarm {
	w := &jointWarm{make([]int32, len(a.g.rows.neurons)), make([][]float32, len(a.groups))}
	for k := range w.group {
		w.group[k] = -1
	}
	for at := range a.groups {
		p := &a.groups[at]
		for _, k := range p.members {
			w.group[k] = int32(at)
		}
		w.lines[at] = make([]float32, len(p.best))
		for i, v := range p.best {
			w.lines[at][i] = float32(v)
		}
	}
	return w
}

// gather computes the linear part from the lines and slopes, and its constant.
func (a *patchAscent) gather() (constant float64) {
	rows := a.g.rows
	copy(a.coef, a.t.coef)
	for k := range a.groups {
		p := &a.groups[k]
		for i, at := range rows.reads[p.list] {
			a.coef[at] += p.line[i]
		}
	}
	for _, k := range a.bend {
		u, v := &rows.neurons[k], a.t.after[k]*a.t.alpha[k]
		for i, at := range rows.reads[u.reads] {
			a.coef[at] += v * u.weight[i]
		}
		constant += v * u.bias
	}
	return constant
}

// value is the bound at the variables, and moves the minimisers.
func (a *patchAscent) value() float64 {
	s := a.g.s
	v := a.t.value + a.gather()
	lo, up := s.lower[0], s.upper[0]
	for i, c := range a.coef {
		a.least[i] = lo[i]
		if c < 0 {
			a.least[i] = up[i]
		}
		v += c * a.least[i]
	}
	for k := range a.groups {
		v += a.leastOf(&a.groups[k])
	}
	return v
}

// leastOf is the least of a group's concave part minus its line, and notes where it is.
func (a *patchAscent) leastOf(p *patchGroup) float64 {
	lo, up := a.g.bottom[p.list], a.g.top[p.list]
	least := math.Inf(1)
	if p.after != nil {
		dots := a.dots(p)
		for c, y := range p.after {
			if y -= dots[c]; y < least {
				least, p.at = y, c
			}
		}
		return least
	}
	r := a.buf[:len(p.line)]
	for i, v := range p.line {
		r[i] = -v
	}
	constant, pattern := 0.0, 0
	for code := range 1 << len(p.members) {
		if code > 0 { // the next of a Gray code: one member changes sides
			k := bits.TrailingZeros(uint(code))
			sign := 1.0
			if pattern ^= 1 << k; pattern>>k&1 == 0 {
				sign = -1
			}
			blas.Axpy(sign, p.scaled[k], r)
			constant += sign * p.offset[k]
		}
		if v := constant + blas.PosNegDot(r, lo, up); v < least {
			least, p.at = v, pattern
		}
	}
	return least
}

// dots is the products of the group's line with all corners.
func (a *patchAscent) dots(p *patchGroup) []float64 {
	dots := a.buf[:len(p.after)]
	dots[0] = 0
	for i, v := range p.line {
		low, high := v*a.g.bottom[p.list][i], v*a.g.top[p.list][i]
		half := 1 << i
		for c := range half {
			dots[half+c] = dots[c] + high
			dots[c] += low
		}
	}
	return dots
}

// minimiser writes the point at which the group is least.
func (a *patchAscent) minimiser(p *patchGroup, x []float64) {
	if p.after != nil {
		a.g.corner(p.list, p.at, x)
		return
	}
	for i, v := range p.line {
		r := -v
		for k := range p.members {
			if p.at>>k&1 == 1 {
				r += p.scaled[k][i]
			}
		}
		x[i] = a.g.bottom[p.list][i]
		if r < 0 {
			x[i] = a.g.top[p.list][i]
		}
	}
}

// step moves the variables along the derivatives at the minimisers that value found.
func (a *patchAscent) step(it int, lineRate, bendRate float64) {
	t := float64(it + 1)
	scale1, scale2 := 1/(1-math.Pow(0.9, t)), 1/(1-math.Pow(0.999, t))
	at := 0
	move := func(d, rate float64) float64 {
		a.first[at] = 0.9*a.first[at] + 0.1*d
		a.second[at] = 0.999*a.second[at] + 0.001*d*d
		m, v := a.first[at], a.second[at]
		at++
		return rate * m * scale1 / (math.Sqrt(v*scale2) + 1e-12)
	}
	for k := range a.groups {
		p := &a.groups[k]
		x := a.buf[:len(p.line)]
		a.minimiser(p, x)
		for i, from := range a.g.rows.reads[p.list] {
			p.line[i] += move(a.least[from]-x[i], lineRate)
		}
	}
	for _, k := range a.bend {
		u := &a.g.rows.neurons[k]
		z := u.bias
		for i, from := range a.g.rows.reads[u.reads] {
			z += u.weight[i] * a.least[from]
		}
		a.t.alpha[k] = min(max(a.t.alpha[k]+move(a.t.after[k]*z, bendRate), a.g.slope), 1)
	}
}
