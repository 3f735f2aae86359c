package main

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

// quickSize is a story of about a second.
func quickSize() settings {
	s := fullSize()
	s.training, s.test, s.epochs, s.widths = 4000, 500, 20, []int{s.widths[0], 32, 10}
	s.inputs, s.radii, s.patience = 2, []float64{0.01, 0.2}, time.Minute
	return s
}

func TestStory(t *testing.T) {
	var out bytes.Buffer
	s := quickSize()
	st, err := tell(t.Context(), &out, s)
	require.NoError(t, err)
	require.Greater(t, st.accuracy, 0.95)
	require.Len(t, st.queries, s.inputs*len(s.radii))

	count := map[spec.Verdict]int{}
	for _, q := range st.queries {
		count[q.result.Verdict]++
		checkQuery(t, st, &q)
	}
	require.Positive(t, count[spec.Verified], "no proof")
	require.Positive(t, count[spec.Falsified], "no counterexample")

	for _, want := range []string{"1. Learn.", "2. Store.", "3. Verify.", "4. Show. Read as", "verified", "falsified", "▓"} {
		require.Contains(t, out.String(), want)
	}
}

// checkQuery judges an answer by evaluation alone, without package bab: a
// counterexample must be one, and no corner of a proven region may be.
func checkQuery(t *testing.T, st *story, q *query) {
	original, label := grey(st.test.image(q.image)), st.test.labels[q.image]
	switch q.result.Verdict {
	case spec.Falsified:
		found := q.result.Counterexample
		require.NotNil(t, found)
		narrow := make([]float32, len(found.Input))
		for i, v := range found.Input {
			require.True(t, v >= 0 && v <= 1)
			require.LessOrEqual(t, math.Abs(v-original[i]), math.Nextafter(q.radius, 1))
			narrow[i] = float32(v)
			require.Equal(t, v, float64(narrow[i]), "not a float32 value")
		}
		y, err := nn.Evaluate(st.net, found.Input)
		require.NoError(t, err)
		require.Equal(t, found.Output, y)
		require.NotEqual(t, label, nn.ArgMax(y))
		require.NotEqual(t, label, nn.ArgMax(nn.NewEvaluator[float32](st.net).Forward(narrow, 1)))
	case spec.Verified:
		require.Nil(t, q.result.Counterexample)
		require.Positive(t, q.result.LowerBound)
		eval := nn.NewEvaluator[float64](st.net)
		for class := range 10 {
			if class == label {
				continue
			}
			y := eval.Forward(original, 1)
			gradOut := make([]float64, len(y))
			gradOut[class], gradOut[label] = 1, -1
			x := append([]float64(nil), original...)
			for i, g := range eval.Backward(gradOut, nil) {
				x[i] = min(max(x[i]+math.Copysign(q.radius, g), 0), 1)
			}
			y = eval.Forward(x, 1)
			require.GreaterOrEqual(t, y[label]-y[class], q.result.LowerBound)
		}
	}
}

// One seed, one story.
func TestTrainingIsDeterministic(t *testing.T) {
	s := quickSize()
	s.training, s.test, s.epochs = 500, 50, 2
	var weights [2][]float64
	for i := range weights {
		st := &story{}
		net, err := st.learn(&bytes.Buffer{}, s)
		require.NoError(t, err)
		weights[i] = net.Nodes()[1].Op.Params()[0].Values()
	}
	require.Equal(t, weights[0], weights[1])
}

// The gradient of the loss against differences.
func TestCrossEntropyGradient(t *testing.T) {
	y, labels := []float32{0.5, -1, 2, 0, 3, 1}, []int{2, 0}
	loss := func(y []float32) float64 {
		total := 0.0
		for i, label := range labels {
			sum := 0.0
			for _, v := range y[3*i : 3*i+3] {
				sum += math.Exp(float64(v))
			}
			total += math.Log(sum) - float64(y[3*i+label])
		}
		return total / float64(len(labels))
	}
	grad := crossEntropy(append([]float32(nil), y...), labels)
	const h = 0x1p-7 // exact in float32
	for i := range y {
		up, down := append([]float32(nil), y...), append([]float32(nil), y...)
		up[i] += h
		down[i] -= h
		require.InDelta(t, (loss(up)-loss(down))/(2*h), grad[i], 1e-5)
	}
}

func TestDrawPictures(t *testing.T) {
	picture := make([]float64, 144)
	copy(picture, []float64{1, 0.75, 0.5, 0.25, 0, -3, 7})
	var out bytes.Buffer
	drawPictures(&out, picture, picture)
	lines := bytes.Split(out.Bytes(), []byte("\n"))
	require.Len(t, lines, 15)
	require.Equal(t, "│██▓▓▒▒░░    ██          │ │██▓▓▒▒░░    ██          │", string(lines[1]))
}
