package dualapp_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/dualapp"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// classified is tasks whose label is the network's answer.
func classified(t *testing.T, rng *rand.Rand, m *bounds.Model, n int) []dualapp.Task {
	t.Helper()
	tasks := make([]dualapp.Task, n)
	for i := range tasks {
		x := center(rng, m)
		y, err := nn.Evaluate(m.Network(), x)
		require.NoError(t, err)
		tasks[i] = dualapp.Task{Center: x, Label: nn.ArgMax(y)}
	}
	return tasks
}

// verifiers is every method, in both readings of the outputs.
func verifiers(t *testing.T) map[string]dualapp.Verifier {
	out := map[string]dualapp.Verifier{}
	for _, name := range dualapp.Methods() {
		v, err := dualapp.Method(name, dualapp.MethodOptions{Samples: 60, Iterations: 3})
		require.NoError(t, err)
		out[name] = v
		v.Margin = true
		out[name+"+margin"] = v
	}
	out["zero value"] = dualapp.Verifier{}
	return out
}

// No point of a proved ball is of another class: random points, corners, and
// points that gradients lead to.
func TestProvedRadiiHold(t *testing.T) {
	for seed := range seeds(6) {
		rng := rand.New(rand.NewPCG(uint64(seed), 20))
		m := compile(t, someNet(t, rng, seed))
		tasks := classified(t, rng, m, 3)
		for name, v := range verifiers(t) {
			got, err := v.Radii(t.Context(), m, tasks, dualapp.Search{Tolerance: 0.01})
			require.NoError(t, err)
			for i, r := range got {
				require.False(t, r.Misclassified)
				require.Positive(t, r.Proved, name)
				require.LessOrEqual(t, r.Proved, r.Failed)
				attack(t, rng, m, &tasks[i], r.Proved, name)
			}
		}
	}
}

func attack(t *testing.T, rng *rand.Rand, m *bounds.Model, task *dualapp.Task, radius float64, what string) {
	t.Helper()
	e := nn.NewEvaluator[float64](m.Network())
	x := make([]float64, len(task.Center))
	for trial := range 30 {
		for k, c := range task.Center {
			d := 2*rng.Float64() - 1
			if trial%3 == 1 {
				d = sgn(d)
			}
			x[k] = c + radius*d
		}
		y := e.Forward(x, 1)
		if trial%3 == 2 { // towards another class
			row := make([]float64, len(y))
			row[(task.Label+1+rng.IntN(len(y)-1))%len(y)], row[task.Label] = 1, -1
			for k, g := range e.Backward(row, nil) {
				x[k] = task.Center[k] + radius*sgn(g)
			}
			y = e.Forward(x, 1)
		}
		require.Equal(t, task.Label, nn.ArgMax(y), "%s at %v", what, radius)
	}
}

// Margins prove more than separate intervals, a smaller set of inputs more than a
// larger one, and a batch what its tasks prove alone.
func TestMarginsAreOrdered(t *testing.T) {
	for seed := range seeds(12) {
		rng := rand.New(rand.NewPCG(uint64(seed), 21))
		m := compile(t, someNet(t, rng, seed))
		tasks := classified(t, rng, m, 5)
		radius := 0.02 * rng.Float64()
		// Monte Carlo's samples move with clipping and then its lines: fixed lines.
		plain := dualapp.Verifier{Bounder: bounds.CrownIBP{Relaxer: bounds.NeWiseLines{}}}
		margin, clipped := plain, plain
		margin.Margin = true
		clipped.Clip = unit(len(tasks[0].Center))
		a := margins(t, plain, m, tasks, radius)
		b := margins(t, margin, m, tasks, radius)
		for i := range tasks {
			assert.LessOrEqual(t, a[i], b[i]+1e-12)
		}
		assert.Len(t, margins(t, clipped, m, tasks, radius), len(tasks))
		for name, v := range verifiers(t) {
			all := margins(t, v, m, tasks, radius)
			for i := range tasks {
				require.Equal(t, all[i], margins(t, v, m, tasks[i:i+1], radius)[0], name)
			}
		}
		for i := range tasks { // one target is never harder than all
			one := tasks[i]
			one.Targets = []int{(one.Label + 1) % nn.OutputShape(m.Network()).Size()}
			assert.GreaterOrEqual(t, margins(t, margin, m, []dualapp.Task{one}, radius)[0], b[i])
		}
	}
}

func margins(t *testing.T, v dualapp.Verifier, m *bounds.Model, tasks []dualapp.Task, radius float64) []float64 {
	t.Helper()
	out, err := v.Margins(t.Context(), m, tasks, radius)
	require.NoError(t, err)
	require.Len(t, out, len(tasks))
	return out
}

// The two searches agree within their steps, and a guess changes only the way.
func TestSearchesAgree(t *testing.T) {
	for seed := range 6 {
		rng := rand.New(rand.NewPCG(uint64(seed), 22))
		m := compile(t, denseNet(t, rng, activations[seed%3], 6, 10, 8, 4))
		tasks := classified(t, rng, m, 4)
		var v dualapp.Verifier
		paper, err := v.Radii(t.Context(), m, tasks, dualapp.Search{Steps: 25})
		require.NoError(t, err)
		fast, err := v.Radii(t.Context(), m, tasks, dualapp.Search{Tolerance: 1e-3, Steps: 60})
		require.NoError(t, err)
		for i := range tasks {
			tasks[i].Guess = 1.5 * paper[i].Proved
		}
		guessed, err := v.Radii(t.Context(), m, tasks, dualapp.Search{Tolerance: 1e-3, Steps: 60})
		require.NoError(t, err)
		for i := range tasks {
			require.InEpsilon(t, paper[i].Proved, fast[i].Proved, 2e-3)
			require.InEpsilon(t, paper[i].Proved, guessed[i].Proved, 2e-3)
			require.Less(t, fast[i].Proofs, paper[i].Proofs)
		}
	}
}

func TestRatioCountsProofs(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 23))
	m := compile(t, denseNet(t, rng, nn.Tanh{}, 6, 10, 8, 4))
	tasks := classified(t, rng, m, 30)
	tasks[7].Label = (tasks[7].Label + 1) % 4 // misclassified
	var v dualapp.Verifier
	radii, err := v.Radii(t.Context(), m, tasks, dualapp.Search{Tolerance: 1e-4, Steps: 60})
	require.NoError(t, err)
	assert.True(t, radii[7].Misclassified)
	assert.Zero(t, radii[7].Proofs)
	const radius = 0.05
	want := 0
	for _, r := range radii {
		if r.Proved >= radius {
			want++
		}
	}
	verified, correct, err := v.Ratio(t.Context(), m, tasks, radius)
	require.NoError(t, err)
	assert.Equal(t, 29, correct)
	assert.Equal(t, want, verified)
	assert.Positive(t, verified)
	assert.Less(t, verified, correct)
}

func TestTaskErrors(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 24))
	m := compile(t, denseNet(t, rng, nn.Tanh{}, 3, 4, 2))
	x := []float64{0, 0, 0}
	for field, task := range map[string]dualapp.Task{
		"Center": {Center: x[:2]}, "Label": {Center: x, Label: 2}, "Targets": {Center: x, Targets: []int{0}}, "Guess": {Center: x, Guess: math.NaN()},
	} {
		var e *dualapp.TaskError
		var v dualapp.Verifier
		_, err := v.Margins(t.Context(), m, []dualapp.Task{task}, 0.1)
		require.ErrorAs(t, err, &e, field)
		assert.Equal(t, field, e.Field)
		_, err = v.Radii(t.Context(), m, []dualapp.Task{task}, dualapp.Search{})
		require.ErrorAs(t, err, &e)
		_, _, err = v.Ratio(t.Context(), m, []dualapp.Task{task}, 0.1)
		require.ErrorAs(t, err, &e)
	}
	v := dualapp.Verifier{Clip: unit(2)}
	var e *dualapp.TaskError
	_, err := v.Margins(t.Context(), m, []dualapp.Task{{Center: x}}, 0.1)
	require.ErrorAs(t, err, &e)
	v.Clip = nil
	var s *spec.Error
	_, err = v.Margins(t.Context(), m, []dualapp.Task{{Center: []float64{math.NaN(), 0, 0}}}, 0.1)
	require.ErrorAs(t, err, &s)
	_, err = dualapp.Method("magic", dualapp.MethodOptions{})
	var unknown *dualapp.MethodError
	require.ErrorAs(t, err, &unknown)
	assert.Contains(t, err.Error(), "dualapp-grad")
	for _, o := range []dualapp.MethodOptions{{Samples: -1}, {Step: 2}, {Iterations: -1}} {
		_, err = dualapp.Method("crown", o)
		var option *dualapp.OptionError
		require.ErrorAs(t, err, &option)
	}
}

// What is done is reported as it is done, and an end of the context or of the
// caller's patience ends the search.
func TestRadiiReportsAndEnds(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 25))
	m := compile(t, denseNet(t, rng, nn.Tanh{}, 4, 6, 3))
	tasks := classified(t, rng, m, 40)
	var v dualapp.Verifier
	var seen []int
	all, err := v.Radii(t.Context(), m, tasks, dualapp.Search{Progress: func(done []dualapp.Radius) error {
		seen = append(seen, len(done))
		return nil
	}})
	require.NoError(t, err)
	assert.Equal(t, []int{16, 32, 40}, seen)
	enough := errors.New("enough")
	part, err := v.Radii(t.Context(), m, tasks, dualapp.Search{Progress: func([]dualapp.Radius) error { return enough }})
	require.ErrorIs(t, err, enough)
	for i, r := range part {
		assert.Equal(t, all[i].Proved, r.Proved)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = v.Radii(ctx, m, tasks, dualapp.Search{})
	require.ErrorIs(t, err, context.Canceled)
}
