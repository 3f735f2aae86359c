package spec

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestResultText(t *testing.T) {
	found := &Counterexample{Input: []float64{1.0 / 3, -2}, Output: make([]float64, 20)}
	for _, c := range []struct {
		result *Result
		want   string
	}{
		{nil, "no result"},
		{&Result{}, "unknown"},
		{&Result{Reason: ReasonTimeout, LowerBound: -3}, "unknown: timeout"},
		{&Result{Verdict: Verified, LowerBound: 2.5}, "verified, margin at least 2.5"},
		{&Result{Verdict: Verified}, "verified"},
		{&Result{Verdict: Verified, LowerBound: math.Inf(1)}, "verified"},
		{&Result{Verdict: Falsified}, "falsified, no counterexample"},
		{
			&Result{Verdict: Falsified, Counterexample: found},
			"falsified, at [0.333333 -2] the output is [0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 ... (20 values)]",
		},
	} {
		assert.Equal(t, c.want, c.result.String())
		assert.Equal(t, c.want, fmt.Sprint(c.result))
	}
}
