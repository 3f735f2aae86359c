package spec

import "fmt"

// Validate checks that the property is well-formed: positive dimensions, at
// least one case, regions present, well-formed and of Inputs dimensions,
// indices in range and at most once per list, coefficients and bounds finite.
// A case without Unsafe is well-formed and holds trivially.
//
// Errors: *Error, whose Field names the place, as in "case 0, conjunction 2,
// inequality 1".
// Cost: linear in the size of the property, boxes included.
func (p Property) Validate() error {
	if p.Inputs < 1 || p.Outputs < 1 {
		return errorf("property", "speaks of %d inputs and %d outputs, want at least one of each", p.Inputs, p.Outputs)
	}
	if len(p.Cases) == 0 {
		return errorf("property", "has no cases; one that holds trivially has a case without Unsafe")
	}
	for i, c := range p.Cases {
		at := fmt.Sprintf("case %d", i)
		if err := validateRegion(at, c.Region, p.Inputs); err != nil {
			return err
		}
		for j, u := range c.Unsafe {
			for k, q := range u {
				if detail := q.defect(p.Inputs, p.Outputs); detail != "" {
					return errorf(fmt.Sprintf("%s, conjunction %d, inequality %d", at, j, k), "%s", detail)
				}
			}
		}
	}
	return nil
}

func validateRegion(at string, r Region, inputs int) error {
	switch v := r.(type) {
	case nil:
		return errorf(at, "has no region")
	case *Ball:
		if v == nil {
			return errorf(at, "has no region")
		}
		if v.box.Lower == nil {
			return errorf(at, "its ball was not made by NewBall")
		}
	case *Box:
		if v == nil {
			return errorf(at, "has no region")
		}
	}
	if d := r.Dim(); d != inputs {
		return errorf(at, "its region has %d dimensions, the property %d inputs", d, inputs)
	}
	if err := r.Box().Validate(); err != nil {
		return errorf(at, "%v", err)
	}
	return nil
}

// defect says what is wrong with an inequality, or nothing.
func (q Inequality) defect(inputs, outputs int) string {
	if !finite(q.Bound) {
		return fmt.Sprintf("has the bound %v", q.Bound)
	}
	if d := defect(q.Input, inputs, "input"); d != "" {
		return d
	}
	return defect(q.Output, outputs, "output")
}

func defect(terms []Term, n int, kind string) string {
	var seen map[int]bool
	last, ascending := -1, true
	for _, t := range terms {
		if t.Index < 0 || t.Index >= n {
			return fmt.Sprintf("speaks of %s %d of %d", kind, t.Index, n)
		}
		if !finite(t.Coef) {
			return fmt.Sprintf("gives %s %d the coefficient %v", kind, t.Index, t.Coef)
		}
		ascending = ascending && t.Index > last
		last = t.Index
	}
	if ascending {
		return ""
	}
	seen = make(map[int]bool, len(terms))
	for _, t := range terms {
		if seen[t.Index] {
			return fmt.Sprintf("speaks of %s %d twice", kind, t.Index)
		}
		seen[t.Index] = true
	}
	return ""
}
