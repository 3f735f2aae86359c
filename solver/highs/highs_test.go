//go:build highs

package highs

import (
	"testing"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/solvertest"
)

func TestConformance(t *testing.T) {
	solvertest.Run(t, func() solver.Solver { return Solver{} })
}

func TestAgainstExactArithmetic(t *testing.T) {
	count := 10000
	if testing.Short() {
		count = 1000
	}
	solvertest.Twin(t, Solver{}, 1, count)
}
