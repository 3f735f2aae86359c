package spec

import (
	"math"
)

// The property language: what must not happen.
//
// A Property lists cases; each case is a region of inputs and the condition
// on inputs and outputs that is unsafe there, in disjunctive normal form. The
// property holds if no input of any case's region satisfies its condition.
// This is the shape in which VNN-LIB states queries ("sat" is unsafe) and in
// which every verifier of this module consumes them.
//
// All inequalities are closed (≤), so an unsafe set includes its edge, and a
// property that holds leaves a gap, however small. Value and Violation are
// plain floating-point numbers to search with; Holds and Property.Check in
// check.go decide exactly.

// Property is a disjunction of cases that must all be impossible. A property
// under which nothing is unsafe has a case without Unsafe; one without cases is
// malformed, since it is more likely forgotten than meant.
type Property struct {
	Inputs, Outputs int // dimensions of the network that it speaks of
	Cases           []Case
}

// Case is one region with what is unsafe there. An empty Unsafe can never
// happen and the case holds trivially.
type Case struct {
	Region Region
	Unsafe []Conjunction // unsafe if any of them holds
}

// Conjunction is unsafe where all of its inequalities hold. An empty one
// always holds.
type Conjunction []Inequality

// Inequality is Σ Input·x + Σ Output·y ≤ Bound, over inputs x and outputs y.
// An index occurs at most once in each list. All numbers are finite.
type Inequality struct {
	Input  []Term
	Output []Term
	Bound  float64
}

// Term is one coefficient of a sparse linear function.
type Term struct {
	Index int
	Coef  float64
}

// Value is the left side minus the bound: the inequality holds if it is ≤ 0.
// It is plain floating-point arithmetic: a magnitude to minimise, whose sign is
// not to be trusted near 0. Use Holds to decide.
func (q Inequality) Value(x, y []float64) float64 {
	s := -q.Bound
	for _, t := range q.Input {
		s += t.Coef * x[t.Index]
	}
	for _, t := range q.Output {
		s += t.Coef * y[t.Index]
	}
	return s
}

// Violation is the largest Value among the conjunction's inequalities: all of
// them hold if it is ≤ 0, up to rounding. An empty conjunction yields −Inf, a
// NaN among the values +Inf. Use Holds to decide.
func (c Conjunction) Violation(x, y []float64) float64 {
	worst := math.Inf(-1)
	for _, q := range c {
		v := q.Value(x, y)
		if math.IsNaN(v) {
			return math.Inf(1)
		}
		worst = max(worst, v)
	}
	return worst
}
