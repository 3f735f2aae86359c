package reach

// Bounds without a solver: lines put in place of variables.
//
// To bound q·a from below, the variables of relaxed neurons are replaced from the
// last to the first: where the coefficient is positive by one of the neuron's
// lower lines, where it is negative by an upper one. What is left is a function of
// the input's variables, whose least value over their box is known. Every choice
// of lines, and every convex combination of them, gives a valid bound: it is a dual
// point of the linear program (the coefficients are the multipliers of the rows
// used), so the best choice is the program's optimum if there are no other rows.
// With the line that is best at the middle of the neuron's range this is DeepPoly's
// and CROWN's back-substitution (Singh et al. 2019, Zhang et al. 2018).
//
// ascend improves the choice by subgradient steps, as alpha-CROWN does (Xu et al.
// 2021): at the point where the substituted function is least, a line that is closer
// to the function than the mixture deserves more weight. The same point, lifted to the
// relaxation's surface, is feasible; its value bounds the program's optimum from the
// other side, which tells when neither ascent nor solver can prove anything.
//
// Rounding: a coefficient is a sum of at most N products, N the number of relaxed
// neurons. Its error times max|a_j|, summed over all j, is at most γ(N) times
// Σ|q_j|·max|a_j| + Σ_k |f_k|·mag_k, where f_k is the factor with which neuron k's
// expression came in and mag_k its size.

import (
	"context"
	"math"

	"github.com/vouchnn/vouch/internal/blas"
)

// substitution is the scratch of bounds by substitution over one predicate.
// Not safe for concurrent use.
type substitution struct {
	p    *predicate
	coef []float64
	// Of the last pass: per relaxed neuron, the coefficient it was replaced with.
	met []float64
}

func newSubstitution(p *predicate) *substitution {
	return &substitution{p: p, coef: make([]float64, p.box.len()), met: make([]float64, len(p.relaxed))}
}

// load takes the coefficients of sign·x and returns Σ|coef|·max|a|.
func (s *substitution) load(x *expr, sign float64) {
	clear(s.coef)
	for i, j := range x.vars {
		s.coef[j] = sign * x.coef[i]
	}
}

// lower is a lower bound of x over the predicate, upper an upper one.
func (s *substitution) lower(x *expr) float64 {
	s.load(x, 1)
	return s.finish(x.centre, x.slack, s.least(x.mag, nil))
}

func (s *substitution) upper(x *expr) float64 {
	s.load(x, -1)
	return -s.finish(-x.centre, x.slack, s.least(x.mag, nil))
}

// finish adds a constant that is known up to slack.
func (s *substitution) finish(centre, slack, least float64) float64 {
	v := below(least + centre - slack - 4*unit*(math.Abs(least)+math.Abs(centre)+slack))
	if math.IsNaN(v) {
		return math.Inf(-1)
	}
	return v
}

// least bounds Σ coef·a from below, where s.coef has been loaded and mag is at
// least Σ|coef|·max|a|. It uses the coefficients up, but for those of the inputs.
func (s *substitution) least(mag float64, w *weights) float64 {
	b := &s.p.box
	sum := 0.0
	for k := len(s.p.relaxed) - 1; k >= 0; k-- {
		r := &s.p.relaxed[k]
		c := s.coef[r.variable]
		s.met[k] = c
		if c == 0 {
			continue
		}
		s.coef[r.variable] = 0
		lines, first, own := r.lower, r.firstLower, b.lower[r.variable]
		if c < 0 {
			lines, first, own = r.upper, r.firstUpper, b.upper[r.variable]
		}
		if share := w.shares(k, c); share != nil {
			rest := c
			for i := range lines {
				part := c * share[i]
				rest -= part
				sum, mag = s.replace(&lines[i], part, sum, mag)
			}
			// What is left goes to the variable's own bound, whatever its sign.
			if own = b.lower[r.variable]; rest < 0 {
				own = b.upper[r.variable]
			}
			sum += rest * own
			mag += math.Abs(rest*own) + 4*unit*math.Abs(c)*b.reach[r.variable]*float64(len(lines)+1)
			continue
		}
		if first < 0 {
			sum += c * own
			mag += math.Abs(c * own)
			continue
		}
		sum, mag = s.replace(&lines[first], c, sum, mag)
	}
	for j, c := range s.coef {
		if c == 0 {
			continue
		}
		t := c * b.lower[j]
		if c < 0 {
			t = c * b.upper[j]
		}
		sum += t
		mag += math.Abs(c) * b.reach[j]
	}
	return sum - gamma(len(s.coef)+8*len(s.p.relaxed)+8)*mag - tiny
}

// replace puts a line in place of a variable whose coefficient is c.
func (s *substitution) replace(l *line, c, sum, mag float64) (newSum, newMag float64) {
	if l.slope == 0 {
		t := c * l.intercept
		return sum + t, mag + math.Abs(t)
	}
	f := c * l.slope
	x := l.x
	x.addTo(s.coef, f)
	a := math.Abs(f)
	sum += f*x.centre + c*l.intercept - a*x.slack
	mag += a*(math.Abs(x.centre)+x.slack+x.mag) + math.Abs(c*l.intercept)
	return sum, mag
}

// contiguous reports whether the variables of x lie behind one another, as those of a
// dense layer do.
func (x *expr) contiguous() bool {
	n := len(x.vars)
	return n > 0 && int(x.vars[n-1]-x.vars[0]) == n-1
}

// addTo adds f times the coefficients of x to those of all variables.
func (x *expr) addTo(all []float64, f float64) {
	if x.contiguous() {
		blas.Axpy(f, x.coef, all[x.vars[0]:int(x.vars[0])+len(x.vars)])
		return
	}
	for i, j := range x.vars {
		all[j] += f * x.coef[i]
	}
}

// value is x at the variables a, the error aside.
func (x *expr) value(a []float64) float64 {
	if x.contiguous() {
		return x.centre + blas.Dot(x.coef, a[x.vars[0]:int(x.vars[0])+len(x.vars)])
	}
	v := x.centre
	for i, j := range x.vars {
		v += x.coef[i] * a[j]
	}
	return v
}

// weights are the shares of the lower and of the upper lines of each relaxed neuron;
// what they leave of one is the share of the variable's own bound. A nil entry stands
// for the default choice.
type weights struct{ lower, upper [][]float64 }

// shares is the weights of neuron k's lines on the side that a coefficient c asks for.
func (w *weights) shares(k int, c float64) []float64 {
	switch {
	case w == nil:
		return nil
	case c < 0:
		return w.upper[k]
	}
	return w.lower[k]
}

// ascent is the budget and the outcome of ascend.
const (
	ascentSteps = 40
	ascentRate  = 0.3
	ascentDecay = 0.93
)

// ascend improves the lower bound of a functional until it is positive, the
// program's optimum is seen not to be, the steps are used up or ctx ends. It returns the
// best bound and a value that the linear program's optimum does not exceed, but for
// rounding. point, if not nil, gets the variables at the best feasible point found.
func (s *substitution) ascend(ctx context.Context, f *functional, point []float64) (bound, ceiling float64) {
	n := len(s.p.relaxed)
	w := &weights{make([][]float64, n), make([][]float64, n)}
	bound, ceiling = math.Inf(-1), math.Inf(1)
	a := make([]float64, len(s.coef))
	rate := ascentRate
	for step := range ascentSteps {
		copy(s.coef, f.coef)
		v := s.finish(f.centre, f.slack, s.least(f.mag, w))
		bound = max(bound, v)
		if step == 0 {
			s.start(w)
		}
		if bound > 0 {
			return bound, ceiling
		}
		if value := s.lift(f, w, a, rate); value < ceiling {
			ceiling = value
			if point != nil {
				copy(point, a)
			}
		}
		if ceiling <= 0 || len(s.p.relaxed) == 0 || ctx.Err() != nil {
			return bound, ceiling
		}
		rate *= ascentDecay
	}
	return bound, ceiling
}

// start writes the default choice as weights.
func (s *substitution) start(w *weights) {
	for k := range s.p.relaxed {
		r := &s.p.relaxed[k]
		w.lower[k], w.upper[k] = make([]float64, len(r.lower)), make([]float64, len(r.upper))
		if r.firstLower >= 0 {
			w.lower[k][r.firstLower] = 1
		}
		if r.firstUpper >= 0 {
			w.upper[k][r.firstUpper] = 1
		}
	}
}

// lift walks forward from the inputs' minimiser to a feasible point a, moves the
// weights towards the lines that are highest there, and returns f's value at a.
func (s *substitution) lift(f *functional, w *weights, a []float64, rate float64) float64 {
	b := &s.p.box
	for j, c := range s.coef {
		a[j] = b.lower[j]
		if c < 0 || c == 0 && f.coef[j] < 0 {
			a[j] = b.upper[j]
		}
	}
	for k := range s.p.relaxed {
		r := &s.p.relaxed[k]
		lines, own, least := r.lower, b.lower[r.variable], false
		if s.met[k] < 0 {
			lines, own, least = r.upper, b.upper[r.variable], true
		}
		best, at := bestLine(lines, a, own, least)
		a[r.variable] = best
		if s.met[k] != 0 {
			move(w.shares(k, s.met[k]), at, rate)
		}
	}
	v := f.centre
	for j, c := range f.coef {
		v += c * a[j]
	}
	return v
}

// bestLine is the greatest value of the lines and own at a, or the least, and which
// line attains it, −1 if own does.
func bestLine(lines []line, a []float64, own float64, least bool) (value float64, at int) {
	at = -1
	for i := range lines {
		if v := lines[i].at(a); least && v < own || !least && v > own {
			own, at = v, i
		}
	}
	return own, at
}

// at is the line's value at a, slack aside.
func (l *line) at(a []float64) float64 {
	if l.slope == 0 {
		return l.intercept
	}
	return l.slope*l.x.value(a) + l.intercept
}

// move shifts the share rate to line target, or to the variable's own bound if that is
// −1, in proportion from the others.
func move(w []float64, target int, rate float64) {
	for i := range w {
		w[i] *= 1 - rate
		if i == target {
			w[i] = min(w[i]+rate, 1)
		}
	}
}
