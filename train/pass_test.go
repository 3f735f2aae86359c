package train

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// A batch in shares, on any number of processors, has the bits of each sample
// by itself: values, gradients to the input, and ends of attacks.
func TestSharesAreSamples(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	net := built(t, 3, nn.Shape{1, 14, 14}, Conv{Out: 6, Kernel: 3}, Activation{nn.ReLU{}}, Conv{Out: 8, Kernel: 3, Stride: 2}, Activation{nn.Sigmoid{}}, Dense{30}, Activation{nn.ReLU{}}, Dense{4})
	m, err := newModel(net, &Options{})
	require.NoError(t, err)
	b := randomBatch(net, 2, 75)
	through := func(x []float32, n int) (y, g []float32) {
		p := newPass(m)
		p.run(x, n, true, nil)
		copy(p.GradOutput(), p.Output())
		for i, v := range p.Value(m.hidden[0]) {
			p.Grad(m.hidden[0])[i] += v / 7
		}
		return slices.Clone(p.Output()), slices.Clone(p.back(nil, true))
	}
	runtime.GOMAXPROCS(1)
	var y, g []float32
	for i := range b.Size {
		a, c := through(b.X[i*m.inputs:(i+1)*m.inputs], 1)
		y, g = append(y, a...), append(g, c...)
	}
	ends := map[string][]float32{}
	for _, procs := range []int{1, 2, 3, 7} {
		runtime.GOMAXPROCS(procs)
		a, c := through(b.X, b.Size)
		assert.Equal(t, y, a, "%d processors", procs)
		assert.Equal(t, g, c, "%d processors", procs)
		for name, loss := range map[string]Loss{
			"nbc": NBC{Attack: Attack{Epsilon: Constant(0.2), Steps: 3, Restarts: 2}}, "trades": TRADES{Attack{Epsilon: Constant(0.2), Steps: 3}},
			"madry": Madry{Attack{Epsilon: Constant(0.2), Steps: 2, Restarts: 3}},
		} {
			s := newStep(m)
			s.begin(b, 0, rand.New(rand.NewPCG(5, 6)))
			_, err := loss.Add(context.Background(), s, 1)
			require.NoError(t, err)
			end := slices.Clone(s.Adversarial().X())
			if procs == 1 {
				ends[name] = end
			}
			assert.Equal(t, ends[name], end, "%s, %d processors", name, procs)
		}
	}
}

// Weights' gradients are the same bits too, whether nodes are shared out or
// each takes all processors.
func TestWeighIsDeterministic(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	net := built(t, 3, nn.Shape{2, 16, 16}, Conv{Out: 16, Kernel: 3}, Activation{nn.ReLU{}}, Dense{100}, Activation{nn.ReLU{}}, Dense{4})
	b := randomBatch(net, 2, 90)
	var want [][][]float32
	for _, procs := range []int{1, 2, 3, 4, 8} {
		runtime.GOMAXPROCS(procs)
		_, got, err := Gradients(context.Background(), net, CrossEntropy{}, b, 0, 1)
		require.NoError(t, err)
		if want == nil {
			want = got
		}
		assert.Equal(t, want, got, "%d processors", procs)
	}
}

// A change of shape shares its input's gradient; one whose values are dropped
// has its own.
func TestViews(t *testing.T) {
	net := built(t, 1, nn.Shape{1, 4, 4}, Conv{Out: 2, Kernel: 2}, Activation{nn.ReLU{}}, Dense{5}, Activation{nn.ReLU{}}, Dense{3})
	flatten := slices.IndexFunc(net.Nodes(), func(n nn.Node) bool { return n.Op != nil && n.Op.Kind() == "Flatten" })
	require.Positive(t, flatten)
	m, err := newModel(net, &Options{})
	require.NoError(t, err)
	assert.Equal(t, flatten-1, m.root[flatten])
	m, err = newModel(net, &Options{Dropout: map[string]float64{net.Nodes()[flatten].Name: 0.5}})
	require.NoError(t, err)
	assert.Equal(t, flatten, m.root[flatten])
}
