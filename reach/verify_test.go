package reach_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/bab"
	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/reach"
	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/solver/simplex"
	"github.com/vouchnn/vouch/spec"
)

// someProperty is a property with one or two cases of one or two conjunctions, of one
// or two inequalities over outputs, and now and then an input.
func someProperty(t *testing.T, rng *rand.Rand, net nn.Network, radius float64) *spec.Property {
	inputs, outputs := nn.InputShape(net).Size(), nn.OutputShape(net).Size()
	p := &spec.Property{Inputs: inputs, Outputs: outputs}
	for range 1 + rng.IntN(2) {
		box := boxAround(t, rng, inputs, radius)
		y, err := nn.Evaluate(net, inside(rng, box))
		require.NoError(t, err)
		c := spec.Case{Region: box}
		for range 1 + rng.IntN(2) {
			var conj spec.Conjunction
			for range 1 + rng.IntN(2) {
				q := spec.Inequality{Output: []spec.Term{{Index: 0, Coef: rng.NormFloat64()}, {Index: 1, Coef: rng.NormFloat64()}}}
				if rng.IntN(3) == 0 {
					q.Input = []spec.Term{{Index: rng.IntN(inputs), Coef: rng.NormFloat64()}}
				}
				x := inside(rng, box)
				q.Bound = 0.7 * rng.NormFloat64()
				q.Bound = q.Value(x, y) + q.Bound - 0.8
				conj = append(conj, q)
			}
			c.Unsafe = append(c.Unsafe, conj)
		}
		p.Cases = append(p.Cases, c)
	}
	require.NoError(t, p.Validate())
	return p
}

// checkAnswer judges an answer by evaluation alone.
func checkAnswer(t *testing.T, rng *rand.Rand, net nn.Network, p *spec.Property, r *spec.Result) {
	switch r.Verdict {
	case spec.Falsified:
		require.NotNil(t, r.Counterexample)
		y, err := nn.Evaluate(net, r.Counterexample.Input)
		require.NoError(t, err)
		_, _, ok := p.Check(r.Counterexample.Input, y)
		require.True(t, ok)
		require.Equal(t, spec.ReasonNone, r.Reason)
	case spec.Verified:
		require.Nil(t, r.Counterexample)
		require.GreaterOrEqual(t, r.LowerBound, 0.0)
		for _, c := range p.Cases {
			for range 100 {
				x := inside(rng, c.Region.Box())
				y, err := nn.Evaluate(net, x)
				require.NoError(t, err)
				_, _, ok := p.Check(x, y)
				require.False(t, ok)
			}
		}
	default:
		require.NotEqual(t, spec.ReasonNone, r.Reason)
	}
}

// TestVerifyAgreesWithBab: exact-star, plain and with pruning, answers as branch and
// bound does, and approximate methods never contradict; each answer stands a check.
func TestVerifyAgreesWithBab(t *testing.T) {
	count := map[string]int{}
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 5))
		net := tinyDense(t, seed, nn.ReLU{}, 3, 6, 6, 2)
		if seed%4 == 3 {
			m := newNet(t, seed, nn.Shape{1, 4, 4})
			m.conv(2, nn.ConvConfig{Kernel: []int{3, 3}})
			m.add(nn.LeakyReLU{Slope: 0.1})
			m.maxPool(nn.PoolConfig{Kernel: []int{1, 2}})
			m.flatten()
			m.dense(2)
			net = m.build()
		}
		if seed%4 == 2 { // more variables than are asked about by programs
			m := newNet(t, seed, nn.Shape{1, 10, 10})
			m.conv(2, nn.ConvConfig{Kernel: []int{5, 5}, Stride: []int{5, 5}})
			m.add(nn.ReLU{})
			m.flatten()
			m.dense(2)
			net = m.build()
		}
		prop := someProperty(t, rng, net, 0.7)
		want, err := bab.Verify(bg, net, prop, bab.Options{})
		require.NoError(t, err)
		require.NotEqual(t, spec.Unknown, want.Verdict)
		for key, o := range map[string]reach.Options{
			"exact": {Method: reach.ExactStar}, "exact, plain": {Method: reach.ExactStar, NoPrefilter: true},
			"refined": {Refine: true, NoAttack: true},
			"approx":  {}, "plain": {NoPrefilter: true}, "zono": {Method: reach.Zono}, "abs-dom": {Method: reach.AbsDom},
			"relax": {Method: reach.RelaxStar, RelaxFactor: 0.7, NoAttack: true},
		} {
			got, err := reach.Verify(bg, net, prop, o)
			require.NoError(t, err)
			checkAnswer(t, rng, net, prop, got)
			count[key+" "+got.Verdict.String()]++
			if got.Verdict != spec.Unknown || o.Method == reach.ExactStar || o.Refine {
				require.Equal(t, want.Verdict, got.Verdict, "%s, seed %d: %v", key, seed, got.Reason)
			}
		}
	}
	t.Log(count)
	for _, key := range []string{"exact verified", "exact falsified", "approx verified", "approx falsified", "approx unknown", "zono verified", "zono unknown"} {
		assert.Positive(t, count[key], key)
	}
}

// TestTie: y₀ = y₁ everywhere is unsafe (a tie counts), and so is a touch at a corner.
func TestTie(t *testing.T) {
	d, err := nn.NewDense(2, 1, []float64{1, 1}, []float64{0, 0})
	require.NoError(t, err)
	b := nn.NewBuilder(nn.Shape{1})
	net, err := b.Build(b.Add("", d, b.Input()))
	require.NoError(t, err)
	box, err := spec.NewBox([]float64{-1}, []float64{1})
	require.NoError(t, err)
	prop := spec.Robustness(box, 0, 2)
	for m := reach.ApproxStar; m <= reach.Zono; m++ {
		r, err := reach.Verify(bg, net, &prop, reach.Options{Method: m})
		require.NoError(t, err)
		require.Equal(t, spec.Falsified, r.Verdict, m)
	}
	touch := spec.OutputBox(box, []float64{math.Inf(-1), math.Inf(-1)}, []float64{1, math.Inf(1)})
	for m := reach.ApproxStar; m <= reach.Zono; m++ {
		r, err := reach.Verify(bg, net, &touch, reach.Options{Method: m})
		require.NoError(t, err)
		require.Equal(t, spec.Falsified, r.Verdict, m)
	}
}

// TestBall: a region that is no box is verified by the box around it, and refuted only
// by its own points.
func TestBall(t *testing.T) {
	net := tinyDense(t, 3, nn.ReLU{}, 3, 6, 6, 2)
	for k := range 12 {
		rng := rand.New(rand.NewPCG(uint64(k), 5))
		ball, err := spec.NewBall(spec.L1, []float64{0.1, -0.2, 0.3}, 0.5, nil)
		require.NoError(t, err)
		y, err := nn.Evaluate(net, []float64{0.1, -0.2, 0.3})
		require.NoError(t, err)
		q := spec.Inequality{Output: []spec.Term{{Index: 0, Coef: 1}}, Bound: y[0] - 0.15*float64(k)}
		prop := &spec.Property{Inputs: 3, Outputs: 2, Cases: []spec.Case{{Region: ball, Unsafe: []spec.Conjunction{{q}}}}}
		for _, m := range []reach.Method{reach.ApproxStar, reach.ExactStar} {
			r, err := reach.Verify(bg, net, prop, reach.Options{Method: m})
			require.NoError(t, err)
			if r.Verdict == spec.Falsified {
				require.True(t, ball.Contains(r.Counterexample.Input))
			}
			if r.Verdict == spec.Unknown {
				require.Equal(t, spec.ReasonIncomplete, r.Reason)
			}
			if r.Verdict == spec.Verified {
				checkAnswer(t, rng, net, &spec.Property{Inputs: 3, Outputs: 2, Cases: []spec.Case{{Region: ball.Box(), Unsafe: prop.Cases[0].Unsafe}}}, r)
			}
		}
	}
}

// TestSameAnswerForAnyProcessors: bits, counterexamples and counts do not depend on
// GOMAXPROCS.
func TestSameAnswerForAnyProcessors(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	type answer struct {
		lower, upper []float64
		stars        int
		result       spec.Result
	}
	net := tinyDense(t, 11, nn.ReLU{}, 4, 12, 12, 2)
	image := studyNet(t, 3, 12, 3)
	compute := func(procs int) (out []answer) {
		runtime.GOMAXPROCS(procs)
		rng := rand.New(rand.NewPCG(2, 5))
		for _, n := range []nn.Network{net, image} {
			m, err := reach.Compile(n)
			require.NoError(t, err)
			box := boxAround(t, rng, m.Inputs(), 0.3)
			prop := someProperty(t, rng, n, 0.3)
			for _, o := range []reach.Options{{}, {NoPrefilter: true}, {Method: reach.Zono}, {Method: reach.ExactStar, MaxStars: 400}} {
				var a answer
				stars, err := m.Reach(bg, box, o)
				if o.Method != reach.ExactStar {
					require.NoError(t, err)
				}
				a.stars = len(stars)
				a.lower, a.upper = union(t, stars[:min(len(stars), 20)])
				r, err := m.Verify(bg, prop, o)
				require.NoError(t, err)
				r.Stats.Elapsed = 0
				a.result = *r
				out = append(out, a)
			}
		}
		return out
	}
	require.Equal(t, compute(1), compute(4))
}

// TestCancel: a call returns soon after its context ends, and says why.
func TestCancel(t *testing.T) {
	wide := tinyDense(t, 5, nn.ReLU{}, 12, 60, 60, 60, 2)
	m, err := reach.Compile(wide)
	require.NoError(t, err)
	rng := rand.New(rand.NewPCG(2, 5))
	box := boxAround(t, rng, 12, 1)
	prop := &spec.Property{Inputs: 12, Outputs: 2, Cases: []spec.Case{{Region: box, Unsafe: []spec.Conjunction{{
		{Output: []spec.Term{{Index: 0, Coef: 1}}, Bound: -1.5}, {Output: []spec.Term{{Index: 1, Coef: -1}}, Bound: -3},
	}}}}}
	for _, o := range []reach.Options{{NoPrefilter: true, NoAttack: true}, {Method: reach.ExactStar, NoPrefilter: true}, {Method: reach.ExactStar}} {
		ctx, cancel := context.WithTimeout(bg, 100*time.Millisecond)
		begin := time.Now()
		r, err := m.Verify(ctx, prop, o)
		took := time.Since(begin)
		cancel()
		require.NoError(t, err)
		require.Equal(t, spec.Unknown, r.Verdict, o.Method)
		require.Equal(t, spec.ReasonTimeout, r.Reason)
		require.True(t, math.IsInf(r.LowerBound, -1))
		require.Less(t, took, 5*time.Second)
	}
	ctx, cancel := context.WithCancel(bg)
	cancel()
	r, err := m.Verify(ctx, prop, reach.Options{})
	require.NoError(t, err)
	require.Equal(t, spec.ReasonCancelled, r.Reason)
	_, err = m.Reach(ctx, box, reach.Options{})
	require.ErrorIs(t, err, context.Canceled)
}

// TestLimits: stars and memory end exact-star without an answer.
func TestLimits(t *testing.T) {
	net := tinyDense(t, 5, nn.ReLU{}, 6, 30, 30, 2)
	m, err := reach.Compile(net)
	require.NoError(t, err)
	box := boxAround(t, rand.New(rand.NewPCG(2, 5)), 6, 1)
	prop := &spec.Property{Inputs: 6, Outputs: 2, Cases: []spec.Case{{Region: box, Unsafe: []spec.Conjunction{{{Output: []spec.Term{{Index: 0, Coef: 1}}, Bound: -1000}}}}}}
	for reason, o := range map[spec.Reason]reach.Options{
		spec.ReasonNodeLimit: {Method: reach.ExactStar, NoPrefilter: true, MaxStars: 20},
		spec.ReasonMemory:    {Method: reach.ExactStar, NoPrefilter: true, MaxMemory: 1 << 12},
	} {
		r, err := m.Verify(bg, prop, o)
		require.NoError(t, err)
		require.Equal(t, spec.Unknown, r.Verdict)
		require.Equal(t, reason, r.Reason)
	}
	seen := 0
	_, err = m.Reach(bg, box, reach.Options{Method: reach.ExactStar, MaxStars: 200, Progress: func(p reach.Progress) { seen = p.Stars }})
	require.ErrorIs(t, err, reach.ErrStars)
	require.Positive(t, seen)
	_, err = m.Reach(bg, box, reach.Options{Method: reach.ExactStar, MaxMemory: 1 << 20})
	require.ErrorIs(t, err, reach.ErrMemory)
}

func TestErrors(t *testing.T) {
	net := tinyDense(t, 1, nn.Tanh{}, 2, 3, 2)
	m, err := reach.Compile(net)
	require.NoError(t, err)
	box := boxAround(t, rand.New(rand.NewPCG(2, 5)), 2, 1)
	prop := spec.Robustness(box, 0, 2)
	for says, o := range map[string]reach.Options{
		"Method = 9":           {Method: 9},
		"Method = -1":          {Method: -1},
		"RelaxFactor = 2":      {RelaxFactor: 2},
		"RelaxFactor = NaN":    {RelaxFactor: math.NaN()},
		"Choice = 6":           {Choice: 6},
		"MaxStars = -1":        {MaxStars: -1},
		"MaxMemory = -1":       {MaxMemory: -1},
		"Attack.Restarts = -1": {Attack: reach.AttackOptions{Restarts: -1}},
		"Attack.Steps = -1":    {Attack: reach.AttackOptions{Steps: -1}},
	} {
		_, err := m.Verify(bg, &prop, o)
		require.ErrorContains(t, err, says)
		var option *reach.OptionError
		require.ErrorAs(t, err, &option)
		require.Equal(t, strings.Split(says, " ")[0], option.Field)
		_, err = m.Reach(bg, box, o)
		require.ErrorContains(t, err, says)
	}
	var unsupported *nn.UnsupportedError
	_, err = m.Verify(bg, &prop, reach.Options{Method: reach.ExactStar})
	require.ErrorAs(t, err, &unsupported)
	require.Equal(t, "Tanh", unsupported.Op)
	var shape *nn.ShapeError
	_, err = m.Reach(bg, boxAround(t, rand.New(rand.NewPCG(2, 5)), 3, 1), reach.Options{})
	require.ErrorAs(t, err, &shape)
	var wrong *spec.Error
	other := spec.Robustness(box, 0, 3)
	_, err = m.Verify(bg, &other, reach.Options{})
	require.ErrorAs(t, err, &wrong)
	_, err = m.Verify(bg, &spec.Property{Inputs: 2, Outputs: 2}, reach.Options{})
	require.ErrorAs(t, err, &wrong)

	b := nn.NewBuilder(nn.Shape{2})
	odd, err := b.Build(b.Add("odd one", cube{}, b.Input()))
	require.NoError(t, err)
	_, err = reach.Compile(odd)
	require.ErrorAs(t, err, &unsupported)
	require.Equal(t, "odd one", unsupported.Node)

	for m := reach.ApproxStar; m <= reach.Zono; m++ {
		back, err := reach.ParseMethod(m.String())
		require.NoError(t, err)
		require.Equal(t, m, back)
	}
	for c := reach.ByRange; c <= reach.UpperFirst; c++ {
		back, err := reach.ParseChoice(c.String())
		require.NoError(t, err)
		require.Equal(t, c, back)
	}
	_, err = reach.ParseMethod("magic")
	require.Error(t, err)
	_, err = reach.ParseChoice("magic")
	require.Error(t, err)
}

// cube is an activation without a rule.
type cube struct{ nn.Tanh }

func (cube) Kind() string { return "Cube" }

// TestOverflow: numbers beyond float64 end in no claim.
func TestOverflow(t *testing.T) {
	m := newNet(t, 1, nn.Shape{1})
	for range 9 {
		d, err := nn.NewDense(1, 1, []float64{3e38}, []float64{1})
		require.NoError(t, err)
		m.add(d)
		m.add(nn.ReLU{})
	}
	d, err := nn.NewDense(2, 1, []float64{1, -1}, nil)
	require.NoError(t, err)
	m.add(d)
	net := m.build()
	box, err := spec.NewBox([]float64{-1}, []float64{1})
	require.NoError(t, err)
	prop := spec.Robustness(box, 1, 2)
	for method := reach.ApproxStar; method <= reach.Zono; method++ {
		r, err := reach.Verify(bg, net, &prop, reach.Options{Method: method})
		require.NoError(t, err)
		require.NotEqual(t, spec.Verified, r.Verdict, fmt.Sprint(method))
	}
	c, err := reach.Compile(net)
	require.NoError(t, err)
	_, err = c.Reach(bg, box, reach.Options{})
	require.ErrorIs(t, err, reach.ErrOverflow)
}

var _ solver.Incremental = simplex.Solver{}
