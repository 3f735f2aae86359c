package nn

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestFoldedRounding holds Affine's promise for folded layers against the
// original network in 400-bit arithmetic.
func TestFoldedRounding(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	checked := 0
	for range 800 {
		g := foldable(t, r)
		s, err := Simplify(g)
		require.NoError(t, err)
		if len(s.Nodes()) != 2 {
			continue
		}
		op, ok := s.Nodes()[1].Op.(Affine)
		if !ok {
			continue
		}
		checked++
		c := testCase{op, []Shape{InputShape(s)}}
		x := c.inputs(r, 1)
		k := call(c, x, 1)
		op.Forward64(k)
		m := magnitude(c, x, 1)
		forward, backward := op.Rounding(c.in)
		for i, want := range naiveNetwork(g, exacts(x[0])) {
			require.LessOrEqual(t, distance(k.Out[i], want), gamma(forward)*m[i], "%s from %s", kinds(s), kinds(g))
		}
		checkFoldedVJP(t, g, c, backward, r)
	}
	assert.Greater(t, checked, 200, "most chains fold into one node")
}

// checkFoldedVJP checks the weights and the bias of the folded layer and its
// vector–Jacobian product against the original network.
func checkFoldedVJP(t *testing.T, g Network, c testCase, backward int, r *rand.Rand) {
	w, bias := matrix(c) // of the folded layer
	var f folded
	switch op := c.op.(type) {
	case *Dense:
		f = op.folded
	case *Conv:
		f = op.folded
	case *ConstArith:
		f = folded{op.folded + 2, op.folded}
	case *BatchNorm:
		f = folded{8, 8}
	}
	k := call[float64](c, nil, 1)
	k.In, k.Out, k.GradParams = [][]float64{nil}, nil, nil
	k.GradOut = normals(r, len(k.GradOut))
	c.op.VJP64(k)
	zero := exacts(make([]float64, c.in[0].Size()))
	b := naiveNetwork(g, zero)
	zeros := [][]float64{make([]float64, len(zero))}
	for o, m := range magnitude(c, zeros, 1) {
		f0, _ := bias[o].Float64()
		require.LessOrEqual(t, distance(f0, b[o]), gamma(f.bias)*m, "bias of %s", kinds(g))
	}
	for i, got := range k.GradIn[0] {
		zero[i] = exact(1)
		want, m := exact(0), exact(0)
		for o, v := range naiveNetwork(g, zero) {
			want = plus(want, times(exact(k.GradOut[o]), minus(v, b[o])))
			f0, _ := w[o][i].Float64()
			require.LessOrEqual(t, distance(f0, minus(v, b[o])), (gamma(f.weight)+1e-90)*math.Abs(f0), "weight of %s", kinds(g))
			m = plus(m, exact(0).Abs(times(exact(k.GradOut[o]), w[o][i])))
		}
		zero[i] = exact(0)
		top, _ := m.Float64()
		require.LessOrEqual(t, distance(got, want), gamma(backward)*top, "%s", kinds(g))
	}
}

// TestFoldedBiasCancels folds sums whose bias is far smaller than its terms.
// Without the terms' magnitude the promise would fail.
func TestFoldedBiasCancels(t *testing.T) {
	d := must(NewDense(1, 1, []float64{1}, []float64{0.1}))
	g := chain(t, Shape{1}, d, constant(ArithAdd, []float64{0.2}, nil), constant(ArithSub, []float64{0.3}, nil))
	s, err := Simplify(g)
	require.NoError(t, err)
	require.Equal(t, "Dense", kinds(s))
	folded := s.Nodes()[1].Op.(*Dense)
	c := testCase{folded, []Shape{{1}}}
	m := magnitude(c, [][]float64{{0}}, 1)[0]
	assert.InDelta(t, 0.6, m, 1e-12)
	assert.Less(t, math.Abs(folded.bias.Values()[0]), 1e-15)
	n, _ := folded.Rounding(nil)
	want := naiveNetwork(g, exacts([]float64{0}))[0]
	assert.LessOrEqual(t, distance(folded.bias.Values()[0], want), gamma(n)*m)

	folded.bias.Set([]float64{7}) // trained further
	assert.Equal(t, 7.0, magnitude(c, [][]float64{{0}}, 1)[0])
}

// TestManyFoldsAddUp folds so many products and sums into one weight that its
// error is beyond that of an evaluation.
func TestManyFoldsAddUp(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	beyond := false
	for range 20 {
		ops := []Operator{must(NewDense(1, 1, []float64{1}, nil))}
		for range 150 {
			ops = append(ops, constant(ArithMul, []float64{0.5 + r.Float64()}, nil), constant(ArithAdd, []float64{1e-30}, nil))
		}
		g := chain(t, Shape{1}, ops...)
		s, err := Simplify(g)
		require.NoError(t, err)
		require.Equal(t, "Dense", kinds(s))
		c := testCase{s.Nodes()[1].Op, []Shape{{1}}}
		x := [][]float64{{r.NormFloat64()}}
		k := call(c, x, 1)
		c.op.Forward64(k)
		n, _ := c.op.(Affine).Rounding(c.in)
		m := magnitude(c, x, 1)[0]
		d := distance(k.Out[0], naiveNetwork(g, exacts(x[0]))[0])
		require.LessOrEqual(t, d, gamma(n)*m)
		beyond = beyond || d > gamma(3)*m
	}
	assert.True(t, beyond)
}

// TestMergedDenseIsRoundedOnce merges matrices whose product cancels.
func TestMergedDenseIsRoundedOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 100 {
		first := must(NewDense(8, 2, normals(r, 16), normals(r, 8)))
		row := normals(r, 8)
		sum := 0.0 // the last weight nearly cancels the others
		for k := range 7 {
			sum += row[k] * first.weight.Values()[2*k]
		}
		row[7] = -sum / first.weight.Values()[14]
		g := chain(t, Shape{2}, first, must(NewDense(1, 8, row, nil)))
		s, err := Simplify(g)
		require.NoError(t, err)
		require.Equal(t, "Dense", kinds(s))
		w, _ := matrix(testCase{s.Nodes()[1].Op, []Shape{{2}}})
		zero := naiveNetwork(g, exacts([]float64{0, 0}))[0]
		want := minus(naiveNetwork(g, exacts([]float64{1, 0}))[0], zero)
		got, _ := w[0][0].Float64()
		size, _ := want.Float64()
		require.LessOrEqual(t, distance(got, want), gamma(1)*math.Abs(size))
	}
}
