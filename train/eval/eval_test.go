package eval

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
	"github.com/vouchnn/vouch/train"
	"github.com/vouchnn/vouch/train/dataset"
)

// step is a network of one input in one hidden layer: output 0 is relu(10x),
// output 1 is 5. So the class is 0 from x = ½ on.
func step(t *testing.T) nn.Network {
	first, err := nn.NewDense(2, 1, []float64{10, 0}, []float64{0, 5})
	require.NoError(t, err)
	second, err := nn.NewDense(2, 2, []float64{1, 0, 0, 1}, []float64{0, 0})
	require.NoError(t, err)
	b := nn.NewBuilder(nn.Shape{1})
	g, err := b.Build(b.Add("out", second, b.Add("relu", nn.ReLU{}, b.Add("hidden", first, b.Input()))))
	require.NoError(t, err)
	return g
}

func TestMeasure(t *testing.T) {
	m, err := NewMeasurer(step(t), Options{Timeout: 10 * time.Second})
	require.NoError(t, err)
	for name, tt := range map[string]struct {
		x       float32
		label   int
		epsilon float64
		verdict spec.Verdict
		correct bool
		stable  float64
	}{
		"holds":         {0.8, 0, 0.25, spec.Verified, true, 1},
		"breaks":        {0.8, 0, 0.4, spec.Falsified, true, 1},
		"misclassified": {0.8, 1, 0.1, spec.Falsified, false, 1},
		// The ball is clipped at 0, where the first neuron's lower bound is 0 and
		// is rounded outward.
		"at the edge": {0.05, 1, 0.1, spec.Verified, true, 0.5},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := m.Measure(context.Background(), 7, []float32{tt.x}, tt.label, tt.epsilon)
			require.NoError(t, err)
			assert.Equal(t, tt.verdict, r.Verdict)
			assert.Equal(t, tt.correct, r.Correct)
			assert.Equal(t, tt.verdict == spec.Verified, r.Resists)
			assert.Equal(t, tt.stable, r.Stable)
			assert.Equal(t, 7, r.Index)
		})
	}
	box, err := ball([]float32{0.25, 1}, 0.5)
	require.NoError(t, err)
	assert.Equal(t, spec.Box{Lower: []float64{0, 0.5}, Upper: []float64{0.75, 1}}, box)

	_, err = m.Measure(context.Background(), 0, []float32{0.5}, 5, 0.1)
	var label *train.LabelError
	require.ErrorAs(t, err, &label)
	_, err = m.Measure(context.Background(), 0, []float32{0.5}, 0, 1.5)
	assert.ErrorContains(t, err, "Epsilon")
	_, err = m.Measure(context.Background(), 0, []float32{0.5, 1}, 0, 0.1)
	assert.Error(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = m.Measure(ctx, 0, []float32{0.5}, 0, 0.1)
	assert.ErrorIs(t, err, context.Canceled)
	_, err = NewMeasurer(step(t), Options{Timeout: -1})
	assert.ErrorContains(t, err, "Timeout")
}

// TestStable: the share falls with the radius, and sampled neurons agree: one
// that takes both signs in the ball is not counted as stable.
func TestStable(t *testing.T) {
	net, err := train.Classifier(nn.Shape{1, 12, 12}, train.Dense{Out: 20}, train.Dense{Out: 15}, train.Dense{Out: 10})
	require.NoError(t, err)
	train.Initialize(net, train.He, 1)
	set := dataset.Digits(1, 20, false)
	m, err := NewMeasurer(net, Options{Timeout: time.Millisecond})
	require.NoError(t, err)
	last := 1.0
	for _, epsilon := range []float64{0, 0.01, 0.05, 0.2} {
		r, err := m.Measure(context.Background(), 0, set.Float32(0), int(set.Labels[0]), epsilon)
		require.NoError(t, err)
		assert.LessOrEqual(t, r.Stable, last)
		last = r.Stable
		if epsilon == 0 {
			assert.Equal(t, 1.0, r.Stable)
		}
	}
	assert.Less(t, last, 1.0)
}

// rows is the measurements of a method at two radii.
var rows = []Row{
	{Epsilon: 0.2, Verdict: spec.Verified, Seconds: 1, Stable: 0.5, Resists: true, Correct: true},
	{Epsilon: 0.1, Verdict: spec.Verified, Seconds: 2, Stable: 1, Resists: true, Correct: true},
	{Epsilon: 0.1, Verdict: spec.Falsified, Seconds: 0.5, Stable: 0.5, Correct: true},
	{Epsilon: 0.1, Verdict: spec.Unknown, Reason: spec.ReasonTimeout, Seconds: 30, Stable: 0, Resists: true, Correct: true},
	{Epsilon: 0.1, Verdict: spec.Falsified, Seconds: 0.5, Stable: 0.5},
}

func TestSummarise(t *testing.T) {
	got := Summarise(rows)
	require.Len(t, got, 2)
	assert.Equal(t, Summary{Epsilon: 0.1, Properties: 4, Unsat: 25, Sat: 50, Stable: 50, Time: 8.25, TimeUT: 16, PGD: 50, Correct: 75}, got[0])
	assert.Equal(t, Summary{Epsilon: 0.2, Properties: 1, Unsat: 100, Stable: 50, Time: 1, TimeUT: 1, PGD: 100, Correct: 100}, got[1])
	assert.Empty(t, Summarise(nil))
}

func TestTables(t *testing.T) {
	a := Column{"A", 98, []Summary{{Epsilon: 0.1, Unsat: 80, Stable: 50, Time: 2, TimeUT: 2, PGD: 90}}}
	b := Column{"B", 99, []Summary{{Epsilon: 0.1, Unsat: 40, Stable: 100, Time: 4, TimeUT: 4, PGD: 90}, {Epsilon: 0.2, Unsat: 10, Time: 8}}}
	assert.Equal(t, [][]string{
		{"ε", "metric", "A", "B"},
		{"", "test accuracy%", "98.00", "99.00*"},
		{"0.1", "UNSAT%", "80.00*", "40.00"},
		{"0.1", "Stable%", "50.00", "100.00*"},
		{"0.1", "Time (s)", "2.00*", "4.00"},
		{"0.1", "Time U+T (s)", "2.00*", "4.00"},
		{"0.1", "PGD-100%", "90.00*", "90.00*"},
		{"0.2", "UNSAT%", "-", "10.00*"},
		{"0.2", "Stable%", "-", "0.00*"},
		{"0.2", "Time (s)", "-", "8.00*"},
		{"0.2", "Time U+T (s)", "-", "0.00*"},
		{"0.2", "PGD-100%", "-", "0.00*"},
	}, Lines([]Column{a, b}))

	// Where all is falsified there is no time of the others.
	lost := Column{"C", 10, []Summary{{Epsilon: 0.1, Sat: 100, Time: 1}}}
	assert.Equal(t, []string{"0.1", "Time U+T (s)", "2.00*", "-"}, Lines([]Column{a, lost})[5])

	gains := Gains([]Column{a}, []Column{b})
	assert.Equal(t, []string{"0.1", "UNSAT%", "-40.00"}, gains[2])
	assert.Equal(t, []string{"0.1", "Time (s)", "+2.00"}, gains[4])
	assert.Equal(t, []string{"0.2", "UNSAT%", "-"}, gains[7])

	// Figure 2: 100 for the best at each radius, then the mean over radii.
	b.Summaries = b.Summaries[:1]
	names, scores := Scores([]Column{a, b})
	assert.Equal(t, []string{"test accuracy%", "UNSAT%", "Stable%", "Time (s)", "Time U+T (s)", "PGD-100%"}, names)
	assert.InDeltaSlice(t, []float64{100 * 98.0 / 99, 100}, scores["test accuracy%"], 1e-9)
	assert.InDeltaSlice(t, []float64{100, 50}, scores["UNSAT%"], 1e-9)
	assert.InDeltaSlice(t, []float64{50, 100}, scores["Stable%"], 1e-9)
	assert.InDeltaSlice(t, []float64{100, 50}, scores["Time (s)"], 1e-9)

	assert.Equal(t, "| a | b |\n| --- | --- |\n| 1 | 2 |\n", Markdown([][]string{{"a", "b"}, {"1", "2"}}))
}
