package train

// Architectures, initialisers, dropout, normalisation, rounding, attacks.

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

// Parameter counts and hidden sizes of the method note's table 5.
func TestArchitectures(t *testing.T) {
	want := map[string]struct {
		params int
		hidden []int
	}{
		"M1": {166406, []int{3136, 1568, 100}},
		"M2": {171158, []int{3136, 1568, 100}},
		"M3": {1974762, []int{25088, 6272, 12544, 3136, 512, 512}},
		"C1": {165498, []int{3600, 1152, 128, 64}},
		"C2": {338346, []int{7200, 2304, 128, 64}},
		"C3": {2466858, []int{32768, 8192, 16384, 4096, 512, 512}},
	}
	for _, a := range Architectures() {
		net, err := NewNetwork(a.ID)
		require.NoError(t, err)
		assert.Equal(t, want[a.ID].params, nn.NumParams(net), a.ID)
		m, err := newModel(net, &Options{})
		require.NoError(t, err)
		var sizes []int
		for _, h := range m.hidden {
			sizes = append(sizes, m.nodes[h].Shape.Size())
		}
		assert.Equal(t, want[a.ID].hidden, sizes, a.ID)
		delete(want, a.ID)
	}
	assert.Empty(t, want)
	_, err := NewNetwork("M9")
	assert.ErrorContains(t, err, `"M9"`)
}

func TestStackErrors(t *testing.T) {
	for _, tt := range []struct {
		layers []Layer
		want   string
	}{
		{[]Layer{Conv{Out: 2, Kernel: 9}}, "does not fit"},
		{[]Layer{Conv{Kernel: 3}}, "0 kernels"},
		{[]Layer{Dense{}}, "0 outputs"},
		{[]Layer{Dense{4}, Conv{Out: 1, Kernel: 1}}, "channels height width"},
		{[]Layer{Activation{}}, "no operator"},
		{[]Layer{MaxPool{}}, "kernel"},
		{[]Layer{Conv{Out: 2, Kernel: 1, Groups: 2}}, "2 groups of 1 channels"},
	} {
		_, err := Classifier(nn.Shape{1, 4, 4}, tt.layers...)
		assert.ErrorContains(t, err, tt.want)
	}
}

// Mean and deviation of each initialiser, with the fans of a convolution.
func TestInitializers(t *testing.T) {
	net, err := Stack(nn.Shape{8, 9, 9}, Conv{Out: 40, Kernel: 5, Groups: 2}, Dense{30})
	require.NoError(t, err)
	convIn, convOut := 4*25.0, 20*25.0
	denseIn, denseOut := 40*25.0, 30.0
	for name, tt := range map[string]struct {
		init        Initializer
		conv, dense float64 // deviations
		bias        float64
	}{
		"he":            {He, math.Sqrt(2 / convIn), math.Sqrt(2 / denseIn), 0},
		"he-uniform":    {HeUniform, math.Sqrt(2 / convIn), math.Sqrt(2 / denseIn), 0},
		"glorot":        {Glorot, math.Sqrt(2 / (convIn + convOut)), math.Sqrt(2 / (denseIn + denseOut)), 0},
		"glorot-normal": {GlorotNormal, math.Sqrt(2 / (convIn + convOut)), math.Sqrt(2 / (denseIn + denseOut)), 0},
		"narrow-normal": {NarrowNormal, 0.01, 0.01, 0.01},
		"torch":         {Torch, 1 / math.Sqrt(3*convIn), 1 / math.Sqrt(3*denseIn), 1 / math.Sqrt(3*denseIn)},
	} {
		require.Equal(t, name, tt.init.Name)
		Initialize(net, tt.init, 1)
		nodes := net.Nodes()
		check := func(p *nn.Param, want, tolerance float64) {
			mean, square := 0.0, 0.0
			for _, v := range p.Values() {
				mean += v / float64(len(p.Values()))
				square += v * v / float64(len(p.Values()))
			}
			assert.InDelta(t, want, math.Sqrt(square), tolerance*want, name)
			assert.InDelta(t, 0, mean, max(want, 1e-12)*3/math.Sqrt(float64(len(p.Values()))), name)
		}
		conv, dense := nodes[1].Op.Params(), nodes[len(nodes)-1].Op.Params()
		check(conv[0], tt.conv, 0.05)
		check(dense[0], tt.dense, 0.03)
		check(dense[1], tt.bias, 0.5)
		first := slices.Clone(conv[0].Values())
		Initialize(net, tt.init, 1)
		assert.Equal(t, first, conv[0].Values())
	}
	assert.Len(t, Initializers(), 6)
}

// Dropout keeps the mean, zeroes its share, and its gradient is that of the
// mask it drew.
func TestDropout(t *testing.T) {
	net := built(t, 1, nn.Shape{50}, Dense{400}, Activation{nn.ReLU{}}, Dense{3})
	b := randomBatch(net, 1, 50)
	m, err := newModel(net, &Options{Dropout: map[string]float64{"relu1": 0.4}})
	require.NoError(t, err)
	p := newPass(m)
	p.run(b.X, b.Size, true, rand.New(rand.NewPCG(1, 1)))
	dropped, before, after := 0, 0.0, 0.0
	for i, v := range p.raw[2] {
		before += float64(v)
		after += float64(p.seen[2][i])
		if p.masks[2][i] == 0 {
			dropped++
		} else {
			require.InDelta(t, v/0.6, p.seen[2][i], 1e-5)
		}
	}
	assert.InDelta(t, 0.4, float64(dropped)/float64(len(p.raw[2])), 0.015)
	assert.InDelta(t, before, after, 0.03*before)
	g := p.Grad(2)
	for i := range g {
		g[i] = 1
	}
	p.back(nil, false)
	for i, v := range p.masks[2] {
		want := v
		if p.raw[1][i] < 0 {
			want = 0
		}
		require.Equal(t, want, p.grads[1][i])
	}
	// Evaluation drops nothing.
	p.run(b.X, b.Size, false, nil)
	assert.Equal(t, p.raw[2], p.seen[2])
}

// The network's statistics go towards the batch's, by a tenth.
func TestKeepStatistics(t *testing.T) {
	net := built(t, 4, nn.Shape{3}, BatchNorm{}, Dense{2})
	b := randomBatch(net, 1, 20)
	params := net.Nodes()[1].Op.Params()
	mean, variance := slices.Clone(params[2].Values()), slices.Clone(params[3].Values())
	m, err := newModel(net, &Options{})
	require.NoError(t, err)
	s := newStep(m)
	s.begin(b, 0, rand.New(rand.NewPCG(1, 1)))
	_, err = s.gradient(context.Background(), CrossEntropy{})
	require.NoError(t, err)
	for ch := range 3 {
		bm, bv := 0.0, 0.0
		for i := range 20 {
			bm += float64(b.X[i*3+ch]) / 20
		}
		for i := range 20 {
			bv += math.Pow(float64(b.X[i*3+ch])-bm, 2) / 19
		}
		assert.InDelta(t, 0.9*mean[ch]+0.1*bm, params[2].Values()[ch], 1e-6)
		assert.InDelta(t, 0.9*variance[ch]+0.1*bv, params[3].Values()[ch], 1e-6)
	}
}

func TestFixedPoint(t *testing.T) {
	q := FixedPoint{true, 4, 2} // −8…7, quarters
	for _, tt := range []struct {
		v, want float64
		inside  bool
	}{{0.3, 0.25, true}, {0.375, 0.5, true}, {-0.375, -0.25, true}, {5, 1.75, false}, {-2, -2, true}, {-2.2, -2, false}, {1.87, 1.75, true}, {1.875, 1.75, false}} {
		v, inside := q.Round(tt.v)
		assert.Equal(t, tt.want, v, tt.v)
		assert.Equal(t, tt.inside, inside, tt.v)
	}
	low, high := FixedPoint{false, 8, 8}.Range()
	assert.Equal(t, []float64{0, 255}, []float64{low, high})
}

// In training for integers the network computes with rounded numbers, and
// gradients pass straight through, but for what was clamped.
func TestQuantizedPass(t *testing.T) {
	net := built(t, 1, nn.Shape{6}, Dense{8}, Activation{nn.ReLU{}}, Dense{3})
	b := randomBatch(net, 1, 9)
	m, err := newModel(net, &Options{Quantization: QVIP(6, 2)})
	require.NoError(t, err)
	w := make([]float32, m.weights)
	m.pull(w)
	rounded, inside := make([]float32, m.weights), make([]float32, m.weights)
	m.quant.round(m, w, rounded, inside)
	m.push(rounded)
	p := newPass(m)
	p.run(b.X, b.Size, true, nil)
	// The same in plain arithmetic: floor(2^F v + ½), clamped.
	round := func(v float64, low, high, fraction float64) float64 {
		return min(max(math.Floor(v*math.Exp2(fraction)+0.5), low), high) / math.Exp2(fraction)
	}
	nodes := net.Nodes()
	for i := range b.Size {
		x := make([]float64, 6)
		for k := range x {
			x[k] = round(float64(b.X[i*6+k]), 0, 255, 8)
		}
		h := make([]float64, 8)
		for o := range h {
			sum := nodes[1].Op.(*nn.Dense).Bias().Values()[o]
			for k, v := range x {
				sum += v * nodes[1].Op.(*nn.Dense).Weight().Values()[o*6+k]
			}
			h[o] = round(max(sum, 0), 0, 63, 4)
		}
		for o := range 3 {
			sum := nodes[3].Op.(*nn.Dense).Bias().Values()[o]
			for k, v := range h {
				sum += v * nodes[3].Op.(*nn.Dense).Weight().Values()[o*8+k]
			}
			require.InDelta(t, round(sum, -32, 31, 4), p.Output()[i*3+o], 1e-6)
		}
	}
	for k, q := range m.params {
		fraction := []float64{5, 4}[k%2]
		for i := q.from; i < q.to; i++ {
			v := math.Floor(float64(w[i])*math.Exp2(fraction) + 0.5)
			require.Equal(t, v >= -32 && v <= 31, inside[i] == 1)
			require.Equal(t, min(max(v, -32), 31)/math.Exp2(fraction), float64(rounded[i]))
		}
	}
	// A gradient at the hidden layer passes where the value was in range.
	g := p.Grad(2)
	for i := range g {
		g[i] = 1
	}
	clamped := 0
	p.back(nil, false)
	for i, v := range p.raw[2] {
		want := float32(1)
		if v*16 >= 63.5 {
			want, clamped = 0, clamped+1
		}
		require.Equal(t, want, p.grads[2][i])
	}
	t.Logf("%d of %d clamped", clamped, len(p.raw[2]))
}

// Training for integers learns, and the network that it leaves is rounded.
func TestFitQuantized(t *testing.T) {
	net := blobNet(t)
	q := QVIP(6, 3)
	data, test := blobs(1, 300), blobs(2, 150)
	h, err := Engine{}.Fit(context.Background(), net, data, Options{Loss: CrossEntropy{}, Epochs: 20, Batch: 32, Rate: Cosine(1e-2, 1e-3), Quantization: q, Validation: test})
	require.NoError(t, err)
	assert.Greater(t, h.Epochs[19].Measured, 0.95)
	for _, n := range net.Nodes()[1:] {
		for k, p := range n.Op.Params() {
			f := []FixedPoint{q.Layers[0].Weight, q.Layers[0].Bias}[k]
			for _, v := range p.Values() {
				r, inside := f.Round(v)
				require.True(t, inside && r == v, "%v", v)
			}
		}
	}
}

// FGSM from the centre is x ± ε by the sign of the gradient, in range.
func TestFGSM(t *testing.T) {
	net := zoo(t)["dense"]
	b := randomBatch(net, 1, 30)
	b.X[0], b.X[1] = 0, 1
	a := FGSM(Constant(0.05))
	got, err := a.Perturb(context.Background(), net, b.X, b.Labels, 1)
	require.NoError(t, err)
	e := nn.NewEvaluator[float64](net)
	y := e.Forward(wide(b.X), b.Size)
	k := len(y) / b.Size
	g := make([]float64, len(y))
	for i, l := range b.Labels {
		copy(g[i*k:], softmax(y[i*k:(i+1)*k]))
		g[i*k+l]--
	}
	for i, d := range e.Backward(g, nil) {
		want := float64(b.X[i])
		if d > 0 {
			want = min(want+0.05, 1)
		} else if d < 0 {
			want = max(want-0.05, 0)
		}
		require.InDelta(t, want, got[i], 1e-6)
	}
}

// More steps and more restarts lower accuracy; targets are reached more often.
func TestAttackStrength(t *testing.T) {
	ctx := context.Background()
	net, data := blobNet(t), blobs(1, 300)
	_, err := Engine{}.Fit(ctx, net, data, Options{Loss: CrossEntropy{}, Epochs: 10, Batch: 32, Rate: Constant(1e-2)})
	require.NoError(t, err)
	clean, err := Accuracy(ctx, net, data)
	require.NoError(t, err)
	last := clean
	for _, epsilon := range []float64{0, 0.1, 0.25, 0.4} {
		share, err := AttackAccuracy(ctx, net, data, Attack{Epsilon: Constant(epsilon), Steps: 20}, 1)
		require.NoError(t, err)
		assert.LessOrEqual(t, share, last)
		if epsilon == 0 {
			assert.Equal(t, clean, share)
		}
		last = share
		margin, err := AttackAccuracy(ctx, net, data, Attack{Epsilon: Constant(epsilon), Steps: 20, Objective: Margin, Restarts: 3}, 1)
		require.NoError(t, err)
		assert.InDelta(t, share, margin, 0.1)
	}
	assert.Less(t, last, 0.5)
	targets := slices.Clone(data.Labels)
	for i := range targets {
		targets[i] = (targets[i] + 1) % 3
	}
	reached := func(x []float32) float64 {
		a, err := Accuracy(ctx, net, &Samples{x, targets})
		require.NoError(t, err)
		return a
	}
	a := Attack{Epsilon: Constant(0.4), Steps: 20, Objective: Targeted, Restarts: 2}
	x, err := a.Perturb(ctx, net, data.X, targets, 1)
	require.NoError(t, err)
	assert.Greater(t, reached(x), reached(data.X)+0.2)

	again, err := a.Perturb(ctx, net, data.X, targets, 1)
	require.NoError(t, err)
	assert.Equal(t, x, again)
	_, err = AttackAccuracy(ctx, net, data, a, 1)
	assert.ErrorContains(t, err, "Targeted")
	_, err = a.Perturb(ctx, net, data.X, targets[1:], 1)
	assert.ErrorContains(t, err, "numbers for")
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = a.Perturb(cancelled, net, data.X, targets, 1)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestSelect(t *testing.T) {
	data := blobs(1, 12)
	some := Select(data, []int{5, 1})
	x := make([]float32, 8)
	assert.Equal(t, 2, some.Read(0, x))
	assert.Equal(t, data.X[40:48], x)
	assert.Equal(t, 2, some.Len())
}

// Means of gradients that have become 0 end at 0, not among the numbers next to it, which
// the processor is slow with and which rounding never makes 0.
func TestMeansSettle(t *testing.T) {
	for _, o := range []Optimizer{Adam{}, SGD{Momentum: 0.9}} {
		u := Update{W: []float32{1, 1, 1}, G: []float32{1, 1e-6, 0}, Rate: 1e-3}
		for range o.Slots() {
			u.Slots = append(u.Slots, make([]float32, 3))
		}
		for u.Step = 1; u.Step < 200; u.Step++ {
			o.Update(&u)
			for _, s := range u.Slots {
				require.NotZero(t, s[0])
				require.NotZero(t, s[1], "a small gradient counts")
				require.Zero(t, s[2])
			}
		}
		clear(u.G)
		for range 100_000 { // a thousandth of the mean square goes in a step
			o.Update(&u)
		}
		for _, s := range u.Slots {
			require.Equal(t, []float32{0, 0, 0}, s)
		}
	}
}
