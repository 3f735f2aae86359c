package reach

// Zonotopes: centre plus generators over variables in [−1, 1], and nothing else.
//
// An undecided neuron over [l, u] is enclosed by two parallel lines,
// s·x + t₁ ≤ y ≤ s·x + t₂, and becomes s·x + (t₁+t₂)/2 + (t₂−t₁)/2·ε with a new
// variable ε in [−1, 1]; of ReLU s = u/(u−l), t₁ = 0, t₂ = −s·l. No program is ever
// solved.
//
// Source: Singh et al. 2018, "Fast and effective robustness certification",
// NeurIPS; as a filter before linear programs: Tran et al. 2021,
// "Verification of piecewise deep neural networks: a star set approach with
// zonotope pre-filter", FAOC.

import (
	"math"

	"github.com/vouchnn/vouch/nn"
)

// zonotope is the form after an activation over ranges that hold for f, whose sizes
// are given (spread). New variables are added to b.
func (f *form) zonotope(op nn.Operator, lower, upper, size []float64, b *box) *form {
	n := len(f.centre)
	y := &form{shape: f.shape, view: f.view, centre: make([]float64, n), slack: make([]float64, n)}
	factor, noise := make([]float64, n), make([]float64, n)
	for k := range n {
		e := enclose(op, lower[k], upper[k])
		factor[k] = e.slope
		y.centre[k], y.slack[k] = f.scaledAt(k, e.slope, size[k])
		if e.straight {
			continue
		}
		m, r := between(e.parallelLow, e.parallelUp)
		y.slack[k] += 4 * unit * (size[k] + math.Abs(m) + r)
		y.centre[k] += m
		noise[k] = r
	}
	y.gens = f.scaled(factor)
	y.addNoise(noise, b)
	return y
}

// addNoise adds a variable for every element with a radius.
func (f *form) addNoise(radius []float64, b *box) {
	for k, r := range radius {
		if r > 0 {
			f.gens.appendUnit(f.view, b.add(-1, 1), k, r)
		}
	}
}

// zonotopeMax is the form after a max pooling: a window's only rival, or an
// interval.
func (f *form) zonotopeMax(w *windows, s *spread, b *box) *form {
	n := w.count()
	y := &form{shape: w.out, view: viewOf(w.out), centre: make([]float64, n), slack: make([]float64, n)}
	source, noise := make([]int, n), make([]float64, n)
	for o := range n {
		low, up, rivals := contest(w.window(o), s.lower, s.upper)
		source[o] = -1
		if len(rivals) == 1 {
			source[o] = rivals[0]
			continue
		}
		y.centre[o], noise[o] = between(low, up)
	}
	f.gather(y, source)
	y.addNoise(noise, b)
	return y
}
