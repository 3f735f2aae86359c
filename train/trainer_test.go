package train

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
)

// blobs is a problem that a small network learns: classes around centres.
func blobs(seed uint64, n int) *Samples {
	rng := rand.New(rand.NewPCG(seed, 0))
	s := &Samples{}
	for i := range n {
		c := i % 3
		for k := range 8 {
			s.X = append(s.X, float32(min(max(0.5+0.3*math.Cos(float64(c*8+k*(c+1)))+0.08*rng.NormFloat64(), 0), 1)))
		}
		s.Labels = append(s.Labels, c)
	}
	return s
}

func blobNet(t testing.TB) *nn.Graph {
	return built(t, 5, nn.Shape{8}, Dense{16}, Activation{nn.ReLU{}}, Dense{10}, Activation{nn.ReLU{}}, Dense{3})
}

func weights(net nn.Network) []float32 {
	var w []float32
	for _, n := range net.Nodes()[1:] {
		for _, p := range n.Op.Params() {
			w = append(w, p.Values32()...)
		}
	}
	return w
}

// Every loss and optimiser learns the blobs.
func TestFitLearns(t *testing.T) {
	a := Attack{Epsilon: Ramp(0, 0.05, 0, 0.5), Steps: 3}
	losses := map[string]Loss{
		"ce": CrossEntropy{}, "madry": Madry{a}, "trades": NewTRADES(Constant(1), a), "nbc": NewNBC(Constant(1), a),
		"rs":         NewReLUStable(a, ReLUStable{Epsilon: a.Epsilon}, 2e-5, 1e-3),
		"composed":   NewReLUStable(a, ReLUStable{Epsilon: a.Epsilon, Composed: true}, 2e-5, 1e-3),
		"ibp":        NewIBP(0.05, 0.5),
		"jacobian":   Sum{{Loss: CrossEntropy{}}, {Loss: Jacobian{Softmax: true}, Weight: Constant(0.01)}},
		"trades+nbc": append(NewTRADES(Constant(1), a), Term{Loss: NBC{Attack: a}, Weight: Constant(1)}),
	}
	data, test := blobs(1, 300), blobs(2, 150)
	for name, loss := range losses {
		t.Run(name, func(t *testing.T) {
			net := blobNet(t)
			h, err := Engine{}.Fit(context.Background(), net, data, Options{Loss: loss, Epochs: 15, Batch: 32, Rate: Cosine(1e-2, 1e-3), Seed: 1})
			require.NoError(t, err)
			accuracy, err := Accuracy(context.Background(), net, test)
			require.NoError(t, err)
			assert.Greater(t, accuracy, 0.95)
			assert.Len(t, h.Epochs, 15)
			assert.Less(t, h.Epochs[14].Loss, h.Epochs[0].Loss)
		})
	}
	for name, o := range map[string]Optimizer{"adam": Adam{}, "adamw": Adam{Decay: 0.01}, "sgd": SGD{}, "momentum": SGD{Momentum: 0.9, Decay: 1e-4}} {
		t.Run(name, func(t *testing.T) {
			net := blobNet(t)
			rate := 0.01
			if name == "sgd" {
				rate = 0.1
			}
			_, err := Engine{}.Fit(context.Background(), net, data, Options{Loss: CrossEntropy{}, Epochs: 15, Batch: 32, Optimizer: o, Rate: WarmUp(Constant(rate), 0.1)})
			require.NoError(t, err)
			accuracy, err := Accuracy(context.Background(), net, test)
			require.NoError(t, err)
			assert.Greater(t, accuracy, 0.95)
		})
	}
}

// busyOptions uses everything that draws randomness or keeps state.
func busyOptions() Options {
	a := Attack{Epsilon: Ramp(0, 0.1, 0, 0.5), Steps: 2}
	return Options{
		Loss:   append(NewTRADES(Constant(1), a), Term{Loss: NBC{Attack: a}, Weight: Constant(1), Name: "-nbc"}, Term{Loss: Jacobian{}, Weight: Constant(0.01)}, Term{Loss: ReLUStable{Epsilon: a.Epsilon}, Weight: Constant(1e-3)}),
		Epochs: 3, Batch: 32, Seed: 7, Dropout: map[string]float64{"relu2": 0.2}, Validation: blobs(3, 60), KeepBest: true, Fingerprint: "busy",
	}
}

func busyNet(t testing.TB) *nn.Graph {
	return built(t, 5, nn.Shape{1, 2, 4}, Conv{Out: 4, Kernel: 2, Pad: []int{1}}, BatchNorm{}, Activation{nn.ReLU{}}, Dense{12}, Activation{nn.ReLU{}}, Dense{3})
}

// The same seed gives the same bits on any number of processors.
func TestFitIsDeterministic(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var want []float32
	for _, procs := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(procs)
		net := busyNet(t)
		_, err := Engine{}.Fit(context.Background(), net, blobs(1, 150), busyOptions())
		require.NoError(t, err)
		got := weights(net)
		if want == nil {
			want = got
		}
		require.Equal(t, want, got, "%d processors", procs)
	}
	net := busyNet(t)
	o := busyOptions()
	o.Seed++
	_, err := Engine{}.Fit(context.Background(), net, blobs(1, 150), o)
	require.NoError(t, err)
	assert.NotEqual(t, want, weights(net))
}

// A big network on one and on several processors: everything is cut.
func TestFitIsDeterministicAtSize(t *testing.T) {
	if testing.Short() {
		t.Skip("large")
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var want []float32
	for _, procs := range []int{1, 3} {
		runtime.GOMAXPROCS(procs)
		net, err := NewNetwork("M1")
		require.NoError(t, err)
		Initialize(net, He, 1)
		b := randomBatch(net, 1, 160)
		_, err = Engine{}.Fit(context.Background(), net, &Samples{b.X, b.Labels}, Options{Loss: NewNBC(Constant(1), Attack{Epsilon: Constant(0.3), Steps: 2}), Epochs: 1})
		require.NoError(t, err)
		if want == nil {
			want = weights(net)
		}
		require.Equal(t, want, weights(net))
	}
}

var errKilled = errors.New("killed")

// A run that is killed at any step resumes and ends with the same bits.
func TestFitResumes(t *testing.T) {
	data := blobs(1, 150)
	undisturbed := busyNet(t)
	history, err := Engine{}.Fit(context.Background(), undisturbed, data, busyOptions())
	require.NoError(t, err)
	for _, every := range []int{0, 1, 2} {
		dir := t.TempDir()
		for kill := 2; ; kill += 3 {
			net := busyNet(t) // a new process has a new network
			o := busyOptions()
			o.Checkpoint, o.Every = dir, every
			if kill < 12 {
				o.Progress = func(e Event) error {
					if e.Step == kill {
						return errKilled
					}
					return nil
				}
			}
			h, err := Engine{}.Fit(context.Background(), net, data, o)
			if err == nil {
				require.Equal(t, weights(undisturbed), weights(net), "every %d", every)
				require.Len(t, h.Epochs, 3)
				require.Equal(t, history.Best, h.Best)
				for i := range h.Epochs {
					h.Epochs[i].Seconds = history.Epochs[i].Seconds
				}
				require.Equal(t, history.Epochs, h.Epochs)
				require.Positive(t, h.Resumed)
				break
			}
			require.ErrorIs(t, err, errKilled)
		}
	}
}

// Cancelling ends within a step and leaves a checkpoint to go on from.
func TestFitCancelled(t *testing.T) {
	data, dir := blobs(1, 150), t.TempDir()
	undisturbed := busyNet(t)
	_, err := Engine{}.Fit(context.Background(), undisturbed, data, busyOptions())
	require.NoError(t, err)

	ctx, cancel := context.WithCancel(context.Background())
	o := busyOptions()
	o.Checkpoint = dir
	o.Progress = func(e Event) error {
		if e.Step == 7 {
			cancel()
		}
		return nil
	}
	_, err = Engine{}.Fit(ctx, busyNet(t), data, o)
	require.ErrorIs(t, err, context.Canceled)
	o.Progress = nil
	net := busyNet(t)
	h, err := Engine{}.Fit(context.Background(), net, data, o)
	require.NoError(t, err)
	assert.Equal(t, 7, h.Resumed)
	assert.Equal(t, weights(undisturbed), weights(net))
}

// badLoss is NaN at one step.
type badLoss struct{ at float64 }

func (badLoss) Validate(nn.Network) error { return nil }

func (l badLoss) Add(ctx context.Context, s *Step, weight float64) (float64, error) {
	v, err := CrossEntropy{}.Add(ctx, s, weight)
	if s.Progress >= l.at {
		return math.NaN(), err
	}
	return v, err
}

func TestFitDiverges(t *testing.T) {
	data, dir := blobs(1, 96), t.TempDir()
	net := blobNet(t)
	o := Options{Loss: badLoss{0.5}, Epochs: 2, Batch: 32, Checkpoint: dir}
	_, err := Engine{}.Fit(context.Background(), net, data, o)
	var diverged *DivergedError
	require.ErrorAs(t, err, &diverged)
	assert.Equal(t, []int{2, 4}, []int{diverged.Epoch, diverged.Step})
	for _, w := range weights(net) {
		require.False(t, math.IsNaN(float64(w)))
	}
	// The checkpoint is that of the first epoch, and good.
	o.Loss = CrossEntropy{}
	h, err := Engine{}.Fit(context.Background(), blobNet(t), data, o)
	require.NoError(t, err)
	assert.Equal(t, 3, h.Resumed)
	// Numbers that overflow show in the gradient.
	wild := Samples{X: slices.Clone(data.X), Labels: data.Labels}
	for i := range wild.X {
		wild.X[i] *= 3e38
	}
	_, err = Engine{}.Fit(context.Background(), blobNet(t), &wild, Options{Loss: CrossEntropy{}, Epochs: 1})
	require.ErrorAs(t, err, &diverged)
}

func TestFitChecksItsData(t *testing.T) {
	good := blobs(1, 90)
	bad := &Samples{X: good.X, Labels: slices.Clone(good.Labels)}
	bad.Labels[17] = 3
	o := Options{Loss: CrossEntropy{}, Epochs: 1}
	_, err := Engine{}.Fit(context.Background(), blobNet(t), bad, o)
	var label *LabelError
	require.ErrorAs(t, err, &label)
	assert.Equal(t, LabelError{17, 3, 3}, *label)
	_, err = Accuracy(context.Background(), blobNet(t), bad)
	require.ErrorAs(t, err, &label)

	fit := func(data Data, o Options) error {
		_, err := Engine{}.Fit(context.Background(), blobNet(t), data, o)
		return err
	}
	assert.ErrorContains(t, fit(&Samples{}, o), "no samples")
	assert.ErrorContains(t, fit(&Samples{X: make([]float32, 9), Labels: []int{0}}, o), "samples of 9 numbers, the network takes 8")
	for field, change := range map[string]func(*Options){
		"Loss": func(o *Options) { o.Loss = nil }, "Epochs": func(o *Options) { o.Epochs = 0 }, "Batch": func(o *Options) { o.Batch = -1 },
		"Rate": func(o *Options) { o.Rate = Constant(math.NaN()) }, "Adam.Beta1": func(o *Options) { o.Optimizer = Adam{Beta1: 1} },
		"SGD.Momentum": func(o *Options) { o.Optimizer = SGD{Momentum: -1} }, "Dropout": func(o *Options) { o.Dropout = map[string]float64{"relu1": 1} },
		"Validation": func(o *Options) { o.Patience = 1 }, "nowhere": func(o *Options) { o.Dropout = map[string]float64{"nowhere": 0.5} },
		"Quantization.Layers": func(o *Options) { o.Quantization = QVIP(6, 2) }, "Quantization.Input": func(o *Options) { o.Quantization = &Quantization{Input: FixedPoint{Bits: 40}} },
	} {
		bad := o
		change(&bad)
		var value *ValueError
		err := fit(good, bad)
		require.ErrorAs(t, err, &value, field)
		assert.ErrorContains(t, err, field)
	}
}

func TestEarlyStopping(t *testing.T) {
	data, scores := blobs(1, 96), []float64{0.1, 0.5, 0.4, 0.5, 0.3, 0.9}
	var at [][]float32
	net := blobNet(t)
	o := Options{
		Loss: CrossEntropy{}, Epochs: 6, Batch: 32, Validation: data, Patience: 3, KeepBest: true,
		Measure: func(_ context.Context, n nn.Network, _ Data) (float64, error) {
			at = append(at, weights(n))
			return scores[len(at)-1], nil
		},
	}
	h, err := Engine{}.Fit(context.Background(), net, data, o)
	require.NoError(t, err)
	assert.True(t, h.Stopped)
	assert.Len(t, h.Epochs, 5)
	assert.Equal(t, 2, h.Best)
	assert.Equal(t, at[1], weights(net))
}

// Memory is steady: steps do not allocate what grows with the network.
func TestStepAllocatesLittle(t *testing.T) {
	net := blobNet(t)
	r, err := newRun(net, blobs(1, 320), Options{Loss: NewNBC(Constant(1), smallAttack), Epochs: 1000, Batch: 32})
	require.NoError(t, err)
	step := func() {
		_, _, err := r.one(context.Background())
		require.NoError(t, err)
	}
	step()
	assert.Less(t, testing.AllocsPerRun(20, step), 200.0)
}

func TestSchedules(t *testing.T) {
	for name, tt := range map[string]struct {
		s    Schedule
		want [5]float64 // at 0, ¼, ½, ¾, 1
	}{
		"constant": {Constant(2), [5]float64{2, 2, 2, 2, 2}},
		"ramp":     {Ramp(0, 0.3, 0.25, 0.75), [5]float64{0, 0, 0.15, 0.3, 0.3}},
		"step":     {StepDecay(1, 0.1, 0.5, 0.75), [5]float64{1, 1, 0.1, 0.01, 0.01}},
		"cosine":   {Cosine(1, 0), [5]float64{1, 0.5 + math.Sqrt2/4, 0.5, 0.5 - math.Sqrt2/4, 0}},
		"warm-up":  {WarmUp(Constant(1), 0.5), [5]float64{1e-3, 0.5, 1, 1, 1}},
	} {
		for i, w := range tt.want {
			assert.InDelta(t, w, tt.s(float64(i)/4), 1e-12, name)
		}
	}
}

// One step of each optimiser by hand.
func TestOptimizersByHand(t *testing.T) {
	run := func(o Optimizer, weight bool, steps int) float64 {
		w, g := []float32{2}, []float32{0.5}
		var slots [][]float32
		for range o.Slots() {
			slots = append(slots, []float32{0})
		}
		for i := range steps {
			o.Update(&Update{W: w, G: g, Slots: slots, Step: i + 1, Rate: 0.1, Weight: weight})
		}
		return float64(w[0])
	}
	assert.InDelta(t, 2-0.1*0.5, run(SGD{}, true, 1), 1e-6)
	assert.InDelta(t, 2-0.1*0.5-0.1*(0.9*0.5+0.5), run(SGD{Momentum: 0.9}, true, 2), 1e-6)
	assert.InDelta(t, 2-0.1*(0.5+0.01*2), run(SGD{Decay: 0.01}, true, 1), 1e-6)
	assert.InDelta(t, 2-0.1*0.5, run(SGD{Decay: 0.01}, false, 1), 1e-6)
	// A constant gradient: m̂ = g and v̂ = g², so each step is the rate.
	assert.InDelta(t, 2-3*0.1, run(Adam{}, true, 3), 1e-5)
	assert.InDelta(t, 2*(1-0.1*0.2)-0.1, run(Adam{Decay: 0.2}, true, 1), 1e-5)
	assert.InDelta(t, 2-0.1, run(Adam{Decay: 0.2}, false, 1), 1e-5)
}
