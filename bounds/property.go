package bounds

import "github.com/vouchnn/vouch/spec"

// PropertyFunctions is the linear functions of a case: one for every
// inequality of every conjunction, in order, with the value "left side minus
// bound". Where a function is positive its inequality does not hold, so a
// conjunction is impossible on a domain where one of its functions has a
// positive lower bound.
//
// The constant is the negated bound and exact; coefficients of one variable
// that appear several times are added, which rounds: properties with such
// duplicates are bounded up to that rounding.
func PropertyFunctions(c *spec.Case, inputs, outputs int) Functions {
	k := 0
	anyInput := false
	for _, conj := range c.Unsafe {
		k += len(conj)
		for _, q := range conj {
			anyInput = anyInput || len(q.Input) > 0
		}
	}
	f := Functions{Output: make([]float64, k*outputs), Const: make([]float64, k)}
	if anyInput {
		f.Input = make([]float64, k*inputs)
	}
	r := 0
	for _, conj := range c.Unsafe {
		for _, q := range conj {
			for _, t := range q.Output {
				f.Output[r*outputs+t.Index] += t.Coef
			}
			for _, t := range q.Input {
				f.Input[r*inputs+t.Index] += t.Coef
			}
			f.Const[r] = -q.Bound
			r++
		}
	}
	return f
}
