package bab_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/bounds"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/spec"
)

var activations = []nn.Operator{nn.ReLU{}, nn.LeakyReLU{Slope: 0.1}, nn.Sigmoid{}, nn.Tanh{}, nn.Arctan{}}

// TestOptionsNeverFlipAVerdict runs every kind of network under option sets
// that must agree with each other and with samples: whatever one set proves,
// no other refutes, and nothing that a sample refutes is proven.
func TestOptionsNeverFlipAVerdict(t *testing.T) {
	sets := []bab.Options{
		{},
		{Split: bab.SplitInput, NoAttack: true, Batch: 7},
		{Split: bab.SplitNeuron, NoAttack: true},
		{Split: bab.SplitNeuron, NoAttack: true, Refine: bab.RefineOn},
		{Split: bab.SplitInput, Bounder: bounds.CrownIBP{}},
		{Split: bab.SplitNeuron, Bounder: bounds.Crown{}, Batch: 1},
		{Split: bab.SplitInput, Bounder: bounds.AlphaBeta{Iterations: 5}},
		{Split: bab.SplitInput, Bounder: bounds.IBP{}},
		{Split: bab.SplitNeuron, NoAttack: true, Conjunctions: bab.ConjunctionsApart},
	}
	rng := rand.New(rand.NewPCG(5, 6))
	decided := map[spec.Verdict]int{}
	for k := range rounds(15) {
		act := activations[k%len(activations)]
		net := randomDense(t, rng, 2+k%3, act)
		if k%3 == 2 {
			net = randomConv(t, rng, act, k%2 == 0)
		}
		box := cube(t, nn.InputShape(net).Size(), -0.3, 0.3)
		least := sampledLeast(rng, net, box)
		for _, shift := range []float64{-0.5, -0.1, -0.01, 0.01} {
			prop := marginBelow(box, least+shift)
			seen := map[spec.Verdict]bool{}
			for i, opts := range sets {
				opts.MaxDomains, opts.Seed = 400, uint64(k)
				res := verify(t, net, prop, opts)
				seen[res.Verdict] = true
				decided[res.Verdict]++
				require.False(t, shift > 0 && res.Verdict == spec.Verified, "network %d, set %d: a sample violates the property", k, i)
			}
			require.False(t, seen[spec.Verified] && seen[spec.Falsified], "network %d, shift %g: %v", k, shift, seen)
		}
	}
	t.Log(decided)
	require.Greater(t, decided[spec.Verified], rounds(100))
	require.Greater(t, decided[spec.Falsified], rounds(70))
}

func TestBallsOfEveryNorm(t *testing.T) {
	// y = W·x: the least of y0 − y1 over an unclipped ball is known.
	w := []float64{1, 2, -1, 0.5, 0.5, -1, 2, 1, 0, 0, 0, 0}
	d, err := nn.NewDense(3, 4, w, nil)
	require.NoError(t, err)
	b := nn.NewBuilder(nn.Shape{4})
	net := build(t, b, b.Add("out", d, b.Input()))
	a := []float64{0.5, 3, -3, -0.5}
	norms := map[spec.Norm]float64{ // dual norms of a
		spec.L1: 3, spec.L2: math.Sqrt(18.5), spec.LInf: 7,
	}
	centre := []float64{0.25, -0.5, 0.125, 0}
	at := 0.0
	for i, v := range a {
		at += v * centre[i]
	}
	for norm, dual := range norms {
		ball, err := spec.NewBall(norm, centre, 0.5, nil)
		require.NoError(t, err)
		least := at - 0.5*dual
		for _, split := range []bab.SplitKind{bab.SplitInput, bab.SplitNeuron, bab.SplitAuto} {
			res := verify(t, net, marginBelow(ball, least-1e-6), bab.Options{Split: split})
			require.Equal(t, spec.Verified, res.Verdict, "%v %v", norm, split)
			res = verify(t, net, marginBelow(ball, least+1e-3), bab.Options{Split: split})
			require.Equal(t, spec.Falsified, res.Verdict, "%v %v", norm, split)
		}
	}
}

// TestBallsWithSplits decides nonlinear networks on L2 balls, where boxes of
// inputs stick out of the region.
func TestBallsWithSplits(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	decided := 0
	for range 12 {
		net := randomDense(t, rng, 3, nn.ReLU{})
		ball, err := spec.NewBall(spec.L2, []float64{0.1, 0, -0.1}, 0.5, nil)
		require.NoError(t, err)
		e := nn.NewEvaluator[float64](net)
		least := math.Inf(1)
		for range 20000 {
			x := []float64{rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()}
			ball.Project(x)
			y := e.Forward(x, 1)
			least = min(least, y[0]-y[1])
		}
		for _, split := range []bab.SplitKind{bab.SplitInput, bab.SplitNeuron} {
			opts := bab.Options{Split: split, MaxDomains: 20000}
			res := verify(t, net, marginBelow(ball, least-0.02), opts)
			require.NotEqual(t, spec.Falsified, res.Verdict)
			if res.Verdict == spec.Verified {
				decided++
			}
			res = verify(t, net, marginBelow(ball, least+0.01), opts)
			require.NotEqual(t, spec.Verified, res.Verdict)
			if res.Verdict == spec.Falsified {
				decided++
			}
		}
	}
	require.Greater(t, decided, 40)
}

func identity(tb testing.TB, n int) *nn.Graph {
	w := make([]float64, n*n)
	for i := range n {
		w[i*n+i] = 1
	}
	d, err := nn.NewDense(n, n, w, nil)
	require.NoError(tb, err)
	b := nn.NewBuilder(nn.Shape{n})
	return build(tb, b, b.Add("out", d, b.Input()))
}

func TestPropertiesOfTheIdentity(t *testing.T) {
	net := identity(t, 2)
	y0, y1 := spec.Term{Index: 0, Coef: 1}, spec.Term{Index: 1, Coef: 1}
	box := cube(t, 2, 0, 1)
	far := cube(t, 2, 5, 6)
	cases := []struct {
		name   string
		unsafe []spec.Conjunction
		region spec.Region
		want   spec.Verdict
	}{
		{"nothing is unsafe", nil, box, spec.Verified},
		{"everything is unsafe", []spec.Conjunction{{}}, box, spec.Falsified},
		{"touching the corner", []spec.Conjunction{{output(0, y0, y1)}}, box, spec.Falsified},
		{"just outside the corner", []spec.Conjunction{{output(-1e-9, y0, y1)}}, box, spec.Verified},
		{"both inequalities, never together", []spec.Conjunction{{output(0.4, y0), {Output: []spec.Term{{Index: 0, Coef: -1}}, Bound: -0.6}}}, box, spec.Verified},
		{"both inequalities, together at a point", []spec.Conjunction{{output(0.5, y0), {Output: []spec.Term{{Index: 0, Coef: -1}}, Bound: -0.5}}}, box, spec.Falsified},
		{"one of two conjunctions", []spec.Conjunction{{output(-1, y0)}, {output(0.25, y1)}}, box, spec.Falsified},
		{"inputs in the inequality", []spec.Conjunction{{{Input: []spec.Term{{Index: 0, Coef: -1}}, Output: []spec.Term{{Index: 1, Coef: 1}}, Bound: -1}}}, box, spec.Falsified},
		{"inputs cancel outputs", []spec.Conjunction{{{Input: []spec.Term{{Index: 0, Coef: -1}}, Output: []spec.Term{{Index: 0, Coef: 1}}, Bound: -0.001}}}, box, spec.Verified},
		{"another box", []spec.Conjunction{{output(4, y0)}}, far, spec.Verified},
	}
	for _, c := range cases {
		for _, split := range []bab.SplitKind{bab.SplitAuto, bab.SplitInput, bab.SplitNeuron} {
			t.Run(fmt.Sprintf("%s/%v", c.name, split), func(t *testing.T) {
				prop := &spec.Property{Inputs: 2, Outputs: 2, Cases: []spec.Case{{Region: c.region, Unsafe: c.unsafe}}}
				res := verify(t, net, prop, bab.Options{Split: split})
				require.Equal(t, c.want, res.Verdict, "%+v", res)
			})
		}
	}
}

func TestSeveralBoxes(t *testing.T) {
	net := identity(t, 2)
	low := []spec.Conjunction{{output(2, spec.Term{Index: 0, Coef: 1})}}
	high := []spec.Conjunction{{{Output: []spec.Term{{Index: 1, Coef: -1}}, Bound: -7}}}
	prop := &spec.Property{Inputs: 2, Outputs: 2, Cases: []spec.Case{
		{Region: cube(t, 2, 3, 4), Unsafe: low}, {Region: cube(t, 2, 5, 6), Unsafe: high}, {Region: cube(t, 2, 8, 9), Unsafe: low},
	}}
	require.Equal(t, spec.Verified, verify(t, net, prop, bab.Options{}).Verdict)
	prop.Cases = append(prop.Cases, spec.Case{Region: cube(t, 2, 6, 7), Unsafe: high})
	res := verify(t, net, prop, bab.Options{})
	require.Equal(t, spec.Falsified, res.Verdict)
	require.Equal(t, 3, res.Counterexample.Case)
}

// hard is a problem that takes long: the margin is below what a few thousand
// domains can show.
func hard(tb testing.TB) (*nn.Graph, *spec.Property) {
	rng := rand.New(rand.NewPCG(9, 10))
	b := nn.NewBuilder(nn.Shape{8})
	h, width := b.Input(), 8
	for _, next := range []int{60, 60, 60, 3} {
		d, err := nn.NewDense(next, width, normals(rng, next*width, 2.5/math.Sqrt(float64(width))), normals(rng, next, 0.3))
		require.NoError(tb, err)
		h = b.Add("dense", d, h)
		if next != 3 {
			h = b.Add("relu", nn.ReLU{}, h)
		}
		width = next
	}
	net := build(tb, b, h)
	box := cube(tb, 8, -1, 1)
	return net, marginBelow(box, 1.5*sampledLeast(rng, net, box)-1)
}

func TestDeadlineAndCancellation(t *testing.T) {
	net, prop := hard(t)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	begin := time.Now()
	res, err := bab.Verify(ctx, net, prop, bab.Options{})
	require.NoError(t, err)
	require.Equal(t, spec.Unknown, res.Verdict)
	require.Equal(t, spec.ReasonTimeout, res.Reason)
	require.Less(t, time.Since(begin), 5*time.Second)

	ctx, cancel = context.WithCancel(context.Background())
	cancel()
	res, err = bab.Verify(ctx, net, prop, bab.Options{})
	require.NoError(t, err)
	require.Equal(t, spec.ReasonCancelled, res.Reason)
	require.True(t, math.IsInf(res.LowerBound, -1))
}

func TestLimits(t *testing.T) {
	net, prop := hard(t)
	for _, split := range []bab.SplitKind{bab.SplitInput, bab.SplitNeuron} {
		res := verify(t, net, prop, bab.Options{Split: split, MaxDomains: 40, Batch: 4})
		require.Equal(t, spec.ReasonNodeLimit, res.Reason)
		require.GreaterOrEqual(t, res.Stats.Domains, 40)
		require.Less(t, res.Stats.Domains, 60)
		require.False(t, math.IsInf(res.LowerBound, 0), "the roots were bounded")
		require.LessOrEqual(t, res.LowerBound, 0.0)
	}
	res := verify(t, net, prop, bab.Options{Split: bab.SplitInput, MaxMemory: 20000, Batch: 64})
	require.Equal(t, spec.ReasonMemory, res.Reason)
}

func TestSameSeedSameAnswer(t *testing.T) {
	net, prop := hard(t)
	for _, split := range []bab.SplitKind{bab.SplitAuto, bab.SplitNeuron} {
		opts := bab.Options{Split: split, MaxDomains: 150, Batch: 16, Seed: 5}
		first := verify(t, net, prop, opts)
		old := runtime.GOMAXPROCS(1)
		second := verify(t, net, prop, opts)
		runtime.GOMAXPROCS(old)
		first.Stats.Elapsed, second.Stats.Elapsed = 0, 0
		require.Equal(t, first, second)
	}
}

func TestProgress(t *testing.T) {
	net, prop := hard(t)
	calls, last := 0, 0
	res := verify(t, net, prop, bab.Options{Split: bab.SplitNeuron, MaxDomains: 400, Batch: 4, Progress: func(p bab.Progress) {
		calls++
		require.GreaterOrEqual(t, p.Domains, last)
		require.LessOrEqual(t, p.LowerBound, 0.0)
		last = p.Domains
	}})
	require.Equal(t, spec.Unknown, res.Verdict)
	if res.Stats.Elapsed > 500*time.Millisecond {
		require.Positive(t, calls)
	}
}

func TestErrors(t *testing.T) {
	net := identity(t, 2)
	box := cube(t, 2, 0, 1)
	good := &spec.Property{Inputs: 2, Outputs: 2, Cases: []spec.Case{{Region: box}}}
	var specError *spec.Error
	bad := *good
	bad.Inputs = 3
	_, err := bab.Verify(context.Background(), net, &bad, bab.Options{})
	require.ErrorAs(t, err, &specError)
	bad = spec.Property{Inputs: 2, Outputs: 3, Cases: good.Cases}
	_, err = bab.Attack(context.Background(), net, &bad, bab.AttackOptions{})
	require.ErrorAs(t, err, &specError)
	_, err = bab.Verify(context.Background(), net, &spec.Property{Inputs: 2, Outputs: 2}, bab.Options{})
	require.ErrorAs(t, err, &specError)

	for name, opts := range map[string]bab.Options{
		"Split": {Split: 9}, "Conjunctions": {Conjunctions: 3}, "Batch": {Batch: -1}, "MaxDomains": {MaxDomains: -1}, "MaxMemory": {MaxMemory: -1},
		"Attack": {Attack: bab.AttackOptions{Restarts: -1}}, "Steps": {Attack: bab.AttackOptions{Steps: -1}},
	} {
		_, err := bab.Verify(context.Background(), net, good, opts)
		require.ErrorContains(t, err, name)
	}
}

// square is an operator without a rule for bounds.
type square struct{ nn.ReLU }

func (square) Kind() string { return "Square" }

func TestUnsupportedOperator(t *testing.T) {
	b := nn.NewBuilder(nn.Shape{1})
	net := build(t, b, b.Add("sq", square{}, b.Input()))
	prop := &spec.Property{Inputs: 1, Outputs: 1, Cases: []spec.Case{{Region: cube(t, 1, 0, 1)}}}
	_, err := bab.Verify(context.Background(), net, prop, bab.Options{})
	var unsupported *nn.UnsupportedError
	require.ErrorAs(t, err, &unsupported)
	require.Equal(t, "sq", unsupported.Node)
	require.Equal(t, "Square", unsupported.Op)
}
