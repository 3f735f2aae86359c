package bab_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// TestAttackFindsWhatSamplesFind: where a few of five thousand random points
// violate a property, the attack must almost always find a violation too, on
// every kind of network. (Descent can end in local minima.)
func TestAttackFindsWhatSamplesFind(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	found := 0
	for k := range 40 {
		act := activations[k%len(activations)]
		net := randomDense(t, rng, 3, act)
		if k%2 == 1 {
			net = randomConv(t, rng, act, k%4 == 1)
		}
		n := nn.InputShape(net).Size()
		box := cube(t, n, -0.5, 0.5)
		least := sampledLeast(rng, net, box)
		prop := marginBelow(box, least+0.01)
		cex, err := bab.Attack(context.Background(), net, prop, bab.AttackOptions{Seed: uint64(k)})
		require.NoError(t, err)
		if cex != nil {
			found++
			requireConsistent(t, net, prop, &spec.Result{Verdict: spec.Falsified, Counterexample: cex})
		}
	}
	require.GreaterOrEqual(t, found, 38)
}

func TestAttackStaysInItsRegion(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	for _, norm := range []spec.Norm{spec.LInf, spec.L2, spec.L1, spec.L0} {
		net := randomDense(t, rng, 4, nn.ReLU{})
		clip := cube(t, 4, -1, 1)
		radius := 0.7
		if norm == spec.L0 {
			radius = 2
		}
		ball, err := spec.NewBall(norm, []float64{0.125, 0.25, -0.875, 0}, radius, &clip)
		require.NoError(t, err)
		e := nn.NewEvaluator[float64](net)
		least := 1e9
		for range 5000 {
			x := []float64{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()}
			ball.Project(x)
			y := e.Forward(x, 1)
			least = min(least, y[0]-y[1])
		}
		prop := marginBelow(ball, least+0.05)
		cex, err := bab.Attack(context.Background(), net, prop, bab.AttackOptions{})
		require.NoError(t, err)
		require.NotNil(t, cex, "%v", norm)
		requireConsistent(t, net, prop, &spec.Result{Verdict: spec.Falsified, Counterexample: cex})
	}
}

// TestAttackOnConjunctions plants a small box of outputs that all four
// inequalities must hit at once.
func TestAttackOnConjunctions(t *testing.T) {
	net := identity(t, 2)
	y := func(i int, c, bound float64) spec.Inequality {
		return spec.Inequality{Output: []spec.Term{{Index: i, Coef: c}}, Bound: bound}
	}
	conj := spec.Conjunction{y(0, 1, 0.313), y(0, -1, -0.312), y(1, 1, -0.75), y(1, -1, 0.751)}
	prop := &spec.Property{Inputs: 2, Outputs: 2, Cases: []spec.Case{{Region: cube(t, 2, -1, 1), Unsafe: []spec.Conjunction{conj}}}}
	cex, err := bab.Attack(context.Background(), net, prop, bab.AttackOptions{})
	require.NoError(t, err)
	require.NotNil(t, cex)
	requireConsistent(t, net, prop, &spec.Result{Verdict: spec.Falsified, Counterexample: cex})
}

func TestAttackWithoutSuccess(t *testing.T) {
	net := identity(t, 2)
	prop := &spec.Property{Inputs: 2, Outputs: 2, Cases: []spec.Case{{Region: cube(t, 2, 0, 1), Unsafe: []spec.Conjunction{{output(-1, spec.Term{Index: 0, Coef: 1})}}}}}
	cex, err := bab.Attack(context.Background(), net, prop, bab.AttackOptions{Restarts: 3, Steps: 5})
	require.NoError(t, err)
	require.Nil(t, cex)
}

// TestAttackWithoutSlope: the only neuron is dead on all but a corner of the
// box, so that gradients vanish where random starts lie.
func TestAttackWithoutSlope(t *testing.T) {
	const n = 12
	w := make([]float64, n)
	for i := range w {
		w[i] = 1
	}
	hidden, err := nn.NewDense(1, n, w, []float64{-n + 0.75})
	require.NoError(t, err)
	b := nn.NewBuilder(nn.Shape{n})
	net := build(t, b, b.Add("relu", nn.ReLU{}, b.Add("sum", hidden, b.Input())))
	prop := &spec.Property{Inputs: n, Outputs: 1, Cases: []spec.Case{{
		Region: cube(t, n, 0, 1), Unsafe: []spec.Conjunction{{{Output: []spec.Term{{Index: 0, Coef: -1}}, Bound: -0.5}}},
	}}}
	cex, err := bab.Attack(context.Background(), net, prop, bab.AttackOptions{Restarts: 8})
	require.NoError(t, err)
	require.NotNil(t, cex)
	requireConsistent(t, net, prop, &spec.Result{Verdict: spec.Falsified, Counterexample: cex})
}
