package train

// NBC's identities, and what its inner minimisation must do.

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// NBC(x, x) = Σ 2^−r, which is 1 − 2^−L with distinct ranks, and NBC(x, x′) is
// never more, and never less than −Σ 2^−r − KL.
func TestNBCOfItself(t *testing.T) {
	for name, net := range zoo(t) {
		t.Run(name, func(t *testing.T) {
			b := randomBatch(net, 1, 20)
			near := randomBatch(net, 2, 20)
			for _, ordinal := range []bool{false, true} {
				sum := 0.0
				for _, g := range gammas(net, ordinal) {
					sum += 1 / g
				}
				same, err := NBCValues(net, b.X, b.X, ordinal)
				require.NoError(t, err)
				other, err := NBCValues(net, b.X, near.X, ordinal)
				require.NoError(t, err)
				m, err := newModel(net, &Options{})
				require.NoError(t, err)
				if ordinal {
					assert.InDelta(t, 1-math.Pow(2, -float64(len(m.hidden))), sum, 1e-12)
				}
				for i := range same {
					assert.InDelta(t, sum, same[i], 1e-5)
					assert.LessOrEqual(t, other[i], same[i]+1e-5)
				}
			}
		})
	}
}

// The ranks of the paper's networks: §1 of the method note.
func TestNBCRanks(t *testing.T) {
	want := map[string][2][]float64{ // dense, ordinal; γ in the order of the layers
		"M1": {{8, 4, 2}, {8, 4, 2}},
		"M2": {{8, 4, 2}, {8, 4, 2}},
		"M3": {{32, 8, 16, 4, 2, 2}, {64, 16, 32, 8, 2, 4}},
		"C1": {{16, 8, 4, 2}, {16, 8, 4, 2}},
		"C2": {{16, 8, 4, 2}, {16, 8, 4, 2}},
		"C3": {{32, 8, 16, 4, 2, 2}, {64, 16, 32, 8, 2, 4}},
	}
	for id, w := range want {
		net, err := NewNetwork(id)
		require.NoError(t, err)
		m, err := newModel(net, &Options{})
		require.NoError(t, err)
		for k, ordinal := range []bool{false, true} {
			for i, f := range rankFactors(m, ordinal) {
				assert.Equal(t, w[k][i], 1/f, "%s layer %d ordinal %v", id, i, ordinal)
			}
		}
	}
}

// Scaling a layer's pre-activations does not change its cosine.
func TestNBCIgnoresScale(t *testing.T) {
	net := built(t, 3, nn.Shape{5}, Dense{6}, Activation{nn.ReLU{}}, Dense{4}, Activation{nn.ReLU{}}, Dense{3})
	x, near := randomBatch(net, 1, 8), randomBatch(net, 2, 8)
	before, err := NBCValues(net, x.X, near.X, false)
	require.NoError(t, err)
	// The first layer times 4, the second by a quarter: the function stays.
	scale := func(node string, weight, bias float32) {
		for _, n := range net.Nodes() {
			if n.Name != node {
				continue
			}
			for k, p := range n.Op.Params() {
				v := slices.Clone(p.Values32())
				for i := range v {
					v[i] *= []float32{weight, bias}[k]
				}
				p.Set32(v)
			}
		}
	}
	scale("fc1", 4, 4)
	scale("fc2", 0.25, 1)
	after, err := NBCValues(net, x.X, near.X, false)
	require.NoError(t, err)
	assert.InDeltaSlice(t, before, after, 1e-6)
}

// β = 0 is plain cross-entropy, bit for bit.
func TestNBCWithoutWeight(t *testing.T) {
	net := zoo(t)["conv"]
	b := randomBatch(net, 1, 9)
	plain := evaluate(t, net, CrossEntropy{}, b, &Options{})
	zero := evaluate(t, net, NewNBC(Constant(0), smallAttack), b, &Options{})
	assert.Equal(t, plain.value, zero.value)
	assert.Equal(t, plain.grad, zero.grad)
}

// The descent lowers NBC on average, stays in ball and range, and does not
// depend on how many samples share the batch.
func TestNBCInnerMinimisation(t *testing.T) {
	for _, raw := range []bool{false, true} {
		net := zoo(t)["conv"]
		b := randomBatch(net, 1, 40)
		m, err := newModel(net, &Options{})
		require.NoError(t, err)
		a := Attack{Epsilon: Constant(0.2), Steps: 10, Raw: raw}
		if raw {
			a.StepSize = 0.5
		}
		s := newStep(m)
		run := func(steps int) []float32 {
			s.begin(b, 0, rand.New(rand.NewPCG(5, 6)))
			at := a
			at.Steps = steps
			c := newConsistency(s.Reference(), false)
			x, err := s.attack(context.Background(), &at, func(p *Pass, values []float64) { c.add(nil, p, 1, values) })
			require.NoError(t, err)
			return slices.Clone(x)
		}
		at := a
		at.StepSize = 1e-30 // stays where it starts
		s.begin(b, 0, rand.New(rand.NewPCG(5, 6)))
		start, err := s.attack(context.Background(), &at, func(p *Pass, _ []float64) { p.GradOutput() })
		require.NoError(t, err)
		start = slices.Clone(start)
		end := run(10)
		before, err := NBCValues(net, b.X, start, false)
		require.NoError(t, err)
		after, err := NBCValues(net, b.X, end, false)
		require.NoError(t, err)
		assert.Less(t, mean(after), mean(before)-1e-3, "raw %v", raw)
		for i, v := range end {
			require.GreaterOrEqual(t, v, float32(0))
			require.LessOrEqual(t, v, float32(1))
			require.InDelta(t, b.X[i], v, 0.2+1e-6)
		}
	}
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

func TestNBCValidate(t *testing.T) {
	net := zoo(t)["dense"]
	flat := built(t, 1, nn.Shape{3}, Dense{2})
	for _, tt := range []struct {
		net  nn.Network
		loss Loss
		want string
	}{
		{flat, NewNBC(Constant(1), smallAttack), "hidden layers"},
		{net, NewNBC(Constant(1), FGSM(Constant(0.1))), "NBC.Attack.Start"},
		{net, NewNBC(Constant(1), Attack{Epsilon: Constant(1.5)}), "Attack.Epsilon is 1.5"},
		{net, NewNBC(Constant(1), Attack{Epsilon: Ramp(0, -0.1, 0, 1)}), "Attack.Epsilon"},
		{net, NewNBC(Constant(1), Attack{}), "Attack.Epsilon is missing"},
		{net, Madry{Attack{Epsilon: Constant(math.NaN())}}, "Attack.Epsilon is NaN"},
		{net, Sum{}, "no terms"},
		{net, ReLUStable{}, "ReLUStable.Epsilon is missing"},
		{net, NewIBP(3, 0.5), "Epsilon is"},
	} {
		err := tt.loss.Validate(tt.net)
		var value *ValueError
		require.ErrorAs(t, err, &value)
		assert.ErrorContains(t, err, tt.want)
	}
	m, err := newModel(net, &Options{})
	require.NoError(t, err)
	s := newStep(m)
	s.begin(randomBatch(net, 1, 2), 0, rand.New(rand.NewPCG(1, 1)))
	_, err = s.gradient(context.Background(), NBC{Shared: true})
	assert.ErrorContains(t, err, "no term before it attacks")
}
