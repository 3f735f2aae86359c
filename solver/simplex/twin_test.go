package simplex

import (
	"testing"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/solvertest"
)

// both runs a test with T kept either way.
func both(t *testing.T, test func(t *testing.T, keep keeping)) {
	t.Run("dense", func(t *testing.T) { test(t, inFull) })
	t.Run("factored", func(t *testing.T) { test(t, byFactors) })
}

func TestAgainstExactArithmetic(t *testing.T) {
	count := 10000
	if testing.Short() {
		count = 1000
	}
	both(t, func(t *testing.T, keep keeping) { solvertest.Twin(t, Solver{keep: keep}, 1, count) })
}

func TestConformance(t *testing.T) {
	both(t, func(t *testing.T, keep keeping) {
		solvertest.Run(t, func() solver.Solver { return Solver{keep: keep} })
	})
}
