package qnn

import (
	"bytes"
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver"
	"github.com/vouchnn/vouch/spec"
)

// enumerator solves tiny integer programs by trying all values, one variable
// after the other, with a look at every row's range.
type enumerator struct{}

func (enumerator) Solve(_ context.Context, p *solver.Problem, _ solver.Options) (*solver.Solution, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	e := enumeration{p: p, x: make([]float64, len(p.Variables)), rows: make([][]int, len(p.Variables))}
	for r := range p.Rows {
		if len(p.Rows[r].Columns) == 0 && !e.possible(r, 0) {
			return &solver.Solution{Status: solver.Infeasible}, nil
		}
		for _, j := range p.Rows[r].Columns {
			e.rows[j] = append(e.rows[j], r)
		}
	}
	if e.fill(0) {
		return &solver.Solution{Status: solver.Optimal, X: e.x}, nil
	}
	return &solver.Solution{Status: solver.Infeasible}, nil
}

type enumeration struct {
	p    *solver.Problem
	x    []float64
	rows [][]int
}

func (e *enumeration) fill(j int) bool {
	if j == len(e.x) {
		return true
	}
	v := e.p.Variables[j]
	for x := v.Lower; x <= v.Upper; x++ {
		e.x[j] = x
		ok := true
		for _, r := range e.rows[j] {
			ok = ok && e.possible(r, j+1)
		}
		if ok && e.fill(j+1) {
			return true
		}
	}
	return false
}

// possible reports whether row r can hold, the variables from n on being free.
func (e *enumeration) possible(r, n int) bool {
	row := e.p.Rows[r]
	low, high := 0.0, 0.0
	for k, j := range row.Columns {
		a, b := e.x[j], e.x[j]
		if j >= n {
			a, b = e.p.Variables[j].Lower, e.p.Variables[j].Upper
		}
		low += min(row.Values[k]*a, row.Values[k]*b)
		high += max(row.Values[k]*a, row.Values[k]*b)
	}
	return low <= row.Upper && high >= row.Lower // exact: halves of small integers
}

// TestEncodingsAgainstEnumeration: both encodings, with and without intervals, one
// program for each conjunction and one for all.
func TestEncodingsAgainstEnumeration(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	verdicts := map[spec.Verdict]int{}
	count := 240
	if testing.Short() {
		count = 60
	}
	for k := range count {
		n := randomNetwork(t, rng)
		p := query(t, n, rng, norms[k%4])
		want := exhaustive(n, p)
		for _, o := range []ILPOptions{
			{Encode: EncodeOptions{Encoding: Compact}},
			{Encode: EncodeOptions{Encoding: Levels}},
			{Encode: EncodeOptions{Encoding: Compact, NoIntervals: true}, Joint: true},
			{Encode: EncodeOptions{Encoding: Levels, NoIntervals: true}, Joint: true},
		} {
			o.Solver = enumerator{}
			res, err := VerifyILP(context.Background(), n, p, o)
			require.NoError(t, err)
			require.Equal(t, want, res.Verdict, "query %d, %+v", k, o)
		}
		verdicts[want]++
	}
	assert.Greater(t, verdicts[spec.Verified], count/5)
	assert.Greater(t, verdicts[spec.Falsified], count/5)
}

// Intervals leave fewer Booleans; compact leaves fewest.
func TestEncodingSizes(t *testing.T) {
	n := paperNetwork(t)
	ball, err := n.Ball(spec.LInf, []int64{10, 2}, 4)
	require.NoError(t, err)
	size := func(o EncodeOptions) int {
		e, err := Encode(n, Robustness(ball, 1, 2), 0, -1, o)
		require.NoError(t, err)
		return len(e.Problem.Variables)
	}
	assert.Equal(t, 2+4+4*64, size(EncodeOptions{Encoding: Levels, NoIntervals: true}))
	// Figure 4 and section 3.7: 9, 19, 18 and 15 levels are left.
	assert.Equal(t, 2+4+9+19+18+15, size(EncodeOptions{Encoding: Levels}))
	// Only the first neuron reaches a clamp, the lower.
	assert.Equal(t, 2+4+1, size(EncodeOptions{}))
}

func TestEncodedProblemsAreWritten(t *testing.T) {
	n := paperNetwork(t)
	ball, err := n.Ball(spec.L1, []int64{10, 2}, 2)
	require.NoError(t, err)
	e, err := Encode(n, Robustness(ball, 1, 2), 0, 0, EncodeOptions{})
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, solver.WriteLP(&b, e.Problem))
	back, err := solver.ReadLP(&b)
	require.NoError(t, err)
	assert.Len(t, back.Variables, len(e.Problem.Variables))
	assert.Len(t, back.Rows, len(e.Problem.Rows))
}

func TestEncodeRefuses(t *testing.T) {
	n := paperNetwork(t)
	clip := spec.Box{Lower: []float64{0, 0}, Upper: []float64{63, 63}}
	ball, err := spec.NewBall(spec.L1, []float64{1.5, 2}, 2, &clip)
	require.NoError(t, err)
	_, err = Encode(n, Robustness(ball, 1, 2), 0, -1, EncodeOptions{})
	require.ErrorContains(t, err, "coordinate 0 of the centre")
	_, err = VerifyILP(context.Background(), n, Robustness(ball, 1, 2), ILPOptions{})
	require.ErrorContains(t, err, "Solver")
}

// A solver that stops, or errs on the side of points, never makes a case safe.
type liar struct{ sol solver.Solution }

func (l liar) Solve(context.Context, *solver.Problem, solver.Options) (*solver.Solution, error) {
	return &l.sol, nil
}

func TestILPKeepsThreeOutcomes(t *testing.T) {
	n := paperNetwork(t)
	ball, err := n.Ball(spec.LInf, []int64{10, 2}, 4)
	require.NoError(t, err)
	p := Robustness(ball, 1, 2)
	wrong := make([]float64, 200)
	wrong[0], wrong[1] = 10, 2 // the centre is safe
	for _, c := range []struct {
		sol    solver.Solution
		reason spec.Reason
	}{
		{solver.Solution{Status: solver.Limit, Reason: solver.ReasonTimeout}, spec.ReasonTimeout},
		{solver.Solution{Status: solver.Limit, Reason: solver.ReasonNodes}, spec.ReasonNodeLimit},
		{solver.Solution{Status: solver.Optimal, X: wrong}, spec.ReasonNumerical},
		{solver.Solution{Status: solver.Unknown}, spec.ReasonNumerical},
	} {
		res, err := VerifyILP(context.Background(), n, p, ILPOptions{Solver: liar{c.sol}})
		require.NoError(t, err)
		assert.Equal(t, spec.Unknown, res.Verdict)
		assert.Equal(t, c.reason, res.Reason)
	}
}

// TestRadius: both searches find the radius that enumeration finds.
func TestRadius(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	for k := range 120 {
		n := randomNetwork(t, rng)
		x := randomInput(n, rng)
		norm := norms[k%4]
		label := n.Classify(x)
		want := math.Inf(1)
		each(n, func(y []int64) {
			if n.Classify(y) != label {
				want = min(want, math.Ceil(distance(norm, y, x))-1)
			}
		})
		for name, search := range map[string]func(context.Context, *Network, []int64, RadiusOptions) (*Radius, error){"paper": PaperRadius, "improved": MaxRadius} {
			r, err := search(context.Background(), n, x, RadiusOptions{Norm: norm, Start: 2, Step: 3})
			require.NoError(t, err)
			require.True(t, r.Solved(), name)
			if math.IsInf(want, 1) {
				require.True(t, r.Unbounded, name)
				continue
			}
			require.False(t, r.Unbounded, name)
			require.Equal(t, int(want), r.Lower, name)
			require.NotEqual(t, label, n.Classify(r.Counterexample))
			require.LessOrEqual(t, distance(norm, r.Counterexample, x), want+1)
		}
	}
}

// A decider that does not decide some radii leaves an interval around them.
func TestRadiusIsAnIntervalAfterTimeouts(t *testing.T) {
	n := paperNetwork(t)
	x := []int64{10, 2}
	exact, err := MaxRadius(context.Background(), n, x, RadiusOptions{})
	require.NoError(t, err)
	require.True(t, exact.Solved())
	for _, search := range []func(context.Context, *Network, []int64, RadiusOptions) (*Radius, error){PaperRadius, MaxRadius} {
		r, err := search(context.Background(), n, x, RadiusOptions{Decide: func(ctx context.Context, net *Network, p spec.Property) (*spec.Result, error) {
			if d := p.Cases[0].Region.(*spec.Ball).Radius - float64(exact.Lower); d == 0 || d == 1 {
				return &spec.Result{Reason: spec.ReasonTimeout}, nil
			}
			return Verify(ctx, net, p, Options{})
		}})
		require.NoError(t, err)
		assert.False(t, r.Solved())
		assert.LessOrEqual(t, r.Lower, exact.Lower)
		assert.GreaterOrEqual(t, r.Upper, exact.Upper)
	}
}
