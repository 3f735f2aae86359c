package main

import (
	"bytes"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/solvertest"
	"github.com/vouchnn/vouch/train"
	"github.com/vouchnn/vouch/train/dataset"
)

func TestStory(t *testing.T) {
	var out bytes.Buffer
	net, err := tell(t.Context(), &out)
	require.NoError(t, err)
	for _, want := range []string{"within [0.49, 2.01]: verified", "within [0.51, 2.01]: falsified", "parallel lines", "linear programs"} {
		assert.Contains(t, out.String(), want)
	}
	assert.NotContains(t, out.String(), " 0 linear programs")
	assert.Equal(t, 8, strings.Count(out.String(), "\n"))

	file := filepath.Join(t.TempDir(), "lines.svg")
	require.NoError(t, draw(t.Context(), file, net, 5, []float64{0.01, 0.03}))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, want := range []string{"</svg>", "parallel lines", "sub-problems, mean"} {
		assert.Contains(t, string(text), want)
	}
	for _, radius := range []float64{0.01, 0.03} { // the two ways differ, so the relaxation is used
		own, err := meanMargin(t.Context(), net, compared[0].bounder, 5, radius)
		require.NoError(t, err)
		theirs, err := meanMargin(t.Context(), net, compared[1].bounder, 5, radius)
		require.NoError(t, err)
		assert.NotEqual(t, own, theirs)
	}
}

// exact is slope·x + intercept.
func exact(slope, intercept, x float64) *big.Float {
	b := func(v float64) *big.Float { return new(big.Float).SetPrec(2200).SetFloat64(v) }
	y := b(slope)
	return y.Add(y.Mul(y, b(x)), b(intercept))
}

// Lines enclose in exact arithmetic: at the ends, at the kink, and between.
func TestLinesEnclose(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		scale := math.Pow(10, 40*rng.Float64()-20)
		a, b := scale*rng.NormFloat64(), scale*math.Pow(10, 10*rng.Float64()-5)*rng.NormFloat64()
		over := bounds.Range{Lower: min(a, b), Upper: max(a, b)}
		points := []float64{over.Lower, over.Upper, over.Lower + rng.Float64()*(over.Upper-over.Lower)}
		if over.Lower < 0 && over.Upper > 0 {
			points = append(points, 0)
		}
		lines, r := abs{}.RelaxLines(over), abs{}.RangeOver(over)
		relu, known := parallel{}.Relax(nn.ReLU{}, over, nil)
		for _, x := range points {
			y := math.Abs(x)
			require.True(t, r.Lower <= y && y <= r.Upper, "%v %g", over, x)
			require.LessOrEqual(t, exact(lines.LowerSlope, lines.LowerIntercept, x).Cmp(big.NewFloat(y)), 0, "%v %g", over, x)
			require.GreaterOrEqual(t, exact(lines.UpperSlope, lines.UpperIntercept, x).Cmp(big.NewFloat(y)), 0, "%v %g", over, x)
			if known {
				require.LessOrEqual(t, exact(relu.LowerSlope, relu.LowerIntercept, x).Cmp(big.NewFloat(max(x, 0))), 0, "%v %g", over, x)
			}
		}
	}
}

// The gradient is that of finite differences.
func TestHingeGradient(t *testing.T) {
	net, err := train.Classifier(nn.Shape{4}, train.Dense{Out: 5}, train.Dense{Out: 3})
	require.NoError(t, err)
	train.Initialize(net, train.He, 3)
	batch := train.Batch{Size: 2, X: []float32{0.1, -0.4, 0.7, 0.2, -0.3, 0.8, 0.5, -0.6}, Labels: []int{0, 2}}
	value := func() float64 {
		v, _, err := train.Gradients(t.Context(), net, hinge{2}, batch, 0, 1)
		require.NoError(t, err)
		return v
	}
	_, grads, err := train.Gradients(t.Context(), net, hinge{2}, batch, 0, 1)
	require.NoError(t, err)
	checked := 0
	for i, n := range net.Nodes() {
		if n.Op == nil {
			continue
		}
		for j, p := range n.Op.Params() {
			values := slices.Clone(p.Values())
			for k, old := range values {
				const h = 1e-2
				at := func(v float64) float64 {
					values[k] = v
					p.Set(values)
					return value()
				}
				up, down := at(old+h), at(old-h)
				at(old)
				require.InDelta(t, (up-down)/(2*h), float64(grads[i][j][k]), 2e-2)
				checked++
			}
		}
	}
	require.Greater(t, checked, 20)
	require.Error(t, hinge{}.Validate(net))
	_, err = train.Engine{}.Fit(t.Context(), net, dataset.Digits(1, 10, false), train.Options{Loss: hinge{-1}, Epochs: 1})
	require.Error(t, err)
}

func TestSolverConforms(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	solvertest.Run(t, func() solver.Solver { return newCounting() })
}
