package bab_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/simplex"
	"github.com/vouchnn/vouch/spec"
)

// liar answers at random: any status, any numbers.
type liar struct{ rng *rand.Rand }

func (l liar) Solve(_ context.Context, p *solver.Problem, _ solver.Options) (*solver.Solution, error) {
	numbers := func(n int) []float64 {
		if l.rng.IntN(4) == 0 {
			n = l.rng.IntN(n + 1)
		}
		x := make([]float64, n)
		for i := range x {
			x[i] = 100 * l.rng.NormFloat64()
		}
		return x
	}
	return &solver.Solution{
		Status: []solver.Status{solver.Unknown, solver.Optimal, solver.Infeasible, solver.Unbounded, solver.Limit, solver.Numerical}[l.rng.IntN(6)],
		X:      numbers(len(p.Variables)), Objective: 1, Bound: 1,
		RowDuals: numbers(len(p.Rows)), FarkasRay: numbers(len(p.Rows)),
	}, nil
}

// Bounds without multipliers for splits leave leaves to the linear program. With
// the embedded solver every tiny network is decided as the rational twin decides
// it, the threshold a hair from the exact minimum, without splitting the box;
// with a solver that lies no verdict is wrong.
func TestLeavesAgainstTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(51, 52))
	leaves, decided, all := 0, 0, 0
	for k := range rounds(160) {
		net := randomTiny(rng)
		c0, c1 := float64(rng.IntN(9)-4), float64(rng.IntN(9)-4)
		least := net.least(c0, c1)
		edge, _ := least.Float64()
		for _, shift := range []float64{-0x1p-16, 0x1p-16} {
			dnf := []spec.Conjunction{{output(edge+shift, spec.Term{Index: 0, Coef: c0}, spec.Term{Index: 1, Coef: c1})}}
			for _, with := range []solver.Solver{nil, simplex.Solver{}, liar{rng}} {
				opts := bab.Options{Split: bab.SplitNeuron, Bounder: bounds.Crown{}, NoAttack: true, MaxDomains: 400, Solver: with}
				res := verifyTiny(t, net, dnf, opts)
				if shift < 0 {
					require.NotEqual(t, spec.Falsified, res.Verdict, "network %d", k)
				} else {
					require.NotEqual(t, spec.Verified, res.Verdict, "network %d", k)
				}
				if _, lies := with.(liar); lies {
					continue
				}
				leaves += res.Stats.Leaves
				all++
				if res.Verdict != spec.Unknown {
					decided++
				}
			}
		}
	}
	t.Logf("%d of %d decided, %d leaves", decided, all, leaves)
	require.Equal(t, all, decided)
	require.Greater(t, leaves, rounds(80))
}

// Conjunctions of several inequalities: the program sees all of them.
func TestLeavesOfConjunctions(t *testing.T) {
	rng := rand.New(rand.NewPCG(53, 54))
	counts := map[spec.Verdict]int{}
	for k := range rounds(120) {
		net := randomTiny(rng)
		var conj spec.Conjunction
		for range 2 + rng.IntN(2) {
			conj = append(conj, output(float64(rng.IntN(65)-40)/8,
				spec.Term{Index: 0, Coef: float64(rng.IntN(9) - 4)}, spec.Term{Index: 1, Coef: float64(rng.IntN(9) - 4)}))
		}
		dnf := []spec.Conjunction{conj}
		res := verifyTiny(t, net, dnf, bab.Options{Split: bab.SplitNeuron, Bounder: bounds.Crown{}, NoAttack: true, MaxDomains: 2000})
		counts[res.Verdict]++
		if net.unsafe(dnf) {
			require.NotEqual(t, spec.Verified, res.Verdict, "network %d", k)
		} else {
			require.NotEqual(t, spec.Falsified, res.Verdict, "network %d", k)
		}
	}
	t.Log(counts)
	require.Greater(t, counts[spec.Verified], rounds(24))
	require.Greater(t, counts[spec.Falsified], rounds(16))
}
