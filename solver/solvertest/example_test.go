package solvertest_test

import (
	"testing"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/simplex"
	"github.com/vouchnn/vouch/solver/solvertest"
)

// The body of a test of a solver of one's own; simplex stands for it here.
func ExampleRun() {
	_ = func(t *testing.T) {
		solvertest.Run(t, func() solver.Solver { return simplex.Solver{} })
		solvertest.RunInteger(t, func() solver.Solver { return simplex.Solver{} })
	}
}
