package simplex

import (
	"testing"

	"github.com/vouchnn/vouch/solver/solvertest"
)

func TestIntegersAgainstExactArithmetic(t *testing.T) {
	count := 1500
	if testing.Short() {
		count = 300
	}
	both(t, func(t *testing.T, keep keeping) { solvertest.TwinInteger(t, Solver{keep: keep}, 1, count) })
}
