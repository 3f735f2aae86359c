package pgd

// The loss of a search for counterexamples: how far a point is from satisfying all
// inequalities of a conjunction at once.
//
// The greatest violation has the slope of one inequality, and where two of them pull
// apart the descent goes to and fro between them; the sum of the violations has the
// slope of all, but trades one for the other. Neither finds all points that the other
// does, so searches start half of their descents with each.

import (
	"math"

	"github.com/vouchnn/vouch/spec"
)

// Violation is the greatest left side minus bound of c, or with sum, while that is
// positive, the sum of the positive ones. Either is positive exactly as long as an
// inequality does not hold. The gradient with respect to input x and output y is added
// to gradX and gradY. It is 0 for an empty conjunction.
func Violation(c spec.Conjunction, sum bool, x, y, gradX, gradY []float32) float32 {
	total, worst, at := float32(0), float32(math.Inf(-1)), -1
	for k, q := range c {
		v := float32(-q.Bound)
		for _, t := range q.Input {
			v += float32(t.Coef) * x[t.Index]
		}
		for _, t := range q.Output {
			v += float32(t.Coef) * y[t.Index]
		}
		if v > worst {
			worst, at = v, k
		}
		if sum && v > 0 {
			total += v
			addGradient(&c[k], gradX, gradY)
		}
	}
	if at < 0 {
		return 0
	}
	if !sum || total == 0 {
		addGradient(&c[at], gradX, gradY)
		return worst
	}
	return total
}

func addGradient(q *spec.Inequality, gradX, gradY []float32) {
	for _, t := range q.Input {
		gradX[t.Index] += float32(t.Coef)
	}
	for _, t := range q.Output {
		gradY[t.Index] += float32(t.Coef)
	}
}
