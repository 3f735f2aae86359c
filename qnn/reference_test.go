package qnn

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// The dumb twin: tiny networks, all inputs.

// randomNetwork draws a network of few inputs, one to three layers and 3 to 4 bits.
func randomNetwork(t *testing.T, rng *rand.Rand) *Network {
	t.Helper()
	q := 3 + rng.IntN(2)
	input := Config{Signed: rng.IntN(4) == 0, Bits: 3 + rng.IntN(2), Fraction: rng.IntN(4)}
	inputs := 2 + rng.IntN(2)
	tie := Tie(rng.IntN(4))
	sizes := []int{2 + rng.IntN(3)}
	for range rng.IntN(3) {
		sizes = append(sizes, 2+rng.IntN(3))
	}
	in := inputs
	var layers []FixedPoint
	for k, out := range sizes {
		f := FixedPoint{
			Weight:     Config{Signed: true, Bits: q, Fraction: rng.IntN(3)},
			BiasConfig: Config{Signed: true, Bits: q, Fraction: 0},
			Output:     Config{Signed: k == len(sizes)-1, Bits: q, Fraction: rng.IntN(q)},
		}
		for range in * out {
			f.Weights = append(f.Weights, int32(f.Weight.Min()+rng.Int64N(1<<q)))
		}
		for range out {
			f.Bias = append(f.Bias, int32(f.BiasConfig.Min()+rng.Int64N(1<<q)))
		}
		layers = append(layers, f)
		in = out
	}
	n, err := NewFixedPoint(input, inputs, layers, tie)
	require.NoError(t, err)
	return n
}

// each calls visit with every input of the network's range.
func each(n *Network, visit func(x []int64)) {
	x := make([]int64, n.Inputs())
	var fill func(i int)
	fill = func(i int) {
		if i == len(x) {
			visit(x)
			return
		}
		for v := n.Input.Min(); v <= n.Input.Max(); v++ {
			x[i] = v
			fill(i + 1)
		}
	}
	fill(0)
}

func randomInput(n *Network, rng *rand.Rand) []int64 {
	x := make([]int64, n.Inputs())
	for i := range x {
		x[i] = n.Input.Min() + rng.Int64N(n.Input.Max()-n.Input.Min()+1)
	}
	return x
}

// exhaustive is the verdict by enumeration.
func exhaustive(n *Network, p spec.Property) spec.Verdict {
	verdict := spec.Verified
	each(n, func(x []int64) {
		if verdict == spec.Verified {
			if _, _, unsafe := p.Check(floats(x), floats(n.Run(x))); unsafe {
				verdict = spec.Falsified
			}
		}
	})
	return verdict
}

// query is a random property around a random input.
func query(t *testing.T, n *Network, rng *rand.Rand, norm spec.Norm) spec.Property {
	t.Helper()
	x := randomInput(n, rng)
	radius := float64(rng.IntN(5))
	if norm == spec.L0 {
		radius = float64(rng.IntN(n.Inputs() + 1))
	}
	if norm == spec.L2 && rng.IntN(2) == 0 {
		radius += 0.5
	}
	ball, err := n.Ball(norm, x, radius)
	require.NoError(t, err)
	y := n.Run(x)
	label := nn.ArgMax(y)
	switch rng.IntN(4) {
	case 0:
		return OutputEquality(ball, y)
	case 1:
		target := rng.IntN(n.Outputs())
		if target == label {
			target = (target + 1) % n.Outputs()
		}
		return Targeted(ball, label, target, n.Outputs())
	case 2:
		return randomLinear(n, ball, rng)
	}
	return Robustness(ball, label, n.Outputs())
}

// randomLinear is conjunctions of one to three integer inequalities over outputs
// and now and then inputs.
func randomLinear(n *Network, r spec.Region, rng *rand.Rand) spec.Property {
	var unsafe []spec.Conjunction
	for range 1 + rng.IntN(2) {
		var c spec.Conjunction
		for range 1 + rng.IntN(3) {
			q := spec.Inequality{Bound: float64(rng.IntN(13) - 8)}
			for j := range n.Outputs() {
				if v := rng.IntN(5) - 2; v != 0 {
					q.Output = append(q.Output, spec.Term{Index: j, Coef: float64(v)})
				}
			}
			if rng.IntN(4) == 0 {
				q.Input = []spec.Term{{Index: rng.IntN(n.Inputs()), Coef: float64(rng.IntN(5) - 2)}}
			}
			c = append(c, q)
		}
		unsafe = append(unsafe, c)
	}
	return property(r, n.Outputs(), unsafe)
}

var norms = []spec.Norm{spec.LInf, spec.L1, spec.L2, spec.L0}
