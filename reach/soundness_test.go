package reach_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/vouchnn/vouch/nn"
	"github.com/vouchnn/vouch/reach"
)

var bg = context.Background()

// settings are options that must all be sound.
func settings() map[string]reach.Options {
	s := map[string]reach.Options{
		"approx":             {},
		"approx, no filter":  {NoPrefilter: true},
		"relax 0.5":          {Method: reach.RelaxStar, RelaxFactor: 0.5},
		"relax 1":            {Method: reach.RelaxStar, RelaxFactor: 1},
		"relax 1, no filter": {Method: reach.RelaxStar, RelaxFactor: 1, NoPrefilter: true},
		"abs-dom":            {Method: reach.AbsDom},
		"zono":               {Method: reach.Zono},
	}
	for c := reach.ByRange; c <= reach.UpperFirst; c++ {
		s["relax by "+c.String()] = reach.Options{Method: reach.RelaxStar, RelaxFactor: 0.4, Choice: c, NoPrefilter: true}
	}
	return s
}

// bounds is the range of every output, by linear programs.
func bounds(t *testing.T, s *reach.Star) (lower, upper []float64) {
	for i := range s.Dim() {
		l, u, err := s.Range(bg, i)
		require.NoError(t, err)
		lower, upper = append(lower, l), append(upper, u)
	}
	return lower, upper
}

// TestContainment: outputs at sampled inputs lie in every set, by their ranges and by
// a membership program; exact-star's union covers them.
func TestContainment(t *testing.T) {
	for name, net := range zoo(t) {
		m, err := reach.Compile(net)
		require.NoError(t, err, name)
		for key, o := range settings() {
			t.Run(name+"/"+key, func(t *testing.T) {
				rng := rand.New(rand.NewPCG(3, 4))
				box := boxAround(t, rng, m.Inputs(), 0.4)
				stars, err := m.Reach(bg, box, o)
				require.NoError(t, err)
				require.Len(t, stars, 1)
				lower, upper := bounds(t, stars[0])
				est := stars[0].Box()
				for k := range 60 {
					y, err := nn.Evaluate(net, inside(rng, box))
					require.NoError(t, err)
					for i, v := range y {
						e := 1e-12 * (1 + math.Abs(v)) // of the evaluation
						require.True(t, v >= lower[i]-e && v <= upper[i]+e, "output %d: %g not in [%g, %g]", i, v, lower[i], upper[i])
						require.True(t, lower[i] >= est.Lower[i]-e && upper[i] <= est.Upper[i]+e)
					}
					if k < 6 {
						in, err := stars[0].Contains(bg, y)
						require.NoError(t, err)
						require.True(t, in)
					}
				}
			})
		}
	}
}

func TestExactCovers(t *testing.T) {
	for name, net := range zoo(t) {
		m, err := reach.Compile(net)
		require.NoError(t, err)
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(8, 4))
			box := boxAround(t, rng, m.Inputs(), 0.12)
			stars, err := m.Reach(bg, box, reach.Options{Method: reach.ExactStar})
			var curved *nn.UnsupportedError
			if slices.Contains([]string{"dense sigmoid", "dense tanh", "dense arctan", "one axis, concat"}, name) {
				require.ErrorAs(t, err, &curved)
				return
			}
			require.NoError(t, err)
			covered := make([]int, len(stars))
			for range 25 {
				y, err := nn.Evaluate(net, inside(rng, box))
				require.NoError(t, err)
				found := false
				for k, s := range stars {
					in, err := s.Contains(bg, y)
					require.NoError(t, err)
					if in {
						covered[k]++
						found = true
						break
					}
				}
				require.True(t, found, "no star of %d holds an output", len(stars))
			}
			// Exact is inside approximate.
			approx, err := m.Reach(bg, box, reach.Options{})
			require.NoError(t, err)
			lower, upper := bounds(t, approx[0])
			for _, s := range stars {
				l, u := bounds(t, s)
				for i := range l {
					require.True(t, l[i] >= lower[i]-1e-9 && u[i] <= upper[i]+1e-9)
				}
			}
		})
	}
}

// TestOrder: exact ⊆ approx ⊆ relax, and approx ⊆ abs-dom, zono, by ranges in random
// directions.
func TestOrder(t *testing.T) {
	for name, net := range zoo(t) {
		m, err := reach.Compile(net)
		require.NoError(t, err)
		t.Run(name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(9, 9))
			box := boxAround(t, rng, m.Inputs(), 0.5)
			inner, err := m.Reach(bg, box, reach.Options{})
			require.NoError(t, err)
			for key, o := range settings() {
				outer, err := m.Reach(bg, box, o)
				require.NoError(t, err)
				for range 4 {
					h := make([]float64, m.Outputs())
					for i := range h {
						h[i] = rng.NormFloat64()
					}
					a, _, err := inner[0].Minimum(bg, h)
					require.NoError(t, err)
					b, _, err := outer[0].Minimum(bg, h)
					require.NoError(t, err)
					assert.GreaterOrEqual(t, a, b-1e-7, key)
				}
			}
		})
	}
}

// TestRelaxFactorMonotone: on a network whose second layer's estimates do not depend
// on the factor, more programs never loosen the set.
func TestRelaxFactorMonotone(t *testing.T) {
	for seed := range uint64(5) {
		m, err := reach.Compile(tinyDense(t, seed, nn.ReLU{}, 3, 8, 8, 2))
		require.NoError(t, err)
		box := boxAround(t, rand.New(rand.NewPCG(seed, 1)), 3, 0.8)
		for c := reach.ByRange; c <= reach.UpperFirst; c++ {
			last := math.Inf(1)
			for _, factor := range []float64{0, 0.25, 0.5, 0.75, 1} {
				s, err := m.Reach(bg, box, reach.Options{Method: reach.RelaxStar, RelaxFactor: factor, Choice: c, NoPrefilter: true, Seed: 3})
				require.NoError(t, err)
				l, _, err := s[0].Range(bg, 0)
				require.NoError(t, err)
				assert.LessOrEqual(t, l, last+1e-8, fmt.Sprint(c, factor))
				last = l
			}
		}
	}
}
