package solvertest

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/solver"
)

func TestGeneratorsAreValidAndRepeatable(t *testing.T) {
	for _, generate := range []func() *solver.Problem{
		func() *solver.Problem { return Knapsack(3, 8, 9) },
		func() *solver.Problem { return ReLUs(3, 0.2, 4, 6, 6, 3) },
		func() *solver.Problem { return Quantized(3, Direct, 4, 9, 6, 5, 3) },
		func() *solver.Problem { return Quantized(3, Levels, 4, 9, 6, 5, 3) },
		func() *solver.Problem { return Star(3, 0.1, 4, 8, 8, 3).Problem },
	} {
		p := generate()
		require.NoError(t, p.Validate())
		require.Equal(t, p, generate())
	}
}

// KnownInteger's answers are the exact twin's.
func TestKnownIntegersExactly(t *testing.T) {
	for _, c := range KnownInteger() {
		status, objective := ExactInteger(c.Problem, 3000)
		if status == solver.Unknown { // equality knapsacks without a solution are wide
			require.Equal(t, solver.Infeasible, c.Status, c.Name)
			continue
		}
		require.Equal(t, c.Status, status, c.Name)
		if status == solver.Optimal {
			got, _ := objective.Float64()
			require.InDelta(t, c.Objective, got, 1e-12*c.Scale, c.Name)
		}
	}
}

// The star set contains what the network does: predicates follow from inputs as the
// rows say, so every row holds with a = max(x, 0).
func TestStarContainsTheNetwork(t *testing.T) {
	s := Star(5, 0.3, 3, 6, 6, 4)
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		x := make([]float64, len(s.Problem.Variables))
		for j := range 3 {
			x[j] = 2*rng.Float64() - 1
		}
		for i := 0; i+2 < len(s.Problem.Rows); i += 3 { // a ≥ 0, a ≥ f, a ≤ slope·(f − l)
			a := s.Problem.Rows[i].Columns[0]
			r := s.Problem.Rows[i+1]
			x[a] = max(0, r.Lower-(r.Activity(x)-x[a]))
		}
		for i, r := range s.Problem.Rows {
			v := r.Activity(x)
			require.GreaterOrEqual(t, v, r.Lower-1e-9, "row %d", i)
			require.LessOrEqual(t, v, r.Upper+1e-9, "row %d", i)
		}
		for j, v := range s.Problem.Variables {
			require.GreaterOrEqual(t, x[j], v.Lower-1e-9)
			require.LessOrEqual(t, x[j], v.Upper+1e-9)
		}
	}
	require.Len(t, s.Objectives, 4)
}

// A neuron of either encoding has exactly one value for every input, that of its
// definition.
func TestQuantizedNeuronsFollowTheirDefinition(t *testing.T) {
	const step, floor, ceiling = 4, 0, 3
	for _, levels := range []bool{false, true} {
		for sum := -12; sum <= 24; sum++ {
			want := min(max((sum+2)>>2, floor), ceiling)
			for y := floor; y <= ceiling; y++ {
				p := &solver.Problem{}
				x := p.AddInteger(float64(sum), float64(sum), 0)
				v := p.AddInteger(float64(y), float64(y), 0)
				c := clamped{p, neuron{v, floor, ceiling}, []int{x}, []float64{1}, 2, -10, 26, step, floor, ceiling}
				if levels {
					c.levels()
				} else {
					c.direct()
				}
				status, _ := ExactInteger(p, 1000)
				require.Equal(t, y == want, status == solver.Optimal, "levels %v: sum %d, y %d", levels, sum, y)
			}
		}
	}
}

// ReLUs is exact: with the binaries fixed by the inputs' pattern every activation is
// what the network computes.
func TestReLUsAreExact(t *testing.T) {
	p := ReLUs(4, 0.3, 2, 4, 2)
	status, relaxed := Exact(p)
	require.Equal(t, solver.Optimal, status)
	status, exact := ExactInteger(p, 3000)
	require.Equal(t, solver.Optimal, status)
	require.LessOrEqual(t, relaxed.Cmp(exact), 0)
	want := math.Inf(1) // by a fine grid of inputs: an upper bound of the least difference
	for i := range 101 {
		for j := range 101 {
			x := make([]float64, len(p.Variables))
			for k, s := range []int{i, j} {
				v := p.Variables[k]
				x[k] = v.Lower + (v.Upper-v.Lower)*float64(s)/100
			}
			want = min(want, runReLUs(p, x))
		}
	}
	got, _ := exact.Float64()
	require.LessOrEqual(t, got, want+1e-7)
	require.InDelta(t, want, got, 0.02*(1+math.Abs(want)))
}

// runReLUs computes the network along its equations and returns the objective.
func runReLUs(p *solver.Problem, x []float64) float64 {
	for _, r := range p.Rows {
		if r.Lower == r.Upper { // z − Σ w·x = bias; z is last
			z := r.Columns[len(r.Columns)-1]
			x[z] = 0
			x[z] = r.Lower - r.Activity(x)
			for j := z + 1; j < len(p.Variables); j++ { // its activation, if any
				for _, t := range p.Rows {
					if len(t.Columns) == 2 && t.Columns[1] == z && t.Columns[0] == j {
						x[j] = max(0, x[z])
					}
				}
			}
		}
	}
	return p.Value(x)
}
