package spec

import (
	"fmt"
	"math"
	"strings"
)

// Answers as text, for messages and logs. Numbers of inputs and outputs are
// shortened to six digits, long vectors to their first values: what is to be
// computed with is in the fields.

// shownValues is how many values of a vector are written out.
const shownValues = 16

// String is the answer in a line: "verified, margin at least 2.5", "unknown:
// timeout", or the counterexample.
func (r *Result) String() string {
	if r == nil {
		return "no result"
	}
	switch r.Verdict {
	case Verified:
		if r.LowerBound > 0 && !math.IsInf(r.LowerBound, 1) {
			return fmt.Sprintf("verified, margin at least %.6g", r.LowerBound)
		}
		return "verified"
	case Falsified:
		return "falsified, " + r.Counterexample.String()
	default:
		return strings.TrimSuffix("unknown: "+r.Reason.String(), ": ")
	}
}

// String is "at [input] the output is [output]".
func (c *Counterexample) String() string {
	if c == nil {
		return "no counterexample"
	}
	return fmt.Sprintf("at %s the output is %s", shortVector(c.Input), shortVector(c.Output))
}

// shortVector writes v in brackets, and no more than shownValues of its values.
func shortVector(v []float64) string {
	if len(v) <= shownValues {
		return fmt.Sprintf("%.6g", v)
	}
	shown := strings.TrimSuffix(fmt.Sprintf("%.6g", v[:shownValues]), "]")
	return fmt.Sprintf("%s ... (%d values)]", shown, len(v))
}
