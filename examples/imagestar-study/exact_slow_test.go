//go:build slow

package main

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/vouchnn/vouch/spec"
)

// A radius at which there are counterexamples, too, and thousands of stars.
func TestExactWhereItIsHard(t *testing.T) {
	count := decideExactly(t, 8)
	assert.Positive(t, count[spec.Verified])
	assert.Positive(t, count[spec.Falsified])
}
