package spec

// Exact evaluation of a property at a point.
//
// Check is the last word before a verifier says Falsified, so it must neither
// lose a counterexample that lies on an edge nor invent one that rounding put
// there. Regions answer Contains exactly; inequalities are evaluated in float64
// first, and where the result is within its own rounding error of 0, again in
// exact arithmetic (exact.go).

// Check finds the first case whose region contains x, with no tolerance, and
// its first conjunction that holds at inputs x and outputs y, and returns their
// indices. ok is false if there is none: x is outside every region, or safe, or
// x or y holds a NaN or an infinity where it matters.
//
// The property has passed Validate; x has p.Inputs values and y p.Outputs.
// Whether y is what a network computes at x is for the caller to know.
func (p Property) Check(x, y []float64) (caseIndex, conjunction int, ok bool) {
	for i, c := range p.Cases {
		if len(c.Unsafe) == 0 || !c.Region.Contains(x) {
			continue
		}
		for j, u := range c.Unsafe {
			if u.Holds(x, y) {
				return i, j, true
			}
		}
	}
	return 0, 0, false
}

// Holds reports whether every inequality of the conjunction holds at inputs x
// and outputs y, exactly. An empty conjunction holds.
func (c Conjunction) Holds(x, y []float64) bool {
	for _, q := range c {
		if !q.Holds(x, y) {
			return false
		}
	}
	return true
}

// Holds reports whether the inequality holds at inputs x and outputs y, exactly
// over the reals. It does not if a value that it uses is NaN or infinite.
func (q Inequality) Holds(x, y []float64) bool {
	sum, mag := -q.Bound, max(q.Bound, -q.Bound)
	for _, t := range q.Input {
		v := t.Coef * x[t.Index]
		sum += v
		mag += max(v, -v)
	}
	for _, t := range q.Output {
		v := t.Coef * y[t.Index]
		sum += v
		mag += max(v, -v)
	}
	err := roundingError(len(q.Input)+len(q.Output)+1, mag)
	if finite(err) {
		if sum < -err {
			return true
		}
		if sum > err {
			return false
		}
	}
	return q.holdsExactly(x, y)
}

func (q Inequality) holdsExactly(x, y []float64) bool {
	acc := newAccumulator()
	if !finite(q.Bound) {
		return false
	}
	acc.addProduct(-1, q.Bound)
	for _, t := range q.Input {
		if !finite(t.Coef) || !finite(x[t.Index]) {
			return false
		}
		acc.addProduct(t.Coef, x[t.Index])
	}
	for _, t := range q.Output {
		if !finite(t.Coef) || !finite(y[t.Index]) {
			return false
		}
		acc.addProduct(t.Coef, y[t.Index])
	}
	return acc.sign() <= 0
}
