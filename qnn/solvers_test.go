package qnn

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/simplex"
)

// milps are the solvers of this build that the encodings are tried on; files with
// build tags add to them.
var milps = map[string]solver.Solver{"simplex": simplex.Solver{}}

// TestEncodingsOnSolvers compares both encodings with enumeration on every solver.
// A solver that refuses integer variables is skipped.
func TestEncodingsOnSolvers(t *testing.T) {
	for name, s := range milps {
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(13, 14))
			for k := range 60 {
				n := randomNetwork(t, rng)
				p := query(t, n, rng, norms[k%4])
				want := exhaustive(n, p)
				for _, e := range []Encoding{Compact, Levels} {
					res, err := VerifyILP(context.Background(), n, p, ILPOptions{Solver: s, Encode: EncodeOptions{Encoding: e, NoIntervals: k%5 == 0}})
					var unsupported *solver.UnsupportedError
					if errors.As(err, &unsupported) {
						t.Skip(err)
					}
					require.NoError(t, err)
					require.Equal(t, want, res.Verdict, "query %d, %v", k, e)
				}
			}
		})
	}
}
