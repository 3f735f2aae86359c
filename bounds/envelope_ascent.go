package bounds

import (
	"context"
	"math"
)

// The ascent of one function's bound, and what is proven of it in the end.

// patchAscent is the variables of one function.
type patchAscent struct {
	g      *patches
	t      *patchStart
	lines  []float64   // λ, group after group
	from   []int       // where each group's are
	after  [][]float64 // by group: Σ after·ReLU at the corners, over its concave neurons; nil if it has none
	bend   []int       // the neurons with a slope of their own
	coef   []float64   // of the linear part
	least  []float64   // its minimiser
	dots   []float64   // of one group, by corner
	x      []float64   // a corner
	at     []int       // by group: the corner that is least
	first  []float64   // Adam's moments, of the lines and then of the slopes
	second []float64
}

const (
	// bendRate and lineRate are the first steps, of slopes and, as a share of their
	// mean size, of lines; in the end they are lastRate of that.
	bendRate = 0.1
	lineRate = 0.05
	lastRate = 0.01
	// patchCheck is how often an ascent asks whether it is done or hopeless.
	patchCheck = 25
)

// ascend is the best bound that is proven within so many iterations.
func (g *patches) ascend(ctx context.Context, t *patchStart, iterations int) float64 {
	a := g.newAscent(t)
	best, before := math.Inf(-1), math.Inf(-1)
	lines, alpha := make([]float64, len(a.lines)), make([]float64, len(t.alpha))
	decay := math.Pow(lastRate, 1/float64(iterations))
	rate, scale := 1.0, a.scale()
	for it := range iterations {
		if v := a.value(); v > best {
			best = v
			copy(lines, a.lines)
			copy(alpha, t.alpha)
		}
		if it%patchCheck == patchCheck-1 {
			if best > 0 && a.provenAt(lines, alpha) > 0 {
				break
			}
			checks := (iterations - it) / patchCheck // that are left, each of which gains less
			if ctx.Err() != nil || best <= 0 && best+(best-before)*float64(checks) <= 0 {
				break
			}
			before = best
		}
		a.step(it, rate*lineRate*scale, rate*bendRate)
		rate *= decay
	}
	return a.provenAt(lines, alpha)
}

func (g *patches) newAscent(t *patchStart) *patchAscent {
	n := g.s.m.inputs
	a := &patchAscent{g: g, t: t, coef: make([]float64, n), least: make([]float64, n), after: make([][]float64, len(g.groups))}
	most := 0
	for k := range g.groups {
		a.from = append(a.from, len(a.lines))
		a.startGroup(k)
		most = max(most, len(g.groups[k].inputs))
	}
	a.from = append(a.from, len(a.lines))
	for k, v := range t.after {
		if v > 0 {
			a.bend = append(a.bend, k)
		}
	}
	a.dots, a.x = make([]float64, 1<<most), make([]float64, most)
	n = len(a.lines) + len(a.bend)
	a.first, a.second, a.at = make([]float64, n), make([]float64, n), make([]int, len(g.groups))
	return a
}

// startGroup puts the lines of group k at the chords of its concave neurons.
func (a *patchAscent) startGroup(k int) {
	p := &a.g.groups[k]
	var line []float64
	for _, j := range p.members {
		v, u := a.t.after[j], &a.g.neurons[j]
		if !(v < 0) {
			continue
		}
		if line == nil {
			line, a.after[k] = make([]float64, len(p.inputs)), make([]float64, p.corners())
		}
		for i, w := range u.weight {
			line[i] += v * u.chord * w
		}
		for c, y := range u.values {
			a.after[k][c] += v * y
		}
	}
	a.lines = append(a.lines, line...)
}

// scale is the mean size of the lines.
func (a *patchAscent) scale() float64 {
	sum := 0.0
	for _, v := range a.lines {
		sum += math.Abs(v)
	}
	return sum / float64(max(len(a.lines), 1))
}

// gather computes the linear part from the lines and slopes, and its constant.
func (a *patchAscent) gather() (constant float64) {
	copy(a.coef, a.t.coef)
	for k := range a.g.groups {
		if a.after[k] == nil {
			continue
		}
		line := a.lines[a.from[k]:a.from[k+1]]
		for i, at := range a.g.groups[k].inputs {
			a.coef[at] += line[i]
		}
	}
	for k := range a.g.groups {
		p := &a.g.groups[k]
		for _, j := range p.members {
			v := a.t.after[j]
			if !(v > 0) {
				continue
			}
			u, v := &a.g.neurons[j], v*a.t.alpha[j]
			for i, at := range p.inputs {
				a.coef[at] += v * u.weight[i]
			}
			constant += v * u.bias
		}
	}
	return constant
}

// value is the bound at the variables, and moves the minimiser.
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
	for k := range a.g.groups {
		if a.after[k] != nil {
			var y float64
			y, a.at[k] = a.leastOf(k)
			v += y
		}
	}
	return v
}

// leastOf is the least of a group's concave part minus its line, and the corner.
func (a *patchAscent) leastOf(k int) (least float64, corner int) {
	p, s := &a.g.groups[k], a.g.s
	line, dots := a.lines[a.from[k]:a.from[k+1]], a.dots
	dots[0] = 0
	for i, at := range p.inputs {
		low, high := line[i]*s.lower[0][at], line[i]*s.upper[0][at]
		half := 1 << i
		for c := range half {
			dots[half+c] = dots[c] + high
			dots[c] += low
		}
	}
	least = math.Inf(1)
	for c, y := range a.after[k] {
		if y -= dots[c]; y < least {
			least, corner = y, c
		}
	}
	return least, corner
}

// step moves the variables along the derivatives at the minimisers that value found.
func (a *patchAscent) step(it int, lineRate, bendRate float64) {
	t := float64(it + 1)
	scale1, scale2 := 1/(1-math.Pow(0.9, t)), 1/(1-math.Pow(0.999, t))
	move := func(at int, d, rate float64) float64 {
		a.first[at] = 0.9*a.first[at] + 0.1*d
		a.second[at] = 0.999*a.second[at] + 0.001*d*d
		return rate * a.first[at] * scale1 / (math.Sqrt(a.second[at]*scale2) + 1e-12)
	}
	for k := range a.g.groups {
		if a.after[k] == nil {
			continue
		}
		p, from := &a.g.groups[k], a.from[k]
		a.g.corner(p, a.at[k], a.x)
		for i, at := range p.inputs {
			a.lines[from+i] += move(from+i, a.least[at]-a.x[i], lineRate)
		}
	}
	at := len(a.lines)
	for k := range a.g.groups {
		p := &a.g.groups[k]
		for _, j := range p.members {
			w := a.t.after[j]
			if !(w > 0) {
				continue
			}
			u := &a.g.neurons[j]
			z := u.bias
			for i, c := range u.weight {
				z += c * a.least[p.inputs[i]]
			}
			a.t.alpha[j] = min(max(a.t.alpha[j]+move(at, w*z, bendRate), a.g.slope), 1)
			at++
		}
	}
}

// provenAt is the bound at variables that have been reached, rounded outward.
func (a *patchAscent) provenAt(lines, alpha []float64) float64 {
	copy(a.lines, lines)
	copy(a.t.alpha, alpha)
	g, s, t := a.g, a.g.s, a.t
	// What adds up to the linear part, and how many terms at most.
	constant := a.gather()
	size, terms := make([]float64, len(a.coef)), 1
	count := make([]int, len(a.coef))
	sums, slack := math.Abs(t.value), t.slack // absolute values of the constants; what is not known
	for i, c := range t.coef {
		size[i] = math.Abs(c)
	}
	add := func(at int, v float64) {
		size[at] += math.Abs(v)
		count[at]++
		terms = max(terms, count[at]+1)
	}
	total := t.value + constant
	n := 2*len(g.neurons) + len(g.groups) + len(a.lines) + len(a.coef) + 8
	for k := range g.groups {
		p := &g.groups[k]
		for _, j := range p.members {
			v, u := t.after[j], &g.neurons[j]
			slack += math.Abs(v) * u.slack
			if v > 0 {
				for i, at := range p.inputs {
					add(at, v*t.alpha[j]*u.weight[i])
				}
				sums += v * t.alpha[j] * math.Abs(u.bias)
			} else if v < 0 {
				// A value at a corner, times its factor, in a sum.
				slack += gamma(len(p.inputs)+len(p.members)+6) * math.Abs(v) * u.size
			}
		}
		if a.after[k] == nil {
			continue
		}
		for i, at := range p.inputs {
			v := a.lines[a.from[k]+i]
			add(at, v)
			slack += gamma(2*len(p.inputs)+2) * math.Abs(v) * s.magnitude[0][at]
		}
		least, _ := a.leastOf(k)
		total += least
		sums += math.Abs(least) + math.Abs(total)
	}
	for i, c := range a.coef {
		v := min(c*s.lower[0][i], c*s.upper[0][i])
		total += v
		sums += math.Abs(v) + math.Abs(total)
		slack += gamma(terms+6) * size[i] * s.magnitude[0][i]
	}
	slack += gamma(n)*sums + tiny
	v := total - slack*(1+gamma(n)) - gamma(4)*math.Abs(total) - tiny
	if math.IsNaN(v) {
		return math.Inf(-1)
	}
	return below(v)
}
